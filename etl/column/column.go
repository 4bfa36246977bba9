// Package column writes flat Parquet tables from columns instead of rows.
//
// A general Parquet writer takes rows or values one by one and hashes each to
// find its place in a dictionary. The tables of the ETL know better: their
// rows come sorted, most of a row's values follow from its requester, and the
// distinct values of a column are known before its rows are. So a builder here
// takes dictionary indexes (Dict) or bare numbers (Longs), and a row group is
// encoded column by column, on any goroutine, before a Writer strings the
// groups together. Files are plain Parquet 1.0: one dictionary page and v1
// data pages a column, RLE_DICTIONARY or DELTA_BINARY_PACKED, zstd, with
// minimum, maximum and null count; no bloom filters. The footer is written
// through parquet-go's format package, and schemas are parquet-go's own.
//
// The same columns give the same bytes.
package column

import (
	"bytes"
	"fmt"

	"github.com/parquet-go/parquet-go"
	"github.com/parquet-go/parquet-go/format"
)

// PageRows is the number of rows of a data page.
const PageRows = 64 << 10

// Schema is the columns of a table.
type Schema struct {
	elements []format.SchemaElement // the root first
	columns  []leaf
}

type leaf struct {
	name     string
	kind     format.Type
	optional bool
}

// SchemaOf derives a schema from a row struct with parquet tags. The struct
// must be flat: no lists, no structs inside.
func SchemaOf[Row any]() (*Schema, error) {
	var file bytes.Buffer
	if err := parquet.NewGenericWriter[Row](&file).Close(); err != nil {
		return nil, fmt.Errorf("derive schema: %w", err)
	}
	f, err := parquet.OpenFile(bytes.NewReader(file.Bytes()), int64(file.Len()))
	if err != nil {
		return nil, fmt.Errorf("derive schema: %w", err)
	}
	s := &Schema{elements: f.Metadata().Schema}
	for _, e := range s.elements[1:] {
		if !e.Type.Valid || e.RepetitionType.V == format.Repeated {
			return nil, fmt.Errorf("derive schema: column %s is not flat", e.Name)
		}
		s.columns = append(s.columns, leaf{name: e.Name, kind: e.Type.V, optional: e.RepetitionType.V == format.Optional})
	}
	return s, nil
}

// Index returns the place of a column by its name; it panics if there is none,
// since names are written in the program.
func (s *Schema) Index(name string) int {
	for i, c := range s.columns {
		if c.name == name {
			return i
		}
	}
	panic("no column " + name)
}

// Len is the number of columns.
func (s *Schema) Len() int { return len(s.columns) }
