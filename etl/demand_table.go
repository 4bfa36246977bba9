package etl

import (
	"bytes"
	"context"
	"io"

	"github.com/boontorrent/boon/etl/column"
	"github.com/boontorrent/boon/internal/lake"
)

// demandTable writes the table demand: the row groups' parts added up, without
// the info-hashes that count as upkeep.
func (d *dayRun) demandTable(ctx context.Context, parts []io.Reader) error {
	schema, err := demandSchema()
	if err != nil {
		return err
	}
	enc, err := column.NewEncoder(schema)
	if err != nil {
		return err
	}
	d.progress("demand", 0, 0, "")
	return d.putPart(ctx, "demand", func(h *hashedWriter, part *lake.Part) error {
		w, err := column.NewWriter(h, schema, "infohash", "country")
		if err != nil {
			return err
		}
		t := &demandTable{cols: newDemandColumns(), enc: enc, out: w, resolved: d.resolved, leftOut: d.made["demand"].leftOut}
		if err := mergeWants(parts, func(one *want) error { return t.add(ctx, one) }); err != nil {
			return err
		}
		if err := t.close(); err != nil {
			return err
		}
		part.Rows = w.Rows()
		return w.Close()
	})
}

// demandParts gives each row group's part of demand, of the sections made here,
// as a stream.
func (d *dayRun) demandParts() []io.Reader {
	var parts []io.Reader
	for _, s := range d.demand {
		parts = append(parts, s.parts()...)
	}
	return parts
}

// demandTable drops what is upkeep and writes the rest in row groups.
type demandTable struct {
	cols     *demandColumns
	enc      *column.Encoder
	out      *column.Writer
	resolved [][20]byte
	leftOut  map[string]int64
	open     []want // the rows of one info-hash
}

func (t *demandTable) add(ctx context.Context, w *want) error {
	if len(t.open) > 0 && t.open[0].hash != w.hash {
		if err := t.settle(); err != nil {
			return err
		}
		if t.cols.hash.Len() >= groupRows {
			if err := ctx.Err(); err != nil {
				return err
			}
			if err := t.flush(); err != nil {
				return err
			}
		}
	}
	t.open = append(t.open, *w)
	return nil
}

// settle decides whether the open info-hash is a torrent: announced, resolved,
// or asked for by two requesters.
func (t *demandTable) settle() error {
	if len(t.open) == 0 {
		return nil
	}
	var sum want
	for i := range t.open {
		sum.add(&t.open[i])
	}
	hash := t.open[0].hash
	for len(t.resolved) > 0 && bytes.Compare(t.resolved[0][:], hash[:]) < 0 {
		t.resolved = t.resolved[1:]
	}
	isResolved := len(t.resolved) > 0 && t.resolved[0] == hash
	if sum.requesters < 2 && sum.announces == 0 && !isResolved {
		t.leftOut[leftNames[leftSingle]] += sum.queries
	} else {
		for i := range t.open {
			t.cols.add(&t.open[i])
		}
	}
	t.open = t.open[:0]
	return nil
}

func (t *demandTable) flush() error {
	g, err := t.enc.Encode(t.cols.columns())
	if err != nil {
		return err
	}
	t.cols.reset()
	return t.out.Append(g)
}

func (t *demandTable) close() error {
	if err := t.settle(); err != nil {
		return err
	}
	if t.cols.hash.Len() == 0 {
		return nil
	}
	return t.flush()
}
