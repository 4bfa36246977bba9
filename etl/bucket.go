package etl

import (
	"bytes"
	"cmp"
	"encoding/binary"
	"fmt"
	"math"
	"net/netip"
	"slices"

	"github.com/boontorrent/boon/internal/geo"
	"github.com/boontorrent/boon/internal/pseudonym"
)

// sorter turns a bucket of rows into rows sorted by requester and time, without
// repeats. One goroutine uses it at a time.
type sorter struct {
	names     *names
	runRank   []uint32
	placeRank []uint32 // of places recorded with events
	db        *geo.DB
	hasher    *pseudonym.Hasher
	raw       []byte // the bucket, in no order
	v4        numberSet
	nets4     numberSet
	keyed     map[[17]byte]uint32
	askers    []asker
	networks  []network
	nets6     map[[6]byte]uint32
	netsKeyed map[int64]uint32
	perRow    []uint32
	byRank    []uint32 // an asker of each rank
	entries   []entry
	spare     []entry
	places    map[uint64]uint32 // of what the databases say of an address, by geo.Found

	askers4, networks4 []numbered4 // with IPv4 addresses, to be looked up
	addrs              []uint32    // scratch: what is looked up together
	found              []geo.Found
}

// numbered4 is an IPv4 address and whose it is: an index in askers, or in
// networks, of which it is one address.
type numbered4 struct{ addr, index uint32 }

// asker is one address (or pseudonym) of a bucket.
type asker struct {
	requester int64
	network   uint32 // index in networks
	place     uint32
}

// network is a /24 or /48 of a bucket.
type network struct {
	pseudonym int64
	place     uint32
	whole     bool // the place is that of all its addresses
}

const tsBits = 37 // a day has fewer than 2^37 µs

// sortedRows is a bucket, sorted.
type sortedRows struct {
	rows       []byte // one behind the other
	n          int
	spans      []span
	networks   []network
	duplicates int64
}

// span is one requester's rows: count of them, from a byte of the bucket's on.
type span struct {
	requester    int64
	network      uint32 // index in the bucket's
	place        uint32
	first, count uint32
}

// sort sorts the rows in raw into out, whose memory it uses.
func (s *sorter) sort(raw []byte, out *sortedRows) error {
	if int64(len(raw)) > math.MaxUint32 {
		return fmt.Errorf("the networks of one bucket sent %d MiB of rows in a day; more than 4 GiB cannot be sorted", len(raw)>>20)
	}
	s.raw = raw
	s.resolve(raw)
	s.entries = sortEntries(s.entries, &s.spare)
	*out = sortedRows{rows: slices.Grow(out.rows[:0], len(raw)), spans: out.spans[:0], networks: append(out.networks[:0], s.networks...)}
	for i := 0; i < len(s.entries); {
		j := i + 1
		for j < len(s.entries) && s.entries[j].key == s.entries[i].key {
			j++
		}
		if j == i+1 {
			s.append(out, s.entries[i])
		} else {
			s.tie(out, s.entries[i:j])
		}
		i = j
	}
	return nil
}

// shed gives up memory that one bucket far larger than others needed.
func (s *sorter) shed() {
	*s = sorter{names: s.names, runRank: s.runRank, placeRank: s.placeRank, db: s.db, hasher: s.hasher}
}

// resolve finds the distinct askers of the rows, their pseudonyms and places,
// and makes the entries to sort.
func (s *sorter) resolve(raw []byte) {
	if s.keyed == nil {
		s.keyed, s.nets6, s.netsKeyed, s.places = map[[17]byte]uint32{}, map[[6]byte]uint32{}, map[int64]uint32{}, map[uint64]uint32{}
	}
	clear(s.keyed)
	clear(s.nets6)
	clear(s.netsKeyed)
	s.v4.reset()
	s.nets4.reset()
	s.askers, s.networks, s.perRow, s.entries = s.askers[:0], s.networks[:0], s.perRow[:0], s.entries[:0]
	s.askers4, s.networks4 = s.askers4[:0], s.networks4[:0]
	for off := 0; off < len(raw); off += rowSize(raw[off:]) {
		r := row(raw[off:])
		s.perRow = append(s.perRow, s.askerOf(r))
		s.entries = append(s.entries, entry{key: uint64(r.micros()), off: uint32(off)})
	}
	s.settle4()
	rank := s.rankAskers()
	for i := range s.entries {
		s.entries[i].key |= uint64(rank[s.perRow[i]]) << tsBits
	}
}

