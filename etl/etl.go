// Package etl turns raw logs into tables.
//
// It reads the sealed segments of a UTC day and writes the day's partition of
// every table in package datasets. A day's tables are a pure function of the
// day's segments, the geo databases, the pseudonym key and the version of this
// package: however the events are split into segments, in whatever order they
// come, how often they are repeated and how many goroutines and machines work,
// the same bytes come out.
//
// The way of a query: a scanner reads a segment and packs each query into a
// few dozen bytes (row.go), which go to one of 1,024 buckets by the asker's
// network, in memory or in a temporary file. Then, bucket by bucket, each
// address is given its pseudonym and place once, rows are sorted by requester
// and time, repeats fall out (bucket.go), and groups of buckets become row
// groups, built column by column (queries.go). Because a network and all its
// requesters lie in one bucket, crawlers are known before demand is counted,
// and counts of requesters and networks of different groups simply add up
// (demand.go). So memory does not grow with the day.
//
// The buckets of a large day lie in sections, which can be made on different
// machines (units.go, shards.go); how many there are follows from the size of
// the segments. The rows of a table, and the order of those of a section, are
// always the same; a day whose segments are packed larger may be cut into more.
//
// Nothing is lost in silence. Every line read is loaded, a duplicate, or
// rejected with a reason and kept in quarantine; what a segment says it held
// and does not is counted as lost. A day of which more than one line in a
// hundred is rejected is not committed, unless asked to be.
//
// A partition exists when its manifest does: parts are written first, then the
// manifests, by compare-and-swap; two programs that make the same day at once
// do no harm.
package etl

import (
	"context"
	"errors"
	"fmt"
	"io"
	"runtime"
	"slices"
	"time"

	"github.com/boontorrent/boon/internal/geo"
	"github.com/boontorrent/boon/internal/lake"
	"github.com/boontorrent/boon/internal/pseudonym"
)

// Version changes when the same input would give other tables.
const Version = 3

// Options says what to do. The zero value makes every day whose inputs changed.
type Options struct {
	Day   *lake.Day // only this day
	Since *lake.Day // only days from this one on
	Force bool      // also days whose inputs have not changed

	Geo           *geo.DB    // nil: places are unknown
	Keys          lake.Store // where pseudonym keys lie; nil: in the lake
	Epoch         string     // how long a key lives: pseudonym.Weekly where empty
	AcceptRejects bool       // commit a day however much was rejected or lost
	AcceptMissing bool       // make a day anew though segments that it was made from are gone
	AcceptNewKey  bool       // make a new key for an epoch that has days made with another

	SectionBytes int64 // raw segments for each section of a day; 0: 256 MiB. Changes how tables are cut

	Holder     string // who holds the lake's lease meanwhile; "": nobody asks for it
	BreakLease bool   // take the lease though someone else holds it
	// Waiting is called now and then while another's lease is watched, which ends
	// in the time left if its holder is dead. May be nil.
	Waiting func(holder string, left time.Duration)

	Workers  int    // goroutines; 0: one for each processor
	TempDir  string // for what does not fit into memory; "" is the system's
	Program  string // goes into manifests
	NewKey   func() (pseudonym.Key, error)
	Now      func() time.Time
	Progress func(Progress) // may be nil; called from one goroutine at a time

	held                *heldLease // nil where Holder is ""
	groupRows, rowChunk int        // for tests of what a small day can show of a large one's memory
}

// Progress tells how far a day is.
type Progress struct {
	Day         lake.Day
	Stage       string
	Done, Total int64
	Unit        string // what Done and Total count: "bytes", "rows" or nothing
}

// Report tells what was done.
type Report struct {
	Days    []DayReport
	Current int      // days that were up to date
	Strange []string // keys in raw/ that are no segments of a day, and were passed over
}

// DayReport tells how a day went.
type DayReport struct {
	Day      lake.Day
	Counts   lake.Counts
	Rows     map[string]int64 // by table
	Crawlers int64
	Notes    []string // what was wrong with segments, one line each
	Damage   []string // what its tables had lost, for which it was made again
	Err      error    `json:"-"` // why the day was not committed, nil if it was
}

// ErrMissing is returned (wrapped) for a day that was made from segments that
// are no longer in the lake: made anew, it would lose them.
var ErrMissing = errors.New("raw segments that the day was made from are gone")

// ErrRejects is returned (wrapped) for a day of which too much was rejected.
var ErrRejects = errors.New("too many records were rejected")

// Run makes the days that need it. It returns an error when it could not go on;
// a day that failed alone has its error in the report.
func Run(ctx context.Context, store lake.Store, opts Options) (*Report, error) {
	if err := opts.fill(store); err != nil {
		return nil, err
	}
	var report *Report
	err := takeOver(ctx, store, &opts, func() (err error) {
		report, err = runDays(ctx, store, opts)
		return err
	})
	return report, err
}

func runDays(ctx context.Context, store lake.Store, opts Options) (*Report, error) {
	days, report, err := plan(ctx, store, &opts)
	if err != nil {
		return nil, err
	}
	for _, day := range days {
		r, err := runDay(ctx, store, &opts, day)
		r.Damage = day.damage
		if err != nil {
			r.Err = fmt.Errorf("day %s: %w", day.day, err)
		}
		report.Days = append(report.Days, r)
		if ctx.Err() != nil {
			return report, ctx.Err()
		}
	}
	return report, nil
}

