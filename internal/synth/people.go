package synth

import (
	"encoding/binary"
	"math"
	"net/netip"

	"github.com/boontorrent/boon/internal/geo"
)

// person is a requester: an address with what belongs to it. What else is known
// of it (its port, its node id) follows from its number.
type person struct {
	hi, lo uint64 // the address's sixteen bytes
	place  uint16
	client uint8
}

// is4 reports whether the person has an IPv4 address.
func (p *person) is4() bool { return p.hi == 0 && p.lo>>32 == 0xffff }

func (p *person) addr() netip.Addr {
	if p.is4() {
		var b [4]byte
		binary.BigEndian.PutUint32(b[:], uint32(p.lo))
		return netip.AddrFrom4(b)
	}
	var b [16]byte
	binary.BigEndian.PutUint64(b[:8], p.hi)
	binary.BigEndian.PutUint64(b[8:], p.lo)
	return netip.AddrFrom16(b)
}

// block is a range of addresses that the databases know: 4096 IPv4 addresses
// (a /20), or an IPv6 /32.
type block struct {
	prefix netip.Prefix
	place  uint16
	asn    uint8 // of the country's
}

// people are all requesters, by country; crawlers come last.
type people struct {
	countries []country
	places    []placeOf
	all       []person
	first     []int // of a country; one more than there are countries
	crawlers  int   // where they begin in all
	blocks    []block
}

// placeOf is a city by number.
type placeOf struct{ country, city uint16 }

func (p *people) city(i uint16) *city {
	at := p.places[i]
	return &p.countries[at.country].cities[at.city]
}

func (p *people) country(who uint32) uint16 { return p.places[p.all[who].place].country }

const (
	share6      = 0.05 // of requesters have IPv6
	perNetwork  = 3    // requesters of a /24 or /48, on average
	blockBits   = 20
	asPerNation = 4 // telecom, cable, mobile, hosting
	hosting     = asPerNation - 1
)

// newPeople settles n requesters and some crawlers.
func newPeople(seed uint64, n, crawlers int) *people {
	p := &people{countries: world(), all: make([]person, 0, n+crawlers)}
	total := 0.0
	for c := range p.countries {
		total += p.countries[c].weight
		for i := range p.countries[c].cities {
			p.places = append(p.places, placeOf{uint16(c), uint16(i)})
		}
	}
	land := &land{rng: derive(seed, forNetworks, 0, 0), people: p}
	land.settled = make([]settlement, len(p.places))
	clients := newChoice(clientWeights())
	base, sum := 0, 0.0
	for c := range p.countries {
		p.first = append(p.first, len(p.all))
		sum += p.countries[c].weight
		upTo := max(int(math.Round(float64(n)*sum/total)), len(p.all)+1)
		land.settle(base, c, upTo-len(p.all), &clients)
		base += len(p.countries[c].cities)
	}
	p.first = append(p.first, len(p.all))
	p.crawlers = len(p.all)
	land.settleCrawlers(crawlers)
	return p
}

// land hands out addresses: /20 blocks in a scattered order to cities, and of
// these /24 networks with a few requesters each.
type land struct {
	rng     rng
	people  *people
	settled []settlement
	taken   uint32 // blocks looked at
	sites   uint32 // IPv6 networks
}

// settlement is what a city has left.
type settlement struct {
	block  uint32 // first address of its /20
	nets   int    // /24 networks of it not begun
	net    uint32 // the network being filled
	hosts  int    // addresses of it to hand out
	host   uint32 // the next of them
	site   uint64 // the IPv6 /48 being filled
	seats  int
	known6 bool
}

func (l *land) settle(base, c, n int, clients *choice) {
	var weights []float64
	for _, city := range l.people.countries[c].cities {
		weights = append(weights, city.weight)
	}
	cities := newChoice(weights)
	for range n {
		place := uint16(base + cities.draw(&l.rng))
		who := person{place: place, client: uint8(clients.draw(&l.rng))}
		if l.rng.chance(share6) {
			who.hi, who.lo = l.next6(place), l.rng.next()
		} else {
			who.lo = 0xffff<<32 | uint64(l.next4(place))
		}
		l.people.all = append(l.people.all, who)
	}
}

// next4 is the next address of a city.
func (l *land) next4(place uint16) uint32 {
	s := &l.settled[place]
	if s.hosts == 0 {
		if s.nets == 0 {
			s.block, s.nets = l.nextBlock(), 1<<(24-blockBits)
			l.claim(s.block, place, uint8(min(l.rng.below(10)/4, hosting-1)))
		}
		s.nets--
		s.net = s.block + uint32(s.nets)<<8
		s.hosts = 1 + l.rng.poisson(perNetwork-1)
		s.host = uint32(l.rng.between(1, 200))
	}
	s.hosts--
	s.host += uint32(l.rng.between(1, 4))
	return s.net | s.host
}

// next6 is the upper half of the next IPv6 address of a city: it has a /32.
func (l *land) next6(place uint16) uint64 {
	s := &l.settled[place]
	prefix := 0x2a0c<<48 | uint64(place)<<32
	if !s.known6 {
		s.known6 = true
		var b [16]byte
		binary.BigEndian.PutUint64(b[:8], prefix)
		l.people.blocks = append(l.people.blocks, block{netip.PrefixFrom(netip.AddrFrom16(b), 32), place, uint8(l.rng.below(2))})
	}
	if s.seats == 0 {
		l.sites++
		s.site = prefix | uint64(uint16(l.sites*40503))<<16
		s.seats = 1 + l.rng.poisson(perNetwork-1)
	}
	s.seats--
	return s.site | uint64(l.rng.below(256))
}

// nextBlock is the next /20 of the public address space in an order that visits
// each once.
func (l *land) nextBlock() uint32 {
	for {
		l.taken++
		at := (l.taken*0x2a6b5 + 0x51ed3) & (1<<blockBits - 1) << (32 - blockBits) // a full cycle: the factor is 1 mod 4, the summand odd
		if public(at) {
			return at
		}
	}
}

// public reports whether nothing of a /20 is a bogon.
func public(block uint32) bool {
	for i := range uint32(1 << (24 - blockBits)) {
		var b [4]byte
		binary.BigEndian.PutUint32(b[:], block+i<<8)
		if geo.Bogon(netip.AddrFrom4(b)) {
			return false
		}
	}
	return true
}

func (l *land) claim(at uint32, place uint16, asn uint8) {
	var b [4]byte
	binary.BigEndian.PutUint32(b[:], at)
	l.people.blocks = append(l.people.blocks, block{netip.PrefixFrom(netip.AddrFrom4(b), blockBits), place, asn})
}

// settleCrawlers puts crawlers into hosting networks of a few cities, up to
// four to a network.
func (l *land) settleCrawlers(n int) {
	var homes []uint16
	for i, at := range l.people.places {
		switch l.people.countries[at.country].code {
		case "US", "DE", "NL", "FR", "CN", "SG", "RU":
			homes = append(homes, uint16(i))
		}
	}
	var place uint16
	var net uint32
	left := 0
	for i := range n {
		if left == 0 {
			place = homes[l.rng.below(len(homes))]
			net = l.nextBlock()
			l.claim(net, place, hosting)
			left = l.rng.between(1, 4)
		}
		left--
		l.people.all = append(l.people.all, person{lo: 0xffff<<32 | uint64(net) | uint64(10+i%200), place: place, client: crawlerClient})
	}
}
