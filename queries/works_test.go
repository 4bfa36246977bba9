//go:build cgo && !noduck

package queries_test

import (
	"encoding/json"
	"math"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/boontorrent/boon/etl"
	"github.com/boontorrent/boon/etl/release"
	"github.com/boontorrent/boon/internal/duck"
	"github.com/boontorrent/boon/internal/geo"
	"github.com/boontorrent/boon/internal/lake"
	"github.com/boontorrent/boon/internal/pseudonym"
	"github.com/boontorrent/boon/internal/synth"
	"github.com/boontorrent/boon/queries"
)

// TestWorksRankAsInTruth holds the ranking of works on a synthetic day against the truth: of the 200 most wanted works with
// several releases, all of them resolved, the order by distinct requesters. Works that no name can tell apart, being of one
// kind, title and year, count as one; of the type other the names of one work have nothing in common.
func TestWorksRankAsInTruth(t *testing.T) {
	store := lake.NewFile(filepath.Join(t.TempDir(), "lake"))
	if _, err := synth.Run(t.Context(), store, synth.Config{Seed: 5, Start: 20458, Days: 1, Events: 300_000}); err != nil {
		t.Fatal(err)
	}
	places, err := geo.Open(store.Path(geo.CityKey), store.Path(geo.ASNKey))
	if err != nil {
		t.Fatal(err)
	}
	opts := etl.Options{Geo: places, Now: time.Now, NewKey: func() (pseudonym.Key, error) { return pseudonym.Key{}, nil }}
	if _, err := etl.Run(t.Context(), store, opts); err != nil {
		t.Fatal(err)
	}
	truth, err := synth.ReadTruth(t.Context(), store)
	if err != nil {
		t.Fatal(err)
	}
	db := open(t, store)
	asked := map[string]float64{}
	for line := range strings.Lines(answer(t, db, "works", map[string]string{"top": "1000000"})) {
		var row struct {
			Work       string `json:"work_id"`
			Requesters float64
		}
		if err := json.Unmarshal([]byte(line), &row); err != nil {
			t.Fatal(err)
		}
		asked[row.Work] = row.Requesters
	}
	top := worksInTruth(t, db, truth)
	slices.SortStableFunc(top, func(a, b trueWork) int { return int(b.heard) - int(a.heard) })
	if len(top) < 200 {
		t.Fatalf("%d works with several releases", len(top))
	}
	var want, got []float64
	split := 0
	for _, w := range top[:200] {
		most := 0.0
		for id := range w.ids {
			most = max(most, asked[id])
		}
		if len(w.ids) > 1 {
			split++
			t.Logf("%s is %d works in the table", w.title, len(w.ids))
		}
		want, got = append(want, w.heard), append(got, most)
	}
	rho := spearman(want, got)
	t.Logf("Spearman %.4f over 200 works of %.0f to %.0f requesters; %d of them in pieces", rho, want[0], want[199], split)
	if rho < 0.99 {
		t.Errorf("Spearman %.4f, want at least 0.99", rho)
	}
}

// trueWork is what the truth says of a work and the ids that its torrents got.
type trueWork struct {
	title    string
	heard    float64
	releases int
	ids      map[string]bool
}

// worksInTruth joins the truth's works with the ids of the table torrents.
func worksInTruth(t *testing.T, db *duck.DB, truth *synth.Truth) []trueWork {
	t.Helper()
	ids := map[string]string{}
	rows, err := queries.Run(t.Context(), db, queries.Query{Name: "ids", SQL: "SELECT lower(hex(infohash)), work_id FROM torrents"}, nil)
	if err != nil {
		t.Fatal(err)
	}
	defer rows.Close()
	for {
		row, err := rows.Next()
		if err != nil {
			break
		}
		ids[row[0].(string)] = row[1].(string)
	}
	kind := func(contentType string) string {
		if contentType == release.TypeAnime {
			return release.TypeTV
		}
		return contentType
	}
	type key struct {
		kind, title string
		year        int
	}
	years := map[int]int{}
	for _, tr := range truth.Torrents {
		years[tr.Work] = max(years[tr.Work], tr.Year)
	}
	keys, works, partly := map[int]key{}, map[key]*trueWork{}, map[key]bool{}
	for _, w := range truth.Works {
		k := key{kind(w.Type), release.NormTitle(w.Title), years[w.ID]}
		keys[w.ID] = k
		if works[k] == nil {
			works[k] = &trueWork{title: w.Title, ids: map[string]bool{}}
		}
		works[k].heard += float64(w.Heard[0])
	}
	for _, tr := range truth.Torrents {
		if len(tr.Heard) == 0 || tr.Heard[0] == 0 {
			continue
		}
		k := keys[tr.Work]
		id, ok := ids[tr.Infohash]
		if !ok {
			partly[k] = true
			continue
		}
		works[k].ids[id] = true
		works[k].releases++
	}
	var list []trueWork
	for k, w := range works {
		if !partly[k] && k.kind != release.TypeOther && w.releases > 1 {
			list = append(list, *w)
		}
	}
	slices.SortFunc(list, func(a, b trueWork) int { return strings.Compare(a.title, b.title) })
	return list
}

// spearman is the correlation of ranks, ties having their middle rank.
func spearman(a, b []float64) float64 {
	x, y := ranks(a), ranks(b)
	mean := float64(len(x)-1) / 2
	var xy, xx, yy float64
	for i := range x {
		xy += (x[i] - mean) * (y[i] - mean)
		xx += (x[i] - mean) * (x[i] - mean)
		yy += (y[i] - mean) * (y[i] - mean)
	}
	return xy / math.Sqrt(xx*yy)
}

func ranks(v []float64) []float64 {
	out := make([]float64, len(v))
	for i := range v {
		for j := range v {
			switch {
			case v[j] < v[i]:
				out[i]++
			case v[j] == v[i] && j != i:
				out[i] += 0.5
			}
		}
	}
	return out
}
