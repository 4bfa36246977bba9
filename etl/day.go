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
	"github.com/boontorrent/boon/internal/rawlog"
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
	ourRank    []uint32
	placeRank  []uint32
	scanners   []*scanner
	segments   []*segment
	counts     lake.Counts
	old        map[string]lake.Info // the manifests before this run
	made       map[string]*made
	loaded     map[loadKey]int64
	queryLoads loads
	demand     *spill
	ends       []int64 // of the row groups' parts in demand
	crawlers   int64
	kept       int64 // bytes of rejected lines
}

// scan reads all segments of the day.
func (d *dayRun) scan(ctx context.Context) error {
	g, ctx := errgroup.WithContext(ctx)
	var works []func(lake.Info) (*segment, error)
	for range d.opts.Workers {
		s, err := newScanner(d.store, d.day, &d.names, d.opts.TempDir)
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
			done += seg.input.Bytes
			d.progress("read", done, sizeOf(d.inputs))
		}
		return ctx.Err()
	})
	if err := g.Wait(); err != nil {
		return err
	}
	d.count()
	d.runRank = ranks(d.names.runs.values, run.compare)
	d.placeRank = ranks(d.names.places.values, comparePlaces)
	d.ourRank = ranks(d.names.ours.values, func(a, b rawlog.ID) int { return bytes.Compare(a[:], b[:]) })
	return nil
}

// maxQuarantine bounds the text of rejected lines that a day keeps.
const maxQuarantine = 64 << 20

// keepRejects drops the segment's rejected lines, not their counts, once the
// day has enough of them.
func (d *dayRun) keepRejects(seg *segment) {
	for i, q := range seg.rejects {
		if d.kept += int64(len(q.Text)); d.kept > maxQuarantine {
			seg.rejects = seg.rejects[:i]
			return
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
	d.counts.Rejected = map[string]int64{}
	for _, s := range d.segments {
		d.counts.Read += s.input.Records
		d.counts.Lost += s.lost
		for reason, n := range s.rejected {
			d.counts.Rejected[reason] += n
		}
	}
}

func (d *dayRun) close() {
	for _, s := range d.scanners {
		s.close()
	}
	if d.demand != nil {
		d.demand.close()
	}
}

func (d *dayRun) progress(stage string, done, total int64) {
	if d.opts.Progress != nil {
		d.opts.Progress(Progress{Day: d.day, Stage: stage, Done: done, Total: total})
	}
}

// queries writes the tables queries and requesters, and keeps what demand needs.
func (d *dayRun) queries(ctx context.Context) error {
	schema, err := querySchema()
	if err != nil {
		return err
	}
	askerSchema, err := requesterSchema()
	if err != nil {
		return err
	}
	if d.demand, err = newSpill(d.opts.TempDir, 1, 1<<20); err != nil {
		return err
	}
	g, ctx := errgroup.WithContext(ctx)
	groups, err := d.rowGroups(ctx, g, schema, askerSchema)
	if err != nil {
		return err
	}
	g.Go(func() error {
		return d.putPart(ctx, "requesters", func(h *hashedWriter, part *lake.Part) error {
			w, err := column.NewWriter(h, askerSchema, "requester")
			if err != nil {
				return err
			}
			if err := d.queryParts(ctx, schema, groups, w, part); err != nil {
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
	if err := d.demand.add(0, e.demand); err != nil {
		return err
	}
	d.ends = append(d.ends, d.demand.buckets[0].bytes)
	for run, counts := range e.loaded {
		all := d.queryLoads.of(run)
		for m := range counts {
			for k, n := range counts[m] {
				all[m][k] += n
			}
		}
	}
	for reason, n := range e.leftOut {
		d.made["demand"].leftOut[reason] += n
	}
	d.crawlers += e.crawlers
	d.counts.Loaded += e.rows
	d.counts.Duplicate += e.duplicates
	d.progress("write", d.counts.Loaded+d.counts.Duplicate, d.counts.Read)
	return nil
}

// rowGroups sorts the buckets, gathers them to groups and builds those.
func (d *dayRun) rowGroups(ctx context.Context, g *errgroup.Group, schema, askerSchema *column.Schema) (<-chan *emitted, error) {
	var sorts []func(int) (*sortedRows, error)
	var emits []func([]*sortedRows) (*emitted, error)
	for range d.opts.Workers {
		s := &sorter{day: d.day, names: &d.names, runRank: d.runRank, ourRank: d.ourRank, placeRank: d.placeRank, db: d.db, hasher: d.key.Hasher()}
		sorts = append(sorts, func(b int) (*sortedRows, error) { return d.sortBucket(s, b) })
		e := &emitter{cols: newQueryColumns(&d.names, d.epoch), requests: newRequesterColumns(), epoch: d.epoch, day: d.day}
		var err error
		if e.queries, err = column.NewEncoder(schema); err != nil {
			return nil, err
		}
		if e.askers, err = column.NewEncoder(askerSchema); err != nil {
			return nil, err
		}
		emits = append(emits, e.emit)
	}
	groups := make(chan []*sortedRows)
	sorted := ordered(ctx, g, feed(ctx, g, upTo(rowBuckets)), sorts)
	g.Go(func() error {
		defer close(groups)
		return gather(ctx, sorted, groups)
	})
	return ordered(ctx, g, groups, emits), nil
}

// sortBucket sorts one bucket of all scanners.
func (d *dayRun) sortBucket(s *sorter, bucket int) (*sortedRows, error) {
	var size int64
	for _, sc := range d.scanners {
		size += sc.rows.buckets[bucket].bytes
	}
	raw := make([]byte, 0, size)
	for _, sc := range d.scanners {
		var err error
		if raw, err = sc.rows.load(bucket, raw); err != nil {
			return nil, err
		}
		sc.rows.free(bucket)
	}
	return s.sort(raw)
}

// gather puts sorted buckets together to groups of at most groupRows rows
// and groupBytes bytes, unless one bucket alone is more. What a group holds depends on the day's
// events only.
func gather(ctx context.Context, sorted <-chan *sortedRows, groups chan<- []*sortedRows) error {
	var open []*sortedRows
	rows, size := 0, 0
	for s := range sorted {
		if rows > 0 && (rows+len(s.offs) > groupRows || size+s.bytes > groupBytes) {
			if !send(ctx, groups, open) {
				return ctx.Err()
			}
			open, rows, size = nil, 0, 0
		}
		open = append(open, s)
		rows += len(s.offs)
		size += s.bytes
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

// watch writes the tables uptime and probes.
func (d *dayRun) watch(ctx context.Context) error {
	first := d.day.Start() / microsPerMinute
	for run, counts := range d.queryLoads {
		for m := range counts {
			for k, n := range counts[m] {
				if n > 0 {
					d.loaded[loadKey{run, first + int64(m), rawlog.Kind(k)}] += int64(n)
				}
			}
		}
	}
	w := &watcher{
		names: &d.names, runRank: d.runRank, scanners: d.scanners, loaded: d.loaded, uptime: newRowWriter[datasets.Uptime](), probes: newRowWriter[datasets.Probe](),
	}
	err := putRows(ctx, d, "uptime", w.uptime, func() error {
		return putRows(ctx, d, "probes", w.probes, func() error { return w.write(ctx) })
	})
	d.counts.Loaded += w.events
	d.counts.Duplicate += w.duplicates
	return err
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
