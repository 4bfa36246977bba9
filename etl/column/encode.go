package column

import (
	"encoding/binary"
	"fmt"
	"hash/crc32"
	"slices"
	"sync"

	"github.com/klauspost/compress/zstd"
	"github.com/parquet-go/parquet-go/encoding/thrift"
	"github.com/parquet-go/parquet-go/format"
)

// Group is an encoded row group; its offsets count from its own first byte.
type Group struct {
	pieces  [][]byte // of each column its dictionary's page, or nothing, and its data pages
	from    *Encoder // whose memory they are
	size    int
	columns []format.ColumnMetaData
	dicts   []bool // which columns begin with a dictionary
	rows    int64
}

// Bytes is the group's size in the file.
func (g *Group) Bytes() int { return g.size }

// Rows is the group's number of rows.
func (g *Group) Rows() int64 { return g.rows }

// Encoder encodes row groups. It is for one goroutine at a time; several
// encoders may work for one Writer.
type Encoder struct {
	schema *Schema
	zstd   *zstd.Encoder // for dictionaries
	fast   *zstd.Encoder // for data pages, in which little but runs repeats
	chunks []chunk
	rows   int64
	page   []byte // scratch: a page unpacked
	packed []byte // scratch: a page packed
	levels []uint32
	values []uint32 // scratch: those that are not null

	runs, presentRuns, levelRuns runs // scratch: those of a page

	mu     sync.Mutex
	spares [][][]byte // pieces of groups that were written
}

// chunk is what is encoded of one column of the open row group.
type chunk struct {
	*Encoder
	leaf  leaf
	dict  []byte // the dictionary's page, header included
	pages []byte // the data pages so far
	meta  format.ColumnMetaData

	dense   int  // so many data pages are stored as they are
	digests bool // so is the dictionary
}

// NewEncoder returns an encoder of row groups of a schema.
func NewEncoder(s *Schema) (*Encoder, error) {
	z, err := newPacker(zstd.SpeedDefault)
	if err != nil {
		return nil, err
	}
	fast, err := newPacker(zstd.SpeedFastest, zstd.WithAllLitEntropyCompression(true))
	if err != nil {
		return nil, err
	}
	e := &Encoder{schema: s, zstd: z, fast: fast, chunks: make([]chunk, s.Len())}
	e.begin()
	return e, nil
}

func newPacker(level zstd.EncoderLevel, o ...zstd.EOption) (*zstd.Encoder, error) {
	z, err := zstd.NewWriter(nil, append(o, zstd.WithEncoderConcurrency(1), zstd.WithEncoderLevel(level),
		zstd.WithEncoderCRC(false), zstd.WithWindowSize(1<<20))...)
	if err != nil {
		return nil, fmt.Errorf("begin to encode: %w", err)
	}
	return z, nil
}

// begin opens a row group.
func (e *Encoder) begin() {
	e.rows = 0
	pieces := e.take()
	for i := range e.chunks {
		c := &e.chunks[i]
		c.Encoder, c.leaf = e, e.schema.columns[i]
		c.dict, c.pages, c.dense = pieces[2*i][:0], pieces[2*i+1][:0], 0
		c.meta = format.ColumnMetaData{
			Type: c.leaf.kind, PathInSchema: thrift.Slice[string]{c.leaf.name}, Codec: format.Zstd,
		}
	}
}

// take returns memory for the pieces of a group.
func (e *Encoder) take() [][]byte {
	e.mu.Lock()
	defer e.mu.Unlock()
	n := len(e.spares) - 1
	if n < 0 {
		return make([][]byte, 2*e.schema.Len())
	}
	pieces := e.spares[n]
	e.spares = e.spares[:n]
	return pieces
}

// give takes back the pieces of a group that was written. Fresh memory for each
// would have to be cleared by the system first.
func (e *Encoder) give(pieces [][]byte) {
	e.mu.Lock()
	defer e.mu.Unlock()
	e.spares = append(e.spares, pieces)
}

// Pages encodes as many rows as fill whole pages and takes them out of the
// columns, whose dictionaries go on. It keeps a row group's rows from lying in
// memory unpacked. Indexes are as wide as the dictionary at the time needs, so
// the same bytes want calls after the same rows.
func (e *Encoder) Pages(columns []Column) error {
	return e.add(columns, columns[0].Len()/PageRows*PageRows)
}

// add encodes the first n rows, in pages.
func (e *Encoder) add(columns []Column, n int) error {
	if len(columns) != e.schema.Len() {
		return fmt.Errorf("encode row group: %d columns, the schema has %d", len(columns), e.schema.Len())
	}
	rows := columns[0].Len()
	e.rows += int64(n)
	for i, c := range columns {
		to := &e.chunks[i]
		if c.Len() != rows {
			return fmt.Errorf("encode row group: column %s has %d rows, the first has %d", to.leaf.name, c.Len(), rows)
		}
		if err := c.encode(to, n); err != nil {
			return fmt.Errorf("encode column %s: %w", to.leaf.name, err)
		}
	}
	return nil
}

