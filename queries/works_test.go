//go:build cgo && !noduck

package queries_test

import (
	"cmp"
	"encoding/json"
	"fmt"
	"maps"
	"math"
	"slices"
	"strings"
	"testing"

	"github.com/boontorrent/boon/etl/release"
	"github.com/boontorrent/boon/internal/duck"
	"github.com/boontorrent/boon/internal/racetest"
	"github.com/boontorrent/boon/internal/synth"
	"github.com/boontorrent/boon/queries"
)

// TestWorksRankAsInTruth holds the ranking of works on synthetic days against the truth: the 200 works that most requesters
// asked for, against what the table counts for them. A work that the table has in pieces stands there once for each piece, so
// that a split costs as much as it misleads; a work of which nothing was resolved counts as asked for by nobody. Left out are
// works of the type other, whose names have nothing in common.
func TestWorksRankAsInTruth(t *testing.T) {
	seeds := []uint64{5, 7, 9}
	if racetest.Enabled { // make unit runs it without the detector, too
		seeds = seeds[:1]
	}
	for _, seed := range seeds {
		t.Run(fmt.Sprint(seed), func(t *testing.T) {
			store := synthetic(t, seed, 200_000)
			truth, err := synth.ReadTruth(t.Context(), store)
			if err != nil {
				t.Fatal(err)
			}
			db := open(t, store)
			top := worksInTruth(truth, workIDs(t, db))
			if len(top) < 200 {
				t.Fatalf("%d works", len(top))
			}
			asked := requestersOfWorks(t, db)
			var want, got []float64
			split, unresolved := 0, 0
			for _, w := range top[:200] {
				if len(w.ids) > 1 {
					split++
					t.Logf("%s is %d works in the table", w.title, len(w.ids))
				}
				if len(w.ids) == 0 {
					unresolved++
					want, got = append(want, w.heard), append(got, 0)
				}
				for _, id := range slices.Sorted(maps.Keys(w.ids)) {
					want, got = append(want, w.heard), append(got, asked[id])
				}
			}
			rho := spearman(want, got)
			t.Logf("Spearman %.4f over 200 works of %.0f to %.0f requesters; %d in pieces, %d not resolved", rho, top[0].heard, top[199].heard, split, unresolved)
			if rho < 0.99 {
				t.Errorf("Spearman %.4f, want at least 0.99", rho)
			}
		})
	}
}

// requestersOfWorks asks the query works for all of them.
func requestersOfWorks(t *testing.T, db *duck.DB) map[string]float64 {
	t.Helper()
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
	return asked
}

// workIDs are the works of the table torrents by info-hash.
func workIDs(t *testing.T, db *duck.DB) map[string]string {
	t.Helper()
	ids := map[string]string{}
	rows, err := queries.Run(t.Context(), db, queries.Query{Name: "ids", SQL: "SELECT lower(hex(infohash)), work_id FROM torrents WHERE work_id IS NOT NULL"}, nil)
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
	return ids
}

// trueWork is what the truth says of a work and the ids that its torrents got.
type trueWork struct {
	title string
	heard float64
	ids   map[string]bool
}

// worksInTruth joins the truth's works with the ids of the table and sorts them, the most wanted first. Works that no name
// can tell apart, being of one kind, title and year and one work in the table, count as one.
func worksInTruth(truth *synth.Truth, ids map[string]string) []*trueWork {
	byID, years := map[int]*trueWork{}, map[int]int{}
	for _, w := range truth.Works {
		byID[w.ID] = &trueWork{title: w.Title, heard: float64(w.Heard[0]), ids: map[string]bool{}}
	}
	for _, tr := range truth.Torrents {
		years[tr.Work] = max(years[tr.Work], tr.Year)
		if id, ok := ids[tr.Infohash]; ok && len(tr.Heard) > 0 && tr.Heard[0] > 0 {
			byID[tr.Work].ids[id] = true
		}
	}
	type key struct {
		kind, title, id string
		year            int
	}
	alike := map[key]*trueWork{}
	var list []*trueWork
	for _, w := range truth.Works {
		if w.Type == release.TypeOther {
			continue
		}
		kind := w.Type
		if kind == release.TypeAnime {
			kind = release.TypeTV
		}
		tw, known := byID[w.ID], false
		for id := range tw.ids {
			k := key{kind, release.NormTitle(w.Title), id, years[w.ID]}
			if twin := alike[k]; twin != nil && twin != tw {
				twin.heard += tw.heard
				maps.Copy(twin.ids, tw.ids)
				known = true
				break
			}
			alike[k] = tw
		}
		if !known {
			list = append(list, tw)
		}
	}
	slices.SortStableFunc(list, func(a, b *trueWork) int {
		return cmp.Or(cmp.Compare(b.heard, a.heard), cmp.Compare(a.title, b.title))
	})
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
