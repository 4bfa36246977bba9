// Package rawlogtest reads raw logs for tests, and holds that they are whole.
package rawlogtest

import (
	"bytes"
	"errors"
	"io"
	"testing"

	"github.com/boontorrent/boon/internal/lake"
	"github.com/boontorrent/boon/internal/rawlog"
)

// Segment is what a segment holds.
type Segment struct {
	Name   string
	Events []rawlog.Event
	rawlog.Summary
}

// Read reads a segment, in which no line may be lost, cut or not an event.
func Read(tb testing.TB, name string, in io.Reader) *Segment {
	tb.Helper()
	r, err := rawlog.NewReader(in)
	if err != nil {
		tb.Fatalf("%s: %v", name, err)
	}
	defer r.Close()
	s := &Segment{Name: name}
	for {
		var ev rawlog.Event
		err := r.Next(&ev)
		if errors.Is(err, io.EOF) {
			break
		}
		if err != nil {
			tb.Fatalf("%s: %v", name, err)
		}
		q := &ev.Query
		q.Version, q.Name = bytes.Clone(q.Version), bytes.Clone(q.Name)
		if q.Geo != nil {
			place := *q.Geo
			q.Geo = &place
		}
		s.Events = append(s.Events, ev)
	}
	if s.Summary = r.Summary(); !s.Sealed || s.Headers != 1 || s.Lost > 0 || s.Damaged > 0 || s.Cut {
		tb.Fatalf("%s is not whole: %+v", name, s.Summary)
	}
	return s
}

// Lake reads all segments of a lake in the order of their keys. Besides, a
// segment may only hold events of the day that its key says.
func Lake(tb testing.TB, store lake.Store) []*Segment {
	tb.Helper()
	var all []*Segment
	for info, err := range store.List(tb.Context(), lake.RawPrefix) {
		if err != nil {
			tb.Fatal(err)
		}
		key, err := lake.ParseSegmentKey(info.Key)
		if err != nil {
			tb.Fatal(err)
		}
		o, err := store.Open(tb.Context(), info.Key)
		if err != nil {
			tb.Fatal(err)
		}
		s := Read(tb, info.Key, o)
		_ = o.Close()
		for i := range s.Events {
			if day := lake.DayOf(s.Events[i].T); day != lake.DayOf(key.Start) {
				tb.Errorf("%s holds an event of %s", info.Key, day)
			}
		}
		all = append(all, s)
	}
	return all
}

// Events is the events of all segments of a lake.
func Events(tb testing.TB, store lake.Store) []rawlog.Event {
	tb.Helper()
	var all []rawlog.Event
	for _, s := range Lake(tb, store) {
		all = append(all, s.Events...)
	}
	return all
}
