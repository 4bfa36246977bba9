package etl

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"hash"
	"io"

	"github.com/boontorrent/boon/internal/lake"
)

// hashedWriter counts and digests what goes through it.
type hashedWriter struct {
	out io.Writer
	sum hash.Hash
	n   int64
}

func (w *hashedWriter) Write(p []byte) (int, error) {
	n, err := w.out.Write(p)
	w.sum.Write(p[:n])
	w.n += int64(n)
	return n, err
}

// putPart writes the i-th part of a table; write says how many rows it wrote
// and what times they span. The part is named after the making of the day, so
// it never replaces a part that a reader may be reading, unless by itself.
func (d *dayRun) putPart(ctx context.Context, table string, write func(*hashedWriter, *lake.Part) error) error {
	n, number := len(d.made[table].parts), 0
	if d.work != nil {
		if n = len(d.work.Parts[table]); d.work.Unit != d.rest() {
			number = d.work.Unit * partsOfUnit
		}
	}
	if n >= partsOfUnit {
		return fmt.Errorf("a section of the day has more than %d parts of %s", partsOfUnit, table)
	}
	part := lake.Part{Key: lake.PartKey(table, d.day, d.digest, number+n)}
	_, err := d.store.Put(ctx, part.Key, lake.Condition{}, func(w io.Writer) error {
		h := &hashedWriter{out: w, sum: sha256.New()}
		if err := write(h, &part); err != nil {
			return err
		}
		part.Bytes, part.SHA256 = h.n, hex.EncodeToString(h.sum.Sum(nil))
		return nil
	})
	if err != nil {
		return err
	}
	d.written = append(d.written, part.Key)
	if d.work != nil {
		d.work.Parts[table] = append(d.work.Parts[table], part)
	} else {
		d.made[table].parts = append(d.made[table].parts, part)
	}
	return nil
}

// putRows writes a part of a small table: fill adds its rows.
func putRows[Row any](ctx context.Context, d *dayRun, table string, w *rowWriter[Row], fill func() error) error {
	return d.putPart(ctx, table, func(h *hashedWriter, part *lake.Part) error {
		w.begin(h)
		if err := fill(); err != nil {
			return err
		}
		if err := w.close(); err != nil {
			return err
		}
		part.Rows, part.First, part.Last = w.rows, w.first, w.last
		return nil
	})
}

// made is what was written of a table.
type made struct {
	parts   []lake.Part
	leftOut map[string]int64
}

func (m *made) rows() int64 {
	var n int64
	for _, p := range m.parts {
		n += p.Rows
	}
	return n
}
