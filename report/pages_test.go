//go:build cgo && !noduck

package report

import (
	"strings"
	"testing"

	"github.com/boontorrent/boon/internal/duck"
	"github.com/boontorrent/boon/internal/lake"
)

// The days of the site are those on which somebody was heard: torrents may have been
// imported, or resolved, long after.
func TestDaysAreThoseHeard(t *testing.T) {
	day := func(table, day string, rows ...int64) *lake.Manifest {
		m := &lake.Manifest{Table: table, Day: day}
		for _, n := range rows {
			m.Parts = append(m.Parts, lake.Part{Rows: n})
		}
		return m
	}
	both := &duck.Catalog{Manifests: map[string][]*lake.Manifest{
		"queries":  {day("queries", "2018-04-29", 7), day("queries", "2018-04-30", 2, 3), day("queries", "2026-11-27", 0), day("queries", "2026-11-28")},
		"torrents": {day("torrents", "2018-04-30", 4), day("torrents", "2026-11-27", 60), day("torrents", "2026-11-28", 1)},
	}}
	s := &site{}
	s.addTables(both)
	if got := strings.Join(s.QueryDays, " "); s.First != "2018-04-29" || s.Last != "2018-04-30" || s.Days != 2 || got != "2018-04-29 2018-04-30" {
		t.Errorf("the site shows %d days from %s to %s: %s", s.Days, s.First, s.Last, got)
	}
	both.Manifests["queries"] = nil
	s = &site{}
	s.addTables(both)
	if s.First != "2018-04-30" || s.Last != "2026-11-28" || s.Days != 3 || len(s.QueryDays) != 0 {
		t.Errorf("without queries: %d days from %s to %s, %v", s.Days, s.First, s.Last, s.QueryDays)
	}
}

// Where nothing may be shown the front page says so, and draws no empty charts.
func TestFrontPageOfTooFew(t *testing.T) {
	for k, want := range map[int]string{1: "1 network.", 20: "20 networks."} {
		s := &site{K: k, Days: 1, First: "2026-11-22", Last: "2026-11-22", Week: period{"2026-11-22", "2026-11-22"}}
		all, err := pages(s, assets{})
		if err != nil {
			t.Fatal(err)
		}
		text, err := renderer{}.render(all[0])
		if err != nil {
			t.Fatal(err)
		}
		for _, said := range []string{"No hour passes the threshold of " + want, "No country passes the threshold of " + want} {
			if !strings.Contains(string(text), said) {
				t.Errorf("the front page does not say %q", said)
			}
		}
		for _, p := range all {
			if p.Path != "rankings/" {
				continue
			}
			if text, err := (renderer{}).render(p); err != nil || strings.Contains(string(text), "Days and weeks") {
				t.Errorf("the page of rankings lists days that there are not: %v", err)
			}
		}
		if strings.Contains(string(text), "<svg") || strings.Contains(string(text), "1 networks") {
			t.Errorf("the front page of too few: %s", text)
		}
	}
}

// A number of one goes with a word of one.
func TestFrontPageOfOneCountry(t *testing.T) {
	s := &site{K: 20, Days: 1, First: "2026-11-22", Last: "2026-11-22", Week: period{"2026-11-22", "2026-11-22"},
		Figures: figures{Infohashes: 2, Countries: 1, Torrents: 1, Files: 1}}
	all, err := pages(s, assets{})
	if err != nil {
		t.Fatal(err)
	}
	text, err := renderer{}.render(all[0])
	if err != nil {
		t.Fatal(err)
	}
	for _, want := range []string{"<dt>country</dt>", "<dt>info-hashes asked for</dt>", "<dt>torrent named so far</dt>", "<dt>in 1 file</dt>"} {
		if !strings.Contains(string(text), want) {
			t.Errorf("the front page lacks %s", want)
		}
	}
}
