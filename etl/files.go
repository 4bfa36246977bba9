package etl

import (
	"context"
	"strings"

	"golang.org/x/sync/errgroup"

	"github.com/boontorrent/boon/datasets"
	"github.com/boontorrent/boon/etl/column"
	"github.com/boontorrent/boon/etl/release"
	"github.com/boontorrent/boon/internal/lake"
)

// torrents writes the tables torrents, files and failures, and keeps the
// info-hashes that were resolved, in order.
func (d *dayRun) torrents(ctx context.Context) error {
	var catalogue release.Catalogue
	err := eachBucket(ctx, d, &catalogue, (*resolver).survey, func(works []release.Work) error {
		for _, w := range works {
			catalogue.Add(w)
		}
		return nil
	})
	if err != nil {
		return err
	}
	catalogue.Seal()
	schema, err := fileSchema()
	if err != nil {
		return err
	}
	enc, err := column.NewEncoder(schema)
	if err != nil {
		return err
	}
	out := &torrentTables{torrents: newRowWriter[datasets.Torrent](), failures: newRowWriter[datasets.Failure](), files: newFileColumns(), enc: enc, day: d}
	err = putRows(ctx, d, "torrents", out.torrents, func() error {
		return putRows(ctx, d, "failures", out.failures, func() error {
			return d.putPart(ctx, "files", func(h *hashedWriter, part *lake.Part) error {
				if out.out, err = column.NewWriter(h, schema, "infohash", "idx"); err != nil {
					return err
				}
				if err := eachBucket(ctx, d, &catalogue, (*resolver).turn, out.take); err != nil {
					return err
				}
				if err := out.flush(); err != nil {
					return err
				}
				part.Rows = out.out.Rows()
				return out.out.Close()
			})
		})
	})
	d.resolved = out.resolved
	return err
}

// eachBucket runs work on every bucket of resolve events, on several
// goroutines, and gives the results to take in the order of the buckets.
func eachBucket[Out any](ctx context.Context, d *dayRun, c *release.Catalogue, work func(*resolver, int) (Out, error), take func(Out) error) error {
	g, ctx := errgroup.WithContext(ctx)
	var works []func(int) (Out, error)
	for range d.opts.Workers {
		r := &resolver{scanners: d.scanners, runRank: d.runRank, catalogue: c}
		works = append(works, func(b int) (Out, error) { return work(r, b) })
	}
	buckets := feed(ctx, g, between(0, otherBuckets))
	g.Go(func() error {
		for v := range ordered(ctx, g, buckets, works) {
			if err := take(v); err != nil {
				return err
			}
		}
		return ctx.Err()
	})
	return g.Wait()
}

// torrentTables writes what buckets were turned into.
type torrentTables struct {
	day      *dayRun
	torrents *rowWriter[datasets.Torrent]
	failures *rowWriter[datasets.Failure]
	files    *fileColumns
	enc      *column.Encoder
	out      *column.Writer
	resolved [][20]byte
}

func (t *torrentTables) take(b *turned) error {
	for i := range b.torrents {
		t.resolved = append(t.resolved, b.torrents[i].Infohash)
		if err := t.torrents.add(b.torrents[i], b.torrents[i].ResolvedAt); err != nil {
			return err
		}
	}
	for _, f := range b.failures {
		if err := t.failures.add(f, f.Ts); err != nil {
			return err
		}
	}
	for i := range b.files {
		t.files.add(&b.files[i])
		if t.files.idx.Len() >= smallGroupRows {
			if err := t.flush(); err != nil {
				return err
			}
		}
	}
	d := t.day
	d.work.Loaded += b.loaded
	d.work.Duplicate += b.duplicates
	d.work.leave("torrents", "superseded", b.superseded)
	for k, n := range b.uptime {
		d.loaded[k] += n
	}
	return nil
}

// flush writes the files so far as a row group.
func (t *torrentTables) flush() error {
	if t.files.idx.Len() == 0 {
		return nil
	}
	g, err := t.enc.Encode(t.files.columns())
	if err != nil {
		return err
	}
	t.files.reset()
	return t.out.Append(g)
}

// fileColumns builds row groups of the table files.
type fileColumns struct {
	hash             *column.Dict
	last             [20]byte
	lastAt           uint32
	idx              *column.Dict
	idxAt            []uint32 // index + 1 of small numbers
	path, name       column.Texts
	extension, media texts
	size             numbers
	pad              column.Bools
}

func fileSchema() (*column.Schema, error) { return column.SchemaOf[datasets.File]() }

func newFileColumns() *fileColumns {
	return &fileColumns{hash: column.NewFixedDict(20), idx: column.NewInt32Dict(), extension: newTexts(), media: newTexts(), size: newNumbers()}
}

func (c *fileColumns) reset() {
	c.hash.Reset()
	c.idx.Reset()
	clear(c.idxAt)
	c.path.Reset()
	c.name.Reset()
	c.extension.reset()
	c.media.reset()
	c.size.reset()
	c.pad.Rows = c.pad.Rows[:0]
}

func (c *fileColumns) add(f *fileRow) {
	if c.hash.Len() == 0 || f.hash != c.last {
		c.last, c.lastAt = f.hash, c.hash.Bytes(f.hash[:])
	}
	c.hash.Add(c.lastAt)
	for int(f.idx) >= len(c.idxAt) {
		c.idxAt = append(c.idxAt, make([]uint32, len(c.idxAt)+64)...)
	}
	if c.idxAt[f.idx] == 0 {
		c.idxAt[f.idx] = c.idx.Int32(f.idx) + 1
	}
	c.idx.Add(c.idxAt[f.idx] - 1)
	c.path.Add(f.path)
	c.name.Add(f.path[strings.LastIndexByte(f.path, '/')+1:])
	c.extension.add(f.extension)
	c.size.add(f.size)
	c.media.add(release.MediaOf(f.extension))
	pad := byte(column.False)
	if f.pad {
		pad = column.True
	}
	c.pad.Rows = append(c.pad.Rows, pad)
}

// columns are the columns in the order of datasets.File.
func (c *fileColumns) columns() []column.Column {
	return []column.Column{
		c.hash, c.idx, &c.path, &c.name, c.extension.dict, c.size.dict, c.media.dict, &c.pad,
	}
}
