package synth

import (
	"cmp"
	"context"
	"math"
	"slices"

	"github.com/boontorrent/boon/internal/rawlog"
)

// heard is one query as one of our nodes heard it, packed: the time first, so
// that sorting heards by their at puts them in order.
type heard struct {
	at        uint64 // µs of the day (37 bits), node (5), kind (3), class (3), salt (16)
	who, what uint32 // a person; a torrent, or a number for a made-up target
}

// class is why a query was sent.
type class uint8

const (
	wanting   class = iota // somebody wants the torrent
	crawling               // by a crawler, for a torrent
	sampling               // sample_infohashes, by a crawler
	bootstrap              // a client filling its routing table
	refresh                // a client refreshing it
	selfish                // find_node for oneself
)

func pack(t int64, node int, kind rawlog.Kind, c class, who, what uint32, salt uint64) heard {
	t = min(max(t, 0), day-1)
	return heard{at: uint64(t)<<27 | uint64(node)<<22 | uint64(kind)<<19 | uint64(c)<<16 | salt&0xffff, who: who, what: what}
}

func (h *heard) t() int64          { return int64(h.at >> 27) }
func (h *heard) node() int         { return int(h.at >> 22 & 31) }
func (h *heard) kind() rawlog.Kind { return rawlog.Kind(h.at >> 19 & 7) }
func (h *heard) class() class      { return class(h.at >> 16 & 7) }
func (h *heard) salt() uint64      { return h.at & 0xffff }

const day = 24 * hour

// makeDay makes the n queries heard on day d, in order of time, and counts them.
func (s *swarm) makeDay(ctx context.Context, d, n int) ([]heard, error) {
	crawlers, upkeep, self := int(float64(n)*shareCrawlers), int(float64(n)*shareUpkeep), int(float64(n)*shareSelf)
	events, err := s.wanting(ctx, d, n-crawlers-upkeep-self, n)
	if err != nil {
		return nil, err
	}
	s.tallyWanting(d, events)
	events = s.crawl(d, crawlers, events)
	events = s.keepUp(d, upkeep, events)
	events = s.lookForSelf(d, self, events)
	s.tallyRest(d, events)
	slices.SortFunc(events, func(a, b heard) int {
		if a.at != b.at {
			return cmp.Compare(a.at, b.at)
		}
		return cmp.Or(cmp.Compare(a.who, b.who), cmp.Compare(a.what, b.what))
	})
	return events, nil
}

// wanting makes what is heard of those who want something: more than n queries
// in the order of torrents, of which chance keeps exactly n (the rest are
// packets that got lost). The slice has room for room events.
func (s *swarm) wanting(ctx context.Context, d, n, room int) ([]heard, error) {
	slack := float64(n)*1.03 + 8*math.Sqrt(float64(n)) + 20
	for attempt := 0; ; attempt++ {
		s.startDay(d)
		events, err := s.lookUpAll(ctx, d, attempt, slack*s.pairs, make([]heard, 0, max(int(slack*1.02), room)))
		if err != nil {
			return nil, err
		}
		if len(events) < n {
			slack *= 1.2
			continue
		}
		r := derive(s.cfg.Seed, forDay, uint64(d), uint64(attempt))
		return sample(&r, events, n), nil
	}
}

// startDay forgets what was counted in the day before, and in this one if it
// has to be made again.
func (s *swarm) startDay(d int) {
	clear(s.marks)
	s.days[d] = dayTally{countries: make([][ways]uint32, len(s.people.countries))}
	clearDay(s.torrents.swarm, s.cfg.Days, d)
	clearDay(s.works.swarm, s.cfg.Days, d)
}

// sample keeps n of the events, each as likely as any other, in their order.
func sample(r *rng, events []heard, n int) []heard {
	kept := events[:0]
	left := len(events)
	for _, e := range events {
		if r.below(left) < n-len(kept) {
			kept = append(kept, e)
		}
		left--
	}
	return kept
}

// lookUpAll goes through all works and adds what is heard of their lookups.
func (s *swarm) lookUpAll(ctx context.Context, d, attempt int, pairs float64, events []heard) ([]heard, error) {
	cat := s.catalogue
	for w := range cat.works() {
		if err := ctx.Err(); err != nil {
			return nil, err
		}
		r := derive(s.cfg.Seed, forSwarm, uint64(w), uint64(d)<<8|uint64(attempt))
		today := r.logNormal(1, 2) // some days a work is talked about
		c := s.describe(uint32(w))
		l := lookups{s: s, day: d, rng: r, audience: s.audience[c.language.code], work: uint32(w), events: events}
		for i := cat.first[w]; i < cat.first[w+1]; i++ {
			n := l.rng.poisson(float64(cat.weight[i]) * today * pairs)
			if n > 0 {
				l.torrent(i, min(n, s.people.crawlers/3))
			}
		}
		events = l.events
	}
	return events, nil
}

// dailyCurve is how many of a hundred are at their computers by local hour.
func dailyCurve() [24]float64 {
	return [24]float64{4.2, 2.9, 2.0, 1.4, 1.1, 1.1, 1.4, 2.0, 2.7, 3.3, 3.8, 4.2, 4.6, 4.7, 4.7, 4.8, 5.0, 5.3, 5.8, 6.4, 7.0, 7.4, 7.0, 5.7}
}

// moment is an instant of the day, in UTC, at which somebody in a city is active.
func (s *swarm) moment(r *rng, place uint16) int64 {
	local := int64(s.curve.draw(r))*hour + int64(r.float()*float64(hour))
	return (local - s.people.city(place).offset + 2*day) % day
}
