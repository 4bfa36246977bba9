//go:build cgo && !noduck

package report

import (
	"cmp"
	"context"
	"crypto/sha256"
	"embed"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"maps"
	"slices"
	"strings"
	"time"

	"golang.org/x/text/language"
	"golang.org/x/text/language/display"

	"github.com/boontorrent/boon/datasets"
	"github.com/boontorrent/boon/internal/duck"
	"github.com/boontorrent/boon/internal/lake"
	"github.com/boontorrent/boon/queries"
)

//go:embed sql/*.sql
var sqlFiles embed.FS

// site is all that the pages show.
type site struct {
	K           int
	First, Last string // of the days on which queries were heard, of all days where none were; "" without any
	Days        int
	Week        period
	Figures     figures
	QueryDays   []string            // on which queries were heard, in order
	Rankings    map[string]*ranking // by the name of their unit
	Countries   []country
	Maps        []mapDay // the days that have a map, the latest first; its cells alone are here
	Titles      titleFiles
	Hours       map[string][]hour // of the last day by country, "" is all
	Resolved    float64           // share of the week's demand that is for resolved torrents
	Up          uptime
	Tables      []table
	Edition     string // digest of all parts
	Found       found
}

// titleFiles says where the maps of single titles are: a folder beside the map's
// page, "" where there are none, and by how many digits of an id its files go.
type titleFiles struct {
	Folder string
	Digits int
}

// AdultK is how many networks a row about adult content needs.
func (s *site) AdultK() int { return max(100, s.K) }

// LastMap is the map of the last day.
func (s *site) LastMap() mapDay {
	if len(s.Maps) == 0 {
		return mapDay{}
	}
	return s.Maps[0]
}

type hour struct {
	Hour       int
	Requesters int64
	Known      bool // false: too few to say
}

// figures are counts of the week, and of all torrents that are named.
type figures struct{ Infohashes, Countries, Requesters, Queries, Torrents, Files, Bytes int64 }

type uptime struct{ Collectors, Minutes, Received, Logged, Dropped int64 }

// table is what the data page says of a table.
type table struct {
	Name, About string
	First, Last string
	Days        int
	Rows, Bytes int64
	Parts       []lake.Part
}

// collect reads everything the pages need.
func collect(ctx context.Context, db *duck.DB, k int) (*site, error) {
	s := &site{K: k}
	s.addTables(db.Catalog)
	if s.Days == 0 {
		return s, nil
	}
	last, err := lake.ParseDay(s.Last)
	if err != nil {
		return nil, err
	}
	first, err := lake.ParseDay(s.First)
	if err != nil {
		return nil, err
	}
	s.Week = period{max(first, last-weekDays+1).String(), s.Last}
	return s, errors.Join(s.addFigures(ctx, db), s.addUptime(ctx, db))
}

// addTables describes the tables by their manifests.
func (s *site) addTables(c *duck.Catalog) {
	sum := sha256.New()
	days := map[string]bool{}
	for _, t := range datasets.Tables() {
		var row table
		row.Name = t.Name
		for _, m := range c.Manifests[t.Name] {
			row.First = cmp.Or(row.First, m.Day)
			row.Last = m.Day
			row.Days++
			days[m.Day] = true
			before := row.Rows
			for _, p := range m.Parts {
				row.Rows += p.Rows
				row.Bytes += p.Bytes
				row.Parts = append(row.Parts, p)
				fmt.Fprintf(sum, "%s  %s\n", p.SHA256, p.Key)
			}
			if t.Name == "queries" && row.Rows > before {
				s.QueryDays = append(s.QueryDays, m.Day)
			}
		}
		s.Tables = append(s.Tables, row)
	}
	s.Edition = hex.EncodeToString(sum.Sum(nil))[:12]
	// Torrents may have been imported years before or after anybody was heard.
	all := s.QueryDays
	if len(all) == 0 {
		all = slices.Collect(maps.Keys(days))
	}
	if len(all) > 0 {
		s.First, s.Last, s.Days = slices.Min(all), slices.Max(all), len(all)
	}
}

// addFigures counts what the front page says; counts of people are rounded to tens. What
// asks for demand is of the week, so that a day more costs the same after a year.
func (s *site) addFigures(ctx context.Context, db *duck.DB) error {
	q, err := own("figures")
	if err != nil {
		return err
	}
	return rows(ctx, db, q, map[string]string{"since": s.Week.Since, "until": s.Week.Until}, func(row []any) error {
		tens := func(v any) int64 { return (integer(v) + 5) / 10 * 10 }
		s.Figures = figures{integer(row[0]), integer(row[1]), tens(row[2]), tens(row[3]), integer(row[4]), integer(row[5]), integer(row[6])}
		return nil
	})
}

// countryName is a country in English; a code that nobody knows stays as it is.
func countryName(code string) string {
	if region, err := language.ParseRegion(code); err == nil {
		return cmp.Or(strings.TrimSuffix(display.Regions(language.English).Name(region), " SAR China"), code)
	}
	return code
}

// addUptime also finds the share of demand that is resolved.
func (s *site) addUptime(ctx context.Context, db *duck.DB) error {
	q, err := own("uptime")
	if err != nil {
		return err
	}
	week := map[string]string{"since": s.Week.Since, "until": s.Week.Until}
	err = rows(ctx, db, q, week, func(row []any) error {
		s.Up = uptime{integer(row[0]), integer(row[1]), integer(row[2]), integer(row[3]), integer(row[4])}
		return nil
	})
	if err != nil {
		return err
	}
	if q, err = queries.Find("unresolved"); err != nil {
		return err
	}
	return rows(ctx, db, q, week, func(row []any) error {
		if share, ok := row[4].(float64); ok && text(row[0]) == "resolved" {
			s.Resolved = 100 * share
		}
		return nil
	})
}

// own returns one of the site's own queries.
func own(name string) (queries.Query, error) {
	b, err := sqlFiles.ReadFile("sql/" + name + ".sql")
	return queries.Parse(name, string(b)), err
}

func rows(ctx context.Context, db *duck.DB, q queries.Query, values map[string]string, each func([]any) error) error {
	result, err := queries.Run(ctx, db, q, values)
	if err != nil {
		return err
	}
	defer result.Close()
	for {
		row, err := result.Next()
		if errors.Is(err, io.EOF) {
			return nil
		}
		if err == nil {
			err = each(row)
		}
		if err != nil {
			return err
		}
	}
}

func text(v any) string {
	s, _ := v.(string)
	return s
}

func integer(v any) int64 {
	n, _ := v.(int64)
	return n
}

// longDay writes a day as people do, 22 November 2026.
func longDay(day string) string { return longPeriod(day, day) }

// longPeriod writes a stretch of days, 30 November to 6 December 2026.
func longPeriod(first, last string) string {
	a, err1 := time.Parse(time.DateOnly, first)
	b, err2 := time.Parse(time.DateOnly, last)
	until := b.Format("2 January 2006")
	switch {
	case err1 != nil || err2 != nil:
		return first + " to " + last
	case a.Equal(b):
		return until
	case a.Year() != b.Year():
		return a.Format("2 January 2006") + " to " + until
	case a.Month() != b.Month():
		return a.Format("2 January") + " to " + until
	}
	return a.Format("2") + " to " + until
}
