package column

import (
	"bytes"
	"encoding/binary"
	"fmt"
	"hash/crc32"
	"math/bits"
	"slices"

	"github.com/klauspost/compress/zstd"
	"github.com/parquet-go/parquet-go/encoding/thrift"
	"github.com/parquet-go/parquet-go/format"
)

// Group is an encoded row group; its offsets count from its own first byte.
type Group struct {
	body    []byte
	columns []format.ColumnMetaData
	dicts   []bool // which columns begin with a dictionary
	rows    int64
}

// Bytes is the group's size in the file.
func (g *Group) Bytes() int { return len(g.body) }

// Rows is the group's number of rows.
func (g *Group) Rows() int64 { return g.rows }

// Encoder encodes row groups. It is for one goroutine at a time; several
// encoders may work for one Writer.
type Encoder struct {
	schema *Schema
	zstd   *zstd.Encoder
	enc    encoder
}

// NewEncoder returns an encoder of row groups of a schema.
func NewEncoder(s *Schema) (*Encoder, error) {
	z, err := zstd.NewWriter(nil, zstd.WithEncoderConcurrency(1), zstd.WithEncoderLevel(zstd.SpeedDefault),
		zstd.WithEncoderCRC(false), zstd.WithWindowSize(1<<20))
	if err != nil {
		return nil, fmt.Errorf("begin to encode: %w", err)
	}
	return &Encoder{schema: s, zstd: z}, nil
}

// Encode encodes a row group. All columns must have the same length, and stand
// in the schema's order. The group does not share memory with the columns.
func (e *Encoder) Encode(columns []Column) (*Group, error) {
	if len(columns) != e.schema.Len() {
		return nil, fmt.Errorf("encode row group: %d columns, the schema has %d", len(columns), e.schema.Len())
	}
	g := &Group{rows: int64(columns[0].Len())}
	e.enc.zstd = e.zstd
	e.enc.body = nil
	for i, c := range columns {
		leaf := e.schema.columns[i]
		if c.Len() != int(g.rows) {
			return nil, fmt.Errorf("encode row group: column %s has %d rows, the first has %d", leaf.name, c.Len(), g.rows)
		}
		e.enc.begin(leaf, g.rows)
		if err := c.encode(&e.enc, leaf); err != nil {
			return nil, fmt.Errorf("encode column %s: %w", leaf.name, err)
		}
		g.columns = append(g.columns, e.enc.meta)
		_, dict := c.(*Dict)
		g.dicts = append(g.dicts, dict)
	}
	g.body = e.enc.body
	return g, nil
}

// encoder writes the pages of one column after another.
type encoder struct {
	zstd   *zstd.Encoder
	body   []byte
	meta   format.ColumnMetaData
	start  int
	page   []byte // scratch: a page unpacked
	packed []byte // scratch: a page packed
	levels []uint32
	dense  []uint32
}

func (e *encoder) begin(c leaf, rows int64) {
	e.start = len(e.body)
	e.meta = format.ColumnMetaData{
		Type:           c.kind,
		PathInSchema:   thrift.Slice[string]{c.name},
		Codec:          format.Zstd,
		NumValues:      rows,
		DataPageOffset: int64(e.start),
	}
}

// addPage packs e.page behind its header.
func (e *encoder) addPage(h format.PageHeader) error {
	e.packed = e.zstd.EncodeAll(e.page, e.packed[:0])
	h.UncompressedPageSize = int32(len(e.page))
	h.CompressedPageSize = int32(len(e.packed))
	h.CRC = int32(crc32.ChecksumIEEE(e.packed))
	header, err := thrift.Marshal(new(thrift.CompactProtocol), &h)
	if err != nil {
		return fmt.Errorf("write page header: %w", err)
	}
	e.body = append(append(e.body, header...), e.packed...)
	e.meta.TotalUncompressedSize += int64(len(header) + len(e.page))
	e.meta.TotalCompressedSize += int64(len(header) + len(e.packed))
	return nil
}

func (e *encoder) dataPage(values int, encoding format.Encoding) error {
	if !slices.Contains(e.meta.Encoding, encoding) {
		e.meta.Encoding = append(e.meta.Encoding, encoding)
	}
	return e.addPage(format.PageHeader{
		Type: format.DataPage,
		DataPageHeader: thrift.New(format.DataPageHeader{
			NumValues: int32(values), Encoding: encoding,
			DefinitionLevelEncoding: format.RLE, RepetitionLevelEncoding: format.RLE,
		}),
	})
}

// addLevels begins a page of an optional column: which rows have a value.
func (e *encoder) addLevels(levels []uint32) {
	at := len(e.page)
	e.page = append(e.page, 0, 0, 0, 0)
	e.page = appendHybrid(e.page, levels, 1)
	binary.LittleEndian.PutUint32(e.page[at:], uint32(len(e.page)-at-4))
}

