package column

import (
	"encoding/binary"
	"fmt"
	"io"

	"github.com/parquet-go/parquet-go/encoding/thrift"
	"github.com/parquet-go/parquet-go/format"
)

const magic = "PAR1"

// Writer strings encoded row groups together to a Parquet file.
type Writer struct {
	out    io.Writer
	schema *Schema
	at     int64
	groups []format.RowGroup
	rows   int64
	sorted []format.SortingColumn
}

// NewWriter begins a file. sortedBy names the columns by which each row group
// is sorted, in ascending order.
func NewWriter(out io.Writer, s *Schema, sortedBy ...string) (*Writer, error) {
	w := &Writer{out: out, schema: s}
	for _, name := range sortedBy {
		w.sorted = append(w.sorted, format.SortingColumn{ColumnIdx: int32(s.Index(name))})
	}
	return w, w.write([]byte(magic))
}

func (w *Writer) write(b []byte) error {
	n, err := w.out.Write(b)
	w.at += int64(n)
	if err != nil {
		return fmt.Errorf("write table: %w", err)
	}
	return nil
}

// Append writes a row group, which is empty then.
func (w *Writer) Append(g *Group) error {
	base := w.at
	for _, p := range g.pieces {
		if err := w.write(p); err != nil {
			return err
		}
	}
	g.from.give(g.pieces)
	g.pieces = nil
	rg := format.RowGroup{
		NumRows: g.rows, FileOffset: base, TotalCompressedSize: int64(g.size),
		SortingColumns: w.sorted, Ordinal: int16(len(w.groups)),
	}
	for i, meta := range g.columns {
		meta.DataPageOffset += base
		if g.dicts[i] {
			meta.DictionaryPageOffset += base
		}
		rg.TotalByteSize += meta.TotalUncompressedSize
		rg.Columns = append(rg.Columns, format.ColumnChunk{MetaData: meta})
	}
	w.groups = append(w.groups, rg)
	w.rows += g.rows
	return nil
}

// Size is the number of bytes written so far; Rows that of rows.
func (w *Writer) Size() int64 { return w.at }

// Rows is the number of rows written so far.
func (w *Writer) Rows() int64 { return w.rows }

// Close writes the footer. It does not close the io.Writer below.
func (w *Writer) Close() error {
	meta := format.FileMetaData{
		Version: 1, Schema: w.schema.elements, NumRows: w.rows, RowGroups: w.groups, CreatedBy: "boon",
	}
	for range w.schema.columns {
		meta.ColumnOrders = append(meta.ColumnOrders, format.ColumnOrder{Value: &format.TypeDefinedOrder{}})
	}
	footer, err := thrift.Marshal(new(thrift.CompactProtocol), &meta)
	if err != nil {
		return fmt.Errorf("write table: footer: %w", err)
	}
	footer = binary.LittleEndian.AppendUint32(footer, uint32(len(footer)))
	return w.write(append(footer, magic...))
}
