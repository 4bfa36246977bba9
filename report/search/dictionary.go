package search

import (
	"cmp"
	"math/bits"
	"slices"
	"strconv"
	"strings"
	"unicode/utf8"

	"github.com/boontorrent/boon/report/pack"
)

// sizes of the files of an index. Those of a dictionary are bytes.
type sizes struct {
	shard     int // about, compressed
	fileShard int // the same of the index of file names, whose terms are more: what separates shards is read whole
	inline    int // of a list that lies whole in its shard
	head      int // of a longer list's beginning, which lies there too
	block     int // of a longer list's next block; the others are larger
	most      int // of a block
	rows      int // of a pack of rows
	byWord    int // rows of a pack that is a word's
	wordPacks int // of a word, at most
	columns   int // documents of a pack of columns
}

// usual sizes, found by trying which make a query cheapest.
func usual() sizes {
	return sizes{shard: 4 << 10, fileShard: 8 << 10, inline: 4 << 10, head: 1 << 10, block: 4 << 10, most: 24 << 10, rows: 128, byWord: 256, wordPacks: 8, columns: 4096}
}

// longList is the length from which a list says whether it is cut into blocks.
const longList = 512

// fewWordRows is the length from which a list may have packs of rows of its own.
const fewWordRows = 16

// A prefix whose terms lie in more than three shards has a list of its own with the
// first documents of all its terms.
const (
	headDocs    = 256
	headLetters = 6
	headShards  = 3 // between the first and the last; a client reads one more by itself
)

// dictionary writes the terms of an index, which must come in order, to shards.
type dictionary struct {
	out     *pack.Folder
	sizes   sizes
	folder  string
	docs    uint32
	general uint32                                                              // documents from here on are adult
	rows    func(folder string, next int, docs []uint32) (packs int, err error) // of a list's own; may be nil

	// Of the shard being made.
	text      []byte
	lists     bitWriter
	terms     int
	last      []byte
	scratch   bitWriter
	first     []string // the shortest text that separates a shard from those before
	blocks    int      // files of blocks so far
	keepHeads bool
	open      []head // prefixes of the last term
	packs     int    // of rows so far
	heads     []head // of closed prefixes that need a list
}

// head is a prefix and the first documents of its terms.
type head struct {
	prefix string
	shard  int // of its first term
	docs   []uint32
	most   uint32 // the last of docs, where docs is full
}

func newDictionary(out *pack.Folder, z sizes, folder string, docs, general int, keepHeads bool) *dictionary {
	return &dictionary{out: out, sizes: z, first: []string{}, folder: folder, docs: uint32(docs), general: uint32(general), keepHeads: keepHeads}
}

// add takes the next term and its documents.
func (d *dictionary) add(term []byte, docs []uint32) error {
	if d.terms > 0 && len(d.text)*5/9+d.lists.size()/8 >= d.sizes.shard {
		if err := d.flush(); err != nil {
			return err
		}
	}
	if d.terms == 0 {
		d.first = append(d.first, separation(d.last, term))
		d.last = d.last[:0]
	}
	shared := 0
	for shared < min(len(d.last), len(term)) && d.last[shared] == term[shared] {
		shared++
	}
	d.text = append(d.text, byte(shared), byte(len(term)-shared))
	d.text = append(d.text, term[shared:]...)
	d.last = append(d.last[:0], term...)
	d.terms++
	if d.keepHeads && term[0] >= ' ' {
		d.addHeads(string(term), docs)
	}
	return d.list(docs, term[0] >= ' ')
}

// separation is the shortest text that is above the last term and not above the next.
func separation(last, next []byte) string {
	n := 0
	for n < min(len(last), len(next)) && last[n] == next[n] {
		n++
	}
	for n++; n < len(next) && !utf8.RuneStart(next[n]); n++ {
	}
	return string(next[:min(n, len(next))])
}

