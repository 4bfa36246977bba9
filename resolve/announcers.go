package resolve

import (
	"net/netip"

	"github.com/boontorrent/boon/internal/rawlog"
)

// Bounds of what is remembered of announcers: some 10 MiB when full.
const (
	maxAnnounced   = 50_000
	announcersEach = 8
	announcerLasts = 30 * 60 // seconds
)

// announcers remembers, in memory alone and for half an hour, who announced a
// torrent that is wanted. When it is full, an info-hash picked at random gives way.
type announcers struct {
	of map[rawlog.ID]*announced
}

type announced struct {
	peers [announcersEach]netip.AddrPort
	next  int
	last  uint32 // seconds since 1970
}

func newAnnouncers() *announcers { return &announcers{of: map[rawlog.ID]*announced{}} }

// add remembers a peer; false where it was known.
func (a *announcers) add(h rawlog.ID, p netip.AddrPort, now uint32) bool {
	known := a.of[h]
	if known == nil {
		if len(a.of) >= maxAnnounced {
			for other := range a.of { // Go walks a map from a random place on
				delete(a.of, other)
				break
			}
		}
		known = &announced{}
		a.of[h] = known
	}
	known.last = now
	for _, q := range known.peers {
		if q == p {
			return false
		}
	}
	known.peers[known.next%announcersEach] = p
	known.next++
	return true
}

// take returns the peers of an info-hash, the latest first, and forgets them.
func (a *announcers) take(h rawlog.ID) []netip.AddrPort {
	known := a.of[h]
	if known == nil {
		return nil
	}
	delete(a.of, h)
	var peers []netip.AddrPort
	for i := known.next - 1; i >= max(0, known.next-announcersEach); i-- {
		peers = append(peers, known.peers[i%announcersEach])
	}
	return peers
}

// expire forgets what is too old.
func (a *announcers) expire(now uint32) {
	for h, known := range a.of {
		if now > known.last+announcerLasts {
			delete(a.of, h)
		}
	}
}
