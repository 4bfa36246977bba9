package resolve

import (
	"context"
	"fmt"
	"time"

	"github.com/boontorrent/boon/internal/rawlog"
	"github.com/boontorrent/boon/internal/spool"
)

const (
	commitEvery = 200 * time.Millisecond
	commitMost  = 256 // results at once
	roomEvery   = time.Second
	minute      = int64(60e6) // µs
)

// writer writes what became of tries: into a segment, and once that is on disk
// into the store, and then tells the desk. One goroutine uses it.
type writer struct {
	cfg      *Config
	spool    *spool.Spool
	segments *spool.Segments
	store    *store
	desk     *desk
	keeper   *keeper
	counts   *counts
	gauges   func() map[string]int64 // for the minute's stats event

	batch  []outcome
	minute int64      // that is being counted
	since  minuteSums // since the last stats event
	before traffic    // at the last stats event
	full   bool       // the disk, or the spool; it has been said
}

// minuteSums is what was logged since the last stats event.
type minuteSums struct{ resolved, failed, excluded int64 }

// traffic is what was sent since the start.
type traffic struct{ packets, connections int64 }

// run writes until results is closed.
func (w *writer) run(ctx context.Context, results <-chan outcome) error {
	ticker := time.NewTicker(commitEvery)
	defer ticker.Stop()
	w.minute = w.micros() / minute
	for {
		select {
		case o, more := <-results:
			if !more {
				return w.end()
			}
			if err := w.add(ctx, o); err != nil {
				return err
			}
			if len(w.batch) < commitMost {
				continue
			}
		case <-ticker.C:
		}
		if err := w.step(); err != nil {
			return err
		}
	}
}

// step commits, and does what is due by the clock.
func (w *writer) step() error {
	if err := w.commit(); err != nil {
		return err
	}
	if now := w.micros(); now/minute > w.minute || now/minute < w.minute-1 { // the latter where the clock was set back
		if err := w.endMinute((w.minute+1)*minute - 1); err != nil {
			return err
		}
		w.minute = now / minute
	}
	if err := w.segments.Upkeep(w.micros()); err != nil {
		return fmt.Errorf("write to the spool %s: %w", w.spool.Dir(), err)
	}
	return nil
}

func (w *writer) micros() int64 { return w.cfg.Now().UnixMicro() }

// add appends an event. While there is no room for it, it waits, and so do all
// that try: nothing is lost, but the work goes no further.
func (w *writer) add(ctx context.Context, o outcome) error {
	if !o.excluded {
		at, err := w.room(ctx)
		if err != nil {
			return err
		}
		if err := w.append(&o, at); err != nil {
			return fmt.Errorf("write to the spool %s: %w", w.spool.Dir(), err)
		}
	} else {
		w.since.excluded++
	}
	w.batch = append(w.batch, o)
	return nil
}

// room waits until an event can be written, and says of which time.
func (w *writer) room(ctx context.Context) (at int64, err error) {
	for {
		ready := false
		if !w.spool.Full() {
			at = w.micros()
			if ready, err = w.segments.Ready(at); err != nil {
				return 0, err
			}
		}
		if ready {
			w.full = false
			return at, nil
		}
		if !w.full {
			w.full = true
			w.cfg.Say("the spool %s is full: nothing is resolved until there is room", w.spool.Dir())
		}
		select {
		case <-ctx.Done():
			return 0, fmt.Errorf("the spool %s is full; results that it has no room for are tried again after the next start", w.spool.Dir())
		case <-time.After(roomEvery):
		}
		if err := w.segments.Upkeep(w.micros()); err != nil {
			return 0, err
		}
	}
}

// append writes the event of a result. An info dictionary whose event does not fit
// into a line is too large.
func (w *writer) append(o *outcome, at int64) error {
	if o.event != nil {
		err := w.segments.Append(&rawlog.Event{Kind: rawlog.Resolve, T: at, Resolve: o.event})
		if err == nil {
			w.since.resolved++
			return nil
		}
		if w.segments.Failed() {
			return err
		}
		o.event, o.info, o.reason, o.final = nil, nil, tooLarge, true
	}
	ev := rawlog.Event{Kind: rawlog.ResolveFailed, T: at, Failed: &rawlog.FailedEvent{Infohash: o.hash, Reason: o.reason, Peers: o.peers}}
	if err := w.segments.Append(&ev); err != nil {
		return err
	}
	w.since.failed++
	return nil
}

