package etl

import (
	"bytes"
	"cmp"
	"encoding/binary"
	"fmt"
	"math"
	"slices"

	"github.com/boontorrent/boon/internal/geo"
	"github.com/boontorrent/boon/internal/lake"
	"github.com/boontorrent/boon/internal/pseudonym"
)

// sorter turns a bucket of rows into rows sorted by requester and time, without
// repeats. One goroutine uses it at a time.
type sorter struct {
	day       lake.Day
	names     *names
	runRank   []uint32
	ourRank   []uint32
	placeRank []uint32 // of places recorded with events
	db        *geo.DB
	hasher    *pseudonym.Hasher
	v4        map[uint32]uint32
	keyed     map[[17]byte]uint32
	askers    []asker
	perRow    []uint32
	byRank    []uint32 // an asker of each rank
	entries   []entry
	spare     []entry
	networks  map[[17]byte]int64
}

// asker is one address (or pseudonym) of a bucket.
type asker struct {
	requester, network int64
	place              uint32
}

// entry is a row under sorting: rank of its requester and µs of the day in one
// number, and where the row lies.
type entry struct {
	key uint64
	off uint32
}

const tsBits = 37 // a day has fewer than 2^37 µs

// sortedRows is a bucket, sorted.
type sortedRows struct {
	raw        []byte
	offs       []uint32 // of rows, in order
	bytes      int      // of those rows
	spans      []span
	duplicates int64
}

// span is one requester's rows: offs[first : first+count].
type span struct {
	requester, network int64
	place              uint32
	first, count       int
}

// sort sorts the rows in raw.
func (s *sorter) sort(raw []byte) (*sortedRows, error) {
	if int64(len(raw)) > math.MaxUint32 {
		return nil, fmt.Errorf("the networks of one bucket sent %d MiB of rows in a day; more than 4 GiB cannot be sorted", len(raw)>>20)
	}
	s.resolve(raw)
	s.entries = radixSort(s.entries, &s.spare)
	out := &sortedRows{raw: raw, offs: make([]uint32, 0, len(s.entries))}
	for i := 0; i < len(s.entries); {
		j := i + 1
		for j < len(s.entries) && s.entries[j].key == s.entries[i].key {
			j++
		}
		s.tie(out, s.entries[i:j])
		i = j
	}
	return out, nil
}

// resolve finds the distinct askers of the rows, their pseudonyms and places,
// and makes the entries to sort.
func (s *sorter) resolve(raw []byte) {
	if s.v4 == nil {
		s.v4, s.keyed, s.networks = map[uint32]uint32{}, map[[17]byte]uint32{}, map[[17]byte]int64{}
	}
	clear(s.v4)
	clear(s.keyed)
	clear(s.networks)
	s.askers, s.perRow, s.entries = s.askers[:0], s.perRow[:0], s.entries[:0]
	for off := 0; off < len(raw); off += rowSize(raw[off:]) {
		r := row(raw[off:])
		s.perRow = append(s.perRow, s.askerOf(r))
		s.entries = append(s.entries, entry{key: uint64(r.ts() - s.day.Start()), off: uint32(off)})
	}
	rank := s.rankAskers()
	for i := range s.entries {
		s.entries[i].key |= uint64(rank[s.perRow[i]]) << tsBits
	}
}

// rankAskers orders askers by requester; the same pseudonym has one rank.
func (s *sorter) rankAskers() []uint32 {
	order := make([]uint32, len(s.askers))
	for i := range order {
		order[i] = uint32(i)
	}
	slices.SortFunc(order, func(a, b uint32) int { return cmp.Compare(s.askers[a].requester, s.askers[b].requester) })
	rank := make([]uint32, len(s.askers))
	s.byRank = s.byRank[:0]
	for i, a := range order {
		if i == 0 || s.askers[a].requester != s.askers[order[i-1]].requester {
			s.byRank = append(s.byRank, a)
		}
		rank[a] = uint32(len(s.byRank) - 1)
	}
	return rank
}