// Encode encodes what is left of the columns and closes the row group. All
// columns must have the same length, and stand in the schema's order. They
// keep their dictionaries; the group does not share memory with them.
func (e *Encoder) Encode(columns []Column) (*Group, error) {
	if err := e.add(columns, columns[0].Len()); err != nil {
		return nil, err
	}
	g := &Group{rows: e.rows, from: e}
	for i, c := range columns {
		to := &e.chunks[i]
		if d, ok := c.(*Dict); ok {
			if err := to.addDictionary(d); err != nil {
				return nil, fmt.Errorf("encode column %s: %w", to.leaf.name, err)
			}
		}
		c.bound(to)
		to.meta.NumValues = e.rows
		if len(to.dict) > 0 {
			to.meta.DictionaryPageOffset = int64(g.size)
		}
		to.meta.DataPageOffset = int64(g.size + len(to.dict))
		g.size += len(to.dict) + len(to.pages)
		g.pieces = append(g.pieces, to.dict, to.pages)
		g.dicts = append(g.dicts, len(to.dict) > 0)
		g.columns = append(g.columns, to.meta)
	}
	e.begin()
	return g, nil
}

// seal appends a page, packed behind its header.
func (e *chunk) seal(dst, page []byte, h format.PageHeader) ([]byte, error) {
	packed := e.pack(page, h.Type == format.DictionaryPage)
	h.UncompressedPageSize = int32(len(page))
	h.CompressedPageSize = int32(len(packed))
	h.CRC = int32(crc32.ChecksumIEEE(packed))
	header, err := thrift.Marshal(new(thrift.CompactProtocol), &h)
	if err != nil {
		return nil, fmt.Errorf("write page header: %w", err)
	}
	e.meta.TotalUncompressedSize += int64(len(header) + len(page))
	e.meta.TotalCompressedSize += int64(len(header) + len(packed))
	return append(append(dst, header...), packed...), nil
}

// denseShare: a page that packs to more than 31 of 32 parts is dense, and the
// next densePages of its column are not worth the time to try.
const (
	denseShare = 32
	densePages = 7
)

// pack packs a page; the result holds until the next.
func (e *chunk) pack(page []byte, dictionary bool) []byte {
	if dictionary && e.digests || !dictionary && e.dense > 0 {
		e.packed = appendStored(e.packed[:0], page)
		e.dense--
		return e.packed
	}
	z := e.fast
	if dictionary {
		z = e.zstd
	}
	e.packed = z.EncodeAll(page, e.packed[:0])
	if !dictionary && len(e.packed) > len(page)-len(page)/denseShare {
		e.dense = densePages
	}
	return e.packed
}

// maxBlock is the size of the largest block of a zstd frame (RFC 8878).
const maxBlock = 128 << 10

// appendStored appends a zstd frame that holds b as it is.
func appendStored(dst, b []byte) []byte {
	dst = binary.LittleEndian.AppendUint32(dst, 0xFD2FB528)
	dst = append(dst, 2<<6|1<<5) // a single segment, whose size follows in four bytes
	dst = binary.LittleEndian.AppendUint32(dst, uint32(len(b)))
	for {
		n := min(len(b), maxBlock)
		head := uint32(n) << 3
		if n == len(b) {
			head |= 1 // the last block
		}
		dst = append(dst, byte(head), byte(head>>8), byte(head>>16))
		dst = append(dst, b[:n]...)
		if b = b[n:]; len(b) == 0 {
			return dst
		}
	}
}

func (e *chunk) dataPage(values int, encodings ...format.Encoding) error {
	for _, enc := range encodings {
		if !slices.Contains(e.meta.Encoding, enc) {
			e.meta.Encoding = append(e.meta.Encoding, enc)
		}
	}
	var err error
	e.pages, err = e.seal(e.pages, e.page, format.PageHeader{
		Type: format.DataPage,
		DataPageHeader: thrift.New(format.DataPageHeader{
			NumValues: int32(values), Encoding: encodings[len(encodings)-1],
			DefinitionLevelEncoding: format.RLE, RepetitionLevelEncoding: format.RLE,
		}),
	})
	return err
}

// addLevels begins a page of an optional column: which of n rows have a value,
// all where levels is nil.
func (e *chunk) addLevels(levels []uint32, n int) {
	at := e.beginLevels()
	if levels == nil {
		e.page = append(appendUvarint(e.page, uint64(n)<<1), 1)
	} else {
		e.page = appendHybrid(e.page, levels, 1)
	}
	e.endLevels(at)
}

// beginLevels makes room for the length that goes before levels.
func (e *chunk) beginLevels() (at int) {
	e.page = append(e.page, 0, 0, 0, 0)
	return len(e.page)
}

// endLevels fills in the length of the levels from at on.
func (e *chunk) endLevels(at int) {
	binary.LittleEndian.PutUint32(e.page[at-4:], uint32(len(e.page)-at))
}

func (e *chunk) addDictionary(d *Dict) error {
	e.digests = d.Digests
	var err error
	e.dict, err = e.seal(e.dict, d.values, format.PageHeader{
		Type:                 format.DictionaryPage,
		DictionaryPageHeader: thrift.New(format.DictionaryPageHeader{NumValues: int32(d.count), Encoding: format.Plain}),
	})
	e.meta.Encoding = thrift.Slice[format.Encoding]{format.Plain, format.RLE, format.RLEDictionary}
	return err
}
