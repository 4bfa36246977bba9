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

// marks remember, for each person, what it was counted in last: torrents and
// works come one after another, so the last one is enough.
type marks struct {
	torrent, work           []uint32 // looked for
	heardTorrent, heardWork []uint32 // heard of
	hours                   [ways][]uint32
	curve                   choice
}

func newMarks(people int) marks {
	curve := dailyCurve()
	m := marks{curve: newChoice(curve[:])}
	for _, list := range m.lists() {
		*list = make([]uint32, people)
	}
	return m
}

func (m *marks) lists() []*[]uint32 {
	all := []*[]uint32{&m.torrent, &m.work, &m.heardTorrent, &m.heardWork}
	for way := range m.hours {
		all = append(all, &m.hours[way])
	}
	return all
}

func (m *marks) clear() {
	for _, list := range m.lists() {
		clear(*list)
	}
}

// first reports whether a person was not yet counted in i, and counts it.
func first(list []uint32, who, i uint32) bool {
	if list[who] == i+1 {
		return false
	}
	list[who] = i + 1
	return true
}

func (m *marks) newInTorrent(who, i uint32) bool { return first(m.torrent, who, i) }
func (m *marks) newInWork(who, w uint32) bool    { return first(m.work, who, w) }

func (m *marks) swarmHour(who uint32, t int64) { m.hours[inSwarm][who] |= 1 << (t / hour) }

// tallyWanting counts what was heard of those who want something. The events
// are in the order of torrents, hence of works.
func (s *swarm) tallyWanting(d int, events []heard) {
	for k := range events {
		h := &events[k]
		if first(s.scratch.heardTorrent, h.who, h.what) {
			s.torrents.heard[s.torrents.at(h.what, d)]++
		}
		if w := s.catalogue.work[h.what]; first(s.scratch.heardWork, h.who, w) {
			s.works.heard[s.works.at(w, d)]++
		}
	}
}

// tallyRest counts all events of the day, and the requesters.
func (s *swarm) tallyRest(d int, events []heard) {
	day, m := &s.days[d], &s.scratch
	var crawls []uint64 // torrent and crawler
	for k := range events {
		h := &events[k]
		day.events[h.kind()]++
		bit := uint32(1) << (h.t() / hour)
		switch h.class() {
		case wanting:
			m.hours[inHeard][h.who] |= bit
		case refresh:
			day.refreshes++
			m.hours[inCounted][h.who] |= bit
		case bootstrap:
			day.bootstraps++
			m.hours[inAll][h.who] |= bit
		case crawling:
			day.crawling++
			m.hours[inAll][h.who] |= bit
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
	hours := &s.scratch.hours
	for who := range s.people.all {
		var active [ways]uint32
		for way := range active {
			active[way] = hours[way][who]
		}
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
