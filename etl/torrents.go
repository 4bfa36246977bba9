package etl

import (
	"bytes"
	"cmp"
	"encoding/base64"
	"encoding/binary"
	"encoding/hex"
	"fmt"
	"slices"
	"strings"

	"github.com/boontorrent/boon/datasets"
	"github.com/boontorrent/boon/etl/release"
	"github.com/boontorrent/boon/internal/infodict"
	"github.com/boontorrent/boon/internal/rawlog"
)

// resolver turns resolve and resolve_failed events into rows of torrents, files
// and failures. Events lie in buckets by info-hash; a bucket at a time is in
// memory. One goroutine uses a resolver at a time.
type resolver struct {
	scanners  []*scanner
	runRank   []uint32
	catalogue *release.Catalogue // sealed before the first bucket is turned
	parser    release.Parser
	parsed    release.Release
}

// turned is what became of a bucket.
type turned struct {
	torrents   []datasets.Torrent
	files      []fileRow
	failures   []datasets.Failure
	loaded     int64
	duplicates int64
	superseded int64 // resolve events of an info-hash that has a better one
	uptime     map[loadKey]int64
}

// fileRow is a row of files.
type fileRow struct {
	hash            [20]byte
	idx             int32
	path, extension string
	size            int64
	pad             bool
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
		return cmp.Or(cmp.Compare(runRank[a.run], runRank[b.run]), cmp.Compare(a.ev.N, b.ev.N), cmp.Compare(a.ev.T, b.ev.T), bytes.Compare(a.line, b.line))
	})
	kept := events[:0]
	for i, o := range events {
		if i > 0 && o.ev.N != 0 && o.ev.N == events[i-1].ev.N && o.ev.T == events[i-1].ev.T && o.run == events[i-1].run {
			duplicates++
			continue
		}
		kept = append(kept, o)
	}
	return kept, duplicates, nil
}

// load reads a bucket in order of info-hash and time.
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

// survey lists the works of a bucket, so that those of the whole day are known
// before any torrent is told its own.
func (r *resolver) survey(bucket int) ([]release.Work, error) {
	events, _, err := r.load(bucket)
	if err != nil {
		return nil, err
	}
	var works []release.Work
	for _, e := range latest(events) {
		content := r.parse(e.ev.Resolve)
		if w := release.WorkOf(&r.parsed, content.Type); w.Known() {
			works = append(works, w)
		}
	}
	return works, nil
}

// turn makes the rows of a bucket.
func (r *resolver) turn(bucket int) (*turned, error) {
	events, duplicates, err := r.load(bucket)
	if err != nil {
		return nil, err
	}
	out := &turned{loaded: int64(len(events)), duplicates: duplicates, uptime: map[loadKey]int64{}}
	for i := range events {
		e := &events[i]
		out.uptime[loadKey{e.run, e.ev.T / microsPerMinute, e.ev.Kind}]++
		if e.ev.Kind == rawlog.Resolve {
			out.superseded++
			continue
		}
		f := e.ev.Failed
		out.failures = append(out.failures, datasets.Failure{Ts: e.ev.T, Infohash: f.Infohash, Reason: clean(f.Reason), Peers: f.Peers})
	}
	for _, e := range latest(events) {
		out.superseded--
		r.torrent(out, &e.ev)
	}
	return out, nil
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

// pathOf is the file's path, safe to be joined to a folder's.
func pathOf(f rawlog.File) string {
	if len(f.Path) == 0 {
		return "_"
	}
	return strings.Join(infodict.CleanPath(f.Path), "/")
}

func padding(f rawlog.File) bool { return strings.Contains(f.Attr, "p") }

func (r *resolver) torrent(to *turned, ev *rawlog.Event) {
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
	}
	if work.Known() {
		out.WorkID = text(work.String())
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
		path := pathOf(f)
		row := fileRow{hash: t.Infohash, idx: int32(i), path: path, extension: release.Extension(path), size: f.Length, pad: padding(f)}
		if !row.pad {
			out.Size += f.Length
			out.FileCount++
		}
		to.files = append(to.files, row)
	}
	to.torrents = append(to.torrents, out)
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
