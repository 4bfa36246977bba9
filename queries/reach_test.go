//go:build cgo && !noduck

package queries_test

import (
	"encoding/json"
	"math"
	"math/bits"
	"math/rand/v2"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/boontorrent/boon/etl"
	"github.com/boontorrent/boon/internal/lake"
	"github.com/boontorrent/boon/internal/pseudonym"
	"github.com/boontorrent/boon/internal/rawlog"
)

// TestReachFindsTheTruth makes a network of known size and lookups that ask a
// node with a chance known for its distance: the query finds both, from nothing
// but the lookups.
func TestReachFindsTheTruth(t *testing.T) {
	const nodes, lookups, day = 20_000, 400, lake.Day(20_779)
	r := rand.New(rand.NewPCG(11, 11))
	network := make([]rawlog.ID, nodes)
	for i := range network {
		network[i] = randomID(r)
	}
	// A lookup of this family asks all of the nearest, and of each further band a third of what it asks of the one before.
	chance := map[string]func(band int) float64{
		"wide":  func(band int) float64 { return math.Min(1, math.Pow(3, float64(149-band))) },
		"early": func(band int) float64 { return math.Min(0.5, math.Pow(3, float64(147-band))) },
	}
	store := lake.NewFile(filepath.Join(t.TempDir(), "lake"))
	log := rawlog.NewLog(store, rawlog.Header{Collector: "fra1", Run: "r1", Software: "test"}, 0)
	for i := range lookups {
		for name, p := range chance {
			probe := &rawlog.ProbeEvent{Target: randomID(r), Family: name}
			for _, id := range network {
				if r.Float64() < p(bandOf(probe.Target, id)) {
					probe.Queried = append(probe.Queried, rawlog.Queried{ID: id, OK: true})
				}
			}
			probe.Queried = append(probe.Queried, rawlog.Queried{ID: randomID(r)}) // a dead one
			ev := rawlog.Event{Kind: rawlog.Probe, T: day.Start() + int64(i)*1e6, Probe: probe}
			if err := log.Append(t.Context(), &ev); err != nil {
				t.Fatal(err)
			}
		}
	}
	if err := log.Close(t.Context()); err != nil {
		t.Fatal(err)
	}
	opts := etl.Options{Now: time.Now, NewKey: func() (pseudonym.Key, error) { return pseudonym.Key{}, nil }}
	if _, err := etl.Run(t.Context(), store, opts); err != nil {
		t.Fatal(err)
	}
	seen := map[string]int{}
	for line := range strings.Lines(answer(t, open(t, store), "reach", nil)) {
		var row struct {
			Family        string
			Band, Lookups int
			NetworkNodes  float64  `json:"network_nodes"`
			NodesInBand   float64  `json:"nodes_in_band"`
			Share         *float64 `json:"share"`
		}
		if err := json.Unmarshal([]byte(line), &row); err != nil {
			t.Fatal(err)
		}
		if row.Lookups != lookups || math.Abs(row.NetworkNodes-nodes) > nodes/10 {
			t.Errorf("%d lookups, %.0f nodes in the network; want %d and %d", row.Lookups, row.NetworkNodes, lookups, nodes)
		}
		if row.Share == nil || lookups*row.NodesInBand*chance[row.Family](row.Band) < 100 {
			continue // too few to compare
		}
		seen[row.Family]++
		if want := chance[row.Family](row.Band); math.Abs(*row.Share-want) > 0.25*want {
			t.Errorf("%s, band %d: share %.4f, want %.4f", row.Family, row.Band, *row.Share, want)
		}
	}
	if seen["wide"] < 5 || seen["early"] < 3 {
		t.Errorf("bands compared: %v", seen)
	}
}

func randomID(r *rand.Rand) (id rawlog.ID) {
	for i := range id {
		id[i] = byte(r.Uint32())
	}
	return id
}

// bandOf is the whole part of log2 of the distance of two ids.
func bandOf(a, b rawlog.ID) int {
	for i := range a {
		if a[i] != b[i] {
			return 8*(19-i) + bits.Len8(a[i]^b[i]) - 1
		}
	}
	return 0
}
