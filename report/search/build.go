package search

import (
	"bytes"
	"cmp"
	"context"
	"encoding/binary"
	"encoding/json"
	"fmt"
	"slices"
	"strconv"

	"golang.org/x/sync/errgroup"

	"github.com/boontorrent/boon/report/pack"
)

// Doc is a torrent that can be found.
type Doc struct {
	Infohash  [20]byte
	Name      string
	Title     string // of the work, "" where not known; torrents of a title lie together
	Type      string
	Year      int
	Size      int64
	Files     int64
	Day       int // of resolution, in days since 1970
	Adult     bool
	Demand    int64    // as it may be published, 0 where it may not
	Countries []string // with demand that may be published
	order     string
}

// Options say what the index is of.
type Options struct {
	Dir          string // where the folder of the index is made
	Temp         string // for temporary files; "" for the system's
	Workers      int
	K            int    // networks that a published demand stands for
	Since, Until string // days whose demand is counted
	// Check looks at what each file holds; an error of it is the Builder's. It may be nil.
	Check func(path string, b []byte) error
}

// Summary says what was made.
type Summary struct {
	Folder       string // name of the index's folder in Dir
	Docs         int
	HasFiles     bool // names of files too
	Files, Bytes int64
}

// What the files hold at most.
const (
	longestName   = 4 << 10
	mostFileTerms = 20_000 // of the files of one torrent
)

// Builder makes an index: documents first, then, if it is wanted, their files.
type Builder struct {
	o      Options
	sizes  sizes
	out    *pack.Folder
	docs   []Doc
	byHash map[[20]byte]uint32
	root   root
	files  *fileWorkers
}

// root is what a searcher reads first.
type root struct {
	Version int      `json:"v"`
	Docs    int      `json:"docs"`
	General int      `json:"general"` // documents from here on are adult
	Shown   [2]int   `json:"shown"`   // documents with published demand: general, adult
	Rows    int      `json:"rows"`
	ByWord  int      `json:"byWord"` // rows of a pack that is a word's
	Columns int      `json:"columns"`
	K       int      `json:"k"`
	Since   string   `json:"since"`
	Until   string   `json:"until"`
	Types   []string `json:"types"`
	Years   [2]int   `json:"years"`
	Country []string `json:"countries"`
	Names   []string `json:"names"` // what separates the shards
	Heads   []string `json:"heads"`
	Files   bool     `json:"files"`
}

// FormatVersion is that of the files; an older page's script must not read newer ones.
const FormatVersion = 2

// NewBuilder numbers the documents, which it sorts, and writes the index of their
// names. The folder gets its name in Finish; Close removes what is not finished.
func NewBuilder(ctx context.Context, docs []Doc, o Options) (*Builder, error) {
	return newBuilder(ctx, docs, o, usual())
}

func newBuilder(ctx context.Context, docs []Doc, o Options, z sizes) (*Builder, error) {
	o.Workers = max(1, o.Workers)
	out, err := pack.New(ctx, o.Dir, o.Workers, 9)
	if err != nil {
		return nil, fmt.Errorf("build the search index: %w", err)
	}
	out.Check = o.Check
	b := &Builder{o: o, sizes: z, out: out, docs: docs}
	b.number()
	for _, step := range []func(context.Context) error{b.rows, b.columns, b.names} {
		if err := step(ctx); err != nil {
			b.Close()
			return nil, fmt.Errorf("build the search index: %w", err)
		}
	}
	return b, nil
}

// Close removes an index that was not finished.
func (b *Builder) Close() {
	if b.files != nil {
		b.files.stop()
	}
	b.out.Close()
}

// number sorts the documents. Adult ones come last. Those with published demand come
// first, by it; what comes after, and between equals, is by title and name, so that
// nothing tells more of demand than is published, and torrents of a work are neighbours.
func (b *Builder) number() {
	var t Tokeniser
	for i := range b.docs {
		d := &b.docs[i]
		if len(d.Name) > longestName {
			d.Name = string(bytes.ToValidUTF8([]byte(d.Name[:longestName]), nil))
		}
		var key []byte
		for _, text := range []string{d.Title, d.Name} {
			for _, u := range t.Units(text) {
				key = append(append(key, u.Text...), ' ')
			}
			key = append(key, 0)
		}
		d.order = string(key)
	}
	slices.SortFunc(b.docs, func(x, y Doc) int {
		if x.Adult != y.Adult {
			return cmp.Compare(truth(x.Adult), truth(y.Adult))
		}
		return cmp.Or(cmp.Compare(y.Demand, x.Demand), cmp.Compare(x.order, y.order), bytes.Compare(x.Infohash[:], y.Infohash[:]))
	})
	r := &b.root
	*r = root{Version: FormatVersion, Docs: len(b.docs), Rows: b.sizes.rows, ByWord: b.sizes.byWord, Columns: b.sizes.columns, K: b.o.K, Since: b.o.Since, Until: b.o.Until, General: len(b.docs), Types: []string{}, Country: []string{}}
	for i := range b.docs {
		d := &b.docs[i]
		d.order, d.Title = "", ""
		if d.Adult {
			r.General = min(r.General, i)
		}
		if d.Demand > 0 {
			r.Shown[truth(d.Adult)]++
		}
		if !slices.Contains(r.Types, d.Type) {
			r.Types = append(r.Types, d.Type)
		}
		if d.Year > 0 {
			r.Years[0], r.Years[1] = min(cmp.Or(r.Years[0], d.Year), d.Year), max(r.Years[1], d.Year)
		}
		for _, c := range d.Countries {
			if !slices.Contains(r.Country, c) {
				r.Country = append(r.Country, c)
			}
		}
	}
	slices.Sort(r.Types)
	slices.Sort(r.Country)
}

