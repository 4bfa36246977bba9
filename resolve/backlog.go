package resolve

import (
	"hash/maphash"

	"github.com/boontorrent/boon/internal/rawlog"
)

// backlog holds the info-hashes that are wanted and not resolved, and picks the
// next to try: the most wanted one that is due. It is made of flat arrays
// without pointers, 40 bytes an info-hash and some 11 for its places in the
// index and a heap, so that millions cost the garbage collector nothing. Not
// safe for use by several goroutines.
type backlog struct {
	limit   int
	seed    maphash.Seed
	chunks  [][]entry
	free    []uint32 // slots without an entry
	used    int      // slots ever used
	index   []uint32 // slot+1, by hash of the info-hash, open addressing; 0: empty
	ready   []uint32 // heap of slots that are due, the most wanted first
	waiting []uint32 // heap of slots, by when they are due
	draw    uint64   // state of the choice of who gives way
}

// entry is an info-hash of the backlog.
type entry struct {
	hash   rawlog.ID
	wanted uint32 // distinct requesters
	due    uint32 // seconds since 1970: when it may be tried
	heard  uint32 // seconds since 1970: when it was asked for last
	place  uint32 // in its heap
	tries  uint8  // that failed
	state  state
	fresh  bool // announcers are known: they are tried first
	source source
}

// state is where an entry is.
type state uint8

const (
	unused  state = iota
	ready         // in the heap of those that are due
	waiting       // in the heap of those that are not
	trying        // taken by next
)

// source is where an info-hash came from.
type source uint8

const (
	fromHeard  source = iota // a collector, by way of the lake or directly
	fromList                 // the operator
	fromSample               // sample_infohashes
)

const (
	chunkBits = 16
	chunkSize = 1 << chunkBits
)

func newBacklog(limit int) *backlog {
	return &backlog{limit: limit, seed: maphash.MakeSeed(), index: make([]uint32, 1<<10), draw: 1}
}

// len is how many info-hashes there are.
func (b *backlog) len() int { return b.used - len(b.free) }

func (b *backlog) at(slot uint32) *entry { return &b.chunks[slot>>chunkBits][slot&(chunkSize-1)] }

// find returns the entry of an info-hash, nil where there is none. It holds
// until the next add or remove.
func (b *backlog) find(h rawlog.ID) *entry {
	if i := b.indexOf(h); b.index[i] != 0 {
		return b.at(b.index[i] - 1)
	}
	return nil
}

// indexOf is where in the index an info-hash is, or would be.
func (b *backlog) indexOf(h rawlog.ID) int {
	mask := len(b.index) - 1
	i := b.home(h)
	for b.index[i] != 0 && b.at(b.index[i]-1).hash != h {
		i = (i + 1) & mask
	}
	return i
}

func (b *backlog) home(h rawlog.ID) int {
	return int(maphash.Bytes(b.seed, h[:]) & uint64(len(b.index)-1))
}

// add takes an entry in, whose info-hash is not there yet. A full backlog gives
// up the least wanted of a few that are drawn, if that is wanted no more than the
// new one: a flood of made-up info-hashes pushes out itself. False where the new
// one had to stay out.
func (b *backlog) add(e entry, now uint32) bool {
	if b.len() >= b.limit && !b.giveWay(e.wanted) {
		return false
	}
	if 4*(b.len()+1) > 3*len(b.index) {
		b.grow()
	}
	var slot uint32
	if n := len(b.free); n > 0 {
		slot, b.free = b.free[n-1], b.free[:n-1]
	} else {
		slot = uint32(b.used)
		if b.used&(chunkSize-1) == 0 {
			b.chunks = append(b.chunks, make([]entry, chunkSize))
		}
		b.used++
	}
	*b.at(slot) = e
	b.index[b.indexOf(e.hash)] = slot + 1
	b.schedule(slot, now)
	return true
}

// schedule puts an entry into the heap where it belongs.
func (b *backlog) schedule(slot, now uint32) {
	if e := b.at(slot); e.due > now {
		e.state = waiting
		b.push(&b.waiting, slot, b.sooner)
	} else {
		e.state = ready
		b.push(&b.ready, slot, b.better)
	}
}

func (b *backlog) grow() {
	old := b.index
	b.index = make([]uint32, 2*len(old))
	for _, v := range old {
		if v != 0 {
			b.index[b.indexOf(b.at(v-1).hash)] = v
		}
	}
}

// drawn is how many entries of a full backlog are looked at for one to give way.
const drawn = 16

func (b *backlog) giveWay(wanted uint32) bool {
	least := uint32(0)
	found := false
	for range drawn {
		b.draw = b.draw*6364136223846793005 + 1442695040888963407
		slot := uint32((b.draw >> 33) % uint64(b.used))
		e := b.at(slot)
		if e.state != ready && e.state != waiting || e.source == fromList || e.wanted > wanted {
			continue
		}
		if !found || e.wanted < b.at(least).wanted {
			least, found = slot, true
		}
	}
	if found {
		b.drop(least)
	}
	return found
}

