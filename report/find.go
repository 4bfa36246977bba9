//go:build cgo && !noduck

package report

import (
	"bytes"
	"cmp"
	"compress/gzip"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"runtime"
	"runtime/debug"
	"slices"
	"strconv"
	"strings"

	"github.com/boontorrent/boon/report/pack"
	"github.com/boontorrent/boon/report/search"
	"github.com/boontorrent/boon/report/torrent"
)

// found says where the search index and the torrent records lie. Pages that were opened
// before the site changed read it too, from search/current.json.
type found struct {
	Index    string `json:"index"`   // folder in search/
	Version  int    `json:"version"` // of its format
	Records  string `json:"records"` // folder in t/
	Bits     int    `json:"bits"`    // of an info-hash that number its shard
	HasFiles bool   `json:"files"`
	Digest   string `json:"digest"` // of what both were made from
	Magnets  bool   `json:"-"`
}

// Ranges of info-hashes that are read at a time, and releases that a work's list has.
const (
	rangeTorrents = 25_000
	mostReleases  = 100
)

// finder makes the search index and the torrent pages.
type finder struct {
	*builder
	docs   []search.Doc
	works  []worked // in the order of info-hashes
	shown  map[string]*published
	index  *search.Builder
	writer *torrent.Writer
}

// published is what the maps of titles say of a torrent.
type published struct {
	Requesters int64    `json:"requesters"`
	Countries  [][2]any `json:"countries"`
	Days       [][2]any `json:"days"`
}

// worked is a torrent with its work. There are millions: no pointers, and what is small.
type worked struct {
	infohash [20]byte
	work     uint32    // one number for each work that has a torrent, from 1 on; 0 is none
	place    [2]uint32 // of the work's releases
	listed   bool      // there are others
}

// find makes what search and torrent pages read, or takes it over from the site that
// stands where it was made from the same.
func (b *builder) find(ctx context.Context) error {
	f := &finder{builder: b}
	digest := b.findDigest()
	var old found
	if b.out.readOld("search/current.json", &old) && old.Digest == digest && f.again(ctx, old) {
		return nil
	}
	b.site.Found.Digest = digest
	if err := b.dropTables(ctx); err != nil {
		return err
	}
	// All torrents are in memory at once: a smaller heap is worth the collector's time.
	defer debug.SetGCPercent(debug.SetGCPercent(40))
	var err error
	if f.shown, err = readPublished(b.out.dir); err != nil {
		return err
	}
	if err := f.read(ctx); err != nil {
		return err
	}
	var text int64
	for i := range f.docs {
		text += 350 + int64(len(f.docs[i].Name)) + 50*min(f.docs[i].Files, 150)
	}
	f.writer, err = torrent.NewWriter(ctx, torrent.Options{Dir: filepath.Join(b.out.dir, "t"), Workers: runtime.GOMAXPROCS(0), Bytes: text, Check: b.checkIn("t")})
	if err != nil {
		return err
	}
	defer f.writer.Close()
	if err := f.releases(); err != nil {
		return err
	}
	f.index, err = search.NewBuilder(ctx, f.docs, search.Options{Dir: filepath.Join(b.out.dir, "search"), Workers: runtime.GOMAXPROCS(0),
		K: b.o.K, Since: b.site.Week.Since, Until: b.site.Week.Until, Check: b.checkIn("search")})
	if err != nil {
		return err
	}
	defer f.index.Close()
	for from := 0; from < len(f.works); from += rangeTorrents {
		bounds := map[string]string{"from": hex.EncodeToString(f.works[from].infohash[:])}
		if next := from + rangeTorrents; next < len(f.works) {
			bounds["before"] = hex.EncodeToString(f.works[next].infohash[:])
		}
		if err := f.records(ctx, bounds); err != nil {
			return err
		}
	}
	return f.finish(ctx)
}

// dropTables gives back what the steps before have left in DuckDB's memory.
func (b *builder) dropTables(ctx context.Context) error {
	b.listed = nil
	for _, name := range []string{"place", "listed", "member", "asked", "counted", "kept", "ranked"} {
		if err := b.db.Exec(ctx, "DROP TABLE IF EXISTS "+name); err != nil {
			return err
		}
	}
	return nil
}

