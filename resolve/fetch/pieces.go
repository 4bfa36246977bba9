package fetch

import (
	"crypto/sha1"
	"crypto/sha256"
)

// Requests under way. libtorrent answers ten that come together, and puts the
// others off until its clock ticks, once a second.
const (
	mostAsked  = 10
	leastAsked = 5 // asking goes on from here down, for several at once
)

// pieces are those of an info dictionary, from one peer.
type pieces struct {
	size  int
	parts []part
	asked int // of parts, from the first
	got   int
}

// part is a piece and the block that it lies in.
type part struct {
	in   *block
	data []byte
}

func (p *pieces) init(size int) {
	p.size = size
	p.parts = make([]part, (size+pieceBytes-1)/pieceBytes)
}

func (p *pieces) whole() bool { return p.size > 0 && p.got == len(p.parts) }

// underWay is how many were asked for and did not come.
func (p *pieces) underWay() int { return p.asked - p.got }

// next returns the next piece to ask for, if there is one.
func (p *pieces) next() (piece int, ok bool) {
	if p.asked == len(p.parts) {
		return 0, false
	}
	p.asked++
	return p.asked - 1, true
}

// put keeps a piece in its block; false if it was not asked for, came before,
// or has the wrong length.
func (p *pieces) put(piece int64, data []byte, in *block) bool {
	if piece < 0 || piece >= int64(p.asked) || p.parts[piece].in != nil {
		return false
	}
	if want := min(pieceBytes, p.size-int(piece)*pieceBytes); len(data) != want {
		return false
	}
	p.parts[piece] = part{in: in, data: data}
	p.got++
	return true
}

// verify returns the bytes, if they are what the hash stands for.
func (p *pieces) verify(want [20]byte) (info []byte, v2 bool, err error) {
	h := sha1.New()
	p.each(func(b []byte) { h.Write(b) })
	if [20]byte(h.Sum(nil)) != want {
		h = sha256.New()
		p.each(func(b []byte) { h.Write(b) })
		if v2 = [20]byte(h.Sum(nil)[:20]) == want; !v2 {
			return nil, false, BadHash
		}
	}
	info = make([]byte, 0, p.size)
	p.each(func(b []byte) { info = append(info, b...) })
	return info, v2, nil
}

func (p *pieces) each(f func([]byte)) {
	for i := range p.parts {
		f(p.parts[i].data)
	}
}

// drop gives the blocks back.
func (p *pieces) drop(to *budget) {
	for i := range p.parts {
		to.give(p.parts[i].in)
	}
	*p = pieces{}
}