func truth(b bool) int {
	if b {
		return 1
	}
	return 0
}

// columns writes what the other orders need: size and day of each document.
func (b *Builder) columns(context.Context) error {
	for from := 0; from < len(b.docs); from += b.sizes.columns {
		part := b.docs[from:min(len(b.docs), from+b.sizes.columns)]
		var column []byte
		for i := range part {
			column = binary.LittleEndian.AppendUint16(column, sizeCode(part[i].Size))
		}
		for i := range part {
			column = binary.LittleEndian.AppendUint16(column, dayCode(part[i].Day))
		}
		if err := b.out.Zip("c/"+strconv.Itoa(from/b.sizes.columns)+".gz", column); err != nil {
			return err
		}
	}
	return nil
}

// dayCode is a day in 16 bits.
func dayCode(day int) uint16 { return uint16(min(max(0, day), 1<<16-1)) }

// SizeClass is what the filter by size knows of a size: below 100 MB, 1 GB, 5 GB, 20 GB,
// or not below.
func SizeClass(size int64) int {
	n := 0
	for _, limit := range []int64{100e6, 1e9, 5e9, 20e9} {
		if size >= limit {
			n++
		}
	}
	return n
}

// names writes the index of names and of what filters ask for.
func (b *Builder) names(ctx context.Context) error {
	all := make([]*accumulator, b.o.Workers)
	g, ctx := errgroup.WithContext(ctx)
	for w := range all {
		a := newAccumulator(b.o.Temp)
		all[w] = a
		from, until := len(b.docs)*w/len(all), len(b.docs)*(w+1)/len(all)
		g.Go(func() error {
			var t Tokeniser
			for i := from; i < until; i++ {
				if err := cmp.Or(ctx.Err(), a.begin(uint32(i))); err != nil {
					return err
				}
				d := &b.docs[i]
				t.Terms(d.Name, a.add)
				for _, term := range d.attributes() {
					a.add([]byte(term))
				}
			}
			return nil
		})
	}
	defer func() {
		for _, a := range all {
			a.close()
		}
	}()
	if err := g.Wait(); err != nil {
		return err
	}
	dict := newDictionary(b.out, b.sizes, "n", len(b.docs), b.root.General, true)
	dict.rows = b.wordRows
	if err := merge(all, dict.add); err != nil {
		return err
	}
	var err error
	b.root.Names, b.root.Heads, err = dict.finish()
	return err
}

// attributes are terms that no text has, for the filters.
func (d *Doc) attributes() []string {
	list := []string{"\x01t" + d.Type, "\x01s" + strconv.Itoa(SizeClass(d.Size))}
	if d.Year > 0 {
		list = append(list, "\x01y"+strconv.Itoa(d.Year))
	}
	for _, c := range d.Countries {
		list = append(list, "\x01c"+c)
	}
	return list
}

// Finish writes what is left and names the folder after its content.
func (b *Builder) Finish(ctx context.Context) (Summary, error) {
	defer b.Close()
	if b.files != nil {
		first, heads, err := b.files.finish(ctx, b)
		if err != nil {
			return Summary{}, fmt.Errorf("build the index of file names: %w", err)
		}
		text, err := json.Marshal(map[string][]string{"names": first, "heads": heads})
		if err != nil {
			return Summary{}, err
		}
		if err := b.out.Zip("files.gz", text); err != nil {
			return Summary{}, err
		}
		b.root.Files = true
	}
	text, err := json.Marshal(b.root)
	if err != nil {
		return Summary{}, err
	}
	if err := b.out.Zip("root.gz", text); err != nil {
		return Summary{}, err
	}
	name, err := b.out.Finish("i-")
	if err != nil {
		return Summary{}, fmt.Errorf("build the search index: %w", err)
	}
	files, bytes := b.out.Wrote()
	return Summary{name, len(b.docs), b.root.Files, files, bytes}, nil
}
