package etl

import (
	"cmp"
	"context"
	"slices"

	"github.com/boontorrent/boon/datasets"
	"github.com/boontorrent/boon/internal/rawlog"
)

// watcher turns stats and probe events into the tables uptime and probes.
type watcher struct {
	names    *names
	runRank  []uint32
	scanners []*scanner
	loaded   map[loadKey]int64 // rows of all kinds, counted by the other stages

	uptime *rowWriter[datasets.Uptime]
	probes *rowWriter[datasets.Probe]

	events, duplicates int64
}

// upKey is what a row of uptime is about.
type upKey struct {
	run    uint32
	minute int64
	what   string
}

type upCounts struct {
	received, logged, dropped, sent, loaded int64
	nodes                                   int64
	hasNodes                                bool
}

// write writes all rows. The events of a run lie in one bucket.
func (w *watcher) write(ctx context.Context) error {
	for bucket := range statsBuckets {
		if err := ctx.Err(); err != nil {
			return err
		}
		var spills []*spill
		for _, s := range w.scanners {
			spills = append(spills, s.stats)
		}
		events, duplicates, err := loadOthers(spills, bucket, w.runRank)
		if err != nil {
			return err
		}
		w.duplicates += duplicates
		w.events += int64(len(events))
		counts := map[upKey]*upCounts{}
		for k, n := range w.loaded {
			if w.names.runs.values[k.run].bucket() == bucket {
				at(counts, k.run, k.minute, k.kind.String()).loaded += n
			}
		}
		for i := range events {
			if err := w.event(&events[i], counts); err != nil {
				return err
			}
		}
		if err := w.rows(counts); err != nil {
			return err
		}
	}
	return nil
}

func at(counts map[upKey]*upCounts, run uint32, minute int64, what string) *upCounts {
	k := upKey{run, minute, what}
	c := counts[k]
	if c == nil {
		c = &upCounts{}
		counts[k] = c
	}
	return c
}

// maxTypes bounds the distinct types that a collector's counters may name.
const maxTypes = 256

func (w *watcher) event(o *other, counts map[upKey]*upCounts) error {
	minute := o.ev.T / microsPerMinute
	at(counts, o.run, minute, o.ev.Kind.String()).loaded++
	if o.ev.Kind == rawlog.Probe {
		return w.probe(o)
	}
	s := o.ev.Stats
	for _, m := range [...]struct {
		from map[string]int64
		to   func(*upCounts) *int64
	}{
		{s.Received, func(c *upCounts) *int64 { return &c.received }},
		{s.Logged, func(c *upCounts) *int64 { return &c.logged }},
		{s.Dropped, func(c *upCounts) *int64 { return &c.dropped }},
		{s.Sent, func(c *upCounts) *int64 { return &c.sent }},
	} {
		for what, n := range m.from {
			if len(m.from) <= maxTypes && len(what) <= 64 {
				*m.to(at(counts, o.run, minute, clean(what))) += n
			}
		}
	}
	if s.Nodes > 0 {
		c := at(counts, o.run, minute, "nodes")
		c.nodes += s.Nodes
		c.hasNodes = true
	}
	return nil
}

func (w *watcher) probe(o *other) error {
	p := o.ev.Probe
	for i, q := range p.Queried {
		err := w.probes.add(datasets.Probe{
			Ts: o.ev.T, Collector: orUnnamed(w.names.runs.values[o.run].collector), Target: p.Target, Family: clean(p.Family),
			Step: int32(i), Log2Distance: log2Distance(p.Target[:], q.ID[:]), Answered: q.OK,
		}, o.ev.T)
		if err != nil {
			return err
		}
	}
	return nil
}

func (w *watcher) rows(counts map[upKey]*upCounts) error {
	keys := make([]upKey, 0, len(counts))
	for k := range counts {
		keys = append(keys, k)
	}
	slices.SortFunc(keys, func(a, b upKey) int {
		return cmp.Or(cmp.Compare(w.runRank[a.run], w.runRank[b.run]), cmp.Compare(a.minute, b.minute), cmp.Compare(a.what, b.what))
	})
	for _, k := range keys {
		c, r := counts[k], w.names.runs.values[k.run]
		u := datasets.Uptime{
			Collector: orUnnamed(r.collector), Run: clean(r.name), Minute: k.minute * microsPerMinute, Type: k.what,
			Received: c.received, Logged: c.logged, Dropped: c.dropped, Sent: c.sent, Loaded: c.loaded,
		}
		if c.hasNodes {
			u.Nodes = &c.nodes
		}
		if err := w.uptime.add(u, u.Minute); err != nil {
			return err
		}
	}
	return nil
}