func (o *Options) fill(store lake.Store) error {
	if o.Workers <= 0 {
		o.Workers = runtime.GOMAXPROCS(0)
	}
	if o.Epoch == "" {
		o.Epoch = pseudonym.Weekly
	}
	if _, err := pseudonym.EpochName(0, o.Epoch); err != nil {
		return err
	}
	if o.Keys == nil {
		o.Keys = store
	}
	if o.groupRows == 0 {
		o.groupRows, o.rowChunk = groupRows, rowChunk
	}
	if o.SectionBytes <= 0 {
		o.SectionBytes = sectionBytes
	}
	if o.NewKey == nil || o.Now == nil {
		return errors.New("etl needs a source of keys and a clock")
	}
	return nil
}

// runDay makes one day.
func runDay(ctx context.Context, store lake.Store, opts *Options, p planned) (DayReport, error) {
	d := newDayRun(store, opts, p.day, p.inputs)
	defer d.close()
	if err := d.prepare(ctx); err != nil {
		return d.report(), err
	}
	err := d.make(ctx)
	report := d.report()
	if err != nil {
		return report, errors.Join(err, d.discard(ctx))
	}
	return report, d.commit(ctx)
}

func newDayRun(store lake.Store, opts *Options, day lake.Day, inputs []lake.Info) *dayRun {
	d := &dayRun{
		store: store, opts: opts, day: day, inputs: inputs, db: opts.Geo, old: map[string]lake.Info{}, made: map[string]*made{},
		sections: sectionsOf(sizeOf(inputs), opts.SectionBytes),
	}
	for _, t := range tableNames() {
		d.made[t] = &made{leftOut: map[string]int64{}}
	}
	d.mine = make([]bool, d.units())
	for u := range d.mine {
		d.mine[u] = true
	}
	return d
}

func (d *dayRun) report() DayReport {
	r := DayReport{Day: d.day, Rows: map[string]int64{}, Counts: d.counts, Crawlers: d.crawlers, Notes: d.notes()}
	for t, m := range d.made {
		r.Rows[t] = m.rows()
	}
	return r
}

// prepare finds the day's key and names the making of the day.
func (d *dayRun) prepare(ctx context.Context) error {
	var err error
	if d.epoch, err = pseudonym.EpochName(d.day, d.opts.Epoch); err != nil {
		return err
	}
	if err := d.lookBack(ctx); err != nil {
		return err
	}
	if d.key, err = loadKeyOrMake(ctx, d.store, d.opts, d.epoch); err != nil {
		return err
	}
	d.digest = d.makeDigest()
	return nil
}

// make writes all parts and the quarantine.
func (d *dayRun) make(ctx context.Context) error {
	if err := d.scan(ctx); err != nil {
		return err
	}
	for _, s := range d.segments {
		for u := range s.units {
			s.take(&s.units[u])
		}
	}
	d.count()
	if err := d.judge(ctx); err != nil {
		return err
	}
	for _, s := range d.segments { // settle counts anew
		s.Input.Records = 0
	}
	d.toWrite = d.counts.Read
	var results []*unitResult
	for unit := range d.units() {
		if unit == d.rest() {
			d.makers = nil // gives their memory up
		}
		r, err := d.makeUnit(ctx, unit)
		d.work = nil
		if err != nil {
			return err
		}
		results = append(results, r)
	}
	d.settle(results)
	return d.finish(ctx, results, d.demandParts())
}

// judge writes the quarantine and refuses a day of which too much is in it.
func (d *dayRun) judge(ctx context.Context) error {
	if err := d.quarantine(ctx); err != nil {
		return err
	}
	if rejected := d.counts.RejectedTotal(); (rejected+d.counts.Lost)*100 > d.counts.Read+d.counts.Lost && !d.opts.AcceptRejects {
		return fmt.Errorf("%w: %d of %d (%s), and %d lost in damaged segments; look at %s, then mend the cause or pass --accept-rejects",
			ErrRejects, rejected, d.counts.Read, reasons(d.counts.Rejected), d.counts.Lost, d.quarantineKey())
	}
	return nil
}

// finish writes the tables that need what all units left.
func (d *dayRun) finish(ctx context.Context, results []*unitResult, demand []io.Reader) error {
	if err := d.demandTable(ctx, demand); err != nil {
		return err
	}
	if err := d.uptimeTable(ctx, results); err != nil {
		return err
	}
	return d.counts.Balance()
}

// notes says what was wrong with segments, in order of their keys.
func (d *dayRun) notes() []string {
	var out []string
	for _, s := range d.segments {
		for _, n := range s.Input.Notes {
			out = append(out, s.Input.Key+": "+n)
		}
		if s.Lost > 0 {
			out = append(out, fmt.Sprintf("%s: %d records that its footer counts are not there", s.Input.Key, s.Lost))
		}
	}
	out = append(out, d.gaps()...)
	slices.Sort(out)
	return out
}
