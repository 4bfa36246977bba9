package etl

import (
	"bytes"
	"cmp"
	"context"
	"maps"
	"slices"

	"github.com/boontorrent/boon/internal/lake"
	"github.com/boontorrent/boon/internal/rawlog"
)

// A day's work falls into units, each of which can be made alone, on any
// machine: the sections, which have a range of the buckets each and make parts
// of queries and requesters; and the rest, which makes torrents, files,
// failures and probes. How many sections there are follows from the size of
// the input, so that the tables are the same whoever makes them.
const (
	sectionBytes = 256 << 20 // of raw segments
	maxSections  = 64
	partsOfUnit  = 32 // numbers of parts that a unit may give
)

// sectionsOf is the number of sections of a day, a power of two.
func sectionsOf(bytes, each int64) int {
	n := 1
	for n < maxSections && bytes > int64(n)*each {
		n *= 2
	}
	return n
}

// unitOf is the section that a bucket belongs to; the rest is the unit after the last.
func (d *dayRun) unitOf(bucket int) int { return bucket * d.sections / rowBuckets }

func (d *dayRun) units() int { return d.sections + 1 }
func (d *dayRun) rest() int  { return d.sections }

// account is what became of a segment's records that belong to one unit.
type account struct {
	Records  int64            `json:"records"`
	Rejected map[string]int64 `json:"rejected,omitempty"`
	rejects  []quarantined    // a bounded number of them
}

// unitResult is what a unit leaves for the commit.
type unitResult struct {
	Digest    string                      `json:"digest"` // of the plan
	Unit      int                         `json:"unit"`
	Parts     map[string][]lake.Part      `json:"parts"`
	LeftOut   map[string]map[string]int64 `json:"left_out,omitempty"`
	Loaded    int64                       `json:"loaded"`
	Duplicate int64                       `json:"duplicate"`
	Crawlers  int64                       `json:"crawlers,omitempty"`
	Accounts  []account                   `json:"accounts"` // by segment, in the plan's order
	Uptime    []upRow                     `json:"uptime"`
	Segments  []facts                     `json:"segments,omitempty"` // of the rest only
	Beside    int64                       `json:"beside"`             // bytes of what is left beside this account
}

// facts are what is known of a segment as a whole.
type facts struct {
	Input    lake.Input `json:"input"`
	Lost     int64      `json:"lost,omitempty"`
	Imported bool       `json:"imported,omitempty"`
}

// upRow is one unit's part of a row of uptime.
type upRow struct {
	Collector string    `json:"c"`
	Run       string    `json:"r"`
	Imported  bool      `json:"i,omitempty"`
	Minute    int64     `json:"m"`
	Our       rawlog.ID `json:"o,omitzero"` // zero where the row is about all of the run
	What      string    `json:"w"`
	Counts    upCounts  `json:"n"`
}

func (u *upRow) run() run { return run{u.Collector, u.Run, u.Imported} }

func (u *upRow) compare(o *upRow) int {
	return cmp.Or(u.run().compare(o.run()), cmp.Compare(u.Minute, o.Minute), bytes.Compare(u.Our[:], o.Our[:]), cmp.Compare(u.What, o.What))
}

// leave counts what was left out of a table.
func (u *unitResult) leave(table, reason string, n int64) {
	if n == 0 {
		return
	}
	if u.LeftOut[table] == nil {
		u.LeftOut[table] = map[string]int64{}
	}
	u.LeftOut[table][reason] += n
}

// makeUnit makes the parts of one unit from what was scanned.
func (d *dayRun) makeUnit(ctx context.Context, unit int) (*unitResult, error) {
	d.work = &unitResult{Digest: d.digest, Unit: unit, Parts: map[string][]lake.Part{}, LeftOut: map[string]map[string]int64{}}
	d.queryLoads, d.loaded = nil, map[loadKey]int64{}
	for _, s := range d.segments {
		d.work.Accounts = append(d.work.Accounts, s.units[unit])
	}
	if unit != d.rest() {
		if err := d.queries(ctx, unit); err != nil {
			return nil, err
		}
		d.countLoads()
		d.work.Uptime = d.upRows(nil)
		return d.work, nil
	}
	for _, s := range d.segments {
		d.work.Segments = append(d.work.Segments, s.facts)
	}
	if err := d.torrents(ctx); err != nil {
		return nil, err
	}
	counts, err := d.watch(ctx)
	if err != nil {
		return nil, err
	}
	d.work.Uptime = d.upRows(counts)
	return d.work, nil
}

// countLoads adds the queries by minute to what was loaded.
func (d *dayRun) countLoads() {
	first := d.day.Start() / microsPerMinute
	for run, counts := range d.queryLoads {
		if counts == nil {
			continue
		}
		for m := range counts {
			for k, n := range counts[m] {
				if n > 0 {
					d.loaded[loadKey{uint32(run), first + int64(m), rawlog.Kind(k)}] += int64(n)
				}
			}
		}
	}
}

// upRows gives the unit's part of uptime in order: counts, and what was loaded.
func (d *dayRun) upRows(counts map[upKey]*upCounts) []upRow {
	if counts == nil {
		counts = map[upKey]*upCounts{}
	}
	for k, n := range d.loaded {
		at(counts, upKey{run: k.run, minute: k.minute, what: k.kind.String()}).Loaded += n
	}
	rows := make([]upRow, 0, len(counts))
	for k, c := range counts {
		r := d.names.runs.values[k.run]
		rows = append(rows, upRow{r.collector, r.name, r.imported, k.minute, k.our, k.what, *c})
	}
	slices.SortFunc(rows, func(a, b upRow) int { return a.compare(&b) })
	return rows
}

// settle adds the units' results up, which are in order.
func (d *dayRun) settle(results []*unitResult) {
	rest := results[d.rest()]
	d.segments = nil
	for _, f := range rest.Segments {
		d.segments = append(d.segments, &segment{facts: f})
	}
	d.counts = lake.Counts{Rejected: map[string]int64{}}
	for _, r := range results {
		d.counts.Loaded += r.Loaded
		d.counts.Duplicate += r.Duplicate
		d.crawlers += r.Crawlers
		for t, parts := range r.Parts {
			d.made[t].parts = append(d.made[t].parts, parts...)
		}
		for t, reasons := range r.LeftOut {
			for reason, n := range reasons {
				d.made[t].leftOut[reason] += n
			}
		}
		for j := range r.Accounts {
			d.segments[j].take(&r.Accounts[j])
		}
	}
	d.count()
}

// take adds a unit's account to the segment's.
func (seg *segment) take(a *account) {
	if seg.rejected == nil {
		seg.rejected = map[string]int64{}
	}
	seg.Input.Records += a.Records
	for reason, n := range a.Rejected {
		seg.rejected[reason] += n
		seg.Input.Records += n
	}
	seg.rejects = append(seg.rejects, a.rejects...)
}

// mergeUptime adds the units' parts of uptime up, in order.
func mergeUptime(results []*unitResult) []upRow {
	all := map[upRow]*upCounts{}
	for _, r := range results {
		for _, u := range r.Uptime {
			n := u.Counts
			u.Counts = upCounts{}
			if all[u] == nil {
				all[u] = &upCounts{}
			}
			all[u].add(&n)
		}
	}
	rows := slices.SortedFunc(maps.Keys(all), func(a, b upRow) int { return a.compare(&b) })
	for i := range rows {
		rows[i].Counts = *all[rows[i]]
	}
	return rows
}
