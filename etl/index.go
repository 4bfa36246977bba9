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
	bytes []byte // of the distinct ones, in order
	slots []uint32
}

func newHashes() hashes { return hashes{dict: column.NewFixedDict(20)} }

// reset empties the table and makes it large enough for n rows.
func (h *hashes) reset(n int) {
	h.dict.Reset()
	h.bytes = h.bytes[:0]
	size := 1 << 10
	for size < 2*n {
		size <<= 1
	}
	if len(h.slots) < size {
		h.slots = make([]uint32, size)
	}
	clear(h.slots)
}

func (h *hashes) of(hash []byte) uint32 {
	mask := uint64(len(h.slots) - 1)
	for at := maphash.Bytes(seed, hash) & mask; ; at = (at + 1) & mask {
		i := h.slots[at]
		if i == 0 {
			h.bytes = append(h.bytes, hash...)
			i = h.dict.Bytes(hash)
			h.slots[at] = i + 1
			return i
		}
		if string(h.at(i-1)) == string(hash) {
			return i - 1
		}
	}
}

func (h *hashes) at(i uint32) []byte { return h.bytes[20*i : 20*i+20] }

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
