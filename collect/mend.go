package collect

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"maps"
	"os"
	"slices"
	"strings"

	"github.com/boontorrent/boon/internal/lake"
	"github.com/boontorrent/boon/internal/rawlog"
)

// mend seals what a crash left open in the spool, up to its last whole record,
// and counts what is held there. It runs before the first socket is opened, and
// can itself be killed and run again. It returns how many records were mended.
func (s *spool) mend() (records int64, err error) {
	halves, err := s.names(mendSuffix)
	if err != nil {
		return 0, err
	}
	for _, name := range halves {
		if err := os.Remove(s.path(name)); err != nil {
			return 0, fmt.Errorf("mend the spool: %w", err)
		}
	}
	open, err := s.names(openSuffix)
	if err != nil {
		return 0, err
	}
	for _, name := range open {
		n, err := s.mendOne(name)
		if err != nil {
			return records, err
		}
		records += n
	}
	sealed, err := s.sealed()
	for _, f := range sealed {
		s.held.Add(f.size)
	}
	return records, err
}

func (s *spool) mendOne(name string) (int64, error) {
	in, err := os.Open(s.path(name))
	if err != nil {
		return 0, fmt.Errorf("mend the spool: %w", err)
	}
	defer in.Close()
	st, err := in.Stat()
	if err != nil {
		return 0, fmt.Errorf("mend the spool: %w", err)
	}
	out, err := s.create(strings.TrimSuffix(name, openSuffix) + mendSuffix)
	if err != nil {
		return 0, err
	}
	defer out.f.Close()
	records, h, err := rewrite(in, out)
	if err == nil && len(out.pending) > 0 {
		err = errors.New("the disk is full; make room and start again")
	}
	s.held.Add(-out.size) // mend counts what is sealed
	if err != nil {
		_ = os.Remove(out.f.Name())
		return 0, fmt.Errorf("mend the spool's %s: %w", name, err)
	}
	if records == 0 { // nothing whole: a crash within the first second, or not ours
		if err := os.Remove(out.f.Name()); err != nil || st.Size() == 0 {
			return 0, errors.Join(err, os.Remove(s.path(name)))
		}
		return 0, os.Rename(s.path(name), s.path(name+unreadableSuffix))
	}
	if err := out.seal(lake.SegmentKey{Collector: h.Collector, Start: h.Start, Seq: h.Seq}); err != nil {
		return 0, err
	}
	return records, os.Remove(s.path(name))
}

// rewrite copies the whole records of a segment that has no end, says of each
// node what it logged since its last stats event, and seals the copy.
func rewrite(in io.Reader, out io.Writer) (records int64, h rawlog.Header, err error) {
	r, err := rawlog.NewReader(in)
	if err != nil {
		return 0, h, err
	}
	defer r.Close()
	var w *rawlog.Writer
	since := map[rawlog.ID]*logCounts{}
	var last rawlog.Event
	for {
		var ev rawlog.Event
		err := r.Next(&ev)
		var reject *rawlog.Reject
		switch {
		case errors.Is(err, io.EOF):
			if w == nil {
				return 0, h, nil
			}
			if err := statsAfterCrash(w, since, last); err != nil {
				return 0, h, err
			}
			return w.Records(), h, w.Close(rawlog.Footer{End: last.T, Recovered: true})
		case errors.As(err, &reject):
			continue // the end of a torn frame
		case err != nil:
			return 0, h, err
		}
		if w == nil {
			h = *r.Header()
			if h.Run == "" {
				return 0, h, nil
			}
			if w, err = rawlog.NewWriter(out, h); err != nil {
				return 0, h, err
			}
		}
		countSince(since, &ev)
		if err := w.Append(&ev); err != nil {
			return 0, h, err
		}
		last.T, last.N = max(last.T, ev.T), ev.N
	}
}

func countSince(since map[rawlog.ID]*logCounts, ev *rawlog.Event) {
	switch {
	case ev.Kind == rawlog.Stats:
		delete(since, ev.Stats.OurID)
	case ev.Kind.IsQuery():
		c := since[ev.Query.OurID]
		if c == nil {
			c = &logCounts{}
			since[ev.Query.OurID] = c
		}
		c[kindOf(ev.Kind)]++
	}
}

// statsAfterCrash writes what the crash kept from being written: how much was
// logged. What was received besides is not known any more.
func statsAfterCrash(w *rawlog.Writer, since map[rawlog.ID]*logCounts, last rawlog.Event) error {
	ids := slices.SortedFunc(maps.Keys(since), func(a, b rawlog.ID) int { return bytes.Compare(a[:], b[:]) })
	for _, id := range ids { // in order, so that mending twice gives the same bytes
		last.N++
		logged := since[id]
		c := counts{received: *logged}
		ev := rawlog.Event{Kind: rawlog.Stats, T: last.T, N: last.N, Stats: c.event(id, logged, 0)}
		if err := w.Append(&ev); err != nil {
			return err
		}
	}
	return nil
}
