package etl

import (
	"bytes"
	"cmp"
	"encoding/binary"
	"math/bits"
	"slices"

	"github.com/boontorrent/boon/datasets"
	"github.com/boontorrent/boon/etl/column"
)

// ask is one requester's interest in one info-hash from one country, within a
// row group.
type ask struct {
	hash, country, network    uint32
	queries, announces, seeds uint32
}

// want is a row of demand, or a part of one: networks and requesters lie each
// in one row group, so the parts of several groups add up.
type want struct {
	hash       [20]byte
	country    string
	requesters int64
	networks   int64
	queries    int64
	announces  int64
	seeders    int64
}

func (w *want) compare(o *want) int {
	if c := bytes.Compare(w.hash[:], o.hash[:]); c != 0 {
		return c
	}
	return cmp.Compare(w.country, o.country)
}

func (w *want) add(o *want) {
	w.requesters += o.requesters
	w.networks += o.networks
	w.queries += o.queries
	w.announces += o.announces
	w.seeders += o.seeders
}

// wantSize is the bytes of a want of two letters and small numbers.
const wantSize = wantHead + 2 + 5

// appendWant appends the bytes by which a want travels through a spill.
func appendWant(dst []byte, w *want) []byte {
	dst = append(dst, w.hash[:]...)
	dst = append(dst, byte(len(w.country)))
	dst = append(dst, w.country...)
	for _, v := range [...]int64{w.requesters, w.networks, w.queries, w.announces, w.seeders} {
		dst = binary.AppendUvarint(dst, uint64(v))
	}
	return dst
}

// sumAsks adds a row group's asks up and gives them, packed, in order of
// info-hash and country.
func (e *emitter) sumAsks() []byte {
	if len(e.asks) == 0 {
		return nil
	}
	k := e.askKeys()
	if k.netBits+k.countryBits+k.hashBits <= 64 {
		return e.sumOrdered(k.netBits, e.orderByKeys(&k))
	}
	return e.sumOrdered(k.netBits, e.orderByPairs(&k))
}

// sumOrdered adds up the asks in e.order, whose keys have the network in their
// lowest bits; of gives an empty want for the rest of a key.
func (e *emitter) sumOrdered(netBits int, of func(key uint64) want) []byte {
	dst := make([]byte, 0, len(e.asks)*wantSize)
	var w want
	var last uint64
	for i, o := range e.order {
		if i == 0 || o.key>>netBits != last>>netBits {
			if i > 0 {
				dst = appendWant(dst, &w)
			}
			w = of(o.key >> netBits)
		}
		if w.requesters == 0 || o.key != last {
			w.networks++
		}
		w.requesters++
		if o.more == manyAsks {
			a := &e.asks[o.off]
			w.queries, w.announces, w.seeders = w.queries+int64(a.queries), w.announces+int64(a.announces), w.seeders+int64(a.seeds)
		} else {
			w.queries += int64(o.more >> 16)
			w.announces += int64(o.more >> 1 & fewAsks)
			w.seeders += int64(o.more & 1)
		}
		last = o.key
	}
	return appendWant(dst, &w)
}

// The numbers of an ask travel with its key where they are small, as queries,
// announces and seeds in sixteen, fifteen bits and one: looked up one by one, in
// the order of the keys, they would each come from memory alone.
const (
	fewAsks  = 1<<15 - 1
	manyAsks = ^uint32(0)
)

func (a *ask) packed() uint32 {
	if a.queries > fewAsks || a.announces > fewAsks || a.seeds > 1 {
		return manyAsks
	}
	return a.queries<<16 | a.announces<<1 | a.seeds
}

// askKeys is what the asks of a row group are put in order by.
type askKeys struct {
	hashes                         [][20]byte // in order
	hashRank                       []uint32   // the place of each
	countries                      []string   // by index; the last is none
	countryRank                    []uint32
	hashBits, countryBits, netBits int
}

func (e *emitter) askKeys() askKeys {
	var k askKeys
	k.hashes, k.hashRank = ranksOf(&e.cols.hash)
	k.countries = append(e.cols.country.all(), "")
	for i, name := range k.countries {
		k.countries[i] = name[:min(len(name), 255)]
	}
	k.countryRank = ranks(k.countries, cmp.Compare[string])
	k.hashBits, k.countryBits, k.netBits = bits.Len(uint(len(k.hashes))), bits.Len(uint(len(k.countries))), bits.Len(uint(e.networks))
	return k
}

// country is the index in countries of an ask's.
func (k *askKeys) country(a *ask) uint32 { return min(a.country, uint32(len(k.countries)-1)) }

