package etl

import (
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"hash/maphash"
	"io"
	"net/netip"
	"slices"

	"github.com/boontorrent/boon/internal/lake"
	"github.com/boontorrent/boon/internal/rawlog"
)

// Rows are spread over buckets by network, so that each bucket can be sorted,
// and its requesters and networks counted, on its own; other events by the
// info-hash or run they belong to.
const (
	rowBuckets   = 1024
	rowChunk     = 16 << 10
	otherBuckets = 256
	otherChunk   = 16 << 10
	statsBuckets = 16
)

// Reasons by which the ETL itself rejects.
const (
	outsideDay = "outside_day"
	tooLarge   = "segment_too_large"
	noRawLog   = "no_raw_log" // a file without a line of ours counts as one record
	otherKey   = "other_key"  // pseudonyms that compare with no others of the day
)

// scanner reads segments, one after another, into its own spills.
type scanner struct {
	store     lake.Store
	day       lake.Day
	epoch     string // of the day's pseudonym key
	keyPrint  string // and which key it is
	names     *names
	reader    *rawlog.Reader
	rows      *spill
	batch     batch // of rows
	other     *spill
	stats     *spill
	line      []byte
	runBucket int // of the run that is being read
	sources   [256]knownSource
	units     int
	unitOf    func(bucket int) int
	mine      []bool // by unit: those that are made here
}

func (d *dayRun) newScanner() (*scanner, error) {
	tempDir := d.opts.TempDir
	s := &scanner{store: d.store, day: d.day, epoch: d.epoch, keyPrint: d.key.Print(), names: &d.names, units: d.units(), unitOf: d.unitOf, mine: d.mine}
	var errs [3]error
	s.rows, errs[0] = newSpill(tempDir, rowBuckets, d.opts.rowChunk)
	s.other, errs[1] = newSpill(tempDir, otherBuckets, otherChunk)
	s.stats, errs[2] = newSpill(tempDir, statsBuckets, otherChunk)
	if err := errors.Join(errs[:]...); err != nil {
		s.free()
		return nil, err
	}
	return s, nil
}

func (s *scanner) free() {
	for _, sp := range []*spill{s.rows, s.other, s.stats} {
		if sp != nil {
			sp.close()
		}
	}
	if s.reader != nil {
		s.reader.Close()
	}
}

// segment is the account of one segment: by unit while it is read, in all once
// the units are settled.
type segment struct {
	facts
	units    []account
	rejected map[string]int64
	rejects  []quarantined
}

// read reads one segment.
func (s *scanner) read(ctx context.Context, in lake.Info) (*segment, error) {
	object, err := s.store.Open(ctx, in.Key)
	if err != nil {
		return nil, fmt.Errorf("read segment %s: %w", in.Key, err)
	}
	defer object.Close()
	if got := object.Info().ETag; got != in.ETag {
		return nil, fmt.Errorf("read segment %s: it was replaced since the day was planned (%s, then %s); plan again", in.Key, in.ETag, got)
	}
	if s.reader == nil {
		if s.reader, err = rawlog.NewReader(object); err != nil {
			return nil, err
		}
		if slices.Contains(s.mine, false) {
			s.reader.Pass = s.foreign
		}
	} else {
		s.reader.Reset(object)
	}
	seg := &segment{units: make([]account, s.units)}
	err = s.events(ctx, seg)
	if err == nil {
		err = s.rows.add(&s.batch)
	}
	if err != nil {
		return nil, fmt.Errorf("read segment %s: %w", in.Key, err)
	}
	s.close(seg, in)
	return seg, nil
}