// list writes the documents of a term. A word's may have rows of their own.
func (d *dictionary) list(docs []uint32, word bool) error {
	w := &d.lists
	w.gamma(uint32(len(docs)))
	if len(docs) >= fewWordRows {
		packs := 0
		if word && d.rows != nil {
			var err error
			if packs, err = d.rows(d.folder, d.packs, docs); err != nil {
				return err
			}
		}
		w.gamma(uint32(packs + 1))
		if packs > 0 {
			w.gamma(uint32(d.packs + 1))
		}
		d.packs += packs
	}
	if len(docs) < longList {
		w.between(docs, 0, d.docs-1)
		return nil
	}
	d.scratch.reset()
	d.scratch.between(docs, 0, d.docs-1)
	size := d.scratch.size()
	if size <= 8*d.sizes.inline {
		w.put(0, 1)
		w.between(docs, 0, d.docs-1)
		return nil
	}
	w.put(1, 1)
	cuts := d.sizes.cut(len(docs), size)
	w.gamma(uint32(len(cuts)))
	w.gamma(uint32(d.blocks + 1))
	general, _ := slices.BinarySearch(docs, d.general)
	w.gamma(uint32(general + 1))
	from, before := 0, int64(-1)
	for i, end := range cuts {
		block := docs[from:end]
		last := block[len(block)-1]
		w.gamma(uint32(len(block)))
		w.gamma(uint32(int64(last) - before))
		into := w
		if i > 0 {
			into = &bitWriter{}
		}
		if n := len(block) - 1; n > 0 {
			into.between(block[:n], uint32(before+1), last-1)
		}
		if i > 0 {
			b := into.bytes()
			w.gamma(uint32(len(b) + 1))
			if err := d.out.Plain(d.folder+"/b/"+strconv.Itoa(d.blocks)+".bin", b); err != nil {
				return err
			}
			d.blocks++
		}
		from, before = end, int64(last)
	}
	return nil
}

// cut divides n documents that take size bits into blocks, small ones first, and
// returns their ends.
func (z sizes) cut(n, size int) (ends []int) {
	want := z.head
	for from := 0; from < n; {
		end := min(n, from+max(1, int(int64(want)*8*int64(n)/int64(size))))
		if rest := n - end; rest < (end-from)/2 {
			end = n
		}
		ends = append(ends, end)
		from, want = end, min(z.most, max(z.block, want*2))
	}
	return ends
}

// flush writes the shard.
func (d *dictionary) flush() error {
	if d.terms == 0 {
		return nil
	}
	text := append([]byte{byte(d.terms), byte(d.terms >> 8)}, d.text...)
	lists := slices.Clone(d.lists.bytes())
	err := d.out.Zip(d.folder+"/"+strconv.Itoa(len(d.first)-1)+".gz", text, lists)
	d.terms, d.text = 0, d.text[:0]
	d.lists.reset()
	return err
}

// addHeads brings the documents into the lists of the term's prefixes.
func (d *dictionary) addHeads(term string, docs []uint32) {
	for len(d.open) > 0 && !strings.HasPrefix(term, d.open[len(d.open)-1].prefix) {
		d.closeHead()
	}
	letters := 0
	for i := range term {
		if letters > len(d.open) && letters <= headLetters {
			d.open = append(d.open, head{prefix: term[:i], shard: len(d.first) - 1})
		}
		letters++
	}
	if letters > len(d.open) && letters <= headLetters {
		d.open = append(d.open, head{prefix: term, shard: len(d.first) - 1})
	}
	for i := range d.open {
		d.open[i].add(docs)
	}
}

func (h *head) add(docs []uint32) {
	for _, doc := range docs[:min(len(docs), headDocs)] {
		if h.most > 0 && doc >= h.most {
			break
		}
		h.docs = append(h.docs, doc)
	}
	if len(h.docs) >= 4*headDocs {
		h.settle()
	}
}

// settle sorts and cuts the list.
func (h *head) settle() {
	slices.Sort(h.docs)
	h.docs = slices.Compact(h.docs)
	if len(h.docs) >= headDocs {
		h.docs = h.docs[:headDocs]
		h.most = h.docs[headDocs-1]
	}
}

func (d *dictionary) closeHead() {
	h := d.open[len(d.open)-1]
	d.open = d.open[:len(d.open)-1]
	if len(d.first)-1-h.shard >= headShards {
		h.settle()
		d.heads = append(d.heads, h)
	}
}

// finish writes the last shard, and the lists of prefixes as a dictionary of their own.
func (d *dictionary) finish() (names, heads []string, err error) {
	if err := d.flush(); err != nil {
		return nil, nil, err
	}
	for len(d.open) > 0 {
		d.closeHead()
	}
	slices.SortFunc(d.heads, func(a, b head) int { return cmp.Compare(a.prefix, b.prefix) })
	of := newDictionary(d.out, d.sizes, d.folder+"/h", int(d.docs), int(d.general), false)
	of.rows = d.rows
	for _, h := range d.heads {
		if err := of.add([]byte(h.prefix), h.docs); err != nil {
			return nil, nil, err
		}
	}
	err = of.flush()
	return d.first, of.first, err
}

// sizeCode is a size in 16 bits: as many as it has, and the ten after the first. Codes
// of larger sizes are not smaller.
func sizeCode(size int64) uint16 {
	if size < 1 {
		return 0
	}
	n := bits.Len64(uint64(size)) - 1
	if n >= 10 {
		return uint16(n<<10 | int(size>>(n-10)&1023))
	}
	return uint16(n<<10 | int(size<<(10-n)&1023))
}