// rankAskers orders askers by requester; the same pseudonym has one rank.
func (s *sorter) rankAskers() []uint32 {
	order := make([]entry, len(s.askers))
	for i, a := range s.askers {
		order[i] = entry{key: signed(a.requester), off: uint32(i)}
	}
	order = sortEntries(order, &s.spare)
	rank := make([]uint32, len(s.askers))
	s.byRank = s.byRank[:0]
	for i, o := range order {
		if i == 0 || o.key != order[i-1].key {
			s.byRank = append(s.byRank, o.off)
		}
		rank[o.off] = uint32(len(s.byRank) - 1)
	}
	return rank
}

// signed maps numbers to unsigned ones of the same order.
func signed(v int64) uint64 { return uint64(v) ^ 1<<63 }

// askerOf is the number of the row's asker within the bucket.
func (s *sorter) askerOf(r row) uint32 {
	a := r.asker()
	if len(a) == 4 {
		addr := binary.BigEndian.Uint32(a)
		i, is := s.v4.number(addr)
		if is {
			s.newAsker4(addr)
		}
		return i
	}
	var key [17]byte
	key[0] = r[rowFlags] & askerKey
	copy(key[1:], a)
	i, ok := s.keyed[key]
	if !ok {
		i = s.newAsker(r)
		s.keyed[key] = i
	}
	return i
}

// newAsker adds the asker of a row with an IPv6 address or a pseudonym.
func (s *sorter) newAsker(r row) uint32 {
	a := asker{place: noPlace}
	b := r.asker()
	if addr := r.addr(); addr.IsValid() {
		a.requester = s.hasher.Requester(addr)
		n, ok := s.nets6[[6]byte(b)]
		if !ok {
			n = s.newNetwork(network{pseudonym: s.hasher.Network(addr)})
			s.nets6[[6]byte(b)] = n
		}
		a.network = n
		a.place = s.placeOf(s.db.Find(addr), addr)
	} else {
		a.requester = int64(binary.LittleEndian.Uint64(b))
		pseudonym := int64(binary.LittleEndian.Uint64(b[8:]))
		n, ok := s.netsKeyed[pseudonym]
		if !ok {
			n = s.newNetwork(network{pseudonym: pseudonym})
			s.netsKeyed[pseudonym] = n
		}
		a.network = n
	}
	s.askers = append(s.askers, a)
	return s.v4.skip()
}

// newNetwork adds a network that is no /24.
func (s *sorter) newNetwork(n network) uint32 {
	s.networks = append(s.networks, n)
	return s.nets4.skip()
}

// placeOf is the number of the place that was found for an address.
func (s *sorter) placeOf(f geo.Found, addr netip.Addr) uint32 {
	if f.Record == 0 {
		return noPlace
	}
	i, ok := s.places[f.Record]
	if !ok {
		i = noPlace
		if p, known := s.db.Lookup(addr); known {
			// A place more than the bound leaves the row without one.
			if n, err := s.names.places.number(&s.names.mu, p, maxPlaces, "places"); err == nil {
				i = n
			}
		}
		s.places[f.Record] = i
	}
	return i
}

// tie puts rows of one requester and microsecond in an order that does not
// depend on how they came, and drops repeats of the same record.
func (s *sorter) tie(out *sortedRows, same []entry) {
	slices.SortFunc(same, func(a, b entry) int { return s.compare(row(s.raw[a.off:]), row(s.raw[b.off:])) })
	var last row
	for _, e := range same {
		r := row(s.raw[e.off:])
		if last != nil && r.n() != 0 && r.n() == last.n() && s.runOf(r) == s.runOf(last) {
			out.duplicates++ // of the same asker and microsecond, or it would not stand here
			continue
		}
		s.append(out, e)
		last = r
	}
}

