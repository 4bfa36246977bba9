// Package resolve finds out what an info-hash stands for: it asks the peers of a
// torrent for its info dictionary, and nothing else.
//
// It reads what is wanted from the raw segments of a lake, from a list, from a
// collector in the same process, or from other nodes' samples. It writes raw
// segments (package rawlog) with an event for each try, by way of a spool.
//
// The way of an info-hash: what is heard of comes to the desk (desk.go), which
// counts distinct requesters (demand.go) and keeps what is wanted in a backlog
// (backlog.go). The most wanted one that is due is tried (try.go): first the peers
// that have just announced themselves, then those that a DHT lookup names (dht.go,
// door.go); package fetch gets the dictionary from them, package infodict checks
// it. What came of it is written (write.go), then remembered (state.go), then
// settled at the desk, in this order.
//
// What it promises:
//
//   - A torrent that it says is resolved is in a segment, on disk: kill -9 at any
//     moment loses tries that were under way, and nothing else.
//   - It is polite. Packets a second, lookups, peers at once are bounded; nothing is
//     sent to an address that cannot be on the internet; a node that was asked for a
//     sample is left alone for as long as it says. What is excluded is never asked for.
//   - Addresses of peers are held in memory for half an hour at most, and stand in
//     no file.
//   - Its memory does not grow with what is wanted: five million info-hashes fit into
//     300 MiB, and beyond that the least wanted give way.
package resolve

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"io"
	"net/netip"
	"time"

	"github.com/boontorrent/boon/internal/lake"
	"github.com/boontorrent/boon/internal/spool"
	"github.com/boontorrent/boon/resolve/fetch"
)

// Config says what to resolve, with what means, and where to write.
type Config struct {
	Store     lake.Store
	Spool     string // folder; its own for each resolver
	SpoolMax  int64  // bytes; 0: no bound
	Collector string // name in keys and headers
	Software  string // name and version

	// What to resolve. Run ends when all of List is settled, if it is given;
	// otherwise when its context does.
	List    io.Reader     // info-hashes and magnet links, one a line
	Lake    time.Duration // read segments of so long back, and all that come; 0: none
	Feed    *Feed         // of a collector in the same process; may be nil
	Sample  bool          // ask other nodes for samples
	Exclude *Exclusions   // may be nil

	Listen        []netip.AddrPort // one DHT node each; none: no lookups
	Bootstrap     []string         // host:port; nil: the well-known routers
	Rate          float64          // DHT packets a second; 0: 500
	Lookups       int              // at once; 0: 64
	Concurrency   int              // info-hashes at once; 0: 200
	Backlog       int              // info-hashes; 0: five million
	Fetch         fetch.Config
	AllowLoopback bool // for tests: loopback addresses are asked

	KeepTorrents bool     // store torrents/ab/cd/<infohash>.torrent in the lake
	Metrics      string   // host:port to serve Prometheus metrics on; "": none
	Gauges       *Metrics // metrics for somebody else to serve; may be nil

	// Say takes lines for the operator. No line has an address of others.
	Say func(format string, args ...any)
	// Report is told of each info-hash of the list, once it is settled.
	Report func(Report)
	// Ready is called once all sockets are open, with the DHT nodes' addresses.
	Ready func([]netip.AddrPort)
	// Random and Now are crypto/rand and the clock unless given.
	Random io.Reader
	Now    func() time.Time
	// UploadWait is the first wait after a failed upload; 0: a second.
	UploadWait time.Duration
}

func (c *Config) check() error {
	switch {
	case c.Store == nil || c.Spool == "":
		return errors.New("a resolver needs a lake and a spool")
	case !lake.CollectorName(c.Collector):
		return fmt.Errorf("%q cannot name a resolver: use 1 to 64 of a-z, 0-9, - and _", c.Collector)
	case c.List == nil && c.Lake == 0 && c.Feed == nil && !c.Sample:
		return errors.New("nothing says what to resolve")
	case c.Rate < 0 || c.Lookups < 0 || c.Concurrency < 0 || c.Backlog < 0 || c.SpoolMax < 0 || c.Lake < 0:
		return errors.New("a bound cannot be negative")
	case c.Sample && len(c.Listen) == 0:
		return errors.New("samples are asked for in the DHT: a resolver needs an address to listen on")
	}
	for _, at := range c.Listen {
		if !at.IsValid() {
			return errors.New("an address to listen on is not valid")
		}
	}
	or(&c.Rate, 500)
	or(&c.Lookups, 64)
	or(&c.Concurrency, 200)
	or(&c.Backlog, 5_000_000)
	or(&c.UploadWait, spool.FirstWait)
	or(&c.Fetch.Client, c.Software)
	c.Fetch.AllowLoopback = c.AllowLoopback
	if c.Exclude == nil {
		c.Exclude = &Exclusions{}
	}
	if c.Say == nil {
		c.Say = func(string, ...any) {}
	}
	if c.Report == nil {
		c.Report = func(Report) {}
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
	return nil
}

func or[T comparable](to *T, value T) {
	var zero T
	if *to == zero {
		*to = value
	}
}

// Report is what became of an info-hash of the list.
type Report struct {
	Infohash string `json:"infohash"`
	State    string `json:"state"` // resolved, failed, known, excluded or refused
	Reason   string `json:"reason,omitempty"`
	Name     string `json:"name,omitempty"`
	Size     int64  `json:"size,omitempty"`
	Files    int    `json:"files,omitempty"`
	Peers    int64  `json:"peers,omitempty"`
	Seeders  *int64 `json:"seeders,omitempty"`
	Leechers *int64 `json:"leechers,omitempty"`
	FoundBy  string `json:"found_by,omitempty"`
}

// Summary is the account of a run.
type Summary struct {
	Run      string
	Resolved int64
	Failed   map[string]int64 // tries, by reason
	Known    int64            // of the list: in the lake already
	Excluded int64            // of the list, or once their title was known
	Unmet    map[string]int64 // of the list: failed, by reason
	BadLines int64            // of the list
	Share    float64          // of what was asked for, by distinct requesters, that is resolved
	Mended   int64            // records of an earlier run
	Spooled  int64            // bytes that the lake does not have yet
}

// Run resolves until ctx ends or the list is settled, then stops in order: tries
// under way are given up, what came of the others is logged, the segment sealed
// and, if the lake can be reached, uploaded.
func Run(ctx context.Context, cfg Config) (Summary, error) {
	if err := cfg.check(); err != nil {
		return Summary{}, err
	}
	s, mended, err := spool.Begin(ctx, cfg.Spool, cfg.SpoolMax, cfg.Store, cfg.Say, newAfterCrash)
	if err != nil {
		return Summary{}, err
	}
	defer s.Close()
	r, err := newResolver(&cfg, s)
	if err != nil {
		return Summary{}, err
	}
	if cfg.Gauges != nil {
		cfg.Gauges.set(r)
		defer cfg.Gauges.set(nil)
	}
	err = r.run(ctx)
	return r.summary(mended), errors.Join(err, r.close())
}
