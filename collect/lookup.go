package collect

import (
	"bytes"
	"net/netip"
	"slices"

	"github.com/boontorrent/boon/internal/rawlog"
)

// family is the manner in which a family of clients looks a target up. It is a
// model of how many nodes, and which, hear of a lookup; it imitates nobody's
// packets.
type family struct {
	name    string
	alpha   int  // queries under way at once
	eager   bool // of those under way, only the ones to nodes nearer than the next count
	results int  // the lookup ends when so many, the nearest known, have all replied
	window  int  // nearest nodes that are kept in view
}

// families are what probes take turns in: clients as their source code has
// them, and two that mark the ends of what clients do.
var families = [...]family{
	{name: "libtorrent", alpha: 5, eager: true, results: 8, window: 100},
	{name: "utorrent", alpha: 4, results: 8, window: 16},
	{name: "early", alpha: 3, results: 3, window: 8},
	{name: "wide", alpha: 10, results: 16, window: 100},
}

const (
	patience      = second     // for so long an unanswered query takes one of the alpha places
	lookupTimeout = 5 * second // after so long it counts as failed
	maxLookup     = 150        // queries of one lookup
	startingNodes = 8          // of our table, that a lookup begins with
)

// found is a node that a lookup knows of.
type found struct {
	id rawlog.ID
	at netip.AddrPort
}

// lookup is a walk through the network to the nodes nearest a target. It sends
// nothing itself: step is given what sends, and replied takes in what came of it.
type lookup struct {
	family family
	target rawlog.ID
	known  []candidate // the nearest first
	seen   map[netip.AddrPort]bool
	asked  []rawlog.Queried // in the order of asking
}

type candidate struct {
	found
	state state
	since int64 // when it was asked
	query int   // its index in asked
}

type state uint8

const (
	unasked state = iota
	waiting
	replied
	failed
)

func newLookup(f family, target rawlog.ID, start []found) *lookup {
	l := &lookup{family: f, target: target, seen: map[netip.AddrPort]bool{}}
	l.add(start)
	return l
}

// add takes in nodes that others told of. Of each address one is taken.
func (l *lookup) add(nodes []found) {
	for _, n := range nodes {
		if l.seen[n.at] {
			continue
		}
		l.seen[n.at] = true
		i, _ := slices.BinarySearchFunc(l.known, n.id, func(c candidate, id rawlog.ID) int { return l.nearer(c.id, id) })
		l.known = slices.Insert(l.known, i, candidate{found: n})
	}
	l.narrow()
}

// narrow forgets nodes outside the window that have not been asked.
func (l *lookup) narrow() {
	in := 0
	l.known = slices.DeleteFunc(l.known, func(c candidate) bool {
		if c.state != failed {
			in++
		}
		out := in > l.family.window && c.state == unasked
		if out {
			delete(l.seen, c.at)
		}
		return out
	})
}

// nearer orders ids by their distance from the target.
func (l *lookup) nearer(a, b rawlog.ID) int {
	for i := range a {
		a[i] ^= l.target[i]
		b[i] ^= l.target[i]
	}
	return bytes.Compare(a[:], b[:])
}

// step sends the queries that are due, and tells whether the lookup is over:
// there is nobody to ask, and nobody to wait for. A node that send refuses was
// not asked.
func (l *lookup) step(now int64, send func(found) bool) (over bool) {
	got, busy, over := 0, 0, true
	if !l.family.eager {
		busy = l.underWay(now)
	}
	for i := range l.known {
		c := &l.known[i]
		if c.state == waiting && now-c.since >= lookupTimeout {
			c.state = failed
		}
		if c.state == unasked && busy < l.family.alpha && len(l.asked) < maxLookup {
			l.ask(c, now, send(c.found))
			if c.state == waiting && !l.family.eager {
				busy++
			}
		}
		switch c.state {
		case replied:
			got++
		case waiting:
			over = false
			if l.family.eager && now-c.since < patience {
				busy++
			}
		}
		if got == l.family.results {
			break
		}
	}
	return over
}

// underWay counts the queries that have not been waited for too long.
func (l *lookup) underWay(now int64) int {
	n := 0
	for i := range l.known {
		if c := &l.known[i]; c.state == waiting && now-c.since < patience {
			n++
		}
	}
	return n
}

func (l *lookup) ask(c *candidate, now int64, sent bool) {
	if !sent {
		c.state = failed
		return
	}
	c.state, c.since, c.query = waiting, now, len(l.asked)
	l.asked = append(l.asked, rawlog.Queried{ID: c.id})
}

// replied takes in a node's reply.
func (l *lookup) replied(from netip.AddrPort, nodes []found) {
	for i := range l.known {
		if c := &l.known[i]; c.at == from && c.since != 0 { // late ones count too
			c.state = replied
			l.asked[c.query].OK = true
			l.add(nodes)
			return
		}
	}
}