// events reads the open segment to its end.
func (s *scanner) events(ctx context.Context, seg *segment) error {
	var ev rawlog.Event
	var numbered run
	var number uint32
	for i := 0; ; i++ {
		if i&0xfff == 0 && ctx.Err() != nil {
			return ctx.Err()
		}
		if err := s.reader.Next(&ev); err != nil {
			if more, err := s.noEvent(seg, err); !more {
				return err
			}
			continue
		}
		h := s.reader.Header()
		if r := (run{h.Collector, h.Run, h.Imported != ""}); r != numbered || i == 0 {
			numbered = r
			var err error
			if number, err = s.names.run(r); err != nil {
				return err
			}
			s.runBucket = r.bucket()
		}
		if ev.Query.HasPseudonym && ev.Kind.IsQuery() && h.KeyEpoch != "" && (h.KeyEpoch != s.epoch || h.KeyPrint != s.keyPrint) {
			s.reject(seg, s.unitOfEvent(&ev), &rawlog.Reject{Reason: otherKey, Detail: "made with key " + h.KeyPrint + " of " + h.KeyEpoch, At: s.reader.Line()})
			continue
		}
		if lake.DayOf(ev.T) != s.day {
			line, _ := rawlog.AppendEvent(nil, &ev)
			s.reject(seg, s.unitOfEvent(&ev), &rawlog.Reject{Reason: outsideDay, Detail: lake.DayOf(ev.T).String(), Line: line, At: s.reader.Line()})
			continue
		}
		if err := s.keep(seg, &ev, number, numbered.imported); err != nil {
			return err
		}
	}
}

// noEvent takes in what the reader returned instead of an event, and reports
// whether more may come.
func (s *scanner) noEvent(seg *segment, err error) (more bool, _ error) {
	var reject *rawlog.Reject
	switch {
	case errors.As(err, &reject):
		s.reject(seg, s.unitOfLine(reject.Line), reject)
		return true, nil
	case errors.Is(err, io.EOF):
		return false, nil
	case errors.Is(err, rawlog.ErrTooLarge):
		s.count(seg, s.units-1, tooLarge)
		seg.Input.Notes = append(seg.Input.Notes, err.Error())
		return false, nil
	}
	return false, err
}

// keep puts an event, if its unit is made here, where the next stage will look
// for it.
func (s *scanner) keep(seg *segment, ev *rawlog.Event, run uint32, imported bool) error {
	bucket, unit := 0, s.units-1
	if ev.Kind.IsQuery() {
		bucket = bucketOf(&ev.Query)
		unit = s.unitOf(bucket)
	}
	if !s.mine[unit] {
		return nil
	}
	seg.units[unit].Records++
	if ev.Kind.IsQuery() {
		return s.keepQuery(ev, bucket, run, imported)
	}
	return s.keepOther(ev, run)
}

func (s *scanner) keepOther(ev *rawlog.Event, run uint32) error {
	var err error
	if ev.Kind == rawlog.Resolve {
		s.line = appendResolve(s.line[:0], ev)
	} else if s.line, err = rawlog.AppendEvent(s.line[:0], ev); err != nil {
		return err
	}
	line := s.line
	sp, bucket := s.stats, s.runBucket
	switch ev.Kind { // buckets in order of info-hash
	case rawlog.Resolve:
		sp, bucket = s.other, int(ev.Resolve.Infohash[0])
	case rawlog.ResolveFailed:
		sp, bucket = s.other, int(ev.Failed.Infohash[0])
	}
	buf, err := sp.begin(bucket)
	if err != nil {
		return err
	}
	buf = binary.LittleEndian.AppendUint32(buf, uint32(len(line)))
	buf = binary.LittleEndian.AppendUint32(buf, run)
	sp.end(bucket, append(buf, line...))
	return nil
}

func (s *scanner) keepQuery(ev *rawlog.Event, bucket int, run uint32, imported bool) error {
	q := &ev.Query
	from, err := s.source(run, &q.OurID)
	if err != nil {
		return err
	}
	place := noPlace
	if q.Geo != nil {
		if place, err = s.names.place(q.Geo); err != nil {
			return err
		}
	}
	s.batch.end(bucket, appendRow(s.batch.begin(), ev, ev.T-s.day.Start(), from, place, imported))
	if s.batch.full() {
		return s.rows.add(&s.batch)
	}
	return nil
}

// knownSource is a source whose number the scanner has asked for.
type knownSource struct {
	source
	number uint32 // + 1
}

// source numbers a run and one of its own ids, of which there are few.
func (s *scanner) source(run uint32, our *rawlog.ID) (uint32, error) {
	k := &s.sources[our[0]^our[19]^byte(run)]
	if k.number > 0 && k.run == run && k.our == *our {
		return k.number - 1, nil
	}
	want := source{run, *our}
	n, err := s.names.source(want)
	if err == nil {
		k.source, k.number = want, n+1
	}
	return n, err
}

