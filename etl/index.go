package etl

import (
	"hash/maphash"

	"github.com/boontorrent/boon/etl/column"
)

// stamps gives the numbers of a day (of runs, places …) small indexes within
// one row group, without clearing memory between groups.
type stamps struct {
	epoch uint32
	cells []stamp
}

type stamp struct{ epoch, index uint32 }

func (s *stamps) reset() { s.epoch++ }

// room makes cells for the numbers below n.
func (s *stamps) room(n int) {
	if n > len(s.cells) {
		s.cells = append(s.cells, make([]stamp, n-len(s.cells))...)
	}
}

// cell returns the number's cell and whether it was set in this group.
func (s *stamps) cell(number uint32) (*stamp, bool) {
	for int(number) >= len(s.cells) {
		s.cells = append(s.cells, make([]stamp, len(s.cells)+64)...)
	}
	c := &s.cells[number]
	if c.epoch == s.epoch {
		return c, true
	}
	c.epoch = s.epoch
	return c, false
}

// interned gives the distinct values of a column their indexes.
type interned[T comparable] struct {
	dict  *column.Dict
	put   func(T) uint32
	index map[T]uint32
}

func (n *interned[T]) reset() {
	n.dict.Reset()
	clear(n.index)
}

// of is the index of v.
func (n *interned[T]) of(v T) uint32 {
	i, ok := n.index[v]
	if !ok {
		i = n.put(v)
		n.index[v] = i
	}
	return i
}

// add appends a row.
func (n *interned[T]) add(v T) { n.dict.Add(n.of(v)) }

// counts is a column of numbers most of which are small.
type counts struct {
	numbers
	small [256]uint32 // index + 1
}

func newCounts() *counts { return &counts{numbers: newNumbers()} }

func (c *counts) reset() {
	c.numbers.reset()
	clear(c.small[:])
}

// add appends a row.
func (c *counts) add(v int64) {
	if uint64(v) >= uint64(len(c.small)) {
		c.numbers.add(v)
		return
	}
	if c.small[v] == 0 {
		c.small[v] = c.dict.Int64(v) + 1
	}
	c.dict.Add(c.small[v] - 1)
}

type (
	numbers = interned[int64]
	doubles = interned[float64]
)

func newNumbers() numbers {
	d := column.NewInt64Dict()
	return numbers{d, d.Int64, map[int64]uint32{}}
}

func newDoubles() doubles {
	d := column.NewDoubleDict()
	return doubles{d, d.Double, map[float64]uint32{}}
}

// texts does the same for text, of which "" is null.
type texts struct{ interned[string] }

func newTexts() texts {
	d := column.NewDict()
	return texts{interned[string]{d, d.Text, map[string]uint32{}}}
}

// of is the index of s, column.Null for "".
func (t *texts) of(s string) uint32 {
	if s == "" {
		return column.Null
	}
	return t.interned.of(s)
}

// add appends a row.
func (t *texts) add(s string) { t.dict.Add(t.of(s)) }

// copy appends a row with the text that has an index in another column; seen
// keeps which index it has here.
func (t *texts) copy(seen *stamps, from *texts, index uint32) {
	if index == column.Null {
		t.dict.Add(index)
		return
	}
	cell, ok := seen.cell(index)
	if !ok {
		cell.index = t.of(from.text(index))
	}
	t.dict.Add(cell.index)
}

// all is the distinct texts by index.
func (t *texts) all() []string {
	out := make([]string, t.dict.Count())
	for i := range out {
		out[i] = t.dict.TextAt(i)
	}
	return out
}

// text is the text of an index, "" for column.Null.
func (t *texts) text(index uint32) string {
	if index == column.Null {
		return ""
	}
	return t.dict.TextAt(int(index))
}

// hashes gives the distinct info-hashes of a row group their indexes: an open
// table of indexes, with the hashes themselves in the column's dictionary.
type hashes struct {
	dict  *column.Dict
	slots []uint64 // half a digest above, index + 1 below
}

func newHashes() hashes {
	d := column.NewFixedDict(20)
	d.Digests = true
	return hashes{dict: d}
}

// leastSlots is the size at which the table begins. It grows with what is in it:
// a group has far fewer info-hashes than rows, and a small table stays near.
const leastSlots = 1 << 10

// reset empties the table, keeping its memory.
func (h *hashes) reset() {
	h.dict.Reset()
	if h.slots == nil {
		h.slots = make([]uint64, leastSlots)
	}
	clear(h.slots)
}

// grow doubles the table.
func (h *hashes) grow() {
	h.slots = make([]uint64, 2*len(h.slots))
	for i := range uint32(h.dict.Count()) {
		h.put(i, sumOf(h.at(i)))
	}
}

// put makes an index found by the sum of its info-hash.
func (h *hashes) put(i uint32, sum uint64) {
	mask := uint64(len(h.slots) - 1)
	at := sum & mask
	for h.slots[at] != 0 {
		at = (at + 1) & mask
	}
	h.slots[at] = sum&upperHalf | uint64(i+1)
}

const upperHalf = 0xffffffff << 32

// sumOf is the sum by which an info-hash is found.
func sumOf(hash []byte) uint64 { return maphash.Bytes(seed, hash) }

// slot is where an info-hash will be looked for.
func (h *hashes) slot(sum uint64) uint64 { return h.slots[sum&uint64(len(h.slots)-1)] }

// touch reads the info-hash that a sum's slot leads to.
func (h *hashes) touch(sum uint64) uint64 {
	if i := uint32(h.slot(sum)); i > 0 {
		return uint64(h.at(i - 1)[0])
	}
	return 0
}

// of is the index of an info-hash whose sum is known.
func (h *hashes) of(hash []byte, sum uint64) uint32 {
	mask := uint64(len(h.slots) - 1)
	for at := sum & mask; ; at = (at + 1) & mask {
		slot := h.slots[at]
		if slot == 0 {
			i := h.dict.Bytes(hash)
			h.slots[at] = sum&upperHalf | uint64(i+1)
			if 2*h.dict.Count() > len(h.slots) {
				h.grow()
			}
			return i
		}
		if i := uint32(slot) - 1; (slot^sum)&upperHalf == 0 && string(h.at(i)) == string(hash) {
			return i
		}
	}
}

func (h *hashes) at(i uint32) []byte { return h.dict.At(int(i)) }

// small gives the numbers 0 to 2560 of a 32-bit column their indexes.
type small struct {
	dict  *column.Dict
	index [2561]uint32 // index + 1
}

func newSmall() *small { return &small{dict: column.NewInt32Dict()} }

func (s *small) reset() {
	s.dict.Reset()
	clear(s.index[:])
}

func (s *small) of(v int32) uint32 {
	if s.index[v] == 0 {
		s.index[v] = s.dict.Int32(v) + 1
	}
	return s.index[v] - 1
}
