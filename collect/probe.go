package collect

import (
	"context"
	"encoding/binary"
	"fmt"
	"io"
	"time"

	"golang.org/x/sync/errgroup"

	"github.com/boontorrent/boon/internal/rawlog"
)

// MaxProbes is the most that Config.Probes may be: one a second.
const MaxProbes = 24 * 60 * 60

const (
	probesAtOnce = 32
	probeLasts   = 25 * time.Second // then it is cut short
	probeStep    = 100 * time.Millisecond
)

// probe makes lookups for random targets, evenly over the day, until ctx ends:
// who is asked on the way tells how far a client's lookup is heard, and so which
// share of all lookups a collector hears. They are find_node, not get_peers, so
// that nobody takes them for demand.
func (c *collector) probe(ctx context.Context) error {
	every := 24 * time.Hour / time.Duration(c.cfg.Probes)
	var b [8]byte
	if _, err := io.ReadFull(c.cfg.Random, b[:]); err != nil {
		return fmt.Errorf("begin to probe: %w", err)
	}
	// The first comes anywhere within the interval: restarts must not favour some hour.
	wait := time.NewTimer(time.Duration(binary.LittleEndian.Uint64(b[:]) % uint64(every)))
	defer wait.Stop()
	var running errgroup.Group
	running.SetLimit(probesAtOnce)
	for i := 0; ; i++ {
		select {
		case <-ctx.Done():
			return running.Wait()
		case <-wait.C:
		}
		wait.Reset(every)
		n, f := c.nodes[i/len(families)%len(c.nodes)], families[i%len(families)]
		running.Go(func() error { return c.lookUp(ctx, n, f) })
	}
}

// lookUp makes one lookup and logs whom it asked. One that the end of the
// collector cuts short, or that had nobody to begin with, is not logged.
func (c *collector) lookUp(ctx context.Context, n *node, f family) error {
	var target rawlog.ID
	if _, err := io.ReadFull(c.cfg.Random, target[:]); err != nil {
		return fmt.Errorf("probe: %w", err)
	}
	our := n.currentID()
	l := newLookup(f, target, n.nearest(target))
	replies := make(chan reported, maxLookup)
	send := func(to found) bool { return n.lib.findNode(ctx, our, target, to.at, replies) }
	ticker := time.NewTicker(probeStep)
	defer ticker.Stop()
	end := time.NewTimer(probeLasts)
	defer end.Stop()
	for !l.step(c.clock.micros(), send) {
		select {
		case <-ctx.Done():
			return nil
		case <-end.C:
			l.family.alpha = 0 // asks nobody any more
		case r := <-replies:
			l.replied(r.from, r.nodes)
		case <-ticker.C:
		}
	}
	if len(l.asked) > 0 && ctx.Err() == nil {
		n.record(&rawlog.ProbeEvent{Target: target, Family: f.name, Queried: l.asked}, c.clock.micros())
	}
	return nil
}

// nearest are the nodes that a lookup of ours begins with.
func (n *node) nearest(target rawlog.ID) []found {
	t := n.tables.Load()
	known, size := t.v4, 26
	if n.lib.v6() {
		known, size = t.v6, 38
	}
	return foundIn(known.appendNearest(nil, &target, startingNodes), size)
}

// record logs a lookup of ours.
func (n *node) record(p *rawlog.ProbeEvent, now int64) {
	n.mu.Lock()
	defer n.mu.Unlock()
	ev := rawlog.Event{Kind: rawlog.Probe, T: n.inMinute(now), Probe: p}
	ev.Query.OurID = n.id // whose minute it counts in
	n.counts.received[probed]++
	n.put(probed, &ev)
}
