// Package synth makes a synthetic swarm: raw logs of a BitTorrent DHT that
// never was, together with the truth about it. It is what Boon is tried and
// tested with where real logs cannot be shown, and where one must know what the
// right answer is.
//
// The swarm is a model of what collectors hear. There are works (films, series,
// records, books …), each with several torrents; their popularity follows
// Zipf's law. Requesters live in cities of some seventy countries, prefer works
// in their language, and look torrents up by a daily curve of their local time,
// again every half hour while they want them. A lookup walks towards its
// info-hash: our nodes are somewhere in the keyspace, and one is asked almost
// surely if it is among the eight nodes nearest the info-hash, and with a
// probability of eight over its rank if it is farther away. Announces go to the
// nearest only. Around that there is what real logs are full of: crawlers that
// ask for everything and announce nothing, indexers that sample info-hashes,
// libtorrent's made-up targets by which it keeps its routing table, nodes that
// look for themselves. A share of the torrents heard is resolved, with files
// that fit the kind of work; others fail.
//
// Run writes, into an empty lake: raw segments of two collectors, the keys of
// the days' pseudonyms, the databases of places and networks from which the
// addresses are (geo/), and synth/truth.json (see Truth). All of it follows
// from Config alone: the same configuration gives the same bytes. The logs have
// exactly Config.Events queries; resolves, failures, statistics and probes come
// on top.
//
// Memory: some 85 bytes for each query of the busiest day, all told (they are
// made in the order of torrents, and sorted), and 40 for each torrent, 16 more
// for each day of it.
package synth

import (
	"context"
	"fmt"

	"github.com/boontorrent/boon/internal/lake"
)

// Lengths of time in microseconds.
const (
	second int64 = 1_000_000
	minute       = 60 * second
	hour         = 60 * minute
)

// Config is what a swarm follows from.
type Config struct {
	Seed     uint64
	Start    lake.Day
	Days     int
	Events   int // queries, all days together
	Torrents int // 0: one for every fifteen events, at least 50 and at most a million
	// Epochs are the lengths of pseudonym epochs for which keys are written; nil: weeks.
	Epochs   []string
	Software string // for the segments' headers
	// Progress, if not nil, is told now and then how many of Events are written;
	// never by two goroutines at once.
	Progress func(events int)
}

// Bounds of a Config.
const (
	MaxDays     = 366
	MaxEvents   = 200_000_000
	MaxTorrents = 1_000_000
	minEvents   = 1000 // of a day
)

// DefaultStart is a Monday: 2026-01-05.
const DefaultStart lake.Day = 20458

// Check tells what is wrong with the configuration.
func (c Config) Check() error {
	_, err := c.withDefaults()
	return err
}

// withDefaults checks the configuration and fills in what was left out.
func (c Config) withDefaults() (Config, error) {
	if c.Start == 0 {
		c.Start = DefaultStart
	}
	if c.Torrents == 0 {
		c.Torrents = min(max(c.Events/15, 50), MaxTorrents)
	}
	switch {
	case c.Days < 1 || c.Days > MaxDays:
		return c, fmt.Errorf("%d days: a synthetic swarm has 1 to %d", c.Days, MaxDays)
	case c.Events < c.Days*minEvents || c.Events > MaxEvents:
		return c, fmt.Errorf("%d events: a synthetic swarm has at least %d a day and at most %d", c.Events, minEvents, MaxEvents)
	case c.Torrents < 50 || c.Torrents > MaxTorrents:
		return c, fmt.Errorf("%d torrents: a synthetic swarm has 50 to %d", c.Torrents, MaxTorrents)
	case c.Start < 12784 || c.Start > 40000: // 2005 to 2079
		return c, fmt.Errorf("a synthetic swarm cannot start on %s; take a day from 2005 to 2078", c.Start)
	}
	if c.Epochs == nil {
		c.Epochs = []string{"week"}
	}
	return c, nil
}

// Result says what Run wrote.
type Result struct {
	Events   int // queries
	Records  int // all events
	Segments int // written; those that were there already do not count
	Present  int // segments that were there already
}

// Run makes the swarm of cfg in store.
func Run(ctx context.Context, store lake.Store, cfg Config) (Result, error) {
	cfg, err := cfg.withDefaults()
	if err != nil {
		return Result{}, err
	}
	s, err := newSwarm(cfg)
	if err != nil {
		return Result{}, err
	}
	if err := s.writeGeo(ctx, store); err != nil {
		return Result{}, err
	}
	if err := s.writeKeys(ctx, store); err != nil {
		return Result{}, err
	}
	res, err := s.writeDays(ctx, store)
	if err != nil {
		return res, err
	}
	return res, s.writeTruth(ctx, store)
}
