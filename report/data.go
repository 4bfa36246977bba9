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
	"slices"
	"strconv"
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

// Days that a ranking of a week covers, and rows of a full ranking.
const (
	weekDays = 7
	topRows  = 100
)

// site is all that the pages show.
type site struct {
	K           int
	First, Last string // days of the data, "" where there are none
	Days        int
	Week        period
	Totals      map[string]int64
	Torrents    rankings
	Works       rankings
	FrontPage   struct{ Torrents, Works []ranked }
	Countries   []country
	Hours       []hour
	Resolved    float64 // share of the week's demand that is for resolved torrents
	Up          uptime
	Tables      []table
	Edition     string // digest of all parts
}

// period is a stretch of days.
type period struct{ Since, Until string }

type rankings struct{ Week, Day []ranked }

// ranked is a row of a ranking.
type ranked struct {
	Rank             int
	ID, Name, Type   string
	Year             int64
	Size             int64
	Adult            bool
	Releases, Askers int64
	Bar              float64 // askers as percent of the first row's
}

type country struct {
	Code, Name string // both "" for the row of all others
	Requesters int64
	Share      float64 // percent
}

type hour struct {
	Hour       int
	Requesters int64
	Known      bool
}

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
	s := &site{K: k, Totals: map[string]int64{}}
	s.addTables(db.Catalog)
	if err := s.addTotals(ctx, db); err != nil || s.Days == 0 {
		return s, err
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
	if err := s.addRankings(ctx, db); err != nil {
		return nil, err
	}
	return s, errors.Join(s.addCountries(ctx, db), s.addHours(ctx, db), s.addUptime(ctx, db))
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
			for _, p := range m.Parts {
				row.Rows += p.Rows
				row.Bytes += p.Bytes
				row.Parts = append(row.Parts, p)
				fmt.Fprintf(sum, "%s  %s\n", p.SHA256, p.Key)
			}
		}
		s.Tables = append(s.Tables, row)
	}
	s.Edition = hex.EncodeToString(sum.Sum(nil))[:12]
	var all []string
	for d := range days {
		all = append(all, d)
	}
	if len(all) > 0 {
		s.First, s.Last, s.Days = slices.Min(all), slices.Max(all), len(all)
	}
}

// addTotals asks the query totals; counts of people are rounded to tens.
func (s *site) addTotals(ctx context.Context, db *duck.DB) error {
	q, err := queries.Find("totals")
	if err != nil {
		return err
	}
	people := []string{"requesters", "networks", "crawlers", "queries", "announces"}
	return rows(ctx, db, q, nil, func(row []any) error {
		item, n := text(row[0]), integer(row[1])
		if slices.Contains(people, item) {
			n = (n + 5) / 10 * 10
		}
		s.Totals[item] = n
		return nil
	})
}

func (s *site) addRankings(ctx context.Context, db *duck.DB) error {
	day := period{s.Last, s.Last}
	for _, r := range []struct {
		by   string
		when period
		to   *[]ranked
	}{
		{"infohash", s.Week, &s.Torrents.Week}, {"infohash", day, &s.Torrents.Day},
		{"work", s.Week, &s.Works.Week}, {"work", day, &s.Works.Day},
	} {
		list, err := ranking(ctx, db, r.by, r.when, s.K)
		if err != nil {
			return err
		}
		*r.to = list
	}
	s.FrontPage.Torrents = front(s.Torrents.Week)
	s.FrontPage.Works = front(s.Works.Week)
	return nil
}

// front keeps the ten rows of the front page, none of them adult.
func front(all []ranked) (list []ranked) {
	for _, r := range all {
		if !r.Adult && len(list) < 10 {
			r.Rank = len(list) + 1
			list = append(list, r)
		}
	}
	return withBars(list)
}

// withBars sets the length of each row's bar against the first's.
func withBars(list []ranked) []ranked {
	for i := range list {
		list[i].Bar = 100 * float64(list[i].Askers) / float64(max(1, list[0].Askers))
	}
	return list
}

func ranking(ctx context.Context, db *duck.DB, by string, when period, k int) ([]ranked, error) {
	q, err := own("ranking")
	if err != nil {
		return nil, err
	}
	var list []ranked
	err = rows(ctx, db, q, map[string]string{"by": by, "since": when.Since, "until": when.Until,
		"k": strconv.Itoa(k), "top": strconv.Itoa(topRows)}, func(row []any) error {
		list = append(list, ranked{Rank: len(list) + 1, ID: text(row[0]), Name: text(row[1]), Year: integer(row[2]), Type: text(row[3]),
			Size: integer(row[4]), Adult: row[5] == true, Releases: integer(row[6]), Askers: integer(row[7])})
		return nil
	})
	return withBars(list), err
}

func (s *site) addCountries(ctx context.Context, db *duck.DB) error {
	q, err := own("countries")
	if err != nil {
		return err
	}
	names := display.Regions(language.English)
	var sum int64
	err = rows(ctx, db, q, map[string]string{"since": s.Week.Since, "until": s.Week.Until, "k": strconv.Itoa(s.K)}, func(row []any) error {
		c := country{Code: text(row[0]), Requesters: integer(row[1])}
		if region, err := language.ParseRegion(c.Code); err == nil {
			c.Name = names.Name(region)
		}
		if c.Code != "" {
			c.Name = cmp.Or(c.Name, c.Code)
		}
		sum += c.Requesters
		s.Countries = append(s.Countries, c)
		return nil
	})
	for i := range s.Countries {
		s.Countries[i].Share = 100 * float64(s.Countries[i].Requesters) / float64(max(1, sum))
	}
	return err
}

func (s *site) addHours(ctx context.Context, db *duck.DB) error {
	q, err := own("hours")
	if err != nil {
		return err
	}
	return rows(ctx, db, q, map[string]string{"day": s.Last, "k": strconv.Itoa(s.K)}, func(row []any) error {
		s.Hours = append(s.Hours, hour{int(integer(row[0])), integer(row[1]), row[1] != nil})
		return nil
	})
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