// read reads all that can be found, a sixteenth at a time. The index sorts docs later; works
// stay in the order of info-hashes.
func (f *finder) read(ctx context.Context) error {
	q, err := own("findable")
	if err != nil {
		return err
	}
	f.docs, f.works = make([]search.Doc, 0, f.site.Figures.Torrents), make([]worked, 0, f.site.Figures.Torrents)
	seen := shared{kinds: map[string]string{}, works: map[string]uint32{}}
	for i := range 16 {
		bounds := map[string]string{"from": fmt.Sprintf("%x0", i)}
		if i < 15 {
			bounds["before"] = fmt.Sprintf("%x0", i+1)
		}
		if err := rows(ctx, f.db, q, bounds, func(row []any) error { return f.add(row, seen) }); err != nil {
			return err
		}
	}
	return nil
}

// shared is what many torrents have: kept once.
type shared struct {
	kinds map[string]string
	works map[string]uint32
}

// add takes a torrent in.
func (f *finder) add(row []any, seen shared) error {
	kind, ok := seen.kinds[text(row[3])]
	if !ok {
		kind = text(row[3])
		seen.kinds[kind] = kind
	}
	work, ok := seen.works[text(row[9])]
	if id := text(row[9]); !ok && id != "" {
		work = uint32(len(seen.works) + 1)
		seen.works[id] = work
	}
	d := search.Doc{Name: text(row[1]), Title: text(row[2]), Type: kind, Year: int(integer(row[4])), Size: integer(row[5]),
		Files: integer(row[6]), Day: int(integer(row[7])), Adult: row[8] == true}
	if _, err := hex.Decode(d.Infohash[:], []byte(text(row[0]))); err != nil {
		return err
	}
	if p := f.shown[text(row[0])]; p != nil {
		d.Demand = p.Requesters
		for _, c := range p.Countries {
			if code := text(c[0]); code != "" {
				d.Countries = append(d.Countries, code)
			}
		}
	}
	f.docs = append(f.docs, d)
	f.works = append(f.works, worked{infohash: d.Infohash, work: work})
	return nil
}

// releases writes the works that have several, those asked for most first.
func (f *finder) releases() error {
	order := make([]int, 0, len(f.works))
	for i, w := range f.works {
		if w.work > 0 {
			order = append(order, i)
		}
	}
	slices.SortFunc(order, func(x, y int) int {
		if c := cmp.Compare(f.works[x].work, f.works[y].work); c != 0 {
			return c
		}
		a, b := &f.docs[x], &f.docs[y]
		return cmp.Or(cmp.Compare(b.Demand, a.Demand), cmp.Compare(a.Name, b.Name), cmp.Compare(x, y))
	})
	for len(order) > 0 {
		n := 1
		for n < len(order) && f.works[order[n]].work == f.works[order[0]].work {
			n++
		}
		if n > 1 {
			if err := f.release(order[:n]); err != nil {
				return err
			}
		}
		order = order[n:]
	}
	return nil
}

func (f *finder) release(of []int) error {
	var list []torrent.Release
	for _, i := range of[:min(len(of), mostReleases)] {
		d := &f.docs[i]
		list = append(list, torrent.Release{Infohash: d.Infohash, Name: d.Name, Size: d.Size, Demand: d.Demand})
	}
	place, err := f.writer.AddWork(f.docs[of[0]].Title, list)
	for _, i := range of {
		f.works[i].place, f.works[i].listed = [2]uint32{uint32(place[0]), uint32(place[1])}, true
	}
	return err
}

// records writes the torrents of a range of info-hashes, and gives their files to the index.
func (f *finder) records(ctx context.Context, bounds map[string]string) error {
	q, err := own("paths")
	if err != nil {
		return err
	}
	files := map[string]string{}
	err = rows(ctx, f.db, q, bounds, func(row []any) error {
		files[text(row[0])] = text(row[1])
		return nil
	})
	if err != nil {
		return err
	}
	if q, err = own("records"); err != nil {
		return err
	}
	return rows(ctx, f.db, q, bounds, func(row []any) error {
		name := text(row[0])
		list := filesOf(files[name])
		delete(files, name)
		return f.record(ctx, name, row, list)
	})
}

// filesOf reads what paths.sql writes.
func filesOf(all string) (list []torrent.File) {
	for all != "" {
		var one string
		one, all, _ = strings.Cut(all, "\x02")
		path, size, _ := strings.Cut(one, "\x01")
		n, err := strconv.ParseInt(size, 10, 64)
		if err == nil {
			list = append(list, torrent.File{Path: path, Size: n})
		}
	}
	return list
}

