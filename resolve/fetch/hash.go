package fetch

import (
	"context"
	"net/netip"
	"sync/atomic"
	"time"
)

// Bounds of what is kept of a hash's peers.
const (
	maxKnown   = 1024 // addresses; more are skipped
	maxWaiting = 256  // of them not tried yet; more wait in the channel
	opening    = 2    // peers tried at first
)

// sourcePex is the source of peers that peers name.
const sourcePex = "pex"

// Fetch looks for an info dictionary among peers until it has it, peers is
// closed and all have failed, or ctx ends. It does not drain peers when it
// returns: the sender must not wait for ever.
func (f *Fetcher) Fetch(ctx context.Context, want Want, peers <-chan Peer) Result {
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	f.stats.hashes.Add(1)
	defer f.stats.hashes.Add(-1)
	h := &hunt{
		f: f, want: want, peers: peers,
		known: make(map[netip.AddrPort]struct{}),
		news:  make(chan news),
		timer: time.NewTimer(f.cfg.Stagger),
		due:   opening,
	}
	defer h.timer.Stop()
	h.run(ctx, cancel)
	h.finish(ctx)
	f.stats.finish(&h.res)
	return h.res
}

// hunt is a Fetch under way. Its fields are those of the goroutine that called
// Fetch, but for the counters.
type hunt struct {
	f     *Fetcher
	want  Want
	peers <-chan Peer // nil once closed

	known   map[netip.AddrPort]struct{}
	waiting []Peer
	active  int // attempts
	due     int // attempts that may begin
	news    chan news
	timer   *time.Timer
	resting time.Time // when it began to wait for addresses to rest, and nothing else; zero: it does not
	res     Result

	sent, received atomic.Int64
}

// news is what an attempt tells its hunt.
type news struct {
	kind    newsKind
	pex     []netip.AddrPort
	outcome outcome
}

type newsKind uint8

const (
	ended   newsKind = iota
	trouble          // it may still come to something, but another peer should be tried
	hopeful          // the peer says it has an info dictionary: no hurry to try others
	named            // addresses of other peers
)

// outcome is what an attempt came to.
type outcome struct {
	reason Reason
	info   []byte
	v2     bool
	source string
}

func (h *hunt) run(ctx context.Context, cancel context.CancelFunc) {
	for {
		wait := h.start(ctx)
		if h.active == 0 && (ctx.Err() != nil || h.peers == nil && len(h.waiting) == 0) {
			return
		}
		if h.tired(wait) {
			return
		}
		if wait > 0 {
			if !h.resting.IsZero() {
				wait = min(wait, h.f.cfg.RestWait)
			}
			h.timer.Reset(wait)
		}
		peers := h.peers
		if len(h.waiting) >= maxWaiting || ctx.Err() != nil {
			peers = nil
		}
		var done <-chan struct{}
		if h.active == 0 {
			done = ctx.Done()
		}
		select {
		case p, ok := <-peers:
			if !ok {
				h.peers = nil
				continue
			}
			h.add(p)
		case n := <-h.news:
			h.hear(n, cancel)
		case <-h.timer.C:
			if wait == 0 {
				h.due = max(h.due, 1)
			}
		case <-done:
		}
	}
}

// tired reports whether all that is left are addresses that rest, and have for so
// long that another hash had better have the place of this one.
func (h *hunt) tired(wait time.Duration) bool {
	if h.want.Patient || wait == 0 || h.active > 0 || h.peers != nil {
		h.resting = time.Time{}
		return false
	}
	now := h.f.cfg.Now()
	if h.resting.IsZero() {
		h.resting = now
	}
	return now.Sub(h.resting) >= h.f.cfg.RestWait
}

// add takes note of a peer.
func (h *hunt) add(p Peer) {
	p.Addr = netip.AddrPortFrom(p.Addr.Addr().Unmap().WithZone(""), p.Addr.Port())
	if _, twice := h.known[p.Addr]; twice {
		return
	}
	if len(h.known) >= maxKnown || len(h.waiting) >= maxWaiting {
		h.res.Peers++
		h.res.Skipped++
		return
	}
	h.known[p.Addr] = struct{}{}
	h.res.Peers++
	if p.Source == sourcePex {
		h.res.Pex++
	}
	if !h.f.gate.possible(p.Addr) {
		h.res.Skipped++
		return
	}
	h.waiting = append(h.waiting, p)
}

// start begins attempts as far as they are due. It returns how long the next
// that is due must wait for an address to rest; zero if none is due, or none
// waits.
func (h *hunt) start(ctx context.Context) (wait time.Duration) {
	if ctx.Err() != nil {
		return 0
	}
	now := h.f.cfg.Now()
	for i := 0; i < len(h.waiting) && h.due > 0 && h.active < h.f.cfg.PerHash; {
		p := h.waiting[i]
		if rest := h.f.gate.enter(p.Addr.Addr(), now); rest > 0 {
			if wait == 0 || rest < wait {
				wait = rest
			}
			i++
			continue
		}
		h.waiting = append(h.waiting[:i], h.waiting[i+1:]...)
		h.due--
		h.active++
		h.res.Tried++
		h.timer.Reset(h.f.cfg.Stagger)
		go h.attempt(ctx, p)
	}
	if h.due == 0 || h.active == h.f.cfg.PerHash {
		return 0
	}
	return wait
}

// hear takes an attempt's news.
func (h *hunt) hear(n news, cancel context.CancelFunc) {
	switch n.kind {
	case named:
		for _, a := range n.pex {
			h.add(Peer{Addr: a, Source: sourcePex})
		}
	case trouble:
		h.due = min(h.due+1, h.f.cfg.PerHash)
	case hopeful:
		h.due = 0
		h.timer.Reset(4 * h.f.cfg.Stagger)
	case ended:
		h.active--
		h.due = min(h.due+1, h.f.cfg.PerHash)
		if n.outcome.reason != OK {
			h.res.Failed[n.outcome.reason]++
			return
		}
		if h.res.Info == nil {
			h.res.Info, h.res.V2, h.res.Source = n.outcome.info, n.outcome.v2, n.outcome.source
		}
		cancel()
	}
}

// finish settles the result.
func (h *hunt) finish(ctx context.Context) {
	h.res.Skipped += len(h.waiting)
	h.res.Sent, h.res.Received = h.sent.Load(), h.received.Load()
	switch {
	case h.res.Info != nil:
		h.res.Reason = OK
	case ctx.Err() != nil:
		h.res.Reason = Stopped
	case h.res.Tried == 0 && len(h.waiting) > 0:
		h.res.Reason = Timeout
	default:
		h.res.Reason = h.res.Failed.worst()
	}
}
