//go:build cgo && !noduck

package report

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"time"

	"github.com/boontorrent/boon/internal/lake"
	"github.com/boontorrent/boon/queries"
)

const (
	topRows      = 100 // rows of a ranking
	typeRows     = 25  // rows of each type, where they are not among those
	bestReleases = 5   // releases that are named with a work
	weekDays     = 7
	// nameDays bounds for how long a period's torrents may still get a name: on as
	// many days with data after it. Later days then leave its ranking as it is.
	nameDays = 7
)

// period is a stretch of days.
type period struct {
	Since string `json:"since"`
	Until string `json:"until"`
}

// ranking is what was asked for most in a period; its JSON is published, and
// read again by the next build.
type ranking struct {
	Digest string `json:"digest"` // of what it was made from
	period
	K        int      `json:"k"`
	Torrents []ranked `json:"torrents"`
	Works    []ranked `json:"works"`
}

// ranked is a row of a ranking. The first topRows of a list are the ranking; those
// behind are there for their type.
type ranked struct {
	ID       string    `json:"id"` // info-hash or work
	Name     string    `json:"name"`
	Type     string    `json:"type"`
	Year     int64     `json:"year,omitempty"`
	Size     int64     `json:"size,omitempty"`
	Adult    bool      `json:"adult,omitempty"`
	Releases int64     `json:"releases,omitempty"`
	Best     []release `json:"best_releases,omitempty"`
	Askers   int64     `json:"requesters"`
}

// release is a torrent of a work.
type release struct {
	Infohash string `json:"infohash"`
	Name     string `json:"name"`
	Askers   int64  `json:"requesters"`
}

// unit is a period with a ranking of its own.
type unit struct {
	Name string // 2026-11-22 or 2026-W47
	period
}

// Week says that the unit is a week.
func (u unit) Week() bool { return u.Since != u.Until }

// units are the days and the ISO weeks of the data, each in order.
func (s *site) units() (days, weeks []unit) {
	for _, day := range s.QueryDays {
		days = append(days, unit{day, period{day, day}})
		at, err := time.Parse(time.DateOnly, day)
		if err != nil {
			continue // a partition's day always is one
		}
		year, week := at.ISOWeek()
		monday := at.AddDate(0, 0, -(int(at.Weekday())+6)%7)
		name := fmt.Sprintf("%d-W%02d", year, week)
		if len(weeks) == 0 || weeks[len(weeks)-1].Name != name {
			weeks = append(weeks, unit{name, period{monday.Format(time.DateOnly), monday.AddDate(0, 0, weekDays-1).Format(time.DateOnly)}})
		}
	}
	return days, weeks
}

// before is the period of the same length before p.
func (p period) before() period {
	first, err1 := lake.ParseDay(p.Since)
	last, err2 := lake.ParseDay(p.Until)
	if err1 != nil || err2 != nil {
		return period{}
	}
	n := last - first + 1
	return period{(first - n).String(), (last - n).String()}
}

// rankings makes those of the site's week and of the week before, and of each day
// and ISO week.
func (b *builder) rankings(ctx context.Context) error {
	s := b.site
	if s.Days == 0 {
		return nil
	}
	s.Rankings = map[string]*ranking{}
	for name, when := range map[string]period{thisWeek: s.Week, weekBefore: s.Week.before()} {
		if err := b.ranking(ctx, unit{name, when}, ""); err != nil {
			return err
		}
	}
	days, weeks := s.units()
	for _, u := range append(days, weeks...) {
		if err := b.ranking(ctx, u, s.horizon(u.Until)); err != nil {
			return err
		}
	}
	return nil
}

// Names of the rankings that go with the site's week.
const (
	thisWeek   = "latest"
	weekBefore = "before"
)

// horizon is the last day on which names of a period's torrents are looked for,
// "" while there are not so many days yet.
func (s *site) horizon(until string) string {
	after := 0
	for _, day := range s.QueryDays {
		if day > until {
			if after++; after == nameDays {
				return day
			}
		}
	}
	return ""
}

// ranking makes one, or takes it over from the site that stands.
func (b *builder) ranking(ctx context.Context, u unit, horizon string) error {
	digest := b.digest(u.period, horizon)
	path := "rankings/" + u.Name + "/ranking.json"
	r := &ranking{}
	known := b.out.readOld(path, r) && r.Digest == digest
	if !known {
		r = &ranking{Digest: digest, period: u.period, K: b.o.K}
		if err := b.makeRanking(ctx, r, horizon); err != nil {
			return fmt.Errorf("ranking of %s: %w", u.Name, err)
		}
	}
	b.site.Rankings[u.Name] = r
	if err := b.out.json(path, r); err != nil {
		return err
	}
	return b.downloads(ctx, r, "rankings/"+u.Name+"/", known)
}

