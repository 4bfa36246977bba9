package collect

import (
	"bytes"
	"encoding/binary"
	"fmt"
	"math/rand/v2"
	"net/netip"
	"slices"
	"testing"

	"github.com/boontorrent/boon/internal/rawlog"
)

// network is a DHT in memory: nodes, some of them dead, each of which knows
// eight others in every part of the keyspace, as Kademlia has it.
type network struct {
	random *rand.Rand
	nodes  []found
	dead   map[netip.AddrPort]bool
	tables map[netip.AddrPort]routes
}

func newNetwork(size int, seed uint64) *network {
	w := &network{random: rand.New(rand.NewPCG(seed, 1)), dead: map[netip.AddrPort]bool{}, tables: map[netip.AddrPort]routes{}}
	for i := range size {
		n := found{w.id(), netip.AddrPortFrom(netip.AddrFrom4([4]byte{5, byte(i >> 16), byte(i >> 8), byte(i)}), 6881)}
		w.nodes = append(w.nodes, n)
		w.dead[n.at] = w.random.IntN(5) == 0
	}
	for _, n := range w.nodes {
		w.tables[n.at] = w.tableOf(n)
	}
	return w
}

func (w *network) id() (id rawlog.ID) {
	for i := range id {
		id[i] = byte(w.random.Uint32())
	}
	return id
}

func (w *network) tableOf(n found) routes {
	var known []route
	inBucket := map[int]int{}
	for _, i := range w.random.Perm(len(w.nodes)) {
		o := w.nodes[i]
		b := 0
		for b < 160 && (o.id[b/8]^n.id[b/8])>>(7-b%8)&1 == 0 {
			b++
		}
		if inBucket[b] < 8 && b < 160 && (!w.dead[o.at] || w.random.IntN(3) == 0) {
			inBucket[b]++
			known = append(known, newRoute(o.id, o.at))
		}
	}
	return newRoutes(known)
}

// walked is what came of a lookup.
type walked struct {
	*lookup
	busiest int // queries under way at once that are younger than patience
	took    int64
}

// walk makes a lookup in the network's own time: answers take 20 to 400 ms.
func (w *network) walk(t *testing.T, f family, target rawlog.ID) walked {
	t.Helper()
	type due struct {
		at   int64
		from netip.AddrPort
	}
	var answers []due
	start := w.tables[w.nodes[w.random.IntN(len(w.nodes))].at]
	l := newLookup(f, target, foundIn(start.appendNearest(nil, &target, startingNodes), 26))
	out := walked{lookup: l}
	for now := int64(noon); ; now += second / 100 {
		for len(answers) > 0 && answers[0].at <= now {
			from := answers[0].from
			answers = answers[1:]
			l.replied(from, foundIn(w.tables[from].appendNearest(nil, &target, 8), 26))
		}
		over := l.step(now, func(to found) bool {
			if !w.dead[to.at] {
				answers = append(answers, due{now + second*int64(20+w.random.IntN(380))/1000, to.at})
				slices.SortFunc(answers, func(a, b due) int { return int(a.at - b.at) })
			}
			return true
		})
		out.busiest = max(out.busiest, l.underWay(now))
		out.took = now - noon
		if over {
			return out
		}
		if out.took > 60*second {
			t.Fatalf("%s: the lookup does not end", f.name)
		}
	}
}

// TestLookups walks through a network of 3,000 nodes in the manner of each
// family, and compares with what all of the network knows: the nearest nodes
// that are alive are found, the number asked at once is kept to, no node is
// asked twice, and the families differ as they are meant to.
func TestLookups(t *testing.T) {
	t.Parallel()
	w := newNetwork(3000, 7)
	asked := map[string]float64{}
	for _, f := range families {
		t.Run(f.name, func(t *testing.T) {
			const lookups = 60
			found, want := 0, 0
			for range lookups {
				target := w.id()
				l := w.walk(t, f, target)
				asked[f.name] += float64(len(l.asked)) / lookups
				if l.busiest > f.alpha && !f.eager || len(l.asked) > maxLookup {
					t.Errorf("%d at once, %d in all", l.busiest, len(l.asked))
				}
				times := map[rawlog.ID]int{}
				ok := map[rawlog.ID]bool{}
				for _, q := range l.asked {
					times[q.ID]++
					ok[q.ID] = q.OK
				}
				for i, n := range w.nearestAlive(target, f.results) {
					if want++; ok[n.id] {
						found++
					} else if i == 0 {
						t.Logf("the nearest node was not reached")
					}
				}
				for _, n := range w.nodes {
					if times[n.id] > 1 || ok[n.id] && w.dead[n.at] {
						t.Errorf("node %s asked %d times, answered %v, dead %v", n.id, times[n.id], ok[n.id], w.dead[n.at])
					}
				}
			}
			if found < want*90/100 {
				t.Errorf("%d of the %d nearest nodes that live were asked and answered", found, want)
			}
		})
	}
	if !(asked["early"] < asked["utorrent"] && asked["utorrent"] <= asked["libtorrent"] && asked["libtorrent"] < asked["wide"]) {
		t.Errorf("nodes asked in a lookup: %v", fmt.Sprint(asked))
	}
}

func (w *network) nearestAlive(target rawlog.ID, n int) []found {
	alive := slices.DeleteFunc(slices.Clone(w.nodes), func(n found) bool { return w.dead[n.at] })
	slices.SortFunc(alive, func(a, b found) int { return bytes.Compare(xor(a.id, target), xor(b.id, target)) })
	return alive[:n]
}

// TestLookupAmongLiars: nodes that claim to be ever nearer, and send everyone
// on to thousands more, cannot keep a lookup going.
func TestLookupAmongLiars(t *testing.T) {
	r := rand.New(rand.NewPCG(1, 1))
	var target rawlog.ID
	distance := uint32(1 << 30)
	lie := func() (lies []found) {
		for range 40 {
			distance--
			id := target
			binary.BigEndian.PutUint32(id[16:], distance)
			lies = append(lies, found{id, netip.AddrPortFrom(netip.AddrFrom4([4]byte{6, byte(r.Uint32()), byte(r.Uint32()), byte(r.Uint32())}), 1)})
		}
		return lies
	}
	f := families[3]
	f.results = 1 << 20
	l := newLookup(f, target, lie())
	now := int64(noon)
	for ; ; now += second {
		var asked []netip.AddrPort
		if l.step(now, func(to found) bool { asked = append(asked, to.at); return true }) {
			break
		}
		for _, a := range asked {
			l.replied(a, lie())
		}
	}
	if len(l.asked) != maxLookup || len(l.known) > 3*maxLookup || now > noon+60*second {
		t.Errorf("%d asked, %d known, after %d s", len(l.asked), len(l.known), (now-noon)/second)
	}
}

// TestRefusedIsNotAsked: what the guard does not let out is not in the log.
func TestRefusedIsNotAsked(t *testing.T) {
	w := newNetwork(50, 3)
	l := newLookup(families[0], w.id(), w.nodes[:6])
	over := l.step(noon, func(to found) bool { return to.at == w.nodes[2].at })
	if over || len(l.asked) != 1 || l.asked[0].ID != w.nodes[2].id {
		t.Errorf("over %v, asked %v", over, l.asked)
	}
	if !l.step(noon+lookupTimeout, func(found) bool { return true }) || l.asked[0].OK {
		t.Errorf("a node that never replies: %+v", l.asked)
	}
}
