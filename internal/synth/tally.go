package synth

import (
	"slices"

	"github.com/boontorrent/boon/internal/rawlog"
)

// Ways of counting requesters; Truth says what each is.
const (
	inSwarm   = iota // whoever looked for something, heard or not
	inHeard          // of those, whoever was heard
	inCounted        // and those heard refreshing their routing tables
	inAll            // and all else heard asking or announcing: bootstrapping, crawlers
	ways
)

// dayTally counts a day.
type dayTally struct {
	events     [rawlog.FindNode + 1]int64
	bootstraps int64
	refreshes  int64
	crawling   int64 // queries of crawlers, all kinds
	total      [ways]uint32
	hours      [24][ways]uint32
	countries  [][ways]uint32
}

// torrentTally counts requesters by torrent and day.
type torrentTally struct {
	days              int
	swarm, heard, all []uint32
}

func newTorrentTally(n, days int) torrentTally {
	return torrentTally{days: days, swarm: make([]uint32, n*days), heard: make([]uint32, n*days), all: make([]uint32, n*days)}
}

func (t *torrentTally) at(i uint32, d int) int { return int(i)*t.days + d }

// workTally counts requesters by work and day.
type workTally struct {
	days         int
	swarm, heard []uint32
}

func newWorkTally(n, days int) workTally {
	return workTally{days: days, swarm: make([]uint32, n*days), heard: make([]uint32, n*days)}
}

func (t *workTally) at(w uint32, d int) int { return int(w)*t.days + d }

// clearDay forgets a day that has to be made again.
func clearDay(counts []uint32, days, d int) {
	for i := d; i < len(counts); i += days {
		counts[i] = 0
	}
}

// mark remembers of a person what it was counted in last: torrents and works
// come one after another, so the last one is enough. Numbers count from 1.
type mark struct {
	torrent, work           uint32       // looked for
	heardTorrent, heardWork uint32       // heard of
	hours                   [ways]uint32 // a bit for each
}

// first reports whether i is not what was counted last, and remembers it.
func first(last *uint32, i uint32) bool {
	if *last == i+1 {
		return false
	}
	*last = i + 1
	return true
}

// tallyWanting counts what was heard of those who want something. The events
// are in the order of torrents, hence of works.
func (s *swarm) tallyWanting(d int, events []heard) {
	for k := range events {
		h := &events[k]
		m := &s.marks[h.who]
		if first(&m.heardTorrent, h.what) {
			s.torrents.heard[s.torrents.at(h.what, d)]++
		}
		if w := s.catalogue.work[h.what]; first(&m.heardWork, w) {
			s.works.heard[s.works.at(w, d)]++
		}
	}
}

// tallyRest counts all events of the day, and the requesters.
func (s *swarm) tallyRest(d int, events []heard) {
	day := &s.days[d]
	var crawls []uint64 // torrent and crawler
	for k := range events {
		h := &events[k]
		day.events[h.kind()]++
		hours, bit := &s.marks[h.who].hours, uint32(1)<<(h.t()/hour)
		switch h.class() {
		case wanting:
			hours[inHeard] |= bit
		case refresh:
			day.refreshes++
			hours[inCounted] |= bit
		case bootstrap:
			day.bootstraps++
			hours[inAll] |= bit
		case crawling:
			day.crawling++
			hours[inAll] |= bit
			crawls = append(crawls, uint64(h.what)<<32|uint64(h.who))
		case sampling:
			day.crawling++
		}
	}
	s.tallyPeople(day)
	slices.Sort(crawls)
	for i := range s.catalogue.hash {
		at := s.torrents.at(uint32(i), d)
		s.torrents.all[at] = s.torrents.heard[at]
	}
	for _, pair := range slices.Compact(crawls) {
		s.torrents.all[s.torrents.at(uint32(pair>>32), d)]++
	}
}

// tallyPeople counts each person in its country and in the hours it was active.
func (s *swarm) tallyPeople(day *dayTally) {
	for who := range s.people.all {
		active := s.marks[who].hours
		active[inCounted] |= active[inHeard]
		active[inAll] |= active[inCounted]
		country := s.people.country(uint32(who))
		for way, mask := range active {
			if mask == 0 {
				continue
			}
			day.total[way]++
			day.countries[country][way]++
			for h := range day.hours {
				day.hours[h][way] += mask >> h & 1
			}
		}
	}
}
