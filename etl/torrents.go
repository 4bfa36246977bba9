package etl

import (
	"bytes"
	"cmp"
	"context"
	"encoding/base64"
	"encoding/binary"
	"encoding/hex"
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/parquet-go/parquet-go"

	"github.com/boontorrent/boon/datasets"
	"github.com/boontorrent/boon/etl/release"
	"github.com/boontorrent/boon/internal/rawlog"
)

// resolver turns resolve and resolve_failed events into the tables torrents,
// files and failures. Events lie in buckets by info-hash; a bucket at a time is
// in memory.
type resolver struct {
	names    *names
	runRank  []uint32
	scanners []*scanner

	torrents *rowWriter[datasets.Torrent]
	files    *rowWriter[datasets.File]
	failures *rowWriter[datasets.Failure]

	parser     release.Parser
	parsed     release.Release
	catalogue  release.Catalogue
	resolved   [][20]byte // in order
	loaded     int64
	duplicates int64
	superseded int64
	uptime     map[loadKey]int64
}

// other is an event as it lies in a bucket: the line, and its run.
type other struct {
	run  uint32
	line []byte
	ev   rawlog.Event
}

// decode reads the line: JSON, but for resolve events.
func (o *other) decode() error {
	if len(o.line) > 0 && o.line[0] == packed {
		return decodeResolve(o.line, &o.ev)
	}
	return rawlog.DecodeEvent(o.line, &o.ev)
}

// loadOthers reads a bucket of all scanners' spills, without repeats, in an
// order that does not depend on arrival.
func loadOthers(spills []*spill, bucket int, runRank []uint32) (events []other, duplicates int64, err error) {
	var raw []byte
	for _, s := range spills {
		if raw, err = s.load(bucket, raw); err != nil {
			return nil, 0, err
		}
	}
	for len(raw) > 0 {
		n := binary.LittleEndian.Uint32(raw)
		o := other{run: binary.LittleEndian.Uint32(raw[4:]), line: raw[8 : 8+n]}
		if err := o.decode(); err != nil {
			return nil, 0, fmt.Errorf("read back an event: %w", err)
		}
		events = append(events, o)
		raw = raw[8+n:]
	}
	slices.SortFunc(events, func(a, b other) int {
		return cmp.Or(cmp.Compare(runRank[a.run], runRank[b.run]), cmp.Compare(a.ev.N, b.ev.N), bytes.Compare(a.line, b.line))
	})
	kept := events[:0]
	for i, o := range events {
		if i > 0 && o.ev.N != 0 && o.ev.N == events[i-1].ev.N && o.run == events[i-1].run {
			duplicates++
			continue
		}
		kept = append(kept, o)
	}
	return kept, duplicates, nil
}

func (r *resolver) load(bucket int) ([]other, int64, error) {
	var spills []*spill
	for _, s := range r.scanners {
		spills = append(spills, s.other)
	}
	events, duplicates, err := loadOthers(spills, bucket, r.runRank)
	if err != nil {
		return nil, 0, err
	}
	slices.SortStableFunc(events, func(a, b other) int {
		x, y := a.infohash(), b.infohash()
		return cmp.Or(bytes.Compare(x[:], y[:]), cmp.Compare(a.ev.T, b.ev.T))
	})
	return events, duplicates, nil
}

func (o *other) infohash() rawlog.ID {
	if o.ev.Kind == rawlog.Resolve {
		return o.ev.Resolve.Infohash
	}
	return o.ev.Failed.Infohash
}

// survey reads all names once, so that the works of the day are known before
// any torrent is told its own.
func (r *resolver) survey(ctx context.Context) error {
	for bucket := range otherBuckets {
		if err := ctx.Err(); err != nil {
			return err
		}
		events, _, err := r.load(bucket)
		if err != nil {
			return err
		}
		for _, e := range latest(events) {
			content := r.parse(e.ev.Resolve)
			r.catalogue.Add(release.WorkOf(&r.parsed, content.Type))
		}
	}
	r.catalogue.Seal()
	return nil
}

// write writes all rows.
func (r *resolver) write(ctx context.Context) error {
	for bucket := range otherBuckets {
		if err := ctx.Err(); err != nil {
			return err
		}
		events, duplicates, err := r.load(bucket)
		if err != nil {
			return err
		}
		r.duplicates += duplicates
		r.loaded += int64(len(events))
		for i := range events {
			e := &events[i]
			r.uptime[loadKey{e.run, e.ev.T / microsPerMinute, e.ev.Kind}]++
			if e.ev.Kind == rawlog.Resolve {
				r.superseded++
				continue
			}
			f := e.ev.Failed
			if err := r.failures.add(datasets.Failure{Ts: e.ev.T, Infohash: f.Infohash, Reason: clean(f.Reason), Peers: f.Peers}, e.ev.T); err != nil {
				return err
			}
		}
		for _, e := range latest(events) {
			r.superseded--
			if err := r.torrent(&e.ev); err != nil {
				return err
			}
		}
	}
	return nil
}

