package column

import (
	"bytes"
	"cmp"
	"encoding/binary"
	"math"
	"slices"

	"github.com/parquet-go/parquet-go/format"
)

// Null is the index that stands for null in a Dict.
const Null = math.MaxUint32

// Column is a row group's values of one column.
type Column interface {
	// Len is the number of rows.
	Len() int
	// encode turns the first n rows into data pages and takes them out.
	encode(e *chunk, n int) error
	// bound adds the row group's least and greatest value, where they are known.
	bound(e *chunk)
}

// Dict is a column with a dictionary: the distinct values, and for each row an
// index into them. Values are kept in Parquet's PLAIN encoding.
type Dict struct {
	Rows    []uint32 // indexes, or Null
	InRuns  bool     // rows come as runs of equal values, and are kept so instead of in Rows
	Digests bool     // the values are digests, which cannot be packed
	runs    runs
	values  []byte
	ends    []uint32 // of byte arrays: where each value ends
	count   int
	width   int // bytes of a value of fixed width, 0 for byte arrays
	kind    format.Type
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

// Reset empties the column, keeping its memory, and makes room for a page.
func (d *Dict) Reset() {
	if !d.InRuns {
		d.Rows = slices.Grow(d.Rows[:0], PageRows)
	}
	d.runs.reset()
	d.values, d.ends, d.count = d.values[:0], d.ends[:0], 0
}

// Len implements Column.
func (d *Dict) Len() int { return len(d.Rows) + d.runs.rows }

// Add appends a row to a column that is not InRuns.
func (d *Dict) Add(index uint32) { d.Rows = append(d.Rows, index) }

// AddN appends n rows of one value to a column that is InRuns.
func (d *Dict) AddN(index uint32, n int) { d.runs.add(index, n) }

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
	if d.count == 0 {
		return nil, nil
	}
	least, greatest = d.value(0), d.value(0)
	// Most digests are seen by their first bytes to be neither.
	var from, to uint64
	long := d.kind == format.FixedLenByteArray && d.width >= 8
	if long {
		from = binary.BigEndian.Uint64(least)
		to = from
	}
	for i := range d.count {
		v := d.value(i)
		if long {
			if first := binary.BigEndian.Uint64(v); from < first && first < to {
				continue
			}
		}
		if compare(d.kind, v, least) < 0 {
			least = v
		}
		if compare(d.kind, v, greatest) > 0 {
			greatest = v
		}
		if long {
			from, to = binary.BigEndian.Uint64(least), binary.BigEndian.Uint64(greatest)
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

// Longs is a column of 64-bit numbers without nulls, written as differences or,
// where equal numbers stand together and others are far apart, plainly.
type Longs struct {
	Rows            []int64
	Plain           bool
	bounded         bool
	least, greatest int64
}

// Len implements Column.
func (l *Longs) Len() int { return len(l.Rows) }

// Bools is a column of truth values, one byte a row: 0 false, 1 true, 2 null.
type Bools struct {
	Rows []byte
	seen [3]bool // in the open row group
}

// The rows of Bools.
const (
	False = 0
	True  = 1
	NoBit = 2
)

// Len implements Column.
func (b *Bools) Len() int { return len(b.Rows) }

// At is the i-th distinct value's bytes, which hold until the column is reset.
func (d *Dict) At(i int) []byte { return d.value(i) }

// Int64At is the i-th distinct number of a NewInt64Dict.
func (d *Dict) Int64At(i int) int64 { return int64(binary.LittleEndian.Uint64(d.value(i))) }

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
