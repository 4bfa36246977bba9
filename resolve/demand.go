package resolve

import (
	"encoding/binary"
	"hash/maphash"
)

// demand tells apart who asked for what, so that an info-hash is wanted by as
// many as asked for it, however often they ask. It remembers pairs of info-hash
// and requester, and info-hashes that one requester asked for, in filters of a
// fixed size: a pair is taken for one already seen once in a hundred or less, and
// never the other way round. No address is kept in it, and what is kept cannot be
// turned back into one: the hash has a key that dies with the process.
type demand struct {
	seed  maphash.Seed
	pairs filter
	once  filter
}

// A filter remembers some million keys of late.
const (
	pairsPerFilter = 16 << 20
	onesPerFilter  = 8 << 20
	filterLasts    = 24 * 3600 // seconds; after it, who asks counts again
)

func newDemand() *demand {
	return &demand{seed: maphash.MakeSeed(), pairs: filter{capacity: pairsPerFilter}, once: filter{capacity: onesPerFilter}}
}

// firstAsk reports whether this requester had not asked for it before.
func (d *demand) firstAsk(hash *[20]byte, requester []byte, now uint32) bool {
	var key [20 + 16]byte
	copy(key[:], hash[:])
	n := copy(key[20:], requester)
	return d.pairs.add(maphash.Bytes(d.seed, key[:20+n]), now)
}

// askedBefore reports whether anybody had asked for it before, and takes note.
func (d *demand) askedBefore(hash *[20]byte, now uint32) bool {
	return !d.once.add(maphash.Bytes(d.seed, hash[:]), now)
}

// filter is two Bloom filters, an old one and one that is being filled. When
// that has its fill, or its time, the old one is forgotten. Each key sets six bits
// of one cache line.
type filter struct {
	capacity int
	now, old []block
	count    int
	began    uint32
}

type block [8]uint64

const (
	bitsPerKey = 12
	bitsSet    = 6
)

// add reports whether the key is new, and remembers it.
func (f *filter) add(key uint64, now uint32) bool {
	if f.now == nil || f.count >= f.capacity || now-f.began >= filterLasts && now > f.began {
		f.now, f.old = make([]block, (f.capacity*bitsPerKey+511)/512), f.now
		f.count, f.began = 0, now
	}
	at := (key >> 32) * uint64(len(f.now)) >> 32
	var mask block
	for bits, i := key*0x9e3779b97f4a7c15, 0; i < bitsSet; i++ {
		mask[bits>>61] |= 1 << (bits >> 55 & 63)
		bits <<= 9
	}
	if f.old != nil && f.old[at].has(&mask) || f.now[at].has(&mask) {
		return false
	}
	for i := range mask {
		f.now[at][i] |= mask[i]
	}
	f.count++
	return true
}

func (b *block) has(mask *block) bool {
	for i := range mask {
		if b[i]&mask[i] != mask[i] {
			return false
		}
	}
	return true
}

// known is a set of info-hashes, eight bytes each: what is resolved already. Two
// info-hashes are taken for one once in 2^64 pairs.
type known struct {
	limit int
	set   []uint64
	count int
}

// add takes an info-hash in; false where it was there, or there is no room.
func (k *known) add(hash *[20]byte) bool {
	if k.has(hash) || k.count >= k.limit {
		return false
	}
	if 4*(k.count+1) > 3*len(k.set) {
		old := k.set
		k.set = make([]uint64, max(1<<10, 2*len(old)))
		for _, v := range old {
			if v != 0 {
				k.set[k.place(v)] = v
			}
		}
	}
	v := printOf(hash)
	k.set[k.place(v)] = v
	k.count++
	return true
}

func (k *known) has(hash *[20]byte) bool {
	v := printOf(hash)
	return len(k.set) > 0 && k.set[k.place(v)] == v
}

func (k *known) place(v uint64) uint64 {
	mask := uint64(len(k.set) - 1)
	i := v & mask
	for k.set[i] != 0 && k.set[i] != v {
		i = (i + 1) & mask
	}
	return i
}

// printOf folds an info-hash; never 0, which is an empty place.
func printOf(hash *[20]byte) uint64 {
	v := binary.LittleEndian.Uint64(hash[:]) ^ binary.LittleEndian.Uint64(hash[8:])*0x9e3779b97f4a7c15 ^ uint64(binary.LittleEndian.Uint32(hash[16:]))<<7
	return max(v, 1)
}
