package fetch

import (
	"context"
	"net/netip"
	"sync"
	"time"

	"github.com/boontorrent/boon/internal/geo"
)

// gate decides which addresses may be connected to, and when.
type gate struct {
	rest     time.Duration
	loopback bool

	mu    sync.Mutex
	last  map[netip.Addr]time.Time // of the latest connection; older than rest: forgotten
	swept time.Time
}

// possible reports whether an address may be connected to at all.
func (g *gate) possible(a netip.AddrPort) bool {
	if !a.IsValid() || a.Port() == 0 {
		return false
	}
	if a.Addr().IsLoopback() {
		return g.loopback
	}
	return !geo.Bogon(a.Addr())
}

// enter takes the address for a connection that begins now and returns zero, or
// returns how long it has yet to rest.
func (g *gate) enter(a netip.Addr, now time.Time) time.Duration {
	a = a.Unmap().WithZone("")
	g.mu.Lock()
	defer g.mu.Unlock()
	if wait := g.rest - now.Sub(g.last[a]); wait > 0 && !g.last[a].IsZero() {
		return wait
	}
	g.sweep(now)
	g.last[a] = now
	return 0
}

// wait enters when the address has rested, unless ctx ends before.
func (g *gate) wait(ctx context.Context, a netip.Addr, now func() time.Time) error {
	for {
		rest := g.enter(a, now())
		if rest == 0 {
			return nil
		}
		t := time.NewTimer(rest)
		select {
		case <-t.C:
		case <-ctx.Done():
			t.Stop()
			return ctx.Err()
		}
	}
}

// sweep forgets addresses that have rested, so that the map holds no more than
// the connections of two rests.
func (g *gate) sweep(now time.Time) {
	if g.last != nil && now.Sub(g.swept) < g.rest {
		return
	}
	kept := make(map[netip.Addr]time.Time)
	for a, t := range g.last {
		if now.Sub(t) < g.rest {
			kept[a] = t
		}
	}
	g.last, g.swept = kept, now
}
