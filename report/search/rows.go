package search

import (
	"context"
	"encoding/base64"
	"encoding/json"
	"slices"
	"strconv"
)

// rows writes what results show, in packs of neighbours.
func (b *Builder) rows(context.Context) error {
	docs := make([]uint32, 0, b.sizes.rows)
	for from := 0; from < len(b.docs); from += b.sizes.rows {
		docs = docs[:0]
		for i := from; i < min(len(b.docs), from+b.sizes.rows); i++ {
			docs = append(docs, uint32(i))
		}
		if err := b.writeRows("r/"+strconv.Itoa(from/b.sizes.rows)+".gz", docs); err != nil {
			return err
		}
	}
	return nil
}

// wordRows writes the rows of a list's first documents once more, in packs of the list's
// own, as far as demand is published and they lie scattered: what is asked for with a word
// mostly is among the first of its list, and would else be fetched one by one. Packs are
// numbered from next; it returns how many there are.
func (b *Builder) wordRows(folder string, next int, docs []uint32) (packs int, err error) {
	for ; packs < b.sizes.wordPacks && len(docs) >= fewWordRows; packs++ {
		part := docs[:min(len(docs), b.sizes.byWord)]
		if b.docs[part[0]].Demand == 0 || !b.scattered(part) {
			break
		}
		if err := b.writeRows(folder+"/w/"+strconv.Itoa(next+packs)+".gz", part); err != nil {
			return 0, err
		}
		docs = docs[len(part):]
	}
	return packs, nil
}

// scattered says whether a pack has less than eight of the documents' rows, on average.
func (b *Builder) scattered(docs []uint32) bool {
	packs, last := 0, -1
	for _, d := range docs {
		if p := int(d) / b.sizes.rows; p != last {
			packs, last = packs+1, p
		}
	}
	return 8*packs > len(docs)
}

// writeRows writes a pack of rows: see the package's comment.
func (b *Builder) writeRows(path string, docs []uint32) error {
	var text struct {
		Names  []string `json:"n"`
		Types  []int    `json:"t"`
		Years  []int    `json:"y"`
		Demand []int64  `json:"q"`
		Files  []int64  `json:"f"`
	}
	n := len(docs)
	var hashes []byte
	numbers := make([]byte, 5*n)
	for i, doc := range docs {
		d := &b.docs[doc]
		t, _ := slices.BinarySearch(b.root.Types, d.Type)
		text.Names, text.Types, text.Years = append(text.Names, d.Name), append(text.Types, t), append(text.Years, d.Year)
		text.Demand, text.Files = append(text.Demand, d.Demand), append(text.Files, d.Files)
		hashes = append(hashes, d.Infohash[:]...)
		day := dayCode(d.Day)
		digits, zeros := decimal(d.Size)
		for k, v := range [5]byte{byte(day), byte(day >> 8), byte(digits), byte(digits >> 8), zeros} {
			numbers[k*n+i] = v
		}
	}
	end, err := json.Marshal(text)
	if err != nil {
		return err
	}
	// In base64, which costs nothing with a code of its own, no hash can read like an address.
	return b.out.Zip(path, base64.StdEncoding.AppendEncode([]byte{byte(n), byte(n >> 8)}, hashes), numbers, end)
}

// decimal is the first four digits of a size, and how many follow them.
func decimal(size int64) (digits uint16, zeros byte) {
	size = max(0, size)
	for ; size > 9999; size /= 10 {
		zeros++
	}
	return uint16(size), zeros
}
