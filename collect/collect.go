// Package collect is the DHT listener: a node of the BitTorrent DHT that takes
// part as any other, and writes down what it is asked.
//
// It reads packets from one socket for each address it listens on. It writes
// raw segments (package rawlog) into a lake, by way of a spool: a folder where
// they grow, are sealed, and lie until the lake has them.
//
// The way of a query, all on the goroutine that read it and without allocation:
// parse (parse.go), admit (guard.go), queue for the log (queue.go), answer from
// a snapshot of the routing table (answer.go, routes.go) and from our own store
// of peers (peers.go). A second goroutine takes what is queued, many at a time,
// and writes it (journal.go); a third moves sealed segments to the lake
// (package spool). The routing table itself is kept by anacrolix/dht, which sits
// behind a connection of our making (library.go, question.go) and sees nothing but
// replies to its own queries. Probes, which are lookups of our own, walk beside it
// (lookup.go, probe.go).
//
// What it promises:
//
//   - Each packet that was received is logged, or dropped for a reason that is
//     counted: received = logged + dropped, in each segment, also where the
//     process was killed. Kill -9 loses at most a second, and twelve of what is
//     only counted; a power cut five.
//   - It harms nobody. Nothing is sent to an address that cannot be on the
//     internet, or is our own. To one that has not proven itself, by a token or a
//     reply, an answer has at most three bytes for each byte received, and
//     queries of ours are at most three a minute.
//   - No address leaves the raw log. Metrics, lines for the operator and the live
//     view hold none. With privacy "edge" the raw log holds none either (edge.go).
//   - Its memory does not grow with what is sent to it: every table and queue
//     has a bound, and says what it does when it is full.
package collect

import (
	"cmp"
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"io"
	"net/netip"
	"time"

	"github.com/prometheus/client_golang/prometheus"

	"github.com/boontorrent/boon/internal/geo"
	"github.com/boontorrent/boon/internal/lake"
	"github.com/boontorrent/boon/internal/pseudonym"
	"github.com/boontorrent/boon/internal/rawlog"
	"github.com/boontorrent/boon/internal/spool"
)

// Config says what to listen on and where to write.
type Config struct {
	Store     lake.Store
	Spool     string           // folder; its own for each collector
	SpoolMax  int64            // bytes; 0: no bound
	Collector string           // name in keys and headers
	Software  string           // name and version
	Listen    []netip.AddrPort // one node each
	Bootstrap []string         // host:port; nil: the well-known routers

	Limits        Limits
	AllowLoopback bool          // for tests: loopback addresses are heard and answered
	RotateIDs     time.Duration // 0: an id is kept as long as it fits our address
	Probes        int           // lookups of our own a day

	Privacy string     // Plain, which is the default, or Edge
	Keys    lake.Store // of Edge: where pseudonym keys lie
	Epoch   string     // of Edge: how long a key lives; "": a week

	Live    lake.Store             // where live/<collector>.json goes; nil: nowhere
	LiveK   int                    // distinct networks that it shows a row from; 0: LiveNetworks
	Geo     *geo.DB                // places for it, and for Edge; may be nil
	Metrics string                 // host:port to serve Prometheus metrics on; "": none
	Beside  []prometheus.Collector // more of them to serve

	// Heard is told of each query that is logged, with its time, as it came in: with
	// its address, whatever the privacy of the log. It must not wait, and must not
	// keep what it is given.
	Heard func(kind rawlog.Kind, at int64, q *rawlog.Query)

	// Say takes lines for the operator: what went wrong and is tried again, and
	// what is as it should be once a minute. No line has an address of others.
	Say func(format string, args ...any)
	// Ready is called once all sockets are open, with their addresses.
	Ready func([]netip.AddrPort)
	// Random and Now are crypto/rand and the clock unless given.
	Random io.Reader
	Now    func() time.Time
	// UploadWait is the first wait after a failed upload; 0: a second.
	UploadWait time.Duration
}

// What is logged of those who ask: their address, port and node id; or, with
// Edge, pseudonyms and the place instead.
const (
	Plain = "plain"
	Edge  = "edge"
)

func (c *Config) check() error {
	c.Privacy, c.Epoch = cmp.Or(c.Privacy, Plain), cmp.Or(c.Epoch, pseudonym.Weekly)
	if _, err := pseudonym.EpochName(0, c.Epoch); err != nil {
		return err
	}
	switch {
	case c.Privacy != Plain && c.Privacy != Edge:
		return fmt.Errorf("%q is not a kind of privacy; use %s or %s", c.Privacy, Plain, Edge)
	case c.Privacy == Edge && c.Keys == nil:
		return errors.New("privacy edge needs a place for the pseudonym keys")
	case c.Store == nil || c.Spool == "":
		return errors.New("a collector needs a lake and a spool")
	case !lake.CollectorName(c.Collector):
		return fmt.Errorf("%q cannot name a collector: use 1 to 64 of a-z, 0-9, - and _", c.Collector)
	case len(c.Listen) == 0:
		return errors.New("a collector needs an address to listen on")
	case c.SpoolMax < 0 || c.RotateIDs < 0:
		return errors.New("the bound of the spool and the life of an id cannot be negative")
	case c.Probes < 0 || c.Probes > MaxProbes:
		return fmt.Errorf("%d probes a day: use 0 to %d", c.Probes, MaxProbes)
	}
	for _, at := range c.Listen {
		if !at.IsValid() {
			return errors.New("an address to listen on is not valid")
		}
		if at.Addr().IsLoopback() && !c.AllowLoopback {
			return fmt.Errorf("nobody can reach %s; listen on another address, or allow loopback for a test", at)
		}
	}
	if c.Say == nil {
		c.Say = func(string, ...any) {}
	}
	if c.Heard == nil {
		c.Heard = func(rawlog.Kind, int64, *rawlog.Query) {}
	}
	if c.Ready == nil {
		c.Ready = func([]netip.AddrPort) {}
	}
	if c.Random == nil {
		c.Random = rand.Reader
	}
	if c.Now == nil {
		c.Now = time.Now
	}
	if c.UploadWait == 0 {
		c.UploadWait = spool.FirstWait
	}
	return nil
}

// Run collects until ctx ends, then stops in order: what was heard is logged,
// the segment sealed and, if the lake can be reached, uploaded.
func Run(ctx context.Context, cfg Config) (Summary, error) {
	if err := cfg.check(); err != nil {
		return Summary{}, err
	}
	s, mended, err := spool.Begin(ctx, cfg.Spool, cfg.SpoolMax, cfg.Store, cfg.Say, newAfterCrash)
	if err != nil {
		return Summary{}, err
	}
	defer s.Close()
	c, err := newCollector(ctx, cfg, s)
	if err != nil {
		return Summary{}, err
	}
	err = c.run(ctx)
	return c.summary(mended), err
}

// Summary is the account of a run.
type Summary struct {
	Run      string
	Received int64
	Logged   int64
	Dropped  map[string]int64 // by reason
	Sent     map[string]int64
	Mended   int64 // records of an earlier run
	Spooled  int64 // bytes that the lake does not have yet
}
