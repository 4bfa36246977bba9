package synth

import (
	"context"
	"crypto/sha256"
	"encoding/binary"
	"errors"
	"fmt"
	"math"

	"github.com/boontorrent/boon/internal/lake"
	"github.com/boontorrent/boon/internal/pseudonym"
)

// swarm is the world that a Config makes up, and what has been counted in it so far.
type swarm struct {
	cfg       Config
	clients   []client
	nodes     [allNodes]node
	people    *people
	catalogue *catalogue
	audience  map[string]*choice
	crawlerIn choice  // torrents as crawlers are heard asking for them
	pairs     float64 // requester-torrent pairs to make for one query heard
	tried     []uint8 // torrents: resolved, or not
	days      []dayTally
	torrents  torrentTally
	works     workTally
	crawled   []int64 // queries heard, of each crawler
	marks     []mark  // of people, for the day being made
	curve     choice  // of the hours of a day
}

// The shares of queries that are not from those who want something.
const (
	shareCrawlers = 0.12
	shareUpkeep   = 0.09
	shareSelf     = 0.04

	meanLookups = 2.13 // of a requester for a torrent in a day: the mean of repeats
	// wanted is how many torrents a requester looks for in a day, on average.
	wanted = 12
)

func newSwarm(cfg Config) (*swarm, error) {
	s := &swarm{cfg: cfg, clients: clients(), nodes: newNodes(cfg.Seed), catalogue: newCatalogue(cfg.Seed, cfg.Torrents)}
	n := cfg.Torrents
	heard := make([]float64, n)
	expected := 0.0 // queries heard for one pair
	for i := range n {
		h := s.hearing(&s.catalogue.hash[i])
		asked, announced := h.perLookup()
		heard[i] = asked
		expected += float64(s.catalogue.weight[i]) * meanLookups * (asked + announced*announcing)
	}
	s.crawlerIn = newChoice(heard)
	s.pairs = 1 / expected
	daily := float64(cfg.Events) / float64(cfg.Days)
	requesters := int(math.Max(300, daily*s.pairs/wanted/shareOnline))
	if requesters > math.MaxInt32 {
		return nil, fmt.Errorf("%d events a day would need %d requesters; make fewer, or more days", int(daily), requesters)
	}
	s.people = newPeople(cfg.Seed, requesters, min(max(int(daily*shareCrawlers/1500), 3), 40))
	s.audience = audiences(s.people.countries, s.catalogue.tongue)
	s.tried, s.days = make([]uint8, n), make([]dayTally, cfg.Days)
	s.torrents = newTorrentTally(n, cfg.Days)
	s.works = newWorkTally(s.catalogue.works(), cfg.Days)
	s.crawled = make([]int64, len(s.people.all)-s.people.crawlers)
	s.marks = make([]mark, len(s.people.all))
	curve := dailyCurve()
	s.curve = newChoice(curve[:])
	return s, nil
}

// dayEvents divides Events over the days: weekends have a sixth more.
func (s *swarm) dayEvents() []int {
	weights := make([]float64, s.cfg.Days)
	total := 0.0
	for d := range weights {
		weights[d] = 1
		if wd := (s.cfg.Start + lake.Day(d)).Time().Weekday(); wd == 0 || wd == 6 {
			weights[d] = 7.0 / 6
		}
		total += weights[d]
	}
	out := make([]int, len(weights))
	sum, given := 0.0, 0
	for d, w := range weights {
		sum += w
		out[d] = int(math.Round(float64(s.cfg.Events)*sum/total)) - given
		given += out[d]
	}
	return out
}

// key is the pseudonym key of an epoch.
func key(seed uint64, epoch string) pseudonym.Key {
	b := binary.BigEndian.AppendUint64([]byte("boon synth pseudonym key\n"), seed)
	return sha256.Sum256(append(b, epoch...))
}

// epochs names the epochs that the days touch, in order.
func (s *swarm) epochs() ([]string, error) {
	var names []string
	seen := map[string]bool{}
	for _, mode := range s.cfg.Epochs {
		for d := range s.cfg.Days {
			name, err := pseudonym.EpochName(s.cfg.Start+lake.Day(d), mode)
			if err != nil {
				return nil, err
			}
			if !seen[name] {
				seen[name] = true
				names = append(names, name)
			}
		}
	}
	return names, nil
}

// writeKeys puts the pseudonym keys into the lake. A key that is there already
// and is another one belongs to real data: it is not touched.
func (s *swarm) writeKeys(ctx context.Context, store lake.Store) error {
	names, err := s.epochs()
	if err != nil {
		return err
	}
	for _, name := range names {
		want := key(s.cfg.Seed, name)
		err := pseudonym.Store(ctx, store, name, want)
		if errors.Is(err, lake.ErrConflict) {
			var have pseudonym.Key
			if have, err = pseudonym.Load(ctx, store, name); err == nil && have != want {
				return notEmpty(store, pseudonym.KeyName(name))
			}
		}
		if err != nil {
			return err
		}
	}
	return nil
}

// notEmpty says that the lake has an object of other data than this swarm's.
func notEmpty(store lake.Store, what string) error {
	return fmt.Errorf("the lake %s has %s of other data already; make a synthetic swarm in an empty lake (--lake)", store.URL(), what)
}
