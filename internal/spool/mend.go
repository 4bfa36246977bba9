package spool

import (
	"errors"
	"fmt"
	"io"
	"os"
	"strings"
	"syscall"

	"github.com/boontorrent/boon/internal/lake"
	"github.com/boontorrent/boon/internal/rawlog"
)

// Ledger keeps the account of a segment that a crash left open: it sees its
// events in order, and makes the ones that were still owed.
type Ledger interface {
	Count(ev *rawlog.Event)
	Owed(last int64) []rawlog.Event
}

// Mend seals what a crash left open in the spool, up to its last whole record,
// and counts what is held there. It runs before anything is written, and can
// itself be killed and run again. Account makes the ledger of a segment. It
// returns how many records were mended.
func (s *Spool) Mend(account func() Ledger) (records int64, err error) {
	halves, err := s.Names(mendSuffix)
	if err != nil {
		return 0, err
	}
	for _, name := range halves {
		if err := os.Remove(s.Path(name)); err != nil {
			return 0, fmt.Errorf("mend the spool: %w", err)
		}
	}
	open, err := s.Names(OpenSuffix)
	if err != nil {
		return 0, err
	}
	for _, name := range open {
		n, err := s.mendOne(name, account())
		if err != nil {
			return records, err
		}
		records += n
	}
	sealed, err := s.Sealed()
	var held int64
	for _, f := range sealed {
		held += f.Size
	}
	s.held.Store(held)
	return records, err
}

func (s *Spool) mendOne(name string, account Ledger) (int64, error) {
	in, err := os.Open(s.Path(name))
	if err != nil {
		return 0, fmt.Errorf("mend the spool: %w", err)
	}
	defer in.Close()
	st, err := in.Stat()
	if err != nil {
		return 0, fmt.Errorf("mend the spool: %w", err)
	}
	out, err := s.create(strings.TrimSuffix(name, OpenSuffix) + mendSuffix)
	if err != nil {
		return 0, err
	}
	defer out.f.Close()
	records, h, err := rewrite(in, out, account)
	if err == nil && len(out.pending) > 0 {
		err = fmt.Errorf("%w; make room and start again", syscall.ENOSPC)
	}
	s.held.Add(-out.size) // mend counts what is sealed
	if err != nil {
		_ = os.Remove(out.f.Name())
		return 0, fmt.Errorf("mend the spool's %s: %w", name, err)
	}
	if records == 0 { // nothing whole: a crash within the first second, or not ours
		if err := os.Remove(out.f.Name()); err != nil || st.Size() == 0 {
			return 0, errors.Join(err, os.Remove(s.Path(name)))
		}
		return 0, os.Rename(s.Path(name), s.Path(name+unreadableSuffix))
	}
	if err := out.seal(lake.SegmentKey{Collector: h.Collector, Start: h.Start, Seq: h.Seq}); err != nil {
		return 0, err
	}
	return records, os.Remove(s.Path(name))
}

// rewrite copies the whole records of a segment that has no end, adds what its
// account owes, and seals the copy.
func rewrite(in io.Reader, out io.Writer, account Ledger) (records int64, h rawlog.Header, err error) {
	r, err := rawlog.NewReader(in)
	if err != nil {
		return 0, h, err
	}
	defer r.Close()
	var w *rawlog.Writer
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
			for _, ev := range account.Owed(last.T) {
				last.N++
				ev.N = last.N
				if err := w.Append(&ev); err != nil {
					return 0, h, err
				}
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
		account.Count(&ev)
		if err := w.Append(&ev); err != nil {
			return 0, h, err
		}
		last.T, last.N = max(last.T, ev.T), ev.N
	}
}
