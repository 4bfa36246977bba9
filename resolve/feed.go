package resolve

import (
	"context"
	"net/netip"
	"sync/atomic"

	"github.com/boontorrent/boon/internal/rawlog"
)

// Feed brings what a collector in the same process hears. Hear never waits: when
// the feed is full, what is newest is lost to the resolver, and counted.
type Feed struct {
	asks chan ask
	lost atomic.Int64
}

const feedHolds = 1 << 14

// NewFeed returns one that holds some ten thousand queries.
func NewFeed() *Feed { return &Feed{asks: make(chan ask, feedHolds)} }

// Hear takes a query in, as the collector has it at that time.
func (f *Feed) Hear(kind rawlog.Kind, at int64, q *rawlog.Query) {
	a, ok := askOf(kind, at, q)
	if !ok {
		return
	}
	select {
	case f.asks <- a:
	default:
		f.lost.Add(1)
	}
}

// run brings it to the desk until ctx ends.
func (f *Feed) run(ctx context.Context, d *desk) {
	for {
		select {
		case <-ctx.Done():
			return
		case a := <-f.asks:
			d.hear(&a)
		}
	}
}

// upkeepBits is how many leading bits of a target a client shares with its own id
// when it looks for neighbours, and not for a torrent.
const upkeepBits = 32

// askOf makes an ask of a query; false for one that asks for no torrent. An
// announcer counts as a peer only if its token was good: anyone can write an
// address into a packet.
func askOf(kind rawlog.Kind, at int64, q *rawlog.Query) (ask, bool) {
	if kind != rawlog.GetPeers && kind != rawlog.AnnouncePeer {
		return ask{}, false
	}
	if q.HasTheirID && [upkeepBits / 8]byte(q.Infohash[:]) == [upkeepBits / 8]byte(q.TheirID[:]) {
		return ask{}, false
	}
	a := ask{hash: q.Infohash, at: uint32(at / 1e6), announce: kind == rawlog.AnnouncePeer && q.TokenValid != rawlog.False}
	switch {
	case q.Addr.IsValid():
		a.requester = q.Addr.As16()
	case q.HasPseudonym:
		for i := range 8 {
			a.requester[i] = byte(q.Requester >> (8 * i))
		}
	default:
		return ask{}, false
	}
	if kind == rawlog.AnnouncePeer && q.TokenValid == rawlog.True && q.Addr.IsValid() {
		port := q.AnnouncePort
		if q.ImpliedPort == rawlog.True {
			port = q.Port
		}
		if port != 0 {
			a.peer = netip.AddrPortFrom(q.Addr.Unmap(), port)
		}
	}
	return a, true
}
