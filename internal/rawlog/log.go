package rawlog

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"

	"github.com/boontorrent/boon/internal/lake"
)

// openDays bounds the segments a Log holds open at once, one a day.
const openDays = 8

// Log writes events of known times straight into a lake as sealed segments:
// what imports and synthetic swarms use. (A collector, which must survive a
// crash, spools to a folder first.) Events may come in any order of time; the
// same events in the same order give the same keys and bytes, so a log written
// twice adds nothing. Not safe for use by several goroutines.
type Log struct {
	store  lake.Store
	header Header // Collector, Run, Software, Privacy, Imported
	span   int64  // µs from a segment's first event to where it closes; 0: no bound
	n      int64
	seq    uint64
	open   map[lake.Day]*openSegment
	spare  *openSegment
	// Written counts sealed segments, Present those that were in the lake already.
	Written, Present int
	Records          int64
}

type openSegment struct {
	w     *Writer
	buf   bytes.Buffer
	seq   uint64
	start int64
	last  int64
	used  int64 // the record that was appended last
}

// NewLog returns a log that writes into store. Of h, Seq and Start are ignored.
// A segment closes span microseconds after its first event, if span is not 0,
// or when it is full.
func NewLog(store lake.Store, h Header, span int64) *Log {
	return &Log{store: store, header: h, span: span, open: map[lake.Day]*openSegment{}}
}

// Append adds an event to its day's segment. An event without a number gets the run's next.
func (l *Log) Append(ctx context.Context, ev *Event) error {
	if ev.T < MinTime || ev.T >= MaxTime {
		return fmt.Errorf("an event of %d µs since 1970 is outside the years 2005 to 2099", ev.T)
	}
	day := lake.DayOf(ev.T)
	s := l.open[day]
	if s != nil && (s.w.Size() >= SegmentBytes || l.span > 0 && ev.T-s.start >= l.span) {
		if err := l.seal(ctx, day); err != nil {
			return err
		}
		s = nil
	}
	if s == nil {
		var err error
		if s, err = l.begin(ctx, day, ev.T); err != nil {
			return err
		}
	}
	l.n++
	if ev.N == 0 {
		ev.N = l.n
	}
	if err := s.w.Append(ev); err != nil {
		return err
	}
	s.last, s.used = max(s.last, ev.T), l.n
	l.Records++
	return nil
}

func (l *Log) begin(ctx context.Context, day lake.Day, start int64) (*openSegment, error) {
	if len(l.open) >= openDays {
		if err := l.seal(ctx, l.oldest()); err != nil {
			return nil, err
		}
	}
	s := l.spare
	l.spare = nil
	if s == nil {
		s = &openSegment{}
	}
	s.buf.Reset()
	s.seq, s.start, s.last = l.seq, start, start
	l.seq++
	h := l.header
	h.Seq, h.Start = s.seq, start
	var err error
	if s.w == nil {
		s.w, err = NewWriter(&s.buf, h)
	} else {
		err = s.w.Reset(&s.buf, h)
	}
	if err != nil {
		return nil, err
	}
	l.open[day] = s
	return s, nil
}

// oldest is the open day that was used longest ago.
func (l *Log) oldest() lake.Day {
	var day lake.Day
	least := int64(-1)
	for d, s := range l.open {
		if least < 0 || s.used < least {
			day, least = d, s.used
		}
	}
	return day
}

func (l *Log) seal(ctx context.Context, day lake.Day) error {
	s := l.open[day]
	if err := s.w.Close(Footer{End: s.last}); err != nil {
		return err
	}
	sum := sha256.Sum256(s.buf.Bytes())
	key := lake.SegmentKey{Collector: l.header.Collector, Start: s.start, Seq: s.seq, Sha8: hex.EncodeToString(sum[:4])}
	_, err := lake.PutBytes(ctx, l.store, key.String(), lake.Absent(), s.buf.Bytes())
	switch {
	case errors.Is(err, lake.ErrConflict): // the key holds the content's digest
		l.Present++
	case err != nil:
		return fmt.Errorf("store segment %d of run %s: %w", s.seq, l.header.Run, err)
	default:
		l.Written++
	}
	delete(l.open, day)
	l.spare = s
	return nil
}

// Close seals what is open. Without Close the events since the last seal are lost.
func (l *Log) Close(ctx context.Context) error {
	for len(l.open) > 0 {
		if err := l.seal(ctx, l.oldest()); err != nil {
			return err
		}
	}
	return nil
}
