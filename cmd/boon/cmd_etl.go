package main

import (
	"cmp"
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"io/fs"
	"maps"
	"os"
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
	Step  string `arg:"" optional:"" enum:",plan,shard,commit" default:"" help:"One step of sharing a day between machines: plan, shard I/N or commit."`
	Shard string `arg:"" optional:"" help:"With shard: which one, counted from 0, of how many, as 0/8."`

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
	Shards        int    `help:"With plan: how many machines share the day." default:"1" placeholder:"N"`
	BreakLease    bool   `help:"Go on, without waiting, though another boon etl holds the lake's lease: it is dead."`
	Workers       int    `help:"Goroutines; 0 is one for each processor." default:"0"`
}

// Help shows an example.
func (etlCmd) Help() string {
	return `Makes the tables of every day whose raw segments changed, or whose tables have lost a file.
Run it every night: days that are up to date cost a listing and their manifests. The last line
of progress is JSON: what was done, seconds, peak memory.

Two runs on one lake keep apart by a lease. Of a run that was killed on this machine nothing
is in the way; one on another machine is watched for two minutes, to see whether it is alive.

A day too large for one machine is shared: plan it, run each shard anywhere (again, if it
failed), commit when all are done. The tables are the same, byte for byte.

Examples:
  boon etl --lake /var/lib/boon
  boon etl --lake /var/lib/boon --since 3d
  boon etl --lake /var/lib/boon --day 2026-11-22 --force
  boon etl plan      --lake s3://bucket/boon --day 2026-11-22 --shards 8
  boon etl shard 3/8 --lake s3://bucket/boon --day 2026-11-22
  boon etl commit    --lake s3://bucket/boon --day 2026-11-22`
}

// Run implements the verb.
func (c etlCmd) Run(ctx context.Context, con console) error {
	if err := c.check(); err != nil {
		return err
	}
	store, opts, err := c.options(ctx, con)
	if err != nil {
		return err
	}
	tuneMemory(c.Workers)
	began := time.Now()
	bar := newBar(con.err)
	opts.Progress = func(p etl.Progress) { bar.showRate(p.Day.String()+" "+p.Stage, p.Done, p.Total, p.Unit) }
	opts.Waiting = bar.waiting
	if c.Step != "" {
		return c.step(ctx, con, store, opts, bar)
	}
	report, err := etl.Run(ctx, store, opts)
	bar.clear()
	if report != nil {
		printDays(con, report)
		printSummary(con, report, began)
	}
	if err != nil {
		return err
	}
	return failedDays(report)
}

// check finds flags and arguments that make no sense together.
func (c etlCmd) check() error {
	switch {
	case c.Step == "" && c.Shards != 1:
		return usageError{errors.New("--shards goes with boon etl plan")}
	case c.Step != "" && c.Day == "":
		return usageError{fmt.Errorf("boon etl %s needs --day", c.Step)}
	case c.Step != "" && c.Step != "shard" && c.Shard != "":
		return usageError{fmt.Errorf("boon etl %s takes no argument", c.Step)}
	}
	return nil
}

// options turns flags into what the package wants.
func (c etlCmd) options(ctx context.Context, con console) (lake.Store, etl.Options, error) {
	opts := etl.Options{
		Force: c.Force, Epoch: c.Epoch, AcceptRejects: c.AcceptRejects, AcceptMissing: c.AcceptMissing, AcceptNewKey: c.AcceptNewKey,
		Workers: c.Workers, BreakLease: c.BreakLease, Holder: holder(), Program: "boon " + version, NewKey: newKey, Now: time.Now,
	}
	store, err := lake.Open(c.Lake)
	if err != nil {
		return nil, opts, err
	}
	if opts.Day, err = dayOrNil(c.Day); err != nil {
		return nil, opts, usageError{err}
	}
	if opts.Since, err = since(c.Since, time.Now()); err != nil {
		return nil, opts, usageError{err}
	}
	if c.Keys != "" {
		if opts.Keys, err = lake.Open(c.Keys); err != nil {
			return nil, opts, err
		}
	}
	opts.Geo, err = openGeo(ctx, con, store, c.Geo, c.ASN)
	return store, opts, err
}

// holder names this process to whoever finds its lease.
func holder() string {
	host, err := os.Hostname()
	if err != nil {
		host = "unknown host"
	}
	return fmt.Sprintf("%s, process %d", host, os.Getpid())
}

// step does one step of a day that machines share.
func (c etlCmd) step(ctx context.Context, con console, store lake.Store, opts etl.Options, bar *bar) error {
	day, began := *opts.Day, time.Now()
	switch c.Step {
	case "plan":
		p, err := etl.MakePlan(ctx, store, opts, day, c.Shards)
		if err != nil {
			return err
		}
		if p == nil {
			fmt.Fprintf(con.out, "nothing to do: %s is up to date\n", day)
			return nil
		}
		fmt.Fprintf(con.out, "planned %s: %d segments, %d shards\n", day, len(p.Inputs), p.Shards)
		if p.Busy() < p.Shards {
			fmt.Fprintf(con.err, "boon: the day is small: only %d of %d shards have something to do\n", p.Busy(), p.Shards)
		}
		return nil
	case "shard":
		i, n, err := shardOf(c.Shard)
		if err != nil {
			return usageError{err}
		}
		if err := etl.RunShard(ctx, store, opts, day, i, n); err != nil {
			return err
		}
		bar.clear()
		fmt.Fprintf(con.out, "%s: shard %d/%d is done\n", day, i, n)
		return nil
	}
	d, err := etl.Commit(ctx, store, opts, day)
	bar.clear()
	if err != nil {
		return err
	}
	report := &etl.Report{Days: []etl.DayReport{d}}
	printDays(con, report)
	printSummary(con, report, began)
	return failedDays(report)
}

// shardOf reads 3/8.
func shardOf(s string) (i, n int, err error) {
	a, b, ok := strings.Cut(s, "/")
	if ok {
		i, err = strconv.Atoi(a)
	}
	if ok && err == nil {
		n, err = strconv.Atoi(b)
	}
	if !ok || err != nil || i < 0 || i >= n {
		return 0, 0, fmt.Errorf("shard %q: write which one, counted from 0, of how many, as 0/8", s)
	}
	return i, n, nil
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
	if n := len(r.Strange); n > 0 {
		fmt.Fprintf(con.err, "boon: %d objects in raw/ are no segments of a day and were passed over, as %s\n", n, r.Strange[0])
	}
	for _, d := range r.Days {
		printNotes(con, d.Day, d.Notes)
		printNotes(con, d.Day, d.Damage)
		if len(d.Damage) > 0 && d.Err == nil {
			fmt.Fprintf(con.err, "%s: made again, since its tables were not whole\n", d.Day)
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

func printNotes(con console, day lake.Day, notes []string) {
	for i, n := range notes {
		if i == 20 {
			fmt.Fprintf(con.err, "%s: … and %d more such notes\n", day, len(notes)-i)
			return
		}
		fmt.Fprintf(con.err, "%s: %s\n", day, n)
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