// bucketOf spreads networks over the buckets, the same in every process.
func bucketOf(q *rawlog.Query) int {
	if !q.Addr.IsValid() {
		return bucketOfNumber(uint64(q.Network))
	}
	return bucketOfAddr(q.Addr)
}

func bucketOfAddr(addr netip.Addr) int {
	if addr.Is4() {
		a := addr.As4()
		return bucketOfNumber(uint64(a[0])<<16 | uint64(a[1])<<8 | uint64(a[2]))
	}
	a := addr.As16()
	return bucketOfNumber(1<<63 | binary.BigEndian.Uint64(a[:])>>16)
}

func bucketOfNumber(net uint64) int { return int(mix(net+0x9e3779b97f4a7c15) >> 54) }

// unitOfEvent is the unit that an event belongs to.
func (s *scanner) unitOfEvent(ev *rawlog.Event) int {
	if !ev.Kind.IsQuery() {
		return s.units - 1
	}
	return s.unitOf(bucketOf(&ev.Query))
}

// unitOfLine is the unit that a line belongs to, as far as its beginning tells:
// the rest where it tells nothing. A line that another unit passes over
// unread, and that turns out to be no event, is so counted by its own.
func (s *scanner) unitOfLine(line []byte) int {
	a, ok := rawlog.AskerOf(line)
	if !ok {
		return s.units - 1
	}
	return s.unitOf(bucketOfAddr(a))
}

// foreign reports whether a line is seen at once to belong to a unit that is
// made elsewhere.
func (s *scanner) foreign(line []byte) bool {
	a, ok := rawlog.AskerOf(line)
	return ok && !s.mine[s.unitOf(bucketOfAddr(a))]
}

// keptRejects bounds the rejected lines of one segment that go to quarantine.
const keptRejects = 1000

// count counts a rejected line, if its unit is made here.
func (s *scanner) count(seg *segment, unit int, reason string) bool {
	if !s.mine[unit] {
		return false
	}
	a := &seg.units[unit]
	if a.Rejected == nil {
		a.Rejected = map[string]int64{}
	}
	a.Rejected[reason]++
	return true
}

func (s *scanner) reject(seg *segment, unit int, r *rawlog.Reject) {
	if a := &seg.units[unit]; s.count(seg, unit, r.Reason) && len(a.rejects) < keptRejects {
		a.rejects = append(a.rejects, quarantined{Line: r.At, Reason: r.Reason, Detail: r.Detail, Text: string(r.Line)})
	}
}

// close takes in what the reader knows of the whole file.
func (s *scanner) close(seg *segment, in lake.Info) {
	sum := s.reader.Summary()
	if sum.Headers == 0 && sum.Records == 0 && len(sum.Rejected) == 0 {
		seg.Input.Notes = append(seg.Input.Notes, "it holds no raw log")
		s.reject(seg, s.units-1, &rawlog.Reject{Reason: noRawLog, Detail: in.Key})
	}
	seg.Input.Key, seg.Input.ETag, seg.Input.Bytes = in.Key, in.ETag, in.Size
	seg.Input.Run, seg.Input.Seq, seg.Input.Sealed = sum.Header.Run, int64(sum.Header.Seq), sum.Sealed
	seg.Lost = sum.Lost
	seg.Imported = sum.Header.Imported != ""
	if sum.Damaged > 0 {
		seg.Input.Notes = append(seg.Input.Notes, fmt.Sprintf("%d damaged stretches could not be unpacked", sum.Damaged))
	}
	if sum.Cut {
		seg.Input.Notes = append(seg.Input.Notes, "the file is cut short")
	}
}

// seed keeps those who choose info-hashes and addresses from choosing what
// collides in our hash tables. No result depends on it.
var seed = maphash.MakeSeed()

// addrOf is the address of a row, invalid where it has a pseudonym only.
func (r row) addr() netip.Addr {
	a := r.asker()
	switch {
	case r[rowFlags]&askerKey != 0:
		return netip.Addr{}
	case len(a) == 4:
		return netip.AddrFrom4([4]byte(a))
	}
	return netip.AddrFrom16([16]byte(a))
}
