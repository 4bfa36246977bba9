// Package torrent writes what torrent pages read: everything the site says of one
// torrent, found by its info-hash with one request, and what is too long for that in
// further files.
//
//	t/i-<digest>/s/<number>.gz          records by info-hash, JSON: an object of Records
//	t/i-<digest>/w/<number>.gz          works: the other releases of a torrent's work
//	t/i-<digest>/f/<number>.gz          parts of long lists of files
//
// The number of a shard is the first bits of the info-hash; how many there are is
// chosen so that a shard has some 40 KB. A record holds its list of files whole where
// there are few. Of many, it holds the first of the folded tree: a folder that is
// large is a part of its own, and so are the entries after the first thousand of any
// folder, so that a list of a million files is looked at a page at a time. Parts share
// files, as works do: a Place is a file's number and the place in its list.
//
// What a record says of demand is what the caller has judged fit to be published.
package torrent

import (
	"bytes"
	"context"
	"encoding/binary"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"math/bits"
	"slices"
	"strconv"

	"github.com/boontorrent/boon/report/pack"
)

// Record is what the site says of a torrent.
type Record struct {
	Name        string   `json:"n"`
	Size        int64    `json:"s"`
	Count       int64    `json:"c"` // of files
	Resolved    string   `json:"d"` // day
	Type        string   `json:"t"`
	Adult       bool     `json:"x,omitempty"`
	Title       string   `json:"ti,omitempty"`
	Year        int64    `json:"y,omitempty"`
	Seasons     []int64  `json:"se,omitempty"`
	Episodes    []int64  `json:"ep,omitempty"`
	Resolution  int64    `json:"re,omitempty"`
	Source      string   `json:"so,omitempty"`
	Video       string   `json:"vc,omitempty"`
	Audio       string   `json:"ac,omitempty"`
	Group       string   `json:"g,omitempty"`
	Edition     string   `json:"e,omitempty"`
	Languages   []string `json:"l,omitempty"`
	PieceLength int64    `json:"p,omitempty"`
	InfohashV2  string   `json:"v2,omitempty"`
	Work        string   `json:"w,omitempty"`  // its id
	Releases    *Place   `json:"wp,omitempty"` // where its work lies, if it has other releases
	Demand      *Demand  `json:"q,omitempty"`
	Files       *Tree    `json:"-"` // written last, as f
}

// Place is the number of a pack, and the place in its list.
type Place [2]int

// Demand is what may be published of who asks for a torrent.
type Demand struct {
	Requesters int64    `json:"n"`
	Countries  [][2]any `json:"c"` // code, requesters; "" is elsewhere
	Days       [][2]any `json:"d"` // day, requesters
}

// Release is a torrent as the list of its work shows it.
type Release struct {
	Infohash [20]byte
	Name     string
	Size     int64
	Demand   int64
}

// Options say where the folder is made.
type Options struct {
	Dir     string
	Workers int
	Bytes   int64 // their text, about, before it is compressed
	// Check looks at what each file holds; an error of it is the Writer's. It may be nil.
	Check func(path string, b []byte) error
}

// level is gzip's: 9 would take four times as long for a twentieth less.
const level = 5

// Sizes of files, in bytes of text, which a fifth or so is left of.
const (
	shardText = 200 << 10
	packText  = 120 << 10
)

// Writer writes the folder. Works come first, then records in the order of info-hashes.
type Writer struct {
	out   *pack.Folder
	bits  int
	shard int // being gathered
	text  bytes.Buffer
	works packs
	parts packs
}

// packs gathers texts to lists of some size.
type packs struct {
	out    *pack.Folder
	folder string
	text   bytes.Buffer
	place  Place
}

// add writes a value, of which append writes the text, into the list and tells where it lies.
func (p *packs) add(text func([]byte) []byte) (Place, error) {
	if p.text.Len() >= packText {
		if err := p.flush(); err != nil {
			return Place{}, err
		}
	}
	at := p.place
	p.place[1]++
	if p.text.Len() > 0 {
		p.text.WriteByte(',')
	}
	p.text.Write(text(p.text.AvailableBuffer()))
	return at, nil
}

