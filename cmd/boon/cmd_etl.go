package main

import (
	"cmp"
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"io/fs"
	"maps"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/boontorrent/boon/etl"
	"github.com/boontorrent/boon/internal/geo"
	"github.com/boontorrent/boon/internal/lake"
	"github.com/boontorrent/boon/internal/pseudonym"
)

type etlCmd struct {
	lakeFlag
	Day           string `help:"Only this day." placeholder:"YYYY-MM-DD" xor:"days"`
	Since         string `help:"Only days from this one on; 3d is three days back." placeholder:"DAY|Nd" xor:"days"`
	Force         bool   `help:"Also days whose inputs have not changed."`
	Geo           string `help:"City database (.mmdb) instead of the lake's geo/city.mmdb." placeholder:"FILE"`
	ASN           string `name:"asn" help:"Network database (.mmdb) instead of the lake's geo/asn.mmdb." placeholder:"FILE"`
	Keys          string `help:"Folder or URL of the pseudonym keys instead of the lake's." placeholder:"LAKE"`
	Epoch         string `help:"How long a pseudonym key lives: day, week, month or study." default:"week" enum:"day,week,month,study"`
	AcceptRejects bool   `help:"Commit a day even if more than 1% of its records were rejected or lost."`
	AcceptMissing bool   `help:"Make a day anew from what is left, though raw segments that it was made from are gone."`
	AcceptNewKey  bool   `help:"Make a new pseudonym key for an epoch whose key is gone."`
	Workers       int    `help:"Goroutines; 0 is one for each processor." default:"0"`
}

// Help shows an example.
func (etlCmd) Help() string {
	return `Makes the tables of every day whose raw segments changed. Run it every night:
days that are up to date cost a listing.

Examples:
  boon etl --lake /var/lib/boon
  boon etl --lake /var/lib/boon --since 3d
  boon etl --lake /var/lib/boon --day 2026-11-22 --force`
}

// Run implements the verb.
func (c etlCmd) Run(ctx context.Context, con console) error {
	store, err := lake.Open(c.Lake)
	if err != nil {
		return err
	}
	opts := etl.Options{
		Force: c.Force, Epoch: c.Epoch, AcceptRejects: c.AcceptRejects, AcceptMissing: c.AcceptMissing, AcceptNewKey: c.AcceptNewKey, Workers: c.Workers, Program: "boon " + version,
		NewKey: newKey, Now: time.Now,
	}
	if opts.Day, err = dayOrNil(c.Day); err != nil {
		return usageError{err}
	}
	if opts.Since, err = since(c.Since, time.Now()); err != nil {
		return usageError{err}
	}
	if c.Keys != "" {
		if opts.Keys, err = lake.Open(c.Keys); err != nil {
			return err
		}
	}
	if opts.Geo, err = openGeo(ctx, con, store, c.Geo, c.ASN); err != nil {
		return err
	}
	bar := newBar(con.err)
	opts.Progress = func(p etl.Progress) { bar.show(p.Day.String()+" "+p.Stage, p.Done, p.Total) }
	report, err := etl.Run(ctx, store, opts)
	bar.clear()
	if report != nil {
		printDays(con, report)
	}
	if err != nil {
		return err
	}
	return failedDays(report)
}

func dayOrNil(s string) (*lake.Day, error) {
	if s == "" {
		return nil, nil
	}
	d, err := lake.ParseDay(s)
	return &d, err
}

// since reads a day, or a number of days back from now, as 3d.
func since(s string, now time.Time) (*lake.Day, error) {
	back, ok := strings.CutSuffix(s, "d")
	if !ok {
		return dayOrNil(s)
	}
	n, err := strconv.Atoi(back)
	if err != nil || n < 0 {
		return nil, fmt.Errorf("--since %s: write a day as 2026-11-22, or days back as 3d", s)
	}
	d := lake.DayOf(now.UnixMicro()) - lake.Day(n)
	return &d, nil
}

func newKey() (k pseudonym.Key, err error) {
	_, err = rand.Read(k[:])
	return k, err
}

// openGeo opens the databases that the flags name, or else the lake's. Without
// any it warns: places will be unknown.
func openGeo(ctx context.Context, con console, store lake.Store, city, asn string) (*geo.DB, error) {
	lakes, done, err := lakeGeo(ctx, store, city == "", asn == "")
	if err != nil {
		return nil, err
	}
	defer done() // geo reads databases into memory
	city, asn = cmp.Or(city, lakes.city), cmp.Or(asn, lakes.asn)
	if city == "" {
		fmt.Fprintf(con.err, "boon: no place database: places in the tables will be unknown; make geo LAKE=%s fetches free ones, --geo FILE names another\n", store.URL())
	}
	db, err := geo.Open(city, asn)
	if errors.Is(err, fs.ErrNotExist) {
		return nil, fmt.Errorf("%w; make geo fetches free databases into ./lake", err)
	}
	return db, err
}

func printDays(con console, r *etl.Report) {
	for _, d := range r.Days {
		for i, n := range d.Notes {
			if i == 20 {
				fmt.Fprintf(con.err, "%s: … and %d more such notes\n", d.Day, len(d.Notes)-i)
				break
			}
			fmt.Fprintf(con.err, "%s: %s\n", d.Day, n)
		}
		if d.Err != nil {
			continue
		}
		c := d.Counts
		fmt.Fprintf(con.out, "%s: read %d = loaded %d + duplicate %d + rejected %d%s\n", d.Day, c.Read, c.Loaded, c.Duplicate, c.RejectedTotal(), inBrackets(c.Rejected))
		if c.Lost > 0 {
			fmt.Fprintf(con.out, "%s: %d records are missing from damaged segments\n", d.Day, c.Lost)
		}
		fmt.Fprintf(con.out, "%s: rows%s; %d crawlers\n", d.Day, rowCounts(d.Rows), d.Crawlers)
	}
	if len(r.Days) == 0 {
		fmt.Fprintf(con.out, "nothing to do: %d days are up to date\n", r.Current)
	}
}

func inBrackets(counts map[string]int64) string {
	if len(counts) == 0 {
		return ""
	}
	return " (" + strings.TrimPrefix(rowCounts(counts), " ") + ")"
}

func rowCounts(rows map[string]int64) string {
	var b strings.Builder
	for i, name := range slices.Sorted(maps.Keys(rows)) {
		if i > 0 {
			b.WriteByte(',')
		}
		fmt.Fprintf(&b, " %s %d", name, rows[name])
	}
	return b.String()
}

// failedDays turns days that were not committed into an error: in part where
// others were, or where a day is not whole.
func failedDays(r *etl.Report) error {
	var errs []error
	damaged := 0
	for _, d := range r.Days {
		switch {
		case d.Err != nil:
			errs = append(errs, d.Err)
		case len(d.Notes) > 0:
			damaged++
		}
	}
	err := errors.Join(errs...)
	switch {
	case err != nil && len(errs) == len(r.Days):
		return err
	case err != nil:
		return partly{err}
	case damaged > 0:
		return partly{fmt.Errorf("raw logs of %d of %d days are damaged or missing, as said above; their tables hold what could be read", damaged, len(r.Days))}
	}
	return nil
}