func (b *builder) makeRanking(ctx context.Context, r *ranking, horizon string) error {
	if err := b.list(ctx, horizon); err != nil {
		return err
	}
	limits := map[string]string{"top": strconv.Itoa(topRows), "each": strconv.Itoa(typeRows)}
	if err := b.ask(ctx, r.period, limits, false); err != nil {
		return err
	}
	return b.fillRanking(ctx, r)
}

// fillRanking reads the lists off the tables member and asked.
func (b *builder) fillRanking(ctx context.Context, r *ranking) (err error) {
	if r.Torrents, err = b.top(ctx, "torrent", topRows, typeRows); err != nil {
		return err
	}
	best, err := b.releases(ctx)
	if err != nil {
		return err
	}
	if r.Works, err = b.top(ctx, "work", topRows, typeRows); err != nil {
		return err
	}
	for i := range r.Works {
		r.Works[i].Best = best[r.Works[i].ID]
	}
	r.Torrents, r.Works = orEmpty(r.Torrents), orEmpty(r.Works)
	return nil
}

// orEmpty makes no list one of nothing, which is [] in JSON and not null.
func orEmpty[T any](list []T) []T {
	if list == nil {
		return []T{}
	}
	return list
}

// list makes the table listed of torrents named until the horizon.
func (b *builder) list(ctx context.Context, horizon string) error {
	if b.listed != nil && *b.listed == horizon {
		return nil
	}
	values := map[string]string{}
	if horizon != "" {
		values["until"] = horizon
	}
	if err := b.table(ctx, "listed", values); err != nil {
		return err
	}
	b.listed = &horizon
	return nil
}

// ask makes the tables member and asked of a period: who asked for what may pass
// the thresholds. With places they know hours and cells.
func (b *builder) ask(ctx context.Context, when period, limits map[string]string, places bool) error {
	values := map[string]string{"since": when.Since, "until": when.Until, "k": strconv.Itoa(b.o.K)}
	for k, v := range limits {
		values[k] = v
	}
	if err := b.table(ctx, "member", values); err != nil {
		return err
	}
	return b.table(ctx, "asked", map[string]string{"since": when.Since, "until": when.Until, "places": strconv.FormatBool(places)})
}

// table makes the temporary table that the query of its name gives.
func (b *builder) table(ctx context.Context, name string, values map[string]string) error {
	return b.tableOf(ctx, name, name, values)
}

func (b *builder) tableOf(ctx context.Context, table, query string, values map[string]string) error {
	q, err := own(query)
	if err != nil {
		return err
	}
	return queries.MakeTable(ctx, b.db, q, values, table)
}

// top makes the table ranked and returns the first rows of it and of each type.
func (b *builder) top(ctx context.Context, by string, top, each int) ([]ranked, error) {
	if err := b.table(ctx, "ranked", map[string]string{"by": by, "k": strconv.Itoa(b.o.K)}); err != nil {
		return nil, err
	}
	lists, err := b.lists(ctx, by, top, each)
	return lists[""], err
}

// lists reads table ranked in words, by country; "" where it is not by country.
func (b *builder) lists(ctx context.Context, by string, top, each int) (map[string][]ranked, error) {
	q, err := own("list")
	if err != nil {
		return nil, err
	}
	all := map[string][]ranked{}
	err = rows(ctx, b.db, q, map[string]string{"by": by, "top": strconv.Itoa(top), "each": strconv.Itoa(each)}, func(row []any) error {
		r := ranked{ID: text(row[1]), Name: text(row[2]), Type: text(row[3]), Year: integer(row[4]), Size: integer(row[5]), Adult: row[6] == true, Askers: integer(row[8])}
		if by == "work" {
			r.Releases = integer(row[7])
		}
		all[text(row[0])] = append(all[text(row[0])], r)
		return nil
	})
	return all, err
}

// releases are the best releases of each work, by table ranked (of torrents).
func (b *builder) releases(ctx context.Context) (map[string][]release, error) {
	q, err := own("releases")
	if err != nil {
		return nil, err
	}
	all := map[string][]release{}
	err = rows(ctx, b.db, q, map[string]string{"each": strconv.Itoa(bestReleases)}, func(row []any) error {
		work := text(row[0])
		all[work] = append(all[work], release{text(row[1]), text(row[2]), integer(row[3])})
		return nil
	})
	return all, err
}

// readOld reads JSON of the site that stands; false where there is none to be had.
func (w *writer) readOld(path string, into any) bool {
	if w.old == "" {
		return false
	}
	text, err := os.ReadFile(filepath.Join(w.old, filepath.FromSlash(path)))
	return err == nil && json.Unmarshal(text, into) == nil
}

// json writes v.
func (w *writer) json(path string, v any) error {
	text, err := json.MarshalIndent(v, "", " ")
	return errors.Join(err, w.file(path, append(text, '\n')))
}