func (f *finder) record(ctx context.Context, name string, row []any, files []torrent.File) error {
	var infohash [20]byte
	if _, err := hex.Decode(infohash[:], []byte(name)); err != nil {
		return err
	}
	r := &torrent.Record{Name: text(row[1]), Size: integer(row[2]), Count: integer(row[3]), Resolved: text(row[4]), Type: text(row[5]), Adult: row[6] == true,
		Title: text(row[7]), Year: integer(row[8]), Seasons: integers(row[9]), Episodes: integers(row[10]), Resolution: integer(row[11]),
		Source: text(row[12]), Video: text(row[13]), Audio: text(row[14]), Group: text(row[15]), Edition: text(row[16]),
		PieceLength: integer(row[18]), InfohashV2: text(row[19]), Work: text(row[20])}
	if list, ok := row[17].([]any); ok {
		for _, v := range list {
			r.Languages = append(r.Languages, text(v))
		}
	}
	if p := f.shown[name]; p != nil {
		r.Demand = &torrent.Demand{Requesters: p.Requesters, Countries: p.Countries, Days: p.Days}
	}
	i, ok := slices.BinarySearchFunc(f.works, infohash, func(w worked, h [20]byte) int { return bytes.Compare(w.infohash[:], h[:]) })
	if !ok {
		return fmt.Errorf("torrent %s was not there a moment ago: was the lake changed meanwhile?", name)
	}
	if w := f.works[i]; w.listed {
		r.Releases = &torrent.Place{int(w.place[0]), int(w.place[1])}
	}
	if err := f.writer.Add(infohash, r, files); err != nil {
		return err
	}
	paths := make([]string, len(files)) // in order now: of very many, the index takes the first
	for k := range files {
		paths[k] = files[k].Path
	}
	return f.index.Files(ctx, infohash, paths)
}

// integers is a list of numbers.
func integers(v any) (all []int64) {
	list, _ := v.([]any)
	for _, n := range list {
		all = append(all, integer(n))
	}
	return all
}

func (f *finder) finish(ctx context.Context) error {
	s, err := f.index.Finish(ctx)
	if err != nil {
		return err
	}
	folder, files, size, err := f.writer.Finish()
	if err != nil {
		return err
	}
	return f.done(found{Index: s.Folder, Version: search.FormatVersion, Records: folder, Bits: f.writer.Bits(), HasFiles: s.HasFiles, Digest: f.site.Found.Digest},
		s.Files+files, s.Bytes+size)
}

func (f *finder) done(what found, files, bytes int64) error {
	f.out.files += files
	f.out.bytes += bytes
	f.out.checked["search/"+what.Index], f.out.checked["t/"+what.Records] = true, true
	what.Magnets = f.o.Magnets
	f.site.Found = what
	return f.out.json("search/current.json", what)
}

// again takes the index and the records over from the site that stands.
func (f *finder) again(ctx context.Context, old found) bool {
	var files, bytes int64
	for _, folder := range []string{"search/" + old.Index, "t/" + old.Records} {
		if !fs.ValidPath(folder) {
			return false
		}
		n, size, err := pack.Take(ctx, filepath.Join(f.out.old, filepath.FromSlash(folder)), filepath.Join(f.out.dir, filepath.Dir(filepath.FromSlash(folder))))
		if err != nil {
			return false
		}
		files, bytes = files+n, bytes+size
	}
	return f.done(old, files, bytes) == nil
}

// findDigest stands for all that the index and the records follow from.
func (b *builder) findDigest() string {
	sum := sha256.New()
	fmt.Fprintf(sum, "format %d.%d k %d excluded %q titles %s week %v\n", format, search.FormatVersion, b.o.K, b.o.Exclude, b.site.Titles.Folder, b.site.Week)
	for _, table := range []string{"torrents", "files"} {
		for _, m := range b.db.Catalog.Manifests[table] {
			for _, p := range m.Parts {
				fmt.Fprintln(sum, p.SHA256, p.Key)
			}
		}
	}
	return hex.EncodeToString(sum.Sum(nil))[:12]
}

// readPublished reads what the maps of titles, which the site has by now, say of torrents.
func readPublished(dir string) (map[string]*published, error) {
	names, err := filepath.Glob(filepath.Join(dir, "map", "titles-*", "*.gz"))
	if err != nil {
		return nil, err
	}
	all := map[string]*published{}
	for _, name := range names {
		b, err := os.ReadFile(name)
		if err != nil {
			return nil, err
		}
		z, err := gzip.NewReader(bytes.NewReader(b))
		if err != nil {
			return nil, fmt.Errorf("%s: %w", name, err)
		}
		plain, err := io.ReadAll(z)
		if err != nil {
			return nil, fmt.Errorf("%s: %w", name, err)
		}
		var some map[string]*published
		if err := json.Unmarshal(plain, &some); err != nil {
			return nil, fmt.Errorf("%s: %w", name, err)
		}
		for id, p := range some {
			if len(id) == 40 {
				all[id] = p
			}
		}
	}
	return all, nil
}