// latest keeps one resolve event of each info-hash: one that lists files before
// one that does not, then the latest.
func latest(events []other) []other {
	var out []other
	for _, e := range events {
		if e.ev.Kind != rawlog.Resolve {
			continue
		}
		if n := len(out); n > 0 && out[n-1].ev.Resolve.Infohash == e.ev.Resolve.Infohash {
			if e.ev.Resolve.Files != nil || out[n-1].ev.Resolve.Files == nil {
				out[n-1] = e
			}
			continue
		}
		out = append(out, e)
	}
	return out
}

// parse reads the torrent's name into r.parsed and tells what it holds.
func (r *resolver) parse(t *rawlog.ResolveEvent) release.Content {
	name := nameOf(t)
	r.parser.Parse(name, &r.parsed)
	var media release.Media
	for _, f := range t.Files {
		if !padding(f) {
			media.Add(release.File{Path: pathOf(f), Size: f.Length})
		}
	}
	return release.Classify(&r.parsed, name, media)
}

// nameOf is the torrent's name as text.
func nameOf(t *rawlog.ResolveEvent) string {
	if t.Name == "" && t.NameB64 != "" {
		if b, err := base64.StdEncoding.DecodeString(t.NameB64); err == nil {
			return clean(string(b))
		}
	}
	return clean(t.Name)
}

func pathOf(f rawlog.File) string { return clean(strings.Join(f.Path, "/")) }

func padding(f rawlog.File) bool { return strings.Contains(f.Attr, "p") }

func (r *resolver) torrent(ev *rawlog.Event) error {
	t := ev.Resolve
	content := r.parse(t)
	p := &r.parsed
	work := r.catalogue.Join(release.WorkOf(p, content.Type))
	out := datasets.Torrent{
		Infohash: t.Infohash, Name: nameOf(t), Size: t.Size, FileCount: t.FileCount, PieceLength: positive(t.PieceLength),
		ResolvedAt: ev.T, Peers: unlessUnknown(t.Peers), Seeders: unlessUnknown(t.Seeders), Leechers: unlessUnknown(t.Leechers),
		FoundBy: text(t.FoundBy), ContentType: content.Type, Newznab: content.Newznab, Adult: content.Adult,
		Languages: slices.Clone(p.Languages), Script: text(p.Script), Title: text(p.FullTitle()), Year: year(p.Year),
		Seasons: int32s(p.Seasons), Episodes: int32s(p.Episodes), Resolution: year(p.Resolution), Source: text(p.Source),
		VideoCodec: text(p.VideoCodec), AudioCodec: text(p.AudioCodec), ReleaseGroup: text(p.ReleaseGroup), Edition: text(p.Edition),
		WorkID: work.String(),
	}
	if b, err := hex.DecodeString(t.InfohashV2); err == nil && len(b) == 32 {
		out.InfohashV2 = (*[32]byte)(b)
	}
	if t.Private != rawlog.Unknown {
		private := t.Private == rawlog.True
		out.Private = &private
	}
	if t.Files != nil {
		out.Size, out.FileCount = 0, 0
	}
	for i, f := range t.Files {
		if !padding(f) {
			out.Size += f.Length
			out.FileCount++
		}
		if err := r.file(t.Infohash, i, f); err != nil {
			return err
		}
	}
	r.resolved = append(r.resolved, t.Infohash)
	return r.torrents.add(out, ev.T)
}

func (r *resolver) file(hash rawlog.ID, i int, f rawlog.File) error {
	path := pathOf(f)
	name := path[strings.LastIndexByte(path, '/')+1:]
	ext := release.Extension(path)
	return r.files.add(datasets.File{
		Infohash: hash, Idx: int32(i), Path: path, Name: name, Extension: text(ext), Size: f.Length, Media: release.MediaOf(ext), Pad: padding(f),
	}, 0)
}

func text(s string) *string {
	if s == "" {
		return nil
	}
	s = clean(s)
	return &s
}

func year(n int) *int32 {
	if n == 0 {
		return nil
	}
	v := int32(n)
	return &v
}

func positive(n int64) *int64 {
	if n <= 0 {
		return nil
	}
	return &n
}

func unlessUnknown(n int64) *int64 {
	if n < 0 {
		return nil
	}
	return &n
}

func int32s(in []int) []int32 {
	var out []int32
	for _, n := range in {
		out = append(out, int32(n))
	}
	return out
}

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