// orderByKeys orders the asks by info-hash, country and network in one key.
func (e *emitter) orderByKeys(k *askKeys) (of func(key uint64) want) {
	e.order = slices.Grow(e.order[:0], len(e.asks))
	for i := range e.asks {
		a := &e.asks[i]
		pair := uint64(k.hashRank[a.hash])<<k.countryBits | uint64(k.countryRank[k.country(a)])
		e.order = append(e.order, entry{pair<<k.netBits | uint64(a.network), uint32(i), a.packed()})
	}
	e.order = sortEntries(e.order, &e.spare)
	names := make([]string, len(k.countries))
	for i, r := range k.countryRank {
		names[r] = k.countries[i]
	}
	return func(pair uint64) want {
		return want{hash: k.hashes[pair>>k.countryBits], country: names[pair&(1<<k.countryBits-1)]}
	}
}

// orderByPairs does so where the three do not fit into a key, as in a group of
// one network that asked for millions: keys number the pairs of info-hash and
// country.
func (e *emitter) orderByPairs(k *askKeys) (of func(key uint64) want) {
	e.order = slices.Grow(e.order[:0], len(e.asks))
	for i := range e.asks {
		e.order = append(e.order, entry{off: uint32(i), more: manyAsks})
	}
	slices.SortFunc(e.order, func(x, y entry) int {
		a, b := &e.asks[x.off], &e.asks[y.off]
		return cmp.Or(cmp.Compare(k.hashRank[a.hash], k.hashRank[b.hash]),
			cmp.Compare(k.countryRank[k.country(a)], k.countryRank[k.country(b)]), cmp.Compare(a.network, b.network))
	})
	var pairs []*ask // the first of each
	for i, o := range e.order {
		a := &e.asks[o.off]
		if i == 0 || a.hash != pairs[len(pairs)-1].hash || a.country != pairs[len(pairs)-1].country {
			pairs = append(pairs, a)
		}
		e.order[i].key = uint64(len(pairs)-1)<<k.netBits | uint64(a.network)
	}
	return func(pair uint64) want {
		a := pairs[pair]
		return want{hash: [20]byte(e.cols.hash.at(a.hash)), country: k.countries[k.country(a)]}
	}
}

// ranksOf puts a row group's info-hashes in order, and gives the place of each.
func ranksOf(h *hashes) (order [][20]byte, rank []uint32) {
	entries := make([]entry, h.dict.Count())
	for i := range entries {
		entries[i] = entry{key: binary.BigEndian.Uint64(h.at(uint32(i))), off: uint32(i)}
	}
	var spare []entry
	entries = sortEntries(entries, &spare)
	for i := 0; i < len(entries); { // hashes that share eight bytes are rare
		j := i + 1
		for j < len(entries) && entries[j].key == entries[i].key {
			j++
		}
		slices.SortFunc(entries[i:j], func(x, y entry) int {
			return bytes.Compare(h.at(x.off), h.at(y.off))
		})
		i = j
	}
	order, rank = make([][20]byte, len(entries)), make([]uint32, len(entries))
	for r, e := range entries {
		order[r] = [20]byte(h.at(e.off))
		rank[e.off] = uint32(r)
	}
	return order, rank
}

// demandColumns builds row groups of the table demand.
type demandColumns struct {
	hash                                              *column.Dict
	last                                              [20]byte
	lastAt                                            uint32
	country                                           texts
	requesters, networks, queries, announces, seeders *counts
}

func demandSchema() (*column.Schema, error) { return column.SchemaOf[datasets.Demand]() }

func newDemandColumns() *demandColumns {
	c := &demandColumns{hash: column.NewFixedDict(20), country: newTexts()}
	for _, n := range c.counts() {
		*n = newCounts()
	}
	return c
}

func (c *demandColumns) counts() []**counts {
	return []**counts{&c.requesters, &c.networks, &c.queries, &c.announces, &c.seeders}
}

func (c *demandColumns) reset() {
	c.hash.Reset()
	c.country.reset()
	for _, n := range c.counts() {
		(*n).reset()
	}
}

func (c *demandColumns) add(w *want) {
	if c.hash.Len() == 0 || w.hash != c.last {
		c.last, c.lastAt = w.hash, c.hash.Bytes(w.hash[:])
	}
	c.hash.Add(c.lastAt)
	c.country.add(w.country)
	c.requesters.add(w.requesters)
	c.networks.add(w.networks)
	c.queries.add(w.queries)
	c.announces.add(w.announces)
	c.seeders.add(w.seeders)
}

// columns are the columns in the order of datasets.Demand.
func (c *demandColumns) columns() []column.Column {
	return []column.Column{
		c.hash, c.country.dict, c.requesters.dict, c.networks.dict, c.queries.dict, c.announces.dict, c.seeders.dict,
	}
}
