package synth

import (
	"context"
	"math"
	"sync/atomic"

	"golang.org/x/sync/errgroup"

	"github.com/boontorrent/boon/internal/lake"
	"github.com/boontorrent/boon/internal/rawlog"
)

// span is how long a segment stays open, as a collector does it.
const span = 5 * minute

// writeDays makes the days one by one and writes each through both collectors'
// logs at once.
func (s *swarm) writeDays(ctx context.Context, store lake.Store) (Result, error) {
	var logs []*rawlog.Log
	for c, name := range collectors() {
		logs = append(logs, rawlog.NewLog(store, rawlog.Header{Collector: name, Run: s.runName(c), Software: s.cfg.Software, Privacy: "plain"}, span))
	}
	var res Result
	var written atomic.Int64
	for d, n := range s.dayEvents() {
		events, err := s.makeDay(ctx, d, n)
		if err != nil {
			return res, err
		}
		resolves := s.planResolves(d, events)
		g, ctx := errgroup.WithContext(ctx)
		for c, log := range logs {
			g.Go(func() error {
				w := dayWriter{s: s, log: log, collector: c, day: d, start: (s.cfg.Start + lake.Day(d)).Start(), written: &written}
				return w.run(ctx, events, resolves)
			})
		}
		if err := g.Wait(); err != nil {
			return res, err
		}
		res.Events += n
		s.progress(res.Events)
	}
	for _, log := range logs {
		if err := log.Close(ctx); err != nil {
			return res, err
		}
		res.Records += int(log.Records)
		res.Segments += log.Written
		res.Present += log.Present
	}
	return res, nil
}

func (s *swarm) progress(events int) {
	if s.cfg.Progress != nil {
		s.cfg.Progress(events)
	}
}

// dayWriter writes one collector's share of a day.
type dayWriter struct {
	s         *swarm
	log       *rawlog.Log
	collector int
	day       int
	start     int64         // of the day, µs since 1970
	written   *atomic.Int64 // queries, of both collectors
	event     rawlog.Event
	minute    int64 // of the day, that stats are gathered for
	stats     minuteStats
}

func (w *dayWriter) run(ctx context.Context, events []heard, resolves []attempt) error {
	mine := 0
	for k := range events {
		h := &events[k]
		if w.s.nodes[h.node()].collector != w.collector {
			continue
		}
		var err error
		if resolves, err = w.upTo(ctx, h.t(), resolves); err != nil {
			return err
		}
		w.compose(h)
		if err := w.append(ctx); err != nil {
			return err
		}
		n := w.written.Add(1)
		if mine++; mine%(1<<12) != 0 {
			continue
		}
		if err := ctx.Err(); err != nil {
			return err
		}
		if w.collector == 0 {
			w.s.progress(int(n))
		}
	}
	_, err := w.upTo(ctx, math.MaxInt64, resolves)
	return err
}

// append writes the composed event and counts it in its minute.
func (w *dayWriter) append(ctx context.Context) error {
	w.event.N = 0
	w.stats.logged[w.event.Kind]++
	return w.log.Append(ctx, &w.event)
}

// upTo writes what is due before t besides queries: tries to resolve, and the
// statistics of minutes that are over.
func (w *dayWriter) upTo(ctx context.Context, t int64, resolves []attempt) ([]attempt, error) {
	for {
		end := (w.minute + 1) * minute
		if len(resolves) > 0 && resolves[0].t < min(t, end) {
			if resolves[0].collector == w.collector {
				w.composeResolve(&resolves[0])
				if err := w.append(ctx); err != nil {
					return resolves, err
				}
			}
			resolves = resolves[1:]
			continue
		}
		if end > t || w.minute >= day/minute {
			return resolves, nil
		}
		if err := w.endMinute(ctx); err != nil {
			return resolves, err
		}
	}
}
