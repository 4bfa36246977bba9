package etl

import (
	"errors"
	"fmt"

	"github.com/parquet-go/parquet-go"
)

// rowWriter writes rows of a small table through parquet-go.
type rowWriter[Row any] struct {
	out         *parquet.GenericWriter[Row]
	buf         []Row
	inGroup     int
	rows        int64
	first, last int64
}

const smallGroupRows = 128 << 10

func newRowWriter[Row any]() *rowWriter[Row] { return &rowWriter[Row]{} }

// begin makes the writer write to out.
func (w *rowWriter[Row]) begin(out *hashedWriter) {
	w.out = parquet.NewGenericWriter[Row](out, parquet.Compression(&parquet.Zstd), parquet.CreatedBy("boon", "", ""))
}

// add adds a row; ts is 0 for tables without one.
func (w *rowWriter[Row]) add(r Row, ts int64) error {
	if w.rows == 0 || ts < w.first {
		w.first = ts
	}
	w.last = max(w.last, ts)
	w.rows++
	w.buf = append(w.buf, r)
	if len(w.buf) < 1024 {
		return nil
	}
	return w.flush()
}

func (w *rowWriter[Row]) flush() error {
	if _, err := w.out.Write(w.buf); err != nil {
		return fmt.Errorf("write table: %w", err)
	}
	w.inGroup += len(w.buf)
	w.buf = w.buf[:0]
	if w.inGroup < smallGroupRows {
		return nil
	}
	w.inGroup = 0
	return w.out.Flush()
}

func (w *rowWriter[Row]) close() error { return errors.Join(w.flush(), w.out.Close()) }
