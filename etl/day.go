package etl

import (
	"bytes"
	"cmp"
	"context"
	"fmt"
	"maps"
	"slices"

	"golang.org/x/sync/errgroup"

	"github.com/boontorrent/boon/datasets"
	"github.com/boontorrent/boon/etl/column"
	"github.com/boontorrent/boon/internal/geo"
	"github.com/boontorrent/boon/internal/lake"
	"github.com/boontorrent/boon/internal/pseudonym"
)

// partBytes is the size at which a part of queries is closed and another begun.
const partBytes = 256 << 20

// dayRun makes one day's tables.
type dayRun struct {
	store  lake.Store
	opts   *Options
	day    lake.Day
	inputs []lake.Info
	digest string
	epoch  string
	key    pseudonym.Key
	db     *geo.DB

	names      names
	runRank    []uint32
	placeRank  []uint32
	scanners   []*scanner
	segments   []*segment
	counts     lake.Counts
	old        map[string]lake.Info // the manifests before this run
	made       map[string]*made     // all units together
	sections   int
	mine       []bool      // by unit: those that are made here
	work       *unitResult // of the unit that is being made; nil in between
	written    []string    // keys of parts
	makers     *makers
	loaded     map[loadKey]int64
	queryLoads loads
	spare      spares
	demand     []*demandSpill // of the sections made here
	crawlers   int64
	kept       int64      // bytes of rejected lines
	resolved   [][20]byte // info-hashes, in order
	done       int64      // rows written, of toWrite, for progress
	toWrite    int64
}

// scan reads all segments of the day.
func (d *dayRun) scan(ctx context.Context) error {
	g, ctx := errgroup.WithContext(ctx)
	var works []func(lake.Info) (*segment, error)
	for range d.opts.Workers {
		s, err := d.newScanner()
		if err != nil {
			return err
		}
		d.scanners = append(d.scanners, s)
		works = append(works, func(info lake.Info) (*segment, error) { return s.read(ctx, info) })
	}
	in := feed(ctx, g, slices.Values(d.inputs))
	var done int64
	g.Go(func() error {
		for seg := range ordered(ctx, g, in, works) {
			d.keepRejects(seg)
			d.segments = append(d.segments, seg)
			done += seg.Input.Bytes
			d.progress("read", done, sizeOf(d.inputs), "bytes")
		}
		return ctx.Err()
	})
	if err := g.Wait(); err != nil {
		return err
	}
	d.runRank = ranks(d.names.runs.values, run.compare)
	d.placeRank = ranks(d.names.places.values, comparePlaces)
	return nil
}

// maxQuarantine bounds the text of rejected lines that a day keeps.
const maxQuarantine = 64 << 20

// keepRejects drops the segment's rejected lines, not their counts, once the
// day has enough of them.
func (d *dayRun) keepRejects(seg *segment) {
	for u := range seg.units {
		rejects := seg.units[u].rejects
		for i, q := range rejects {
			if d.kept += int64(len(q.Text)); d.kept > 2*maxQuarantine { // commit keeps half of that
				seg.units[u].rejects = rejects[:i]
				break
			}
		}
	}
}

func sizeOf(infos []lake.Info) int64 {
	var n int64
	for _, i := range infos {
		n += i.Size
	}
	return n
}

// count adds the segments' accounts up.
func (d *dayRun) count() {
	d.counts.Read, d.counts.Lost, d.counts.Rejected = 0, 0, map[string]int64{}
	for _, s := range d.segments {
		d.counts.Read += s.Input.Records
		d.counts.Lost += s.Lost
		for reason, n := range s.rejected {
			d.counts.Rejected[reason] += n
		}
	}
}

func (d *dayRun) close() {
	for _, s := range d.scanners {
		s.free()
	}
	for _, s := range d.demand {
		s.close()
	}
}

func (d *dayRun) progress(stage string, done, total int64, unit string) {
	if d.opts.Progress != nil {
		d.opts.Progress(Progress{Day: d.day, Stage: stage, Done: done, Total: total, Unit: unit})
	}
}

