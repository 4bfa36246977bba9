package etl

import (
	"bufio"
	"bytes"
	"cmp"
	"container/heap"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
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

// sumAsks adds a row group's asks up and appends them in order of info-hash and
// country to dst.
func sumAsks(dst []byte, asks []ask, c *queryColumns) []byte {
	if len(asks) == 0 {
		return dst
	}
	rank := ranksOf(c.hash.bytes)
	slices.SortFunc(asks, func(a, b ask) int {
		if a.hash != b.hash {
			return cmp.Compare(rank[a.hash], rank[b.hash])
		}
		if a.country != b.country {
			return cmp.Compare(c.country.text(a.country), c.country.text(b.country))
		}
		return cmp.Compare(a.network, b.network)
	})
	var w want
	for i, a := range asks {
		if i == 0 || a.hash != asks[i-1].hash || a.country != asks[i-1].country {
			if i > 0 {
				dst = appendWant(dst, &w)
			}
			w = want{hash: [20]byte(c.hash.at(a.hash)), country: c.country.text(a.country)}
			w.country = w.country[:min(len(w.country), 255)]
		}
		if w.requesters == 0 || a.network != asks[i-1].network {
			w.networks++
		}
		w.requesters++
		w.queries += int64(a.queries)
		w.announces += int64(a.announces)
		w.seeders += int64(a.seeds)
	}
	return appendWant(dst, &w)
}

// ranksOf orders the info-hashes that lie one behind the other in b.
func ranksOf(b []byte) []uint32 {
	entries := make([]entry, len(b)/20)
	for i := range entries {
		entries[i] = entry{key: binary.BigEndian.Uint64(b[20*i:]), off: uint32(i)}
	}
	var spare []entry
	entries = radixSort(entries, &spare)
	for i := 0; i < len(entries); { // hashes that share eight bytes are rare
		j := i + 1
		for j < len(entries) && entries[j].key == entries[i].key {
			j++
		}
		slices.SortFunc(entries[i:j], func(x, y entry) int {
			return bytes.Compare(b[20*x.off:20*x.off+20], b[20*y.off:20*y.off+20])
		})
		i = j
	}
	rank := make([]uint32, len(entries))
	for r, e := range entries {
		rank[e.off] = uint32(r)
	}
	return rank
}

// wants reads one row group's part of demand from a spill.
type wants struct {
	in  *bufio.Reader
	now want
}

func (w *wants) next() error {
	if _, err := io.ReadFull(w.in, w.now.hash[:]); err != nil {
		return err // io.EOF at the end
	}
	n, err := w.in.ReadByte()
	if err != nil {
		return err
	}
	var country [255]byte
	if _, err := io.ReadFull(w.in, country[:n]); err != nil {
		return err
	}
	if w.now.country != string(country[:n]) {
		w.now.country = string(country[:n])
	}
	for _, p := range [...]*int64{&w.now.requesters, &w.now.networks, &w.now.queries, &w.now.announces, &w.now.seeders} {
		v, err := binary.ReadUvarint(w.in)
		if err != nil {
			return err
		}
		*p = int64(v)
	}
	return nil
}

// merge is a heap of parts by their next want.
type merge []*wants

func (m merge) Len() int           { return len(m) }
func (m merge) Less(i, j int) bool { return m[i].now.compare(&m[j].now) < 0 }
func (m merge) Swap(i, j int)      { m[i], m[j] = m[j], m[i] }
func (m *merge) Push(x any)        { *m = append(*m, x.(*wants)) }
func (m *merge) Pop() any {
	old := *m
	x := old[len(old)-1]
	*m = old[:len(old)-1]
	return x
}

// mergeWants calls each with every row of demand, in order, added up over the parts.
func mergeWants(parts []io.Reader, each func(*want) error) error {
	var m merge
	for _, p := range parts {
		w := &wants{in: bufio.NewReaderSize(p, 32<<10)}
		err := w.next()
		if errors.Is(err, io.EOF) {
			continue
		}
		if err != nil {
			return fmt.Errorf("read a temporary file: %w", err)
		}
		m = append(m, w)
	}
	heap.Init(&m)
	var sum want
	for begun := false; len(m) > 0; begun = true {
		top := m[0]
		if begun && sum.compare(&top.now) == 0 {
			sum.add(&top.now)
		} else {
			if begun {
				if err := each(&sum); err != nil {
					return err
				}
			}
			sum = top.now
		}
		switch err := top.next(); {
		case errors.Is(err, io.EOF):
			heap.Pop(&m)
		case err != nil:
			return fmt.Errorf("read a temporary file: %w", err)
		default:
			heap.Fix(&m, 0)
		}
	}
	if sum.requesters > 0 {
		return each(&sum)
	}
	return nil
}

// demandColumns builds row groups of the table demand.
type demandColumns struct {
	hash                                              *column.Dict
	last                                              [20]byte
	lastAt                                            uint32
	country                                           texts
	requesters, networks, queries, announces, seeders numbers
}

func demandSchema() (*column.Schema, error) { return column.SchemaOf[datasets.Demand]() }

func newDemandColumns() *demandColumns {
	c := &demandColumns{hash: column.NewFixedDict(20), country: newTexts()}
	for _, n := range c.numbers() {
		*n = newNumbers()
	}
	return c
}

func (c *demandColumns) numbers() []*numbers {
	return []*numbers{&c.requesters, &c.networks, &c.queries, &c.announces, &c.seeders}
}

func (c *demandColumns) reset() {
	c.hash.Reset()
	c.country.reset()
	for _, n := range c.numbers() {
		n.reset()
	}
}

func (c *demandColumns) add(w *want) {
	if c.hash.Len() == 0 || w.hash != c.last {
		c.last, c.lastAt = w.hash, c.hash.Bytes(w.hash[:])
	}
	c.hash.Add(c.lastAt)
	c.country.add(w.country)
	for i, v := range [...]int64{w.requesters, w.networks, w.queries, w.announces, w.seeders} {
		c.numbers()[i].add(v)
	}
}

// columns are the columns in the order of datasets.Demand.
func (c *demandColumns) columns() []column.Column {
	return []column.Column{
		c.hash, c.country.dict, c.requesters.dict, c.networks.dict, c.queries.dict, c.announces.dict, c.seeders.dict,
	}
}
