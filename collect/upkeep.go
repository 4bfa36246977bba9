package collect

import (
	"context"
	"net/netip"
	"time"

	"github.com/boontorrent/boon/internal/rawlog"
	"github.com/boontorrent/boon/internal/spool"
)

// keepTable keeps a node's routing table until ctx ends. A new id means a new
// table: the library has its id for life.
func (c *collector) keepTable(ctx context.Context, n *node) error {
	for ctx.Err() == nil {
		same, moved := context.WithCancel(ctx)
		err := n.lib.run(same, n.onMove(moved))
		moved()
		if err != nil {
			return err
		}
	}
	return nil
}

// tick does what is to be done every second, every five, and every minute.
func (c *collector) tick(ctx context.Context) error {
	ticker := time.NewTicker(time.Second)
	defer ticker.Stop()
	lastMinute := c.clock.micros() / minute
	var refreshed int64
	for {
		select {
		case <-ctx.Done():
			return nil
		case <-ticker.C:
		}
		now := c.clock.micros()
		for _, n := range c.nodes {
			n.tick(now)
		}
		if now-refreshed >= refreshEvery.Microseconds() {
			refreshed = now
			c.refresh(now)
		}
		if now/minute != lastMinute {
			lastMinute = now / minute
			c.peers.expire(now)
			if err := c.settleIDs(now); err != nil {
				return err
			}
			c.say()
		}
	}
}

// refresh takes a new snapshot of the routing tables.
func (c *collector) refresh(now int64) {
	var v4, v6 []route
	for _, n := range c.nodes {
		n.lib.forget(now)
		found := n.lib.routes()
		if n.lib.v6() {
			v6 = append(v6, found...)
		} else {
			v4 = append(v4, found...)
		}
		n.knows(len(found))
	}
	c.tables.Store(&tables{v4: newRoutes(v4), v6: newRoutes(v6)})
}

// settleIDs gives a node another id where its own does not fit our address, or
// has been used long enough.
func (c *collector) settleIDs(now int64) error {
	changed := c.unkept
	for i, n := range c.nodes {
		listen := c.cfg.Listen[i]
		outside := n.lib.outsideAddress()
		if outside.IsValid() {
			c.guard.isOwn(netip.AddrPortFrom(outside, 0))
		}
		ident, moved, err := c.ids[listen.String()].due(c.cfg.Random, outside, now, c.cfg.RotateIDs.Microseconds())
		if err != nil {
			return err
		}
		changed = changed || moved
		c.ids[listen.String()] = ident
		id, err := rawlog.ParseID(ident.ID)
		if err != nil {
			return err
		}
		if id != n.currentID() {
			c.cfg.Say("node %d goes on as %s", i+1, id)
			n.move(id, now)
		}
	}
	if changed {
		return c.keepIDs()
	}
	return nil
}

// keepIDs writes the ids to the spool. A full disk is no reason to stop: they are
// written when there is room.
func (c *collector) keepIDs() error {
	err := c.ids.keep(c.spool)
	c.unkept = spool.NoRoom(err)
	if c.unkept {
		c.cfg.Say("%v; trying again in a minute", err)
		return nil
	}
	return err
}

// say tells the operator once a minute how things are.
func (c *collector) say() {
	received, dropped, sent := c.totals()
	nodes := 0
	for _, n := range c.nodes {
		nodes += int(n.knownNodes())
	}
	line := "received %d, logged %d, dropped %d, sent %d; %d nodes known; %.1f MiB in the spool"
	c.cfg.Say(line, received, c.journal.logged.Load(), dropped, sent, nodes, float64(c.spool.Held())/(1<<20))
	if c.full.Load() {
		c.cfg.Say("the spool is full: what is heard is counted, not logged")
	}
	if d := c.clock.drift(); d > 2*time.Second || d < -2*time.Second {
		c.cfg.Say("the clock was set by %v since the start; times in the log go on as before: restart to follow it", d.Round(time.Second))
	}
}

func (c *collector) totals() (received, dropped, sent int64) {
	for _, n := range c.nodes {
		counted := n.counted()
		r, d := counted.total()
		received, dropped = received+r, dropped+d
		for _, s := range counted.sent {
			sent += s
		}
	}
	return received, dropped, sent
}

// summary is the account of the run.
func (c *collector) summary(mended int64) Summary {
	s := Summary{
		Run: c.journal.segments.Run(), Logged: c.journal.logged.Load(), Mended: mended, Spooled: c.spool.Held(),
		Dropped: map[string]int64{}, Sent: map[string]int64{},
	}
	for i, n := range c.nodes {
		counted := n.counted()
		counted.add(&c.journal.nodes[i].allRefused)
		for k := range kinds {
			s.Received += counted.received[k]
		}
		for r := kept + 1; r < reasons; r++ {
			put(s.Dropped, r.String(), s.Dropped[r.String()]+counted.droppedBy(r))
		}
		for k, name := range sentNames {
			put(s.Sent, name, s.Sent[name]+counted.sent[k])
		}
	}
	return s
}

// What the collector asks of a node, under the node's lock.

func (n *node) currentID() rawlog.ID {
	n.mu.Lock()
	defer n.mu.Unlock()
	return n.id
}

// onMove registers what to call when the node gets another id than this one.
func (n *node) onMove(call func()) rawlog.ID {
	n.mu.Lock()
	defer n.mu.Unlock()
	n.moved = call
	return n.id
}

// move gives the node another id. What was counted so far is of the old one.
func (n *node) move(id rawlog.ID, now int64) {
	n.mu.Lock()
	defer n.mu.Unlock()
	n.endMinute(now)
	n.id = id
	if n.moved != nil {
		n.moved()
	}
}

// end hands over what was counted since the last minute.
func (n *node) end(now int64) {
	n.mu.Lock()
	defer n.mu.Unlock()
	n.endMinute(n.inMinute(now))
}

func (n *node) countSent(k sentKind) {
	n.mu.Lock()
	defer n.mu.Unlock()
	n.counts.sent[k]++
	if k != sentResponse && k != sentError {
		n.sample.asked++
	}
}

func (n *node) knows(nodes int) {
	n.mu.Lock()
	defer n.mu.Unlock()
	n.known = int64(nodes)
}

func (n *node) knownNodes() int64 {
	n.mu.Lock()
	defer n.mu.Unlock()
	return n.known
}

func (l *library) outsideAddress() netip.Addr {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.outside.elected()
}
