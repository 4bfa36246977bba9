package etl

import (
	"context"

	"github.com/boontorrent/boon/datasets"
	"github.com/boontorrent/boon/internal/keyspace"
	"github.com/boontorrent/boon/internal/rawlog"
)

// watcher turns stats events into counts for uptime, and probe events into the table probes.
type watcher struct {
	names    *names
	runRank  []uint32
	scanners []*scanner
	probes   *rowWriter[datasets.Probe]

	events, duplicates int64
}

// upKey is what a row of uptime is about.
type upKey struct {
	run    uint32
	minute int64
	our    rawlog.ID // zero where the row is about all of the run
	what   string
}

type upCounts struct {
	Received int64 `json:"received,omitempty"`
	Logged   int64 `json:"logged,omitempty"`
	Dropped  int64 `json:"dropped,omitempty"`
	Sent     int64 `json:"sent,omitempty"`
	Loaded   int64 `json:"loaded,omitempty"`
	Nodes    int64 `json:"nodes,omitempty"`
	HasNodes bool  `json:"has_nodes,omitempty"`
	Value    int64 `json:"value,omitempty"`
	HasValue bool  `json:"has_value,omitempty"`
}

func (c *upCounts) add(o *upCounts) {
	c.Received += o.Received
	c.Logged += o.Logged
	c.Dropped += o.Dropped
	c.Sent += o.Sent
	c.Loaded += o.Loaded
	c.Nodes += o.Nodes
	c.HasNodes = c.HasNodes || o.HasNodes
	c.Value += o.Value
	c.HasValue = c.HasValue || o.HasValue
}

// write writes the probes and adds what stats say to counts. The events of a
// run lie in one bucket.
func (w *watcher) write(ctx context.Context, counts map[upKey]*upCounts) error {
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
		for i := range events {
			if err := w.event(&events[i], counts); err != nil {
				return err
			}
		}
	}
	return nil
}

func at(counts map[upKey]*upCounts, k upKey) *upCounts {
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
	at(counts, upKey{run: o.run, minute: minute, what: o.ev.Kind.String()}).Loaded++
	if o.ev.Kind == rawlog.Probe {
		return w.probe(o)
	}
	s := o.ev.Stats
	of := func(what string) *upCounts { return at(counts, upKey{o.run, minute, s.OurID, clean(what)}) }
	for _, m := range [...]struct {
		from map[string]int64
		to   func(*upCounts) *int64
	}{
		{s.Received, func(c *upCounts) *int64 { return &c.Received }},
		{s.Logged, func(c *upCounts) *int64 { return &c.Logged }},
		{s.Dropped, func(c *upCounts) *int64 { return &c.Dropped }},
		{s.Sent, func(c *upCounts) *int64 { return &c.Sent }},
	} {
		for what, n := range m.from {
			if len(m.from) <= maxTypes && len(what) <= 64 {
				*m.to(of(what)) += n
			}
		}
	}
	for what, n := range s.Gauges {
		if len(s.Gauges) <= maxTypes && len(what) <= 64 {
			c := of(what)
			c.Value += n
			c.HasValue = true
		}
	}
	if s.Nodes > 0 {
		c := of("nodes")
		c.Nodes += s.Nodes
		c.HasNodes = true
	}
	return nil
}

func (w *watcher) probe(o *other) error {
	p := o.ev.Probe
	for i, q := range p.Queried {
		err := w.probes.add(datasets.Probe{
			Ts: o.ev.T, Collector: orUnnamed(w.names.runs.values[o.run].collector), Target: p.Target, Family: clean(p.Family),
			Step: int32(i), Log2Distance: keyspace.Log2Distance(p.Target[:], q.ID[:]), Answered: q.OK,
		}, o.ev.T)
		if err != nil {
			return err
		}
	}
	return nil
}

// uptimeTable writes the table uptime from the units' parts of it.
func (d *dayRun) uptimeTable(ctx context.Context, results []*unitResult) error {
	w := newRowWriter[datasets.Uptime]()
	return putRows(ctx, d, "uptime", w, func() error {
		for _, r := range mergeUptime(results) {
			c := r.Counts
			u := datasets.Uptime{
				Collector: orUnnamed(r.Collector), Run: clean(r.Run), Minute: r.Minute * microsPerMinute, Type: r.What,
				Received: c.Received, Logged: c.Logged, Dropped: c.Dropped, Sent: c.Sent, Loaded: c.Loaded,
			}
			if r.Our != (rawlog.ID{}) {
				our := [20]byte(r.Our)
				u.OurID = &our
			}
			if c.HasNodes {
				u.Nodes = &c.Nodes
			}
			if c.HasValue {
				u.Value = &c.Value
			}
			if err := w.add(u, u.Minute); err != nil {
				return err
			}
		}
		return nil
	})
}
