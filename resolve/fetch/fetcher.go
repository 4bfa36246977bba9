package fetch

import (
	"fmt"
	"io"
	"sync/atomic"

	"golang.org/x/sync/semaphore"
)

// Fetcher holds what fetches share: bounds, sockets, figures. Its methods may be
// called from several goroutines.
type Fetcher struct {
	cfg    Config
	id     [20]byte // what peers know us by; one for all, so that they see who asks
	hello  []byte   // the extension handshake, as a message
	gate   gate
	dial   dialer
	conns  *semaphore.Weighted
	memory budget
	stats  figures
}

// figures are Stats being counted.
type figures struct {
	hashes, conns, fetched, tried, sent, received atomic.Int64
	failed, dropped                               [numReasons]atomic.Int64
}

// clientPrefix begins our peer id, in the manner of Azureus.
const clientPrefix = "-BO0100-"

// New opens what fetching needs. Close ends it.
func New(cfg Config) (*Fetcher, error) {
	if err := cfg.check(); err != nil {
		return nil, fmt.Errorf("fetch: %w", err)
	}
	f := &Fetcher{
		cfg:    cfg,
		hello:  appendHello(nil, cfg.Client),
		gate:   gate{rest: cfg.AddressRest, loopback: cfg.AllowLoopback},
		conns:  semaphore.NewWeighted(int64(cfg.MaxConns)),
		memory: newBudget(cfg.MaxMemory),
	}
	copy(f.id[:], clientPrefix)
	if _, err := io.ReadFull(cfg.Random, f.id[len(clientPrefix):]); err != nil {
		return nil, fmt.Errorf("choose a peer id: %w", err)
	}
	if err := f.dial.open(&f.cfg); err != nil {
		return nil, fmt.Errorf("fetch: %w", err)
	}
	return f, nil
}

// Close ends the sockets that fetches share. It is for when no Fetch runs.
func (f *Fetcher) Close() error { return f.dial.close() }

// Stats returns the figures as they are now.
func (f *Fetcher) Stats() Stats {
	s := Stats{
		Hashes:   f.stats.hashes.Load(),
		Conns:    f.stats.conns.Load(),
		Memory:   f.memory.used.Load(),
		Most:     f.memory.most.Load(),
		Fetched:  f.stats.fetched.Load(),
		Tried:    f.stats.tried.Load(),
		Sent:     f.stats.sent.Load(),
		Received: f.stats.received.Load(),
	}
	for r := range numReasons {
		s.Failed[r], s.Dropped[r] = f.stats.failed[r].Load(), f.stats.dropped[r].Load()
	}
	return s
}

func (f *figures) finish(r *Result) {
	if r.Reason == OK {
		f.fetched.Add(1)
	} else {
		f.failed[r.Reason].Add(1)
	}
}
