package fetch

import (
	"context"
	"errors"
	"net"
	"net/netip"
	"sync/atomic"
)

// attempt tries one peer and tells h what becomes of it.
func (h *hunt) attempt(ctx context.Context, p Peer) {
	out := h.try(ctx, p)
	out.source = p.Source
	if out.reason != OK {
		h.f.stats.dropped[out.reason].Add(1)
	}
	h.news <- news{kind: ended, outcome: out}
}

func (h *hunt) try(ctx context.Context, p Peer) outcome {
	if !h.enter(ctx, p.Addr.Addr()) {
		return outcome{reason: Stopped}
	}
	defer h.f.conns.Release(1)
	h.f.stats.tried.Add(1)
	h.f.stats.conns.Add(1)
	defer h.f.stats.conns.Add(-1)
	ctx, cancel := context.WithTimeout(ctx, h.f.cfg.PeerTimeout)
	defer cancel()
	return h.handshakes(ctx, p.Addr)
}

// enter waits until there may be one connection more. Where that took a while,
// another may have been to the address meanwhile: it has to rest again.
func (h *hunt) enter(ctx context.Context, a netip.Addr) bool {
	if h.f.conns.TryAcquire(1) {
		return true
	}
	if h.f.conns.Acquire(ctx, 1) != nil {
		return false
	}
	if h.f.gate.wait(ctx, a, h.f.cfg.Now) != nil {
		h.f.conns.Release(1)
		return false
	}
	return true
}

// handshakes connects and talks, with a second connection for the other kind of
// handshake where the peer hangs up on the first.
func (h *hunt) handshakes(ctx context.Context, to netip.AddrPort) outcome {
	policy := h.f.cfg.Encryption
	encrypted := policy == EncryptedFirst || policy == EncryptedOnly
	troubled := func() { h.news <- news{kind: trouble} }
	conn := h.f.dial.connect(ctx, to, troubled)
	if conn.err != nil {
		return outcome{reason: reasonOf(ctx, conn.err)}
	}
	out, err := h.converse(ctx, conn.stream, encrypted)
	if !errors.Is(err, errHungUp) || policy == PlainOnly || policy == EncryptedOnly || ctx.Err() != nil {
		return out
	}
	troubled()
	if h.f.gate.wait(ctx, to.Addr(), h.f.cfg.Now) != nil {
		return out
	}
	dialing, cancel := context.WithTimeout(ctx, h.f.cfg.ConnectTimeout)
	conn = h.f.dial.over(dialing, conn.over, to)
	cancel()
	if conn.err != nil {
		return out
	}
	again, err := h.converse(ctx, conn.stream, !encrypted)
	if errors.Is(err, errHungUp) {
		return out
	}
	return again
}

// errHungUp is for a peer that ends a connection instead of shaking hands.
var errHungUp = errors.New("the peer hung up")

// reasonOf says what an error of a connection means.
func reasonOf(ctx context.Context, err error) Reason {
	var why Reason
	var timeout net.Error
	switch {
	case errors.As(err, &why):
		return why
	case errors.Is(ctx.Err(), context.Canceled):
		return Stopped
	case ctx.Err() != nil, errors.As(err, &timeout) && timeout.Timeout():
		return Timeout
	}
	return Refused
}

// Error makes a reason an error, for the way up from where it was found.
func (r Reason) Error() string { return r.String() }

// counted counts a connection's bytes.
type counted struct {
	Stream
	h *hunt
}

func (c counted) Read(b []byte) (int, error) {
	n, err := c.Stream.Read(b)
	count(n, &c.h.received, &c.h.f.stats.received)
	return n, err
}

func (c counted) Write(b []byte) (int, error) {
	n, err := c.Stream.Write(b)
	count(n, &c.h.sent, &c.h.f.stats.sent)
	return n, err
}

func count(n int, to ...*atomic.Int64) {
	for _, c := range to {
		c.Add(int64(n))
	}
}

// converse gets the info dictionary over a connection, and closes it. The error
// is nil if it did.
func (h *hunt) converse(ctx context.Context, conn Stream, encrypted bool) (outcome, error) {
	defer conn.Close()
	stop := context.AfterFunc(ctx, func() { conn.Close() })
	defer stop()
	deadline, _ := ctx.Deadline()
	if err := conn.SetDeadline(deadline); err != nil {
		return outcome{reason: reasonOf(ctx, err)}, err
	}
	t := newTalk(h, counted{conn, h})
	defer t.end()
	info, v2, err := t.run(ctx, encrypted)
	if err != nil {
		return outcome{reason: reasonOf(ctx, err)}, err
	}
	return outcome{info: info, v2: v2}, nil
}
