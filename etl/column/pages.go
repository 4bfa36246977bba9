package column

import (
	"bytes"
	"encoding/binary"
	"fmt"
	"math/bits"
	"slices"

	"github.com/parquet-go/parquet-go/format"
)

func (d *Dict) encode(e *chunk, n int) error {
	if d.kind != e.leaf.kind {
		return fmt.Errorf("built as %v, the schema says %v", d.kind, e.leaf.kind)
	}
	width := bits.Len(uint(max(d.count-1, 0)))
	if d.InRuns {
		for n > 0 {
			rows := min(n, PageRows)
			d.runs.move(&e.runs, rows)
			if err := e.runsPage(rows, width); err != nil {
				return err
			}
			n -= rows
		}
		d.runs.shift()
		return nil
	}
	for rows := range slices.Chunk(d.Rows[:n], PageRows) {
		if err := e.dictPage(rows, width); err != nil {
			return err
		}
	}
	d.Rows = drop(d.Rows, n)
	return nil
}

// drop removes the first n rows.
func drop[T any](rows []T, n int) []T { return rows[:copy(rows, rows[n:])] }

func (d *Dict) bound(e *chunk) {
	least, greatest := d.bounds()
	e.meta.Statistics.MinValue, e.meta.Statistics.MaxValue = bytes.Clone(least), bytes.Clone(greatest)
}

func (e *chunk) dictPage(rows []uint32, width int) error {
	e.page = e.page[:0]
	values := rows
	if e.leaf.optional {
		values = e.addPresent(rows)
	}
	e.page = append(e.page, byte(width))
	e.page = appendHybrid(e.page, values, width)
	return e.dataPage(len(rows), format.RLEDictionary)
}

// addPresent begins a page of an optional column, and gives the rows that are
// not null.
func (e *chunk) addPresent(rows []uint32) []uint32 {
	if !slices.Contains(rows, Null) {
		e.addLevels(nil, len(rows))
		return rows
	}
	e.levels, e.values = e.levels[:0], e.values[:0]
	for _, v := range rows {
		if v == Null {
			e.levels = append(e.levels, 0)
			continue
		}
		e.levels = append(e.levels, 1)
		e.values = append(e.values, v)
	}
	e.meta.Statistics.NullCount += int64(len(rows) - len(e.values))
	e.addLevels(e.levels, len(rows))
	return e.values
}

// runsPage makes a page of the rows in e.runs.
func (e *chunk) runsPage(rows, width int) error {
	e.page = e.page[:0]
	values := &e.runs
	if e.leaf.optional {
		values = e.addPresentRuns()
	}
	e.page = append(e.page, byte(width))
	e.page = e.appendHybridRuns(e.page, values, width)
	return e.dataPage(rows, format.RLEDictionary)
}

// addPresentRuns does for e.runs what addPresent does for rows.
func (e *chunk) addPresentRuns() *runs {
	e.presentRuns.reset()
	e.levelRuns.reset()
	for _, r := range e.runs.list {
		if r.index == Null {
			e.levelRuns.add(0, int(r.n))
			continue
		}
		e.levelRuns.add(1, int(r.n))
		e.presentRuns.add(r.index, int(r.n))
	}
	if e.presentRuns.rows == e.runs.rows {
		e.addLevels(nil, e.runs.rows)
		return &e.presentRuns
	}
	e.meta.Statistics.NullCount += int64(e.runs.rows - e.presentRuns.rows)
	at := e.beginLevels()
	e.page = e.appendHybridRuns(e.page, &e.levelRuns, 1)
	e.endLevels(at)
	return &e.presentRuns
}

// appendHybridRuns does for runs what appendHybrid does for values.
func (e *chunk) appendHybridRuns(dst []byte, values *runs, width int) []byte {
	if width == 0 {
		return appendUvarint(dst, uint64(values.rows)<<1)
	}
	if runsAreShorter(len(values.list), values.rows, width) {
		for _, r := range values.list {
			dst = appendValue(appendUvarint(dst, uint64(r.n)<<1), r.index, width)
		}
		return dst
	}
	e.values = values.appendRows(e.values[:0])
	return appendMixed(dst, e.values, width)
}

