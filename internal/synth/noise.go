package synth

import (
	"encoding/binary"

	"github.com/boontorrent/boon/internal/rawlog"
)

// crawl adds n queries of crawlers: they ask for every torrent alike, all day,
// and announce none. A third of them also sample info-hashes (BEP 51).
func (s *swarm) crawl(d, n int, events []heard) []heard {
	crawlers := len(s.people.all) - s.people.crawlers
	weights := make([]float64, crawlers)
	for c := range weights {
		r := derive(s.cfg.Seed, forCrawler, uint64(c), 1)
		weights[c] = r.logNormal(1, 2)
	}
	which := newChoice(weights)
	r := derive(s.cfg.Seed, forCrawler, uint64(d), 2)
	for range n {
		c := which.draw(&r)
		who := uint32(s.people.crawlers + c)
		t := int64(r.float() * float64(day))
		if c%4 == 0 { // this one works in sweeps of ten minutes
			t = t/hour*hour + t%(10*minute)
		}
		s.crawled[c]++
		if c%3 == 0 && r.chance(0.4) {
			events = append(events, pack(t, r.below(allNodes), rawlog.SampleInfohashes, sampling, who, uint32(r.next()), r.next()))
			continue
		}
		i := uint32(s.crawlerIn.draw(&r))
		h := s.hearing(&s.catalogue.hash[i])
		events = append(events, pack(t, h.listener(&r), rawlog.GetPeers, crawling, who, i, r.next()))
	}
	return events
}

// keepUp adds n get_peers by which clients keep their routing tables: for
// targets that each is asked for by one client, once.
func (s *swarm) keepUp(d, n int, events []heard) []heard {
	r := derive(s.cfg.Seed, forUpkeep, uint64(d), 0)
	for k := range n {
		who := s.somebody(&r, d, func(c *client) bool { return c.upkeep })
		kind := refresh
		if r.chance(0.3) {
			kind = bootstrap
		}
		h := pack(s.moment(&r, s.people.all[who].place), 0, rawlog.GetPeers, kind, who, uint32(k), r.next())
		target := s.upkeepTarget(d, &h)
		hearing := s.hearing(&target)
		h.at |= uint64(hearing.listener(&r)) << 22
		events = append(events, h)
	}
	return events
}

// upkeepTarget makes up the target of an upkeep query: for bootstrap it shares
// 96 bits or more with the asker's id, for refresh 1 to 10.
func (s *swarm) upkeepTarget(d int, h *heard) rawlog.ID {
	id := s.persona(h.who, 0).id
	r := derive(s.cfg.Seed, forUpkeep, uint64(d)<<32|uint64(h.what), 1)
	bits := 1 + r.below(10)
	if h.class() == bootstrap {
		bits = 96 + r.below(40)
	}
	return sharing(&r, id, bits)
}

// sharing is an id that shares exactly the given number of leading bits with another.
func sharing(r *rng, id rawlog.ID, bits int) rawlog.ID {
	var out rawlog.ID
	r.fill(out[:])
	whole := bits / 8
	copy(out[:whole], id[:whole])
	rest := bits % 8
	mask := byte(0xff) << (8 - rest) // of the bits shared in the next byte
	flip := byte(0x80) >> rest
	out[whole] = id[whole]&mask | ^id[whole]&flip | out[whole]&^mask&^flip
	return out
}

// lookForSelf adds n find_node by which nodes look for themselves.
func (s *swarm) lookForSelf(d, n int, events []heard) []heard {
	r := derive(s.cfg.Seed, forSelf, uint64(d), 0)
	for k := range n {
		who := s.somebody(&r, d, func(c *client) bool { return c.findNode })
		h := pack(s.moment(&r, s.people.all[who].place), 0, rawlog.FindNode, selfish, who, uint32(k), r.next())
		target := s.selfTarget(&h)
		hearing := s.hearing(&target)
		h.at |= uint64(hearing.listener(&r)) << 22
		events = append(events, h)
	}
	return events
}

// selfTarget is the asker's own id, or one very near it.
func (s *swarm) selfTarget(h *heard) rawlog.ID {
	id := s.persona(h.who, 0).id
	if h.salt()%10 < 7 {
		return id
	}
	r := derive(s.cfg.Seed, forSelf, uint64(h.who), h.salt())
	return sharing(&r, id, 32+r.below(120))
}

// sampleTarget is where an indexer samples.
func (s *swarm) sampleTarget(h *heard) rawlog.ID {
	var id rawlog.ID
	r := derive(s.cfg.Seed, forCrawler, uint64(h.what), h.salt())
	r.fill(id[:])
	node := s.nodes[h.node()].id // walkers go for the node's part of the keyspace
	binary.BigEndian.PutUint16(id[:2], binary.BigEndian.Uint16(node[:2]))
	return id
}

// somebody draws a requester who is online that day and whose client does something.
func (s *swarm) somebody(r *rng, d int, does func(*client) bool) uint32 {
	for {
		who := uint32(r.below(s.people.crawlers))
		if s.online(who, d) && does(&s.clients[s.people.all[who].client]) {
			return who
		}
	}
}

// shareOnline is the share of requesters that are there on any one day. Who
// stays away got another address, or has better things to do.
const shareOnline = 0.7

func (s *swarm) online(who uint32, d int) bool {
	r := derive(s.cfg.Seed, forOnline, uint64(who), uint64(d))
	return r.chance(shareOnline)
}
