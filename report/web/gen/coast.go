package main

import (
	"encoding/binary"
	"encoding/json"
	"fmt"
	"math"
	"os"
	"slices"
)

// The map's coastlines and borders are Natural Earth's at 1:110 million, which is
// in the public domain, as the npm package world-atlas has them in TopoJSON.
// What comes of it is one file of some 20 kB: the land's rings, cut at 180° of
// longitude so that none runs across the map, and then the borders on land. Each
// list is a varint of its lines; a line is a varint of its points and the points,
// as zigzag varints of the way from the point before, in fiftieths of a degree.

const perDegree = 50

type point struct{ lon, lat float64 }

type topology struct {
	Transform struct{ Scale, Translate [2]float64 }
	Arcs      [][][2]float64
	Objects   map[string]geometry
}

type geometry struct {
	Type       string
	Arcs       json.RawMessage
	Geometries []geometry
}

// coast turns the topology in the file at path into the asset.
func coast(path string) ([]byte, error) {
	text, err := os.ReadFile(path)
	if err != nil {
		return nil, err
	}
	var t topology
	if err := json.Unmarshal(text, &t); err != nil {
		return nil, fmt.Errorf("%s: %w", path, err)
	}
	arcs := t.lines()
	var rings [][]point
	onCoast := map[int]bool{}
	for _, ring := range t.Objects["land"].rings() {
		var line []point
		for _, i := range ring {
			onCoast[max(i, ^i)] = true
			line = join(line, arcs, i)
		}
		rings = append(rings, cut(line)...)
	}
	var borders [][]point
	for i, arc := range arcs {
		if !onCoast[i] {
			borders = append(borders, arc)
		}
	}
	return encodeLines(encodeLines(nil, rings), borders), nil
}

// lines are the arcs in degrees.
func (t *topology) lines() [][]point {
	all := make([][]point, len(t.Arcs))
	for i, arc := range t.Arcs {
		var x, y float64
		for _, step := range arc {
			x, y = x+step[0], y+step[1]
			all[i] = append(all[i], point{x*t.Transform.Scale[0] + t.Transform.Translate[0], y*t.Transform.Scale[1] + t.Transform.Translate[1]})
		}
	}
	return all
}

// rings are the lists of arcs that bound the geometry's polygons.
func (g geometry) rings() (all [][]int) {
	for _, part := range g.Geometries {
		all = append(all, part.rings()...)
	}
	var polygons [][][]int
	switch g.Type {
	case "Polygon":
		polygons = make([][][]int, 1)
		_ = json.Unmarshal(g.Arcs, &polygons[0])
	case "MultiPolygon":
		_ = json.Unmarshal(g.Arcs, &polygons)
	}
	for _, p := range polygons {
		all = append(all, p...)
	}
	return all
}

// join appends arc i to line; ^i is the same arc from its end.
func join(line []point, arcs [][]point, i int) []point {
	if i < 0 {
		back := slices.Clone(arcs[^i])
		slices.Reverse(back)
		return append(line, back...)
	}
	return append(line, arcs[i]...)
}

// cut makes of a ring that crosses 180° the rings on either side. One that goes
// round a pole is closed along the edge of the map.
func cut(ring []point) (pieces [][]point) {
	turned := slices.Clone(ring)
	least, most := turned[0].lon, turned[0].lon
	for i := 1; i < len(turned); i++ {
		turned[i].lon += 360 * math.Round((turned[i-1].lon-turned[i].lon)/360)
		least, most = min(least, turned[i].lon), max(most, turned[i].lon)
	}
	if first, last := turned[0], turned[len(turned)-1]; math.Abs(first.lon-last.lon) > 180 {
		pole := math.Copysign(90, first.lat)
		turned = append(turned, point{last.lon, pole}, point{first.lon, pole})
	}
	for west := -540.0; west < 540; west += 360 {
		if most <= west || least >= west+360 {
			continue
		}
		piece := half(half(turned, west, 1), west+360, -1)
		for i := range piece {
			piece[i].lon -= west + 180
		}
		if len(piece) > 2 {
			pieces = append(pieces, piece)
		}
	}
	return pieces
}

// half keeps of a ring what lies east of a meridian (side 1) or west (side -1).
func half(ring []point, meridian, side float64) (kept []point) {
	for i, b := range ring {
		a := ring[(i+len(ring)-1)%len(ring)]
		da, db := side*(a.lon-meridian), side*(b.lon-meridian)
		if da*db < 0 {
			f := da / (da - db)
			kept = append(kept, point{meridian, a.lat + f*(b.lat-a.lat)})
		}
		if db >= 0 {
			kept = append(kept, b)
		}
	}
	return kept
}

func encodeLines(out []byte, lines [][]point) []byte {
	out = binary.AppendUvarint(out, uint64(len(lines)))
	for _, line := range lines {
		var steps []byte
		var x, y, n int64
		for i, p := range line {
			px, py := int64(math.Round(p.lon*perDegree)), int64(math.Round(p.lat*perDegree))
			if i > 0 && px == x && py == y {
				continue
			}
			steps = binary.AppendVarint(binary.AppendVarint(steps, px-x), py-y)
			x, y, n = px, py, n+1
		}
		out = append(binary.AppendUvarint(out, uint64(n)), steps...)
	}
	return out
}