// commit makes what was written last, then remembers it, then settles it.
func (w *writer) commit() error {
	if len(w.batch) == 0 {
		return nil
	}
	if w.since.excluded > 0 { // that is all there is of them
		if err := w.report(w.micros(), nil); err != nil {
			return err
		}
	}
	if err := w.segments.Flush(); err != nil {
		return fmt.Errorf("write to the spool %s: %w", w.spool.Dir(), err)
	}
	if w.segments.Stuck() { // the disk is full; later
		return nil
	}
	if err := w.segments.Sync(); err != nil {
		return fmt.Errorf("write to the spool %s: %w", w.spool.Dir(), err)
	}
	now := w.desk.seconds()
	results := make([]settled, len(w.batch))
	for i := range w.batch {
		o := &w.batch[i]
		if o.info != nil {
			if err := w.keeper.keep(o.hash, o.info); err != nil {
				return err
			}
		}
		results[i] = settled{hash: o.hash, resolved: o.event != nil || o.excluded, excluded: o.excluded, attempt: nextTry(o.tries, o.final, now)}
	}
	if err := w.store.record(results, now); err != nil {
		return err
	}
	for i := range w.batch {
		w.counts.count(&w.batch[i])
		if w.batch[i].source == fromList {
			w.cfg.Report(w.batch[i].report())
		}
	}
	w.desk.settle(results)
	clear(w.batch)
	w.batch = w.batch[:0]
	return nil
}

// endMinute writes the minute's stats event.
func (w *writer) endMinute(at int64) error { return w.report(at, w.gauges()) }

// report writes a stats event. While the disk is full it is put off.
func (w *writer) report(at int64, gauges map[string]int64) error {
	ready, err := w.segments.Ready(at)
	if err != nil || !ready {
		return err
	}
	return w.stats(at, gauges)
}

// stats writes what was logged and sent since the last stats event.
func (w *writer) stats(at int64, gauges map[string]int64) error {
	s := w.since.event()
	t := w.counts.traffic()
	put(s.Sent, "get_peers", t.packets-w.before.packets)
	put(s.Sent, "connect", t.connections-w.before.connections)
	s.Gauges = gauges
	w.since, w.before = minuteSums{}, t
	return w.segments.Append(&rawlog.Event{Kind: rawlog.Stats, T: at, Stats: s})
}

// closing puts what a segment holds of a minute that is not over into a stats
// event of its own, so that the sums of each segment close.
func (w *writer) closing(last int64) (map[string]int64, error) {
	if w.since == (minuteSums{}) {
		return nil, nil
	}
	return nil, w.stats(last, nil)
}

// end commits what is left, tells how things stand, and seals the segment.
func (w *writer) end() error {
	if err := w.commit(); err != nil {
		return err
	}
	if err := w.endMinute(w.micros()); err != nil {
		return err
	}
	return w.segments.Close()
}

func (s *minuteSums) event() *rawlog.StatsEvent {
	e := &rawlog.StatsEvent{Received: map[string]int64{}, Logged: map[string]int64{}, Sent: map[string]int64{}, Dropped: map[string]int64{}}
	put(e.Logged, rawlog.Resolve.String(), s.resolved)
	put(e.Logged, rawlog.ResolveFailed.String(), s.failed)
	put(e.Received, excluded, s.excluded)
	put(e.Dropped, excluded, s.excluded)
	return e
}

func put(m map[string]int64, name string, n int64) {
	if n != 0 {
		m[name] = n
	}
}

// afterCrash is the account of a segment that a crash left open: what was logged
// since its last stats event.
type afterCrash struct{ minuteSums }

func newAfterCrash() spool.Ledger { return &afterCrash{} }

// Count implements spool.Ledger.
func (a *afterCrash) Count(ev *rawlog.Event) {
	switch ev.Kind {
	case rawlog.Stats:
		a.minuteSums = minuteSums{}
	case rawlog.Resolve:
		a.resolved++
	case rawlog.ResolveFailed:
		a.failed++
	}
}

// Owed implements spool.Ledger with a stats event.
func (a *afterCrash) Owed(last int64) []rawlog.Event {
	if a.minuteSums == (minuteSums{}) {
		return nil
	}
	return []rawlog.Event{{Kind: rawlog.Stats, T: last, Stats: a.event()}}
}