func (p *packs) flush() error {
	if p.text.Len() == 0 {
		return nil
	}
	text := append(append([]byte("["), p.text.Bytes()...), ']')
	p.text.Reset()
	at := p.place[0]
	p.place = Place{at + 1, 0}
	return p.out.Zip(p.folder+"/"+strconv.Itoa(at)+".gz", text)
}

// NewWriter begins the folder.
func NewWriter(ctx context.Context, o Options) (*Writer, error) {
	out, err := pack.New(ctx, o.Dir, o.Workers, level)
	if err != nil {
		return nil, fmt.Errorf("write torrent pages: %w", err)
	}
	out.Check = o.Check
	n := min(20, bits.Len64(uint64(o.Bytes/shardText)))
	return &Writer{out: out, bits: n, shard: -1, works: packs{out: out, folder: "w"}, parts: packs{out: out, folder: "f"}}, nil
}

// Bits is how many bits of an info-hash are the number of its shard.
func (w *Writer) Bits() int { return w.bits }

// Close removes what is not finished.
func (w *Writer) Close() { w.out.Close() }

// AddWork writes a work's releases and tells where they lie.
func (w *Writer) AddWork(title string, releases []Release) (Place, error) {
	rows := make([][4]any, len(releases))
	for i, r := range releases {
		rows[i] = [4]any{hex.EncodeToString(r.Infohash[:]), r.Name, r.Size, r.Demand}
	}
	text, err := json.Marshal([2]any{title, rows})
	if err != nil {
		return Place{}, err
	}
	return w.works.add(func(b []byte) []byte { return append(b, text...) })
}

// Add writes a record and its files, which it sorts. An info-hash comes after those
// before it.
func (w *Writer) Add(infohash [20]byte, r *Record, files []File) error {
	shard := int(binary.BigEndian.Uint32(infohash[:4]) >> (32 - w.bits))
	if w.bits == 0 {
		shard = 0
	}
	if shard < w.shard {
		return fmt.Errorf("write torrent pages: %x comes after shard %d", infohash, w.shard)
	}
	if shard > w.shard {
		if err := w.flushShard(); err != nil {
			return err
		}
		w.shard = shard
	}
	slices.SortFunc(files, comparePaths)
	tree := fold(files, func(t *Tree) (Place, error) { return w.parts.add(t.append) })
	if tree.err != nil {
		return tree.err
	}
	if len(tree.root.Entries) > 0 {
		r.Files = &tree.root
	}
	if w.text.Len() > 0 {
		w.text.WriteByte(',')
	}
	w.text.WriteString(`"` + hex.EncodeToString(infohash[:]) + `":`)
	return r.write(&w.text)
}

// write writes the record with its files.
func (r *Record) write(b *bytes.Buffer) error {
	text, err := json.Marshal(r)
	if err != nil {
		return err
	}
	if r.Files == nil {
		b.Write(text)
		return nil
	}
	b.Write(text[:len(text)-1]) // an object that has some fields at least
	b.WriteString(`,"f":`)
	b.Write(r.Files.append(b.AvailableBuffer()))
	return b.WriteByte('}')
}

func (w *Writer) flushShard() error {
	if w.shard < 0 || w.text.Len() == 0 {
		return nil
	}
	text := append(append([]byte("{"), w.text.Bytes()...), '}')
	w.text.Reset()
	return w.out.Zip("s/"+strconv.Itoa(w.shard)+".gz", text)
}

// Finish names the folder after its content.
func (w *Writer) Finish() (name string, files, bytes int64, err error) {
	if err := errors.Join(w.works.flush(), w.parts.flush()); err != nil {
		return "", 0, 0, err
	}
	if err := w.flushShard(); err != nil {
		return "", 0, 0, err
	}
	name, err = w.out.Finish("i-")
	files, bytes = w.out.Wrote()
	return name, files, bytes, err
}
