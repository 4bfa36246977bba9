package column

import (
	"bytes"
	"cmp"
	"encoding/binary"
	"math"

	"github.com/parquet-go/parquet-go/format"
)

// Null is the index that stands for null in a Dict.
const Null = math.MaxUint32

// Column is a row group's values of one column.
type Column interface {
	// Len is the number of rows.
	Len() int
	// encode appends the column's pages.
	encode(e *encoder, c leaf) error
}

// Dict is a column with a dictionary: the distinct values, and for each row an
// index into them. Values are kept in Parquet's PLAIN encoding.
type Dict struct {
	Rows   []uint32 // indexes, or Null
	values []byte
	ends   []uint32 // of byte arrays: where each value ends
	count  int
	width  int // bytes of a value of fixed width, 0 for byte arrays
	kind   format.Type
}

// NewDict returns an empty column of byte arrays (text).
func NewDict() *Dict { return &Dict{kind: format.ByteArray} }

// NewFixedDict returns an empty column of byte arrays of one width.
func NewFixedDict(width int) *Dict { return &Dict{kind: format.FixedLenByteArray, width: width} }

// NewInt64Dict returns an empty column of 64-bit numbers.
func NewInt64Dict() *Dict { return &Dict{kind: format.Int64, width: 8} }

// NewInt32Dict returns an empty column of 32-bit numbers.
func NewInt32Dict() *Dict { return &Dict{kind: format.Int32, width: 4} }

// NewDoubleDict returns an empty column of floating point numbers.
func NewDoubleDict() *Dict { return &Dict{kind: format.Double, width: 8} }

// Reset empties the column, keeping its memory.
func (d *Dict) Reset() {
	d.Rows, d.values, d.ends, d.count = d.Rows[:0], d.values[:0], d.ends[:0], 0
}

// Len implements Column.
func (d *Dict) Len() int { return len(d.Rows) }

// Add appends a row.
func (d *Dict) Add(index uint32) { d.Rows = append(d.Rows, index) }

// AddN appends n rows of one value.
func (d *Dict) AddN(index uint32, n int) {
	for range n {
		d.Rows = append(d.Rows, index)
	}
}

// Text adds a distinct value to the dictionary and returns its index.
func (d *Dict) Text(s string) uint32 {
	d.values = binary.LittleEndian.AppendUint32(d.values, uint32(len(s)))
	d.values = append(d.values, s...)
	d.ends = append(d.ends, uint32(len(d.values)))
	return d.next()
}

// Bytes adds a distinct value of fixed width.
func (d *Dict) Bytes(b []byte) uint32 {
	d.values = append(d.values, b...)
	return d.next()
}

// Int64 adds a distinct number.
func (d *Dict) Int64(v int64) uint32 {
	d.values = binary.LittleEndian.AppendUint64(d.values, uint64(v))
	return d.next()
}

// Int32 adds a distinct number.
func (d *Dict) Int32(v int32) uint32 {
	d.values = binary.LittleEndian.AppendUint32(d.values, uint32(v))
	return d.next()
}

// Double adds a distinct number.
func (d *Dict) Double(v float64) uint32 {
	d.values = binary.LittleEndian.AppendUint64(d.values, math.Float64bits(v))
	return d.next()
}

// Count is the number of distinct values.
func (d *Dict) Count() int { return d.count }

func (d *Dict) next() uint32 {
	d.count++
	return uint32(d.count - 1)
}

// value returns the i-th value as statistics want it: without a length.
func (d *Dict) value(i int) []byte {
	if d.width > 0 {
		return d.values[i*d.width : (i+1)*d.width]
	}
	start := uint32(0)
	if i > 0 {
		start = d.ends[i-1]
	}
	return d.values[start+4 : d.ends[i]]
}

// bounds returns the least and greatest value of the dictionary, all of whose
// values are used.
func (d *Dict) bounds() (least, greatest []byte) {
	for i := range d.count {
		v := d.value(i)
		if least == nil || compare(d.kind, v, least) < 0 {
			least = v
		}
		if greatest == nil || compare(d.kind, v, greatest) > 0 {
			greatest = v
		}
	}
	return least, greatest
}

// compare orders two values as the column order of their type says.
func compare(kind format.Type, a, b []byte) int {
	switch kind {
	case format.Int64:
		return cmp.Compare(int64(binary.LittleEndian.Uint64(a)), int64(binary.LittleEndian.Uint64(b)))
	case format.Int32:
		return cmp.Compare(int32(binary.LittleEndian.Uint32(a)), int32(binary.LittleEndian.Uint32(b)))
	case format.Double:
		return cmp.Compare(math.Float64frombits(binary.LittleEndian.Uint64(a)), math.Float64frombits(binary.LittleEndian.Uint64(b)))
	}
	return bytes.Compare(a, b)
}

// Longs is a column of 64-bit numbers without nulls, written as differences.
type Longs struct{ Rows []int64 }

// Len implements Column.
func (l *Longs) Len() int { return len(l.Rows) }

// Bools is a column of truth values, one byte a row: 0 false, 1 true, 2 null.
type Bools struct{ Rows []byte }

// The rows of Bools.
const (
	False = 0
	True  = 1
	NoBit = 2
)

// Len implements Column.
func (b *Bools) Len() int { return len(b.Rows) }

// TextAt is the i-th distinct text.
func (d *Dict) TextAt(i int) string { return string(d.value(i)) }

// Texts is a column of text without nulls and without a dictionary, for values
// that hardly repeat.
type Texts struct {
	values []byte // in Parquet's PLAIN encoding
	ends   []uint32
}

// Len implements Column.
func (t *Texts) Len() int { return len(t.ends) }

// Add appends a row.
func (t *Texts) Add(s string) {
	t.values = binary.LittleEndian.AppendUint32(t.values, uint32(len(s)))
	t.values = append(t.values, s...)
	t.ends = append(t.ends, uint32(len(t.values)))
}

// Reset empties the column, keeping its memory.
func (t *Texts) Reset() { t.values, t.ends = t.values[:0], t.ends[:0] }