// append adds a row, and begins a span where its requester differs from the last one's.
func (s *sorter) append(out *sortedRows, e entry) {
	a := &s.askers[s.byRank[e.key>>tsBits]]
	if n := len(out.spans); n == 0 || out.spans[n-1].requester != a.requester {
		out.spans = append(out.spans, span{requester: a.requester, network: a.network, place: a.place, first: uint32(len(out.rows))})
	}
	out.spans[len(out.spans)-1].count++
	out.n++
	out.rows = append(out.rows, s.raw[e.off:int(e.off)+rowSize(s.raw[e.off:])]...)
}

// newAsker4 adds an asker with an IPv4 address, and its network if that is new.
// What is said of them is filled in by settle4.
func (s *sorter) newAsker4(addr uint32) {
	n, is := s.nets4.number(addr >> 8)
	if is {
		s.networks4 = append(s.networks4, numbered4{addr, n})
		s.networks = append(s.networks, network{})
	}
	s.askers4 = append(s.askers4, numbered4{addr, uint32(len(s.askers))})
	s.askers = append(s.askers, asker{network: n})
}

// settle4 gives IPv4 askers and their networks pseudonyms and places. A network
// is looked up once, by one of its addresses; another address only where the
// databases tell it from that one.
func (s *sorter) settle4() {
	s.lookUp(s.networks4)
	for i, n := range s.networks4 {
		addr := addr4(n.addr)
		s.networks[n.index] = network{s.hasher.Network(addr), s.placeOf(s.found[i], addr), s.found[i].Bits <= 24}
	}
	apart := s.askers4[:0]
	for _, a := range s.askers4 {
		asker := &s.askers[a.index]
		asker.requester = s.hasher.Requester(addr4(a.addr))
		n := &s.networks[asker.network]
		asker.place = n.place
		if !n.whole {
			apart = append(apart, a)
		}
	}
	s.lookUp(apart)
	for i, a := range apart {
		s.askers[a.index].place = s.placeOf(s.found[i], addr4(a.addr))
	}
}

// lookUp fills in what the databases find for some addresses.
func (s *sorter) lookUp(of []numbered4) {
	s.addrs, s.found = s.addrs[:0], slices.Grow(s.found[:0], len(of))[:len(of)]
	for _, n := range of {
		s.addrs = append(s.addrs, n.addr)
	}
	s.db.FindMany(s.addrs, s.found)
}

func addr4(a uint32) netip.Addr {
	return netip.AddrFrom4([4]byte{byte(a >> 24), byte(a >> 16), byte(a >> 8), byte(a)})
}

// runOf is the number of the run that a row came from.
func (s *sorter) runOf(r row) uint32 { return s.names.sources.values[r.source()].run }

func (s *sorter) compare(a, b row) int {
	x, y := s.names.sources.values[a.source()], s.names.sources.values[b.source()]
	if c := cmp.Compare(s.runRank[x.run], s.runRank[y.run]); c != 0 {
		return c
	}
	if c := cmp.Compare(a.n(), b.n()); c != 0 {
		return c
	}
	if c := bytes.Compare(x.our[:], y.our[:]); c != 0 {
		return c
	}
	if c := cmp.Or(bytes.Compare(a[rowTheir:rowAsker], b[rowTheir:rowAsker]), cmp.Compare(a[rowCpl], b[rowCpl])); c != 0 {
		return c
	}
	if c := cmp.Compare(a.flags(), b.flags()); c != 0 {
		return c
	}
	if c := bytes.Compare(a.name(), b.name()); c != 0 {
		return c
	}
	return cmp.Compare(s.placeRankOf(a), s.placeRankOf(b))
}

// placeRankOf orders rows by the place recorded with them; those without come first.
func (s *sorter) placeRankOf(r row) int64 {
	p, ok := r.place()
	if !ok {
		return -1
	}
	return int64(s.placeRank[p])
}
