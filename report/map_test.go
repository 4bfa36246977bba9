//go:build cgo && !noduck

package report_test

import (
	"bytes"
	"compress/gzip"
	"encoding/binary"
	"fmt"
	"io"
	"math"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/boontorrent/boon/internal/duck"
	"github.com/boontorrent/boon/internal/duck/ducktest"
	"github.com/boontorrent/boon/internal/lake"
)

// mapFile is what a map's file says, read by the description of its layout.
type mapFile struct {
	cells  []int
	levels [25][]byte
	places []string
}

func readMap(t *testing.T, path string) (m mapFile) {
	t.Helper()
	f, err := os.Open(path)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	zip, err := gzip.NewReader(f)
	if err != nil {
		t.Fatal(err)
	}
	b, err := io.ReadAll(zip)
	if err != nil || !bytes.HasPrefix(b, []byte("BMAP")) {
		t.Fatalf("%s: %v, %.4q", path, err, b)
	}
	n := int(binary.LittleEndian.Uint16(b[4:]))
	b = b[6:]
	for i := range n {
		m.cells = append(m.cells, int(binary.LittleEndian.Uint16(b[2*i:])))
	}
	b = b[2*n:]
	for hour := range m.levels {
		m.levels[hour], b = b[:n], b[n:]
	}
	m.places = strings.Split(strings.TrimSuffix(string(b), "\n"), "\n")
	return m
}

// onlyFile is the one file that fits the pattern.
func onlyFile(t *testing.T, pattern string) string {
	t.Helper()
	found, err := filepath.Glob(pattern)
	if err != nil || len(found) != 1 {
		t.Fatalf("%s: %v, %v", pattern, found, err)
	}
	return found[0]
}

// Every value of a day's map, against the queries themselves: shown where and
// only where it may be, and right within its rounding.
func TestMapTellsTheTables(t *testing.T) {
	const k = 20
	out, dir := sharedSite(t)
	db := open(t, lake.NewFile(dir))
	for _, day := range ducktest.Days {
		m := readMap(t, onlyFile(t, filepath.Join(out, "map", day+"-*.gz")))
		got := map[string]int{}
		for hour, levels := range m.levels {
			for i, level := range levels {
				if level > 0 {
					got[fmt.Sprintf("%d at %d", m.cells[i], hour)] = 10 * int(level)
				}
			}
		}
		if len(m.places) != len(m.cells) {
			t.Errorf("%s: %d places of %d cells", day, len(m.places), len(m.cells))
		}
		if diff := cmp.Diff(wantedCells(t, db, day, k), got); diff != "" {
			t.Errorf("%s: (-want +got)\n%s", day, diff)
		}
	}
}

// wantedCells counts in Go what the map may show.
func wantedCells(t *testing.T, db *duck.DB, day string, k int) map[string]int {
	t.Helper()
	rows, err := db.Query(t.Context(), `SELECT hour(ts), lat, lon, network, requester FROM heard WHERE day = '`+day+`' AND lat IS NOT NULL`)
	if err != nil {
		t.Fatal(err)
	}
	defer rows.Close()
	askers := map[string]map[int64]map[int64]bool{} // cell and hour → network → requesters
	for rows.Next() {
		var hour int
		var lat, lon float64
		var network, requester int64
		if err := rows.Scan(&hour, &lat, &lon, &network, &requester); err != nil {
			t.Fatal(err)
		}
		band := math.Floor(lat + 90)
		n := math.Round(360 * math.Cos((band-89.5)*math.Pi/180))
		cell := int(band)*360 + int(math.Floor((lon+180)/360*n))
		for _, h := range []int{hour, 24} {
			key := fmt.Sprintf("%d at %d", cell, h)
			if askers[key] == nil {
				askers[key] = map[int64]map[int64]bool{}
			}
			if askers[key][network] == nil {
				askers[key][network] = map[int64]bool{}
			}
			askers[key][network][requester] = true
		}
	}
	want := map[string]int{}
	for key, networks := range askers {
		all, largest := 0, 0
		for _, requesters := range networks {
			all += len(requesters)
			largest = max(largest, len(requesters))
		}
		if len(networks) >= k && float64(largest) <= 0.85*float64(all) {
			want[key] = (all + 5) / 10 * 10
		}
	}
	if len(want) < 10 {
		t.Fatalf("only %d values may be shown: the test says little", len(want))
	}
	return want
}

// A day that is there already is taken over, and the site is the same as one
// built from nothing; a file that was cut meanwhile is made anew.
func TestDaysAreTakenOver(t *testing.T) {
	_, dir := sharedSite(t)
	db := open(t, lake.NewFile(dir))
	out := filepath.Join(t.TempDir(), "site")
	build(t, db, out, 20)
	want := digests(t, out)
	first := onlyFile(t, filepath.Join(out, "map", ducktest.Days[0]+"-*.gz"))
	before, err := os.Stat(first)
	if err != nil {
		t.Fatal(err)
	}
	build(t, db, out, 20)
	after, err := os.Stat(first)
	if err != nil || !os.SameFile(before, after) {
		t.Errorf("the first day's map was not taken over: %v", err)
	}
	if diff := cmp.Diff(want, digests(t, out)); diff != "" {
		t.Errorf("after a second build: %s", diff)
	}
	if err := os.Truncate(first, 40); err != nil {
		t.Fatal(err)
	}
	build(t, db, out, 20)
	if diff := cmp.Diff(want, digests(t, out)); diff != "" {
		t.Errorf("after a file was cut: %s", diff)
	}
}
