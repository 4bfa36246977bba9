package main

import (
	"encoding/binary"
	"math"
	"os"
	"testing"
)

// decodeLines reads the asset by its description.
func decodeLines(t *testing.T, b []byte) (lines [][]point, rest []byte) {
	t.Helper()
	next := func(read func([]byte) (int64, int)) int64 {
		v, n := read(b)
		if n <= 0 {
			t.Fatal("the asset is cut short")
		}
		b = b[n:]
		return v
	}
	unsigned := func(b []byte) (int64, int) { v, n := binary.Uvarint(b); return int64(v), n }
	for left := next(unsigned); left > 0; left-- {
		var line []point
		var x, y int64
		for n := next(unsigned); n > 0; n-- {
			x, y = x+next(binary.Varint), y+next(binary.Varint)
			line = append(line, point{float64(x) / perDegree, float64(y) / perDegree})
		}
		lines = append(lines, line)
	}
	return lines, b
}

// inside says whether the point lies in an odd number of rings.
func inside(rings [][]point, p point) bool {
	odd := false
	for _, ring := range rings {
		for i, a := range ring {
			b := ring[(i+1)%len(ring)]
			if (a.lat > p.lat) != (b.lat > p.lat) && p.lon < a.lon+(p.lat-a.lat)/(b.lat-a.lat)*(b.lon-a.lon) {
				odd = !odd
			}
		}
	}
	return odd
}

// The committed coastlines are the Earth's, and no line runs across the map.
func TestCoast(t *testing.T) {
	b, err := os.ReadFile("../coast.bin")
	if err != nil {
		t.Fatal(err)
	}
	land, rest := decodeLines(t, b)
	borders, rest := decodeLines(t, rest)
	if len(rest) != 0 || len(land) < 100 || len(borders) < 100 {
		t.Fatalf("%d rings, %d borders, %d bytes over", len(land), len(borders), len(rest))
	}
	for _, line := range append(land, borders...) {
		for i, p := range line {
			if math.Abs(p.lon) > 180 || math.Abs(p.lat) > 90 {
				t.Fatalf("a point at %v", p)
			}
			if i > 0 && math.Abs(p.lon-line[i-1].lon) > 180 && math.Abs(p.lat) < 89 {
				t.Errorf("a line from %v to %v crosses the map", line[i-1], p)
			}
		}
	}
	for name, at := range map[string]point{
		"Paris": {2.35, 48.85}, "Omaha": {-96, 41.3}, "Chukotka west of 180°": {175, 66.5}, "Chukotka east of 180°": {-173.5, 66.5},
		"the South Pole": {10, -89}, "Antarctica": {-100, -80}, "Alice Springs": {133.9, -23.7}, "Viti Levu": {178, -17.8},
	} {
		if !inside(land, at) {
			t.Errorf("%s is in the sea", name)
		}
	}
	for name, at := range map[string]point{"the Atlantic": {-40, 30}, "the Pacific": {-150, 0}, "the Southern Ocean": {100, -55}} {
		if inside(land, at) {
			t.Errorf("%s is land", name)
		}
	}
}