func (l *Longs) encode(e *chunk, n int) error {
	if e.leaf.kind != format.Int64 || e.leaf.optional {
		return fmt.Errorf("built as 64-bit numbers without nulls, the schema says %v", e.leaf.kind)
	}
	for rows := range slices.Chunk(l.Rows[:n], PageRows) {
		encoding := format.DeltaBinaryPacked
		e.page = e.page[:0]
		if l.Plain {
			encoding = format.Plain
			for _, v := range rows {
				e.page = binary.LittleEndian.AppendUint64(e.page, uint64(v))
			}
		} else {
			e.page = appendDelta(e.page, rows)
		}
		if err := e.dataPage(len(rows), format.RLE, encoding); err != nil {
			return err
		}
		l.widen(slices.Min(rows), slices.Max(rows))
	}
	l.Rows = drop(l.Rows, n)
	return nil
}

// widen makes the bounds of the row group span those given.
func (l *Longs) widen(least, greatest int64) {
	if !l.bounded {
		l.least, l.greatest, l.bounded = least, greatest, true
	}
	l.least, l.greatest = min(l.least, least), max(l.greatest, greatest)
}

func (l *Longs) bound(e *chunk) {
	if l.bounded {
		e.meta.Statistics.MinValue = binary.LittleEndian.AppendUint64(nil, uint64(l.least))
		e.meta.Statistics.MaxValue = binary.LittleEndian.AppendUint64(nil, uint64(l.greatest))
	}
	l.bounded = false
}

// textBytes bounds the bytes of a page of Texts.
const textBytes = 1 << 20

func (t *Texts) encode(e *chunk, n int) error {
	if e.leaf.kind != format.ByteArray || e.leaf.optional {
		return fmt.Errorf("built as text without nulls, the schema says %v", e.leaf.kind)
	}
	start := uint32(0)
	for first := 0; first < n; {
		last := first + 1
		for last < n && last-first < PageRows && t.ends[last]-start <= textBytes {
			last++
		}
		e.page = append(e.page[:0], t.values[start:t.ends[last-1]]...)
		if err := e.dataPage(last-first, format.RLE, format.Plain); err != nil {
			return err
		}
		start, first = t.ends[last-1], last
	}
	t.values, t.ends = drop(t.values, int(start)), drop(t.ends, n)
	for i := range t.ends {
		t.ends[i] -= start
	}
	return nil
}

func (t *Texts) bound(*chunk) {}

func (b *Bools) encode(e *chunk, n int) error {
	if e.leaf.kind != format.Boolean {
		return fmt.Errorf("built as truth values, the schema says %v", e.leaf.kind)
	}
	for rows := range slices.Chunk(b.Rows[:n], PageRows) {
		if err := b.page(e, rows); err != nil {
			return err
		}
	}
	b.Rows = drop(b.Rows, n)
	return nil
}

func (b *Bools) page(e *chunk, rows []byte) error {
	var counts [3]int
	for _, v := range rows {
		counts[v]++
	}
	for v, n := range counts {
		b.seen[v] = b.seen[v] || n > 0
	}
	e.page = e.page[:0]
	if e.leaf.optional {
		b.addLevels(e, rows, counts[NoBit])
	} else if counts[NoBit] > 0 {
		return fmt.Errorf("%d nulls in a column that has none", counts[NoBit])
	}
	e.meta.Statistics.NullCount += int64(counts[NoBit])
	var acc byte
	n := 0
	for _, v := range rows {
		if v == NoBit {
			continue
		}
		acc |= v << (n & 7)
		if n++; n&7 == 0 {
			e.page = append(e.page, acc)
			acc = 0
		}
	}
	if n&7 != 0 {
		e.page = append(e.page, acc)
	}
	return e.dataPage(len(rows), format.RLE, format.Plain)
}

// addLevels tells which rows are not null.
func (b *Bools) addLevels(e *chunk, rows []byte, nulls int) {
	if nulls == 0 {
		e.addLevels(nil, len(rows))
		return
	}
	e.levels = e.levels[:0]
	for _, v := range rows {
		e.levels = append(e.levels, uint32(v>>1^1))
	}
	e.addLevels(e.levels, len(rows))
}

func (b *Bools) bound(e *chunk) {
	if b.seen[False] || b.seen[True] {
		e.meta.Statistics.MinValue, e.meta.Statistics.MaxValue = []byte{bit(!b.seen[False])}, []byte{bit(b.seen[True])}
	}
	b.seen = [3]bool{}
}

func bit(b bool) byte {
	if b {
		return 1
	}
	return 0
}
