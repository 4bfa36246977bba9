package etl_test

import (
	"context"
	"encoding/hex"
	"path/filepath"
	"testing"
	"time"

	gocmp "github.com/google/go-cmp/cmp"

	"github.com/boontorrent/boon/datasets"
	"github.com/boontorrent/boon/etl"
	"github.com/boontorrent/boon/internal/geo"
	"github.com/boontorrent/boon/internal/lake"
	"github.com/boontorrent/boon/internal/synth"
)

// synthetic makes a synthetic day and its tables.
func synthetic(t testing.TB, events int) (lake.Store, *synth.Truth) {
	t.Helper()
	store := lake.NewFile(filepath.Join(t.TempDir(), "lake"))
	if _, err := synth.Run(context.Background(), store, synth.Config{Seed: 11, Start: testDay, Days: 1, Events: events}); err != nil {
		t.Fatal(err)
	}
	db, err := geo.Open(store.Path(geo.CityKey), store.Path(geo.ASNKey))
	if err != nil {
		t.Fatal(err)
	}
	opts := options()
	opts.Geo = db
	run(t, store, opts)
	truth, err := synth.ReadTruth(context.Background(), store)
	if err != nil {
		t.Fatal(err)
	}
	return store, truth
}

// On a synthetic day the tables say what is true: who is a crawler, and how
// many distinct requesters each info-hash, country and hour had.
func TestTablesTellTheTruth(t *testing.T) {
	store, truth := synthetic(t, 150_000)
	crawlers := findCrawlers(t, store, truth)

	type set = map[int64]bool
	hashes, countries, hours := map[string]set{}, map[string]set{}, [24]set{}
	put := func(m map[string]set, k string, v int64) {
		if m[k] == nil {
			m[k] = set{}
		}
		m[k][v] = true
	}
	for _, q := range table[datasets.Query](t, store, "queries") {
		if q.Kind != "get_peers" && q.Kind != "announce_peer" || crawlers[q.Requester] ||
			q.Kind == "get_peers" && q.TheirCpl != nil && *q.TheirCpl >= 32 {
			continue
		}
		put(hashes, hex.EncodeToString(q.Infohash[:]), q.Requester)
		put(countries, deref(q.Country), q.Requester)
		h := time.UnixMicro(q.Ts).UTC().Hour()
		if hours[h] == nil {
			hours[h] = set{}
		}
		hours[h][q.Requester] = true
	}
	for _, tr := range truth.Torrents {
		want := 0
		if len(tr.Heard) > 0 {
			want = int(tr.Heard[0])
		}
		if got := len(hashes[tr.Infohash]); got != want {
			t.Errorf("info-hash %s: %d requesters, in truth %d", tr.Infohash, got, want)
		}
	}
	for country, want := range truth.PerDay[0].Countries {
		if got := len(countries[country]); got != int(want.Counted) {
			t.Errorf("country %q: %d requesters, in truth %d", country, got, want.Counted)
		}
	}
	for h, want := range truth.PerDay[0].Hours {
		if got := len(hours[h]); got != int(want.Counted) {
			t.Errorf("hour %d: %d requesters, in truth %d", h, got, want.Counted)
		}
	}
	demandTellsTheTruth(t, store, truth)
}

// findCrawlers returns the requesters that the tables call crawlers, and holds
// them against the truth.
func findCrawlers(t *testing.T, store lake.Store, truth *synth.Truth) map[int64]bool {
	t.Helper()
	isCrawler := map[int64]bool{}
	for _, c := range truth.Crawlers {
		for _, p := range c.Pseudonyms {
			isCrawler[p] = c.Queries > 0
		}
	}
	found, right := map[int64]bool{}, 0
	for _, r := range table[datasets.Requester](t, store, "requesters") {
		if r.Crawler == nil {
			continue
		}
		found[r.Requester] = true
		if isCrawler[r.Requester] {
			right++
		}
	}
	heard := 0
	for _, is := range isCrawler {
		if is {
			heard++
		}
	}
	precision, recall := float64(right)/float64(len(found)), float64(right)/float64(heard)
	t.Logf("%d crawlers heard, %d found, %d rightly: precision %.3f, recall %.3f", heard, len(found), right, precision, recall)
	if precision < 0.95 || recall < 0.95 {
		t.Errorf("precision %.3f, recall %.3f; both must be above 0.95", precision, recall)
	}
	return found
}

// demandTellsTheTruth: every torrent that was announced, resolved or asked for
// by two requesters is in demand with its true count, and no made-up target is.
func demandTellsTheTruth(t *testing.T, store lake.Store, truth *synth.Truth) {
	got := map[string]int64{}
	for _, d := range table[datasets.Demand](t, store, "demand") {
		got[hex.EncodeToString(d.Infohash[:])] += d.Requesters
	}
	resolved := map[string]bool{}
	for _, r := range table[datasets.Torrent](t, store, "torrents") {
		resolved[hex.EncodeToString(r.Infohash[:])] = true
	}
	want := map[string]int64{}
	for _, tr := range truth.Torrents {
		if len(tr.Heard) == 0 || tr.Heard[0] == 0 {
			continue
		}
		if _, listed := got[tr.Infohash]; listed || tr.Heard[0] > 1 || resolved[tr.Infohash] {
			want[tr.Infohash] = int64(tr.Heard[0])
		}
	}
	if diff := gocmp.Diff(want, got); diff != "" {
		t.Errorf("demand (-truth +table): %s", diff)
	}
}

func BenchmarkDay(b *testing.B) {
	const events = 300_000
	store, _ := synthetic(b, events)
	db, err := geo.Open(store.(*lake.File).Path(geo.CityKey), store.(*lake.File).Path(geo.ASNKey))
	if err != nil {
		b.Fatal(err)
	}
	opts := options()
	opts.Geo, opts.Force = db, true
	b.ResetTimer()
	for b.Loop() {
		if _, err := etl.Run(context.Background(), store, opts); err != nil {
			b.Fatal(err)
		}
	}
	b.ReportMetric(float64(b.N)*events/b.Elapsed().Seconds(), "queries/s")
}
