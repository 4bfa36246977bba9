package synth

import (
	"golang.org/x/text/encoding/charmap"

	"github.com/boontorrent/boon/internal/rawlog"
)

// compose makes the event that a packed query stands for.
func (w *dayWriter) compose(h *heard) {
	s := w.s
	ev := &w.event
	number := uint64(0)
	if h.class() == crawling || h.class() == sampling {
		number = h.salt() % s.crawlerIDs(h.who)
	}
	p, who := s.persona(h.who, number), &s.people.all[h.who]
	*ev = rawlog.Event{Kind: h.kind(), T: w.start + h.t()}
	ev.Query = rawlog.Query{
		OurID: s.nodes[h.node()].id, TheirID: p.id, HasTheirID: true, Addr: who.addr(), Port: p.port,
		Infohash: s.target(w.day, h),
	}
	c := &s.clients[who.client]
	if c.mark != "" {
		ev.Query.Version = append(ev.Query.Version, p.version[:]...)
	}
	if p.readOnly {
		ev.Query.ReadOnly = rawlog.True
	}
	switch {
	case h.kind() == rawlog.AnnouncePeer:
		w.announce(h, c, &p)
	case h.class() == wanting && h.salt()%100 == 7:
		ev.Query.Scrape = true
	case h.class() == wanting && h.salt()%100 == 8:
		ev.Query.NoSeed = true
	}
}

// announce fills in what only announce_peer has.
func (w *dayWriter) announce(h *heard, c *client, p *persona) {
	q := &w.event.Query
	r := derive(w.s.cfg.Seed, forEvent, uint64(h.who)<<32|uint64(h.what), h.salt())
	q.AnnouncePort = p.announce
	q.ImpliedPort = rawlog.TriOf(r.chance(c.implied))
	q.TokenValid = rawlog.TriOf(r.chance(0.985))
	// Whether one has the whole torrent does not change from one announce to
	// the next: a day is short.
	has := derive(w.s.cfg.Seed, forEvent, uint64(h.who), uint64(h.what))
	if seeds := has.chance(0.4); c.says {
		q.Seed = rawlog.TriOf(seeds)
	}
	if r.chance(c.names) {
		rel := w.s.release(h.what)
		q.Name = []byte(rel.name)
		if rel.language == "ru" && r.chance(0.05) { // an old client, in its own code page
			if b, err := charmap.Windows1251.NewEncoder().Bytes(q.Name); err == nil {
				q.Name = b
			}
		}
	}
}

// target is what a query asks for.
func (s *swarm) target(d int, h *heard) rawlog.ID {
	switch h.class() {
	case bootstrap, refresh:
		return s.upkeepTarget(d, h)
	case selfish:
		return s.selfTarget(h)
	case sampling:
		return s.sampleTarget(h)
	}
	return s.catalogue.hash[h.what]
}

// crawlerIDs is how many node ids a crawler uses: one, a few, or hundreds.
func (s *swarm) crawlerIDs(who uint32) uint64 {
	r := derive(s.cfg.Seed, forCrawler, uint64(who), 3)
	return []uint64{1, 1, 4, 64, 500}[r.below(5)]
}

// attempt is a try to resolve a torrent.
type attempt struct {
	t         int64 // µs of the day
	torrent   uint32
	collector int
	found     bool
	announced bool
}

// The states of a torrent in swarm.tried.
const (
	untried uint8 = iota
	triedToday
	resolved
)

// planResolves decides when the torrents heard on a day are looked up, and
// whether that goes well. What failed is tried again on another day.
func (s *swarm) planResolves(d int, events []heard) []attempt {
	var plan []attempt
	announced := map[uint32]bool{}
	for k := range events {
		if events[k].kind() == rawlog.AnnouncePeer {
			announced[events[k].what] = true
		}
	}
	for k := range events {
		h := &events[k]
		if h.class() != wanting && h.class() != crawling || s.tried[h.what] != untried {
			continue
		}
		r := derive(s.cfg.Seed, forResolve, uint64(h.what), uint64(d))
		a := attempt{
			torrent: h.what, t: h.t() + 20*second + int64(r.float()*float64(10*minute)), collector: s.nodes[h.node()].collector,
			announced: announced[h.what],
		}
		if a.t >= day {
			continue
		}
		a.found = r.chance(resolvable(s.torrents.heard[s.torrents.at(h.what, d)]))
		s.tried[h.what] = triedToday
		if a.found {
			s.tried[h.what] = resolved
		}
		plan = append(plan, a)
	}
	for i := range s.tried {
		if s.tried[i] == triedToday {
			s.tried[i] = untried
		}
	}
	sortAttempts(plan)
	return plan
}

// resolvable is the chance that a torrent which so many requesters were heard
// asking for is resolved. What is much wanted has peers, and is tried several
// times a day.
func resolvable(requesters uint32) float64 {
	switch {
	case requesters < 3:
		return []float64{0.2, 0.5, 0.75}[requesters]
	default:
		return 1 - 0.9/(float64(requesters)*float64(requesters))
	}
}

// composeResolve makes the event of a try.
func (w *dayWriter) composeResolve(a *attempt) {
	s := w.s
	r := derive(s.cfg.Seed, forResolve, uint64(a.torrent)|1<<40, uint64(w.day))
	hash := s.catalogue.hash[a.torrent]
	if !a.found {
		reason, peers := r.one("no_peers", "no_peers", "timeout", "timeout", "no_metadata", "refused", "bad_hash"), int64(0)
		if reason != "no_peers" {
			peers = int64(r.between(1, 30))
		}
		w.event = rawlog.Event{Kind: rawlog.ResolveFailed, T: w.start + a.t, Failed: &rawlog.FailedEvent{Infohash: hash, Reason: reason, Peers: peers}}
		return
	}
	rel := s.release(a.torrent)
	_, v2 := s.version(a.torrent)
	swarm := int(s.torrents.swarm[s.torrents.at(a.torrent, w.day)])
	ev := &rawlog.ResolveEvent{
		Infohash: hash, InfohashV2: v2, Name: rel.name, PieceLength: pieceLength, Private: rawlog.TriOf(false), Files: s.files(a.torrent, &rel),
		Peers: int64(1 + r.below(1+swarm)), Seeders: -1, Leechers: -1, FoundBy: "lookup",
	}
	if a.announced {
		ev.FoundBy = "announce"
	}
	if r.chance(0.7) { // the nodes asked knew BEP 33
		ev.Seeders = int64(r.below(1 + swarm/2))
		ev.Leechers = int64(r.below(1 + swarm/2))
	}
	w.event = rawlog.Event{Kind: rawlog.Resolve, T: w.start + a.t, Resolve: ev}
}