// askerOf is the number of the row's asker within the bucket.
func (s *sorter) askerOf(r row) uint32 {
	a := r.asker()
	if len(a) == 4 {
		key := binary.LittleEndian.Uint32(a)
		i, ok := s.v4[key]
		if !ok {
			i = s.newAsker(r)
			s.v4[key] = i
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

func (s *sorter) newAsker(r row) uint32 {
	a := asker{place: noPlace}
	if addr := r.addr(); addr.IsValid() {
		a.requester = s.hasher.Requester(addr)
		a.network = s.network(r)
		if p, ok := s.db.Lookup(addr); ok {
			// A place more than the bound leaves the row without one.
			if i, err := s.names.places.number(&s.names.mu, p, maxPlaces, "places"); err == nil {
				a.place = i
			}
		}
	} else {
		b := r.asker()
		a.requester = int64(binary.LittleEndian.Uint64(b))
		a.network = int64(binary.LittleEndian.Uint64(b[8:]))
	}
	s.askers = append(s.askers, a)
	return uint32(len(s.askers) - 1)
}

// network is the pseudonym of the row's network; several addresses share one.
func (s *sorter) network(r row) int64 {
	var key [17]byte
	b := r.asker()
	keep := 6
	if len(b) == 4 {
		keep = 3
	}
	key[0] = byte(len(b))
	copy(key[1:], b[:keep])
	n, ok := s.networks[key]
	if !ok {
		n = s.hasher.Network(r.addr())
		s.networks[key] = n
	}
	return n
}

// tie puts rows of one requester and microsecond in an order that does not
// depend on how they came, and drops repeats of the same record.
func (s *sorter) tie(out *sortedRows, same []entry) {
	if len(same) > 1 {
		slices.SortFunc(same, func(a, b entry) int { return s.compare(row(out.raw[a.off:]), row(out.raw[b.off:])) })
	}
	var last row
	for _, e := range same {
		r := row(out.raw[e.off:])
		if last != nil && r.n() != 0 && r.n() == last.n() && r.run() == last.run() {
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
		out.spans = append(out.spans, span{requester: a.requester, network: a.network, place: a.place, first: len(out.offs)})
	}
	out.spans[len(out.spans)-1].count++
	out.offs = append(out.offs, e.off)
	out.bytes += rowSize(out.raw[e.off:])
}

func (s *sorter) compare(a, b row) int {
	if c := cmp.Compare(s.runRank[a.run()], s.runRank[b.run()]); c != 0 {
		return c
	}
	if c := cmp.Compare(a.n(), b.n()); c != 0 {
		return c
	}
	if c := cmp.Compare(s.ourRank[a.our()], s.ourRank[b.our()]); c != 0 {
		return c
	}
	if c := bytes.Compare(a[rowTheir:rowAsker], b[rowTheir:rowAsker]); c != 0 {
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

// radixSort sorts by key, least significant digit first, passing over digits
// that all keys share. The order of equal keys is kept.
func radixSort(entries []entry, spare *[]entry) []entry {
	if cap(*spare) < len(entries) {
		*spare = make([]entry, len(entries))
	}
	from, to := entries, (*spare)[:len(entries)]
	var all uint64
	for _, e := range from {
		all |= e.key ^ from[0].key
	}
	const digit = 11
	for shift := 0; shift < 64; shift += digit {
		if all>>shift&(1<<digit-1) == 0 {
			continue
		}
		var at [1 << digit]uint32
		for _, e := range from {
			at[e.key>>shift&(1<<digit-1)]++
		}
		sum := uint32(0)
		for i, n := range at {
			at[i] = sum
			sum += n
		}
		for _, e := range from {
			d := e.key >> shift & (1<<digit - 1)
			to[at[d]] = e
			at[d]++
		}
		from, to = to, from
	}
	*spare = to
	return from
}
