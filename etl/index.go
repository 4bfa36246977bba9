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

// texts gives the distinct texts of a column their indexes.
type texts struct {
	dict  *column.Dict
	index map[string]uint32
}

func newTexts() texts { return texts{dict: column.NewDict(), index: map[string]uint32{}} }

func (t *texts) reset() {
	t.dict.Reset()
	clear(t.index)
}

// of returns the index of s, column.Null for "".
func (t *texts) of(s string) uint32 {
	if s == "" {
		return column.Null
	}
	i, ok := t.index[s]
	if !ok {
		i = t.dict.Text(s)
		t.index[s] = i
	}
	return i
}

// text is the text of an index, "" for column.Null.
func (t *texts) text(index uint32) string {
	if index == column.Null {
		return ""
	}
	return t.dict.TextAt(int(index))
}

// numbers gives the distinct numbers of a column their indexes.
type numbers struct {
	dict  *column.Dict
	add   func(int64) uint32
	index map[int64]uint32
}

func newNumbers() numbers {
	d := column.NewInt64Dict()
	return numbers{dict: d, add: d.Int64, index: map[int64]uint32{}}
}

func (n *numbers) reset() {
	n.dict.Reset()
	clear(n.index)
}

func (n *numbers) of(v int64) uint32 {
	i, ok := n.index[v]
	if !ok {
		i = n.add(v)
		n.index[v] = i
	}
	return i
}

// doubles does the same for floating point numbers.
type doubles struct {
	dict  *column.Dict
	index map[float64]uint32
}

func newDoubles() doubles { return doubles{dict: column.NewDoubleDict(), index: map[float64]uint32{}} }

func (d *doubles) reset() {
	d.dict.Reset()
	clear(d.index)
}

func (d *doubles) of(v float64) uint32 {
	i, ok := d.index[v]
	if !ok {
		i = d.dict.Double(v)
		d.index[v] = i
	}
	return i
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
