package resolve

import (
	"encoding/binary"
	"math/rand/v2"
	"runtime"
	"testing"

	"github.com/boontorrent/boon/internal/rawlog"
)

func numbered(n uint64) rawlog.ID {
	var h rawlog.ID
	binary.BigEndian.PutUint64(h[:], n*0x9e3779b97f4a7c15)
	binary.BigEndian.PutUint64(h[12:], n)
	return h
}

// TestBacklogAgainstAPlainOne drives the backlog with what comes to pass, and
// holds it to a map that is searched from end to end.
func TestBacklogAgainstAPlainOne(t *testing.T) {
	r := rand.New(rand.NewPCG(1, 2))
	b := newBacklog(1 << 20)
	plain := map[rawlog.ID]entry{}
	var taken []rawlog.ID
	for now := uint32(1000); now < 41_000; now++ {
		h := numbered(r.Uint64N(3000))
		switch _, there := plain[h]; {
		case !there:
			e := entry{hash: h, wanted: r.Uint32N(50), due: now + r.Uint32N(3)*100}
			if !b.add(e, now) {
				t.Fatal("a backlog with room refused")
			}
			plain[h] = e
		case r.IntN(20) == 0 && b.find(h).state != trying:
			b.remove(h)
			delete(plain, h)
		default:
			e := b.find(h)
			e.wanted += 3
			b.moved(e)
			p := plain[h]
			p.wanted += 3
			plain[h] = p
		}
		if r.IntN(3) == 0 {
			got, ok := b.next(now)
			best, found := bestOf(plain, taken, now)
			if ok != found || ok && (plain[got.hash].wanted != best.wanted || plain[got.hash].due > now) {
				t.Fatalf("at %d next is %+v (%v), want one like %+v (%v)", now, got, ok, best, found)
			}
			if ok {
				taken = append(taken, got.hash)
			}
		}
		if len(taken) > 10 {
			h := taken[0]
			taken = taken[1:]
			b.again(h, now+600, now)
			p := plain[h]
			p.due = now + 600
			plain[h] = p
		}
		if b.len() != len(plain) {
			t.Fatalf("%d entries, want %d", b.len(), len(plain))
		}
	}
	for h, p := range plain {
		if e := b.find(h); e == nil || e.wanted != p.wanted || e.due != p.due {
			t.Errorf("%s: %+v, want %+v", h, e, p)
		}
	}
}

func bestOf(plain map[rawlog.ID]entry, taken []rawlog.ID, now uint32) (best entry, found bool) {
next:
	for _, e := range plain {
		for _, h := range taken {
			if h == e.hash {
				continue next
			}
		}
		if e.due <= now && (!found || e.wanted > best.wanted) {
			best, found = e, true
		}
	}
	return best, found
}

// TestBacklogFloodPushesOutItself: what many want stays, whatever comes.
func TestBacklogFloodPushesOutItself(t *testing.T) {
	b := newBacklog(1000)
	for n := range uint64(500) {
		b.add(entry{hash: numbered(n), wanted: 9}, 1)
	}
	for n := range uint64(100_000) {
		b.add(entry{hash: numbered(1000 + n), wanted: 2}, 1)
	}
	for n := range uint64(500) {
		if b.find(numbered(n)) == nil {
			t.Fatalf("%d, wanted by nine, gave way", n)
		}
	}
	if b.len() != 1000 {
		t.Errorf("%d entries, want 1000", b.len())
	}
	for range 500 {
		if e, ok := b.next(2); !ok || e.wanted != 9 {
			t.Fatalf("next is %+v", e)
		}
	}
}

func TestBacklogFreshFirstAndRush(t *testing.T) {
	b := newBacklog(10)
	b.add(entry{hash: numbered(1), wanted: 100}, 5)
	b.add(entry{hash: numbered(2), wanted: 1}, 5)
	b.add(entry{hash: numbered(3), wanted: 7, due: 1000}, 5)
	e := b.find(numbered(2))
	e.fresh = true
	b.moved(e)
	if e, _ := b.next(6); e.hash != numbered(2) {
		t.Errorf("next is %v, want the one with fresh peers", e)
	}
	b.rush(b.find(numbered(3)), 6)
	b.remove(numbered(1))
	if e, _ := b.next(6); e.hash != numbered(3) {
		t.Errorf("next is %v, want the one that was made due", e)
	}
	if s, _ := b.longest(0, 60); s != 0 {
		t.Errorf("nothing is due, and has been for %d seconds", s)
	}
	b.again(numbered(2), 10, 20)
	if s, next := b.longest(0, 60); s != 50 || next != 0 {
		t.Errorf("due since 10, at 60: %d seconds, next %d", s, next)
	}
}

// BenchmarkBacklog picks the next, and hears of any, with five million wanted.
func BenchmarkBacklog(b *testing.B) {
	const wanted = 5_000_000
	before := heapBytes()
	l := newBacklog(wanted)
	r := rand.New(rand.NewPCG(3, 4))
	for n := range uint64(wanted) {
		l.add(entry{hash: numbered(n), wanted: uint32(1 / (1e-6 + r.Float64())), due: uint32(n % 3)}, 2)
	}
	held := float64(heapBytes()-before) / (1 << 20)
	now := uint32(3)
	b.Run("next", func(b *testing.B) {
		for b.Loop() {
			e, ok := l.next(now)
			if !ok {
				b.Fatal("nothing is due")
			}
			l.again(e.hash, now+600, now)
			now++
		}
		b.ReportMetric(held, "MiB")
	})
	b.Run("hear", func(b *testing.B) {
		for b.Loop() {
			e := l.find(numbered(r.Uint64N(wanted)))
			e.wanted++
			l.moved(e)
		}
		b.ReportMetric(held, "MiB")
	})
}

func heapBytes() int64 {
	var m runtime.MemStats
	runtime.GC()
	runtime.ReadMemStats(&m)
	return int64(m.HeapAlloc)
}
