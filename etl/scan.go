package etl

import (
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"hash/maphash"
	"io"
	"net/netip"

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
)

// scanner reads segments, one after another, into its own spills.
type scanner struct {
	store     lake.Store
	day       lake.Day
	names     *names
	reader    *rawlog.Reader
	rows      *spill
	other     *spill
	stats     *spill
	line      []byte
	runBucket int // of the run that is being read
}

func newScanner(store lake.Store, day lake.Day, n *names, tempDir string) (*scanner, error) {
	s := &scanner{store: store, day: day, names: n}
	var errs [3]error
	s.rows, errs[0] = newSpill(tempDir, rowBuckets, rowChunk)
	s.other, errs[1] = newSpill(tempDir, otherBuckets, otherChunk)
	s.stats, errs[2] = newSpill(tempDir, statsBuckets, otherChunk)
	if err := errors.Join(errs[:]...); err != nil {
		s.close()
		return nil, err
	}
	return s, nil
}

func (s *scanner) close() {
	for _, sp := range []*spill{s.rows, s.other, s.stats} {
		if sp != nil {
			sp.close()
		}
	}
	if s.reader != nil {
		s.reader.Close()
	}
}

// segment is the account of one segment.
type segment struct {
	input    lake.Input
	rejected map[string]int64
	rejects  []quarantined // a bounded number of them
	lost     int64
	imported bool // of a run whose segments' numbers say nothing
}

// read reads one segment.
func (s *scanner) read(ctx context.Context, in lake.Info) (*segment, error) {
	object, err := s.store.Open(ctx, in.Key)
	if err != nil {
		return nil, fmt.Errorf("read segment %s: %w", in.Key, err)
	}
	defer object.Close()
	if s.reader == nil {
		if s.reader, err = rawlog.NewReader(object); err != nil {
			return nil, err
		}
	} else {
		s.reader.Reset(object)
	}
	seg := &segment{rejected: map[string]int64{}}
	if err := s.events(ctx, seg); err != nil {
		return nil, fmt.Errorf("read segment %s: %w", in.Key, err)
	}
	seg.close(in, s.reader.Summary())
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
		err := s.reader.Next(&ev)
		var reject *rawlog.Reject
		switch {
		case err == nil:
		case errors.As(err, &reject):
			seg.reject(reject)
			continue
		case errors.Is(err, io.EOF):
			return nil
		case errors.Is(err, rawlog.ErrTooLarge):
			seg.rejected[tooLarge]++
			seg.input.Notes = append(seg.input.Notes, err.Error())
			return nil
		default:
			return err
		}
		h := s.reader.Header()
		if r := (run{h.Collector, h.Run, h.Imported != ""}); r != numbered || i == 0 {
			numbered = r
			if number, err = s.names.run(r); err != nil {
				return err
			}
			s.runBucket = r.bucket()
		}
		if lake.DayOf(ev.T) != s.day {
			line, _ := rawlog.AppendEvent(nil, &ev)
			seg.reject(&rawlog.Reject{Reason: outsideDay, Detail: lake.DayOf(ev.T).String(), Line: line, At: s.reader.Line()})
			continue
		}
		if err := s.keep(&ev, number, numbered.imported); err != nil {
			return err
		}
		seg.input.Records++
	}
}

// keep puts an event where the next stage will look for it.
func (s *scanner) keep(ev *rawlog.Event, run uint32, imported bool) error {
	if ev.Kind.IsQuery() {
		return s.keepQuery(ev, run, imported)
	}
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

func (s *scanner) keepQuery(ev *rawlog.Event, run uint32, imported bool) error {
	q := &ev.Query
	our, err := s.names.our(q.OurID)
	if err != nil {
		return err
	}
	place := noPlace
	if q.Geo != nil {
		if place, err = s.names.place(q.Geo); err != nil {
			return err
		}
	}
	bucket := bucketOf(q)
	buf, err := s.rows.begin(bucket)
	if err != nil {
		return err
	}
	s.rows.end(bucket, appendRow(buf, ev, run, our, place, imported))
	return nil
}

// bucketOf spreads networks over the buckets, the same in every process.
func bucketOf(q *rawlog.Query) int {
	var net uint64
	switch {
	case !q.Addr.IsValid():
		net = uint64(q.Network)
	case q.Addr.Is4():
		a := q.Addr.As4()
		net = uint64(a[0])<<16 | uint64(a[1])<<8 | uint64(a[2])
	default:
		a := q.Addr.As16()
		net = 1<<63 | binary.BigEndian.Uint64(a[:])>>16
	}
	return int(mix(net+0x9e3779b97f4a7c15) >> 54)
}

// keptRejects bounds the rejected lines of one segment that go to quarantine.
const keptRejects = 1000

func (seg *segment) reject(r *rawlog.Reject) {
	seg.rejected[r.Reason]++
	if len(seg.rejects) < keptRejects {
		seg.rejects = append(seg.rejects, quarantined{Line: r.At, Reason: r.Reason, Detail: r.Detail, Text: string(r.Line)})
	}
}

// close takes in what the reader knows of the whole file.
func (seg *segment) close(in lake.Info, sum rawlog.Summary) {
	if sum.Headers == 0 && sum.Records == 0 && len(seg.rejected) == 0 {
		seg.input.Notes = append(seg.input.Notes, "it holds no raw log")
		seg.reject(&rawlog.Reject{Reason: noRawLog, Detail: in.Key})
	}
	for _, n := range seg.rejected {
		seg.input.Records += n
	}
	seg.input.Key, seg.input.ETag, seg.input.Bytes = in.Key, in.ETag, in.Size
	seg.input.Run, seg.input.Seq, seg.input.Sealed = sum.Header.Run, int64(sum.Header.Seq), sum.Sealed
	seg.lost = sum.Lost
	seg.imported = sum.Header.Imported != ""
	if sum.Damaged > 0 {
		seg.input.Notes = append(seg.input.Notes, fmt.Sprintf("%d damaged stretches could not be unpacked", sum.Damaged))
	}
	if sum.Cut {
		seg.input.Notes = append(seg.input.Notes, "the file is cut short")
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