func (d *Dict) encode(e *encoder, c leaf) error {
	if d.kind != c.kind {
		return fmt.Errorf("built as %v, the schema says %v", d.kind, c.kind)
	}
	e.page = append(e.page[:0], d.values...)
	err := e.addPage(format.PageHeader{
		Type:                 format.DictionaryPage,
		DictionaryPageHeader: thrift.New(format.DictionaryPageHeader{NumValues: int32(d.count), Encoding: format.Plain}),
	})
	if err != nil {
		return err
	}
	e.meta.DictionaryPageOffset = int64(e.start)
	e.meta.DataPageOffset = int64(len(e.body))
	e.meta.Encoding = thrift.Slice[format.Encoding]{format.Plain, format.RLE}
	width := bits.Len(uint(max(d.count-1, 0)))
	for rows := range slices.Chunk(d.Rows, pageRows) {
		if err := e.dictPage(rows, width, c.optional); err != nil {
			return err
		}
	}
	least, greatest := d.bounds()
	e.meta.Statistics.MinValue, e.meta.Statistics.MaxValue = bytes.Clone(least), bytes.Clone(greatest)
	return nil
}

func (e *encoder) dictPage(rows []uint32, width int, optional bool) error {
	e.page = e.page[:0]
	values := rows
	if optional {
		e.levels, e.dense = e.levels[:0], e.dense[:0]
		for _, v := range rows {
			if v == Null {
				e.levels = append(e.levels, 0)
				continue
			}
			e.levels = append(e.levels, 1)
			e.dense = append(e.dense, v)
		}
		e.meta.Statistics.NullCount += int64(len(rows) - len(e.dense))
		e.addLevels(e.levels)
		values = e.dense
	}
	e.page = append(e.page, byte(width))
	e.page = appendHybrid(e.page, values, width)
	return e.dataPage(len(rows), format.RLEDictionary)
}

func (l *Longs) encode(e *encoder, c leaf) error {
	if c.kind != format.Int64 || c.optional {
		return fmt.Errorf("built as 64-bit numbers without nulls, the schema says %v", c.kind)
	}
	e.meta.Encoding = thrift.Slice[format.Encoding]{format.RLE}
	for rows := range slices.Chunk(l.Rows, pageRows) {
		e.page = appendDelta(e.page[:0], rows)
		if err := e.dataPage(len(rows), format.DeltaBinaryPacked); err != nil {
			return err
		}
	}
	if len(l.Rows) > 0 {
		e.meta.Statistics.MinValue = binary.LittleEndian.AppendUint64(nil, uint64(slices.Min(l.Rows)))
		e.meta.Statistics.MaxValue = binary.LittleEndian.AppendUint64(nil, uint64(slices.Max(l.Rows)))
	}
	return nil
}

// textBytes bounds the bytes of a page of Texts.
const textBytes = 1 << 20

func (t *Texts) encode(e *encoder, c leaf) error {
	if c.kind != format.ByteArray || c.optional {
		return fmt.Errorf("built as text without nulls, the schema says %v", c.kind)
	}
	e.meta.Encoding = thrift.Slice[format.Encoding]{format.RLE}
	start := uint32(0)
	for first := 0; first < len(t.ends); {
		last := first + 1
		for last < len(t.ends) && last-first < pageRows && t.ends[last]-start <= textBytes {
			last++
		}
		e.page = append(e.page[:0], t.values[start:t.ends[last-1]]...)
		if err := e.dataPage(last-first, format.Plain); err != nil {
			return err
		}
		start, first = t.ends[last-1], last
	}
	return nil
}

func (b *Bools) encode(e *encoder, c leaf) error {
	if c.kind != format.Boolean {
		return fmt.Errorf("built as truth values, the schema says %v", c.kind)
	}
	e.meta.Encoding = thrift.Slice[format.Encoding]{format.RLE}
	var seen [3]bool
	for rows := range slices.Chunk(b.Rows, pageRows) {
		e.page, e.levels = e.page[:0], e.levels[:0]
		nulls := 0
		var bitmap []byte
		n := 0
		for _, v := range rows {
			seen[v] = true
			if v == NoBit {
				nulls++
				e.levels = append(e.levels, 0)
				continue
			}
			e.levels = append(e.levels, 1)
			if n%8 == 0 {
				bitmap = append(bitmap, 0)
			}
			bitmap[n/8] |= v << (n % 8)
			n++
		}
		if c.optional {
			e.addLevels(e.levels)
		} else if nulls > 0 {
			return fmt.Errorf("%d nulls in a column that has none", nulls)
		}
		e.meta.Statistics.NullCount += int64(nulls)
		e.page = append(e.page, bitmap...)
		if err := e.dataPage(len(rows), format.Plain); err != nil {
			return err
		}
	}
	if seen[False] || seen[True] {
		e.meta.Statistics.MinValue, e.meta.Statistics.MaxValue = []byte{bit(!seen[False])}, []byte{bit(seen[True])}
	}
	return nil
}

func bit(b bool) byte {
	if b {
		return 1
	}
	return 0
}
