package synth

import (
	"math"

	"github.com/boontorrent/boon/internal/rawlog"
)

// announcing is the share of requesters that announce what they look up; the
// others only look.
const announcing = 0.85

// lookups makes the lookups of a work's torrents on one day.
type lookups struct {
	s        *swarm
	day      int
	rng      rng
	audience *choice
	work     uint32
	events   []heard

	torrentNo uint32
	hearing   hearing
	next      [allNodes]int64 // the next lookup of the torrent that a node hears
	soonest   int64           // the least of them
	done      int64           // lookups of the torrent made
}

// torrent makes n requesters look for torrent i.
func (l *lookups) torrent(i uint32, n int) {
	s := l.s
	l.torrentNo, l.done = i, 0
	l.hearing = s.hearing(&s.catalogue.hash[i])
	for k := range l.next {
		l.next[k] = l.rng.skip(l.hearing.asked[k])
	}
	l.findSoonest()
	requesters := uint32(0)
	for range n {
		who := l.requester()
		m := &s.marks[who]
		if !first(&m.torrent, i) {
			continue
		}
		requesters++
		if first(&m.work, l.work) {
			s.works.swarm[s.works.at(l.work, l.day)]++
		}
		l.session(who)
	}
	s.torrents.swarm[s.torrents.at(i, l.day)] = requesters
}

// The busiest requesters of a country, seedboxes and hoarders.
const (
	shareBusy = 0.004 // of requesters
	busyness  = 0.06  // of all that is looked for
)

// requester draws who wants a torrent, of those online that day.
func (l *lookups) requester() uint32 {
	who := l.anybody()
	for range 20 { // a small country may have nobody
		if l.s.online(who, l.day) {
			break
		}
		who = l.anybody()
	}
	return who
}

// anybody draws a requester: by country, and there some more often than others.
func (l *lookups) anybody() uint32 {
	p := l.s.people
	c := l.audience.draw(&l.rng)
	n := p.first[c+1] - p.first[c]
	if l.rng.chance(busyness) {
		return uint32(p.first[c] + l.rng.below(1+int(float64(n)*shareBusy)))
	}
	at := int(float64(n) * math.Pow(l.rng.float(), 1.25))
	return uint32(p.first[c] + min(at, n-1))
}

func (l *lookups) findSoonest() {
	l.soonest = l.next[0]
	for _, n := range l.next[1:] {
		l.soonest = min(l.soonest, n)
	}
}

// session makes one requester look for the torrent: once, or again every half
// hour. Which lookups a node hears was drawn beforehand, as gaps between them.
func (l *lookups) session(who uint32) {
	s := l.s
	start := s.moment(&l.rng, s.people.all[who].place)
	n := l.repeats()
	gap := 25*minute + int64(l.rng.float()*10*float64(minute))
	for q := range n {
		s.marks[who].hours[inSwarm] |= 1 << ((start + q*gap) % day / hour)
	}
	if l.soonest < l.done+n {
		for k := range l.next {
			for l.next[k] < l.done+n {
				l.hear(who, k, (start+(l.next[k]-l.done)*gap)%day)
				l.next[k] += 1 + l.rng.skip(l.hearing.asked[k])
			}
		}
		l.findSoonest()
	}
	l.done += n
}

// repeats is how often a requester looks in a day: meanLookups on average.
func (l *lookups) repeats() int64 {
	if l.rng.chance(0.5) {
		return 1
	}
	n := int64(2)
	for n < 12 && l.rng.chance(0.56) {
		n++
	}
	return n
}

// hear adds what node k hears of a lookup at t. A lookup begins far away and
// ends at the nearest nodes, which it then announces to.
func (l *lookups) hear(who uint32, k int, t int64) {
	salt := l.rng.next()
	t += int64(l.rng.float() * 3 * float64(second) * (1 - 0.5*l.hearing.asked[k]))
	l.events = append(l.events, pack(t, k, rawlog.GetPeers, wanting, who, l.torrentNo, salt))
	if l.hearing.announced[k] > 0 && salt%1000 < announcing*1000 && l.rng.chance(l.hearing.announced[k]) {
		t += second + int64(l.rng.float()*3*float64(second))
		l.events = append(l.events, pack(t, k, rawlog.AnnouncePeer, wanting, who, l.torrentNo, salt))
	}
}