// next takes the most wanted info-hash that is due; false where there is none.
// Whoever took it gives it back with again or remove.
func (b *backlog) next(now uint32) (entry, bool) {
	for len(b.waiting) > 0 && b.at(b.waiting[0]).due <= now {
		slot := b.waiting[0]
		b.pull(&b.waiting, 0, b.sooner)
		b.schedule(slot, now)
	}
	if len(b.ready) == 0 {
		return entry{}, false
	}
	slot := b.ready[0]
	b.pull(&b.ready, 0, b.better)
	e := b.at(slot)
	e.state = trying
	return *e, true
}

// again gives back an info-hash whose try failed, to be tried when it is due.
func (b *backlog) again(h rawlog.ID, due, now uint32) {
	if i := b.indexOf(h); b.index[i] != 0 {
		slot := b.index[i] - 1
		e := b.at(slot)
		e.tries = min(e.tries, 254) + 1
		e.due, e.fresh = due, false
		b.schedule(slot, now)
	}
}

// moved puts an entry where it belongs after it became more wanted, or fresh.
func (b *backlog) moved(e *entry) {
	if e.state == ready {
		b.up(b.ready, int(e.place), b.better)
	}
}

// rush makes a waiting entry due now.
func (b *backlog) rush(e *entry, now uint32) {
	if e.state != waiting {
		return
	}
	slot := b.waiting[e.place]
	b.pull(&b.waiting, int(e.place), b.sooner)
	e.due = now
	b.schedule(slot, now)
}

// remove forgets an info-hash.
func (b *backlog) remove(h rawlog.ID) {
	if i := b.indexOf(h); b.index[i] != 0 {
		b.drop(b.index[i] - 1)
	}
}

func (b *backlog) drop(slot uint32) {
	e := b.at(slot)
	switch e.state {
	case ready:
		b.pull(&b.ready, int(e.place), b.better)
	case waiting:
		b.pull(&b.waiting, int(e.place), b.sooner)
	}
	b.unindex(e.hash)
	*e = entry{}
	b.free = append(b.free, slot)
}

// unindex empties a place of the index and moves up those that stand behind it
// because of it.
func (b *backlog) unindex(h rawlog.ID) {
	mask := len(b.index) - 1
	hole := b.indexOf(h)
	b.index[hole] = 0
	for i := (hole + 1) & mask; b.index[i] != 0; i = (i + 1) & mask {
		home := b.home(b.at(b.index[i] - 1).hash)
		if (i-home)&mask >= (i-hole)&mask {
			b.index[hole], b.index[i] = b.index[i], 0
			hole = i
		}
	}
}

// longest is for how long the entry that waits longest has been due, in seconds.
// It looks at some entries from a place on, and tells where to go on; 0 at the end.
func (b *backlog) longest(from int, now uint32) (seconds uint32, next int) {
	if from>>chunkBits >= len(b.chunks) {
		return 0, 0
	}
	for i := range b.chunks[from>>chunkBits] {
		if e := &b.chunks[from>>chunkBits][i]; e.state == ready && e.due < now {
			seconds = max(seconds, now-e.due)
		}
	}
	if next = from + chunkSize; next>>chunkBits >= len(b.chunks) {
		next = 0
	}
	return seconds, next
}

// better orders those that are due: fresh peers first, for they go away; then
// the most wanted; then those that have waited longest.
func (b *backlog) better(x, y uint32) bool {
	p, q := b.at(x), b.at(y)
	switch {
	case p.fresh != q.fresh:
		return p.fresh
	case p.wanted != q.wanted:
		return p.wanted > q.wanted
	}
	return p.due < q.due
}

func (b *backlog) sooner(x, y uint32) bool { return b.at(x).due < b.at(y).due }

// push, pull, up and down keep a heap, whose entries know their places.

func (b *backlog) push(heap *[]uint32, slot uint32, before func(x, y uint32) bool) {
	*heap = append(*heap, slot)
	b.at(slot).place = uint32(len(*heap) - 1)
	b.up(*heap, len(*heap)-1, before)
}

func (b *backlog) pull(heap *[]uint32, i int, before func(x, y uint32) bool) {
	h := *heap
	last := len(h) - 1
	b.set(h, i, h[last])
	*heap = h[:last]
	if i < last {
		b.down(h[:last], i, before)
		b.up(h[:last], i, before)
	}
}

func (b *backlog) up(h []uint32, i int, before func(x, y uint32) bool) {
	for i > 0 {
		parent := (i - 1) / 2
		if !before(h[i], h[parent]) {
			return
		}
		x, y := h[i], h[parent]
		b.set(h, i, y)
		b.set(h, parent, x)
		i = parent
	}
}

func (b *backlog) down(h []uint32, i int, before func(x, y uint32) bool) {
	for {
		child := 2*i + 1
		if child >= len(h) {
			return
		}
		if child+1 < len(h) && before(h[child+1], h[child]) {
			child++
		}
		if !before(h[child], h[i]) {
			return
		}
		x, y := h[i], h[child]
		b.set(h, i, y)
		b.set(h, child, x)
		i = child
	}
}

func (b *backlog) set(h []uint32, i int, slot uint32) {
	h[i] = slot
	b.at(slot).place = uint32(i)
}