// queries writes a section's parts of queries and requesters, and keeps what
// demand needs.
func (d *dayRun) queries(ctx context.Context, section int) error {
	if d.makers == nil {
		var err error
		if d.makers, err = d.newMakers(); err != nil {
			return err
		}
	}
	demand, err := newDemandSpill(d.opts.TempDir)
	if err != nil {
		return err
	}
	d.demand = append(d.demand, demand)
	g, ctx := errgroup.WithContext(ctx)
	groups := d.rowGroups(ctx, g, section)
	g.Go(func() error {
		return d.putPart(ctx, "requesters", func(h *hashedWriter, part *lake.Part) error {
			w, err := column.NewWriter(h, d.makers.requesters, "requester")
			if err != nil {
				return err
			}
			if err := d.queryParts(ctx, d.makers.queries, groups, w, part); err != nil {
				return err
			}
			part.Rows = w.Rows()
			return w.Close()
		})
	})
	return g.Wait()
}

// queryParts writes queries, part by part, and the requesters beside it.
func (d *dayRun) queryParts(ctx context.Context, schema *column.Schema, groups <-chan *emitted, askers *column.Writer, askerPart *lake.Part) error {
	more := true
	for more {
		err := d.putPart(ctx, "queries", func(h *hashedWriter, part *lake.Part) error {
			w, err := column.NewWriter(h, schema, "requester", "ts")
			if err != nil {
				return err
			}
			for more && w.Size() < partBytes {
				var e *emitted
				if e, more = <-groups; !more {
					break
				}
				if err := d.take(e, w, askers); err != nil {
					return err
				}
				widen(part, e.first, e.last)
				widen(askerPart, e.first, e.last)
			}
			part.Rows = w.Rows()
			if err := ctx.Err(); err != nil {
				return err
			}
			return w.Close()
		})
		if err != nil {
			return err
		}
	}
	return nil
}

// widen makes the part's times span those given.
func widen(p *lake.Part, first, last int64) {
	if p.First == 0 || first < p.First {
		p.First = first
	}
	p.Last = max(p.Last, last)
}

// take writes one row group and keeps what the later tables need of it.
func (d *dayRun) take(e *emitted, w, askers *column.Writer) error {
	for _, g := range e.queries {
		if err := w.Append(g); err != nil {
			return err
		}
	}
	if err := askers.Append(e.requesters); err != nil {
		return err
	}
	if err := d.demand[len(d.demand)-1].add(e.demand); err != nil {
		return err
	}
	d.queryLoads.add(e.loaded)
	for reason, n := range e.leftOut {
		d.work.leave("demand", leftNames[reason], n)
	}
	d.work.Crawlers += e.crawlers
	d.work.Loaded += e.rows
	d.work.Duplicate += e.duplicates
	d.done += e.rows + e.duplicates
	d.progress("write", d.done, d.toWrite, "rows")
	return nil
}

// makers are what sorts buckets and builds row groups, one a worker.
type makers struct {
	queries, requesters *column.Schema
	sorts               []func(int) (*sortedRows, error)
	emits               []func([]*sortedRows) (*emitted, error)
}

func (d *dayRun) newMakers() (*makers, error) {
	m := &makers{}
	var err error
	if m.queries, err = querySchema(); err != nil {
		return nil, err
	}
	if m.requesters, err = requesterSchema(); err != nil {
		return nil, err
	}
	for range d.opts.Workers {
		s := &sorter{names: &d.names, runRank: d.runRank, placeRank: d.placeRank, db: d.db, hasher: d.key.Hasher()}
		m.sorts = append(m.sorts, func(b int) (*sortedRows, error) { return d.sortBucket(s, b) })
		e := &emitter{cols: newQueryColumns(&d.names, d.epoch, d.day), requests: newRequesterColumns(d.epoch), day: d.day}
		if e.queries, err = column.NewEncoder(m.queries); err != nil {
			return nil, err
		}
		if e.askers, err = column.NewEncoder(m.requesters); err != nil {
			return nil, err
		}
		m.emits = append(m.emits, func(buckets []*sortedRows) (*emitted, error) {
			out, err := e.emit(buckets)
			for _, b := range buckets {
				d.spare.give(b)
			}
			return out, err
		})
	}
	return m, nil
}

