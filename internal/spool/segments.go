package spool

import (
	"encoding/hex"
	"fmt"
	"io"
	"sync/atomic"
	"time"

	"github.com/boontorrent/boon/internal/lake"
	"github.com/boontorrent/boon/internal/rawlog"
)

const (
	second     = int64(1e6) // times are µs since 1970 UTC
	flushEvery = second / 2 // half of what a crash may cost, for the rest of the way to disk
	span       = 300 * second
)

// Segments writes a run's events into the spool, into one segment after
// another. One goroutine uses it; Sync alone may be called by others.
type Segments struct {
	// Closing is called before the end of each segment, with the time of its last
	// event. It may still append, and says what the footer says was dropped.
	Closing func(last int64) (dropped map[string]int64, err error)
	// Sealed is called when there is a segment to upload.
	Sealed func()
	// Begin, if set, may add to the header of a segment that is about to begin.
	Begin func(*rawlog.Header)

	spool   *Spool
	header  rawlog.Header // Collector, Run, Software, Privacy
	w       *rawlog.Writer
	file    *segmentFile // nil between segments
	open    atomic.Pointer[segmentFile]
	start   int64 // of the open segment
	last    int64 // time of its last event
	flushed int64
	ended   bool // it has its footer, which waits for the disk to have room
	noFile  bool // no segment could be begun
	n       int64
	seq     uint64
}

// NewSegments returns a writer of a run. Of h, Seq and Start are ignored.
func NewSegments(s *Spool, h rawlog.Header) *Segments {
	return &Segments{
		spool: s, header: h,
		Closing: func(int64) (map[string]int64, error) { return nil, nil }, Sealed: func() {},
	}
}

// Ready sees to it that a segment for that time is open; false where the disk
// has no room for it.
func (s *Segments) Ready(t int64) (bool, error) {
	if s.Stuck() {
		return false, nil
	}
	if s.file != nil && (lake.DayOf(t) != lake.DayOf(s.start) || s.w.Size() >= rawlog.SegmentBytes) {
		if err := s.seal(); err != nil || s.file != nil {
			return false, err
		}
	}
	if s.file == nil {
		err := s.begin(t)
		s.noFile = err != nil
		if NoRoom(err) {
			return false, nil
		}
		return err == nil, err
	}
	return true, nil
}

// RunName makes a name for a run that is unique for each start.
func RunName(random io.Reader, start time.Time) (string, error) {
	var b [4]byte
	if _, err := io.ReadFull(random, b[:]); err != nil {
		return "", fmt.Errorf("name the run: %w", err)
	}
	return start.UTC().Format("20060102T150405Z-") + hex.EncodeToString(b[:]), nil
}

// Run is the name of the run that the events are of.
func (s *Segments) Run() string { return s.header.Run }

// Append writes an event, which gets the run's next number, into the open
// segment. Ready comes before it.
func (s *Segments) Append(ev *rawlog.Event) error {
	s.n++
	ev.N, s.last = s.n, ev.T
	return s.w.Append(ev)
}

// Upkeep flushes about once a second, seals what is old enough, and looks
// whether the disk has room again. The clock may be set back.
func (s *Segments) Upkeep(now int64) error {
	if s.file == nil {
		return nil
	}
	if apart(now, s.flushed) >= flushEvery {
		s.flushed = now
		if err := s.Flush(); err != nil {
			return err
		}
	}
	if s.file != nil && !s.Stuck() && (apart(now, s.start) >= span || lake.DayOf(now) > lake.DayOf(s.start) && now-s.last > second) {
		return s.seal()
	}
	return nil
}

func apart(a, b int64) int64 { return max(a-b, b-a) }

// Full reports whether nothing can be written: the disk, or the spool, is full.
func (s *Segments) Full() bool { return s.Stuck() || s.noFile || s.spool.Full() }

// Flush ends the open frame, unless an earlier one still waits for room: what
// was appended survives the process.
func (s *Segments) Flush() error {
	if s.file == nil {
		return nil
	}
	if ok, err := s.file.retry(); err != nil || !ok {
		return err
	}
	if s.ended {
		return s.finish()
	}
	return s.w.Flush()
}

// Sync makes what was flushed survive a power cut. Any goroutine may call it.
func (s *Segments) Sync() error {
	f := s.open.Load()
	if f == nil {
		return nil
	}
	if err := f.f.Sync(); err != nil {
		return fmt.Errorf("sync a segment: %w", err)
	}
	if f.named.Load() {
		return nil
	}
	f.named.Store(true)
	return s.spool.Sync()
}

// Failed reports whether the open segment cannot be written any more. An Append
// that fails otherwise has refused its event alone.
func (s *Segments) Failed() bool { return s.w != nil && s.w.Err() != nil }

// Stuck reports whether a frame waits for the disk to have room.
func (s *Segments) Stuck() bool { return s.file != nil && len(s.file.pending) > 0 }

func (s *Segments) begin(start int64) error {
	f, err := s.spool.create(fmt.Sprintf("%s-%06d%s", s.header.Run, s.seq, OpenSuffix))
	if err != nil {
		return err
	}
	h := s.header
	h.Seq, h.Start = s.seq, start
	if s.Begin != nil {
		s.Begin(&h)
	}
	if s.w == nil {
		s.w, err = rawlog.NewWriter(f, h)
	} else {
		err = s.w.Reset(f, h)
	}
	if err != nil {
		return err
	}
	s.file, s.start, s.last, s.flushed = f, start, start, start
	s.open.Store(f)
	return nil
}

// seal ends the open segment. While the disk is full, it stays open.
func (s *Segments) seal() error {
	if s.ended {
		return s.finish()
	}
	dropped, err := s.Closing(s.last)
	if err != nil {
		return err
	}
	if ok, err := s.file.retry(); err != nil || !ok {
		return err
	}
	s.ended = true
	if err := s.w.Close(rawlog.Footer{Dropped: dropped, End: s.last}); err != nil {
		return err
	}
	return s.finish()
}

// finish names the segment, once all of it is on disk.
func (s *Segments) finish() error {
	if ok, err := s.file.retry(); err != nil || !ok {
		return err
	}
	s.open.Store(nil)
	f := s.file
	s.file, s.ended = nil, false
	if err := f.seal(lake.SegmentKey{Collector: s.header.Collector, Start: s.start, Seq: s.seq}); err != nil {
		return err
	}
	s.seq++
	s.Sealed()
	return nil
}

// Close seals what is open.
func (s *Segments) Close() error {
	if s.file == nil {
		return nil
	}
	if err := s.seal(); err != nil {
		return err
	}
	if s.file != nil {
		return fmt.Errorf("the disk of the spool %s is full: %d bytes of the open segment could not be written and are lost; make room before the next start",
			s.spool.dir, len(s.file.pending))
	}
	return nil
}
