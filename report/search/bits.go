package search

import "math/bits"

// bitWriter packs bits, the lowest of a byte first.
type bitWriter struct {
	out  []byte
	acc  uint64
	held uint // bits in acc, less than 8 between calls
}

// put writes the n lowest bits of v; n is at most 32.
func (w *bitWriter) put(v uint64, n uint) {
	w.acc |= (v & (1<<n - 1)) << w.held
	for w.held += n; w.held >= 8; w.held -= 8 {
		w.out = append(w.out, byte(w.acc))
		w.acc >>= 8
	}
}

// bytes are those written, filled up with zeros.
func (w *bitWriter) bytes() []byte {
	if w.held > 0 {
		w.out = append(w.out, byte(w.acc))
		w.acc, w.held = 0, 0
	}
	return w.out
}

// size is the number of bits written.
func (w *bitWriter) size() int { return 8*len(w.out) + int(w.held) }

// reset empties the writer.
func (w *bitWriter) reset() { w.out, w.acc, w.held = w.out[:0], 0, 0 }

// gamma writes v, 1 or more, in Elias' code: as many zeros as bits follow the first,
// a one, and those bits.
func (w *bitWriter) gamma(v uint32) {
	n := uint(bits.Len32(v)) - 1
	w.put(0, n)
	w.put(1, 1)
	w.put(uint64(v), n)
}

// bounded writes v, which is below limit, in as few bits as that takes: the first
// values of a range that is no power of two have one bit less.
func (w *bitWriter) bounded(v, limit uint32) {
	n := uint(bits.Len32(limit)) - 1
	short := uint32(1<<(n+1) - uint64(limit))
	if v < short {
		w.put(uint64(v), n)
		return
	}
	v += short
	w.put(uint64(v>>1), n)
	w.put(uint64(v), 1)
}

// between writes rising numbers that lie between low and high, both included, by
// binary interpolation: the middle one first, then both halves in the room that it
// leaves. A run without gaps costs nothing.
func (w *bitWriter) between(list []uint32, low, high uint32) {
	for n := len(list); n > 0 && int64(high)-int64(low)+1 > int64(n); n = len(list) {
		m := n / 2
		v := list[m]
		least, most := low+uint32(m), high-uint32(n-1-m)
		w.bounded(v-least, most-least+1)
		if m > 0 {
			w.between(list[:m], low, v-1)
		}
		list, low = list[m+1:], v+1
	}
}