// rowGroups sorts the section's buckets, gathers them to groups and builds those.
func (d *dayRun) rowGroups(ctx context.Context, g *errgroup.Group, section int) <-chan *emitted {
	groups := make(chan []*sortedRows)
	each := rowBuckets / d.sections
	sorted := ordered(ctx, g, feed(ctx, g, between(section*each, (section+1)*each)), d.makers.sorts)
	g.Go(func() error {
		defer close(groups)
		return gather(ctx, sorted, groups, d.opts.groupRows)
	})
	return ordered(ctx, g, groups, d.makers.emits)
}

// sortBucket sorts one bucket of all scanners.
func (d *dayRun) sortBucket(s *sorter, bucket int) (*sortedRows, error) {
	size := int64(0)
	for _, sc := range d.scanners {
		size += sc.rows.buckets[bucket].bytes
	}
	raw := slices.Grow(s.raw[:0], int(size))
	for _, sc := range d.scanners {
		var err error
		if raw, err = sc.rows.load(bucket, raw); err != nil {
			return nil, err
		}
		sc.rows.free(bucket)
	}
	out := d.spare.take()
	err := s.sort(raw, out)
	if size > 4*d.bucketBytes() {
		s.shed()
	}
	return out, err
}

// bucketBytes is the size of a bucket as it would be if all were of one size.
func (d *dayRun) bucketBytes() (n int64) {
	for _, sc := range d.scanners {
		n += sc.rows.bytes
	}
	return n / rowBuckets
}

// gather puts sorted buckets together to groups of at most groupRows rows
// and groupBytes bytes, unless one bucket alone is more. What a group holds depends on the day's
// events only.
func gather(ctx context.Context, sorted <-chan *sortedRows, groups chan<- []*sortedRows, groupRows int) error {
	var open []*sortedRows
	rows, size := 0, 0
	for s := range sorted {
		if rows > 0 && (rows+s.n > groupRows || size+len(s.rows) > groupBytes) {
			if !send(ctx, groups, open) {
				return ctx.Err()
			}
			open, rows, size = nil, 0, 0
		}
		open = append(open, s)
		rows += s.n
		size += len(s.rows)
	}
	if ctx.Err() != nil {
		return ctx.Err()
	}
	if rows > 0 || anyDuplicates(open) {
		if !send(ctx, groups, open) {
			return ctx.Err()
		}
	}
	return nil
}

func anyDuplicates(buckets []*sortedRows) bool {
	return slices.ContainsFunc(buckets, func(s *sortedRows) bool { return s.duplicates > 0 })
}

// watch writes the table probes and gives what stats say for uptime.
func (d *dayRun) watch(ctx context.Context) (map[upKey]*upCounts, error) {
	w := &watcher{names: &d.names, runRank: d.runRank, scanners: d.scanners, probes: newRowWriter[datasets.Probe]()}
	counts := map[upKey]*upCounts{}
	err := putRows(ctx, d, "probes", w.probes, func() error { return w.write(ctx, counts) })
	d.work.Loaded += w.events
	d.work.Duplicate += w.duplicates
	return counts, err
}

// reasons lists a count's reasons in order, for people.
func reasons(counts map[string]int64) string {
	var b bytes.Buffer
	keys := slices.SortedFunc(maps.Keys(counts), func(a, b string) int {
		return cmp.Or(cmp.Compare(counts[b], counts[a]), cmp.Compare(a, b))
	})
	for i, k := range keys {
		if i > 0 {
			b.WriteString(", ")
		}
		fmt.Fprintf(&b, "%s %d", k, counts[k])
	}
	return b.String()
}
