package collect

import (
	"fmt"
	"hash/maphash"
	"math"
	"math/bits"
	"net/netip"

	"github.com/boontorrent/boon/internal/keyspace"
	"github.com/boontorrent/boon/internal/rawlog"
)

// quality is what a minute of a node says of the sample itself: who asks, from
// how near, and whether our own queries are answered. Its memory is fixed.
type quality struct {
	ids, secure, addresses sketch
	announces, valid       int64 // announces, and those with a token of ours
	asked, answered        int64 // queries of our own
	distances              [160 + 1]int64
}

// hear takes in a sound query.
func (q *quality) hear(id *rawlog.ID, from netip.Addr) {
	q.ids.add(id[:])
	if keyspace.Fits(*id, from) {
		q.secure.add(id[:])
	}
	address := from.As16()
	q.addresses.add(address[:])
}

// wanted takes in how far from us an info-hash is that was asked for or announced.
func (q *quality) wanted(infohash, our *rawlog.ID) {
	q.distances[keyspace.Log2Distance(infohash[:], our[:])/16]++
}

// gauges are the minute's figures by name, as they stand in its stats event.
func (q *quality) gauges() map[string]int64 {
	g := map[string]int64{}
	put(g, "asker_ids", q.ids.count())
	put(g, "asker_ids_secure", q.secure.count())
	put(g, "asker_addresses", q.addresses.count())
	put(g, "announces", q.announces)
	put(g, "announces_valid", q.valid)
	put(g, "asked", q.asked)
	put(g, "answered", q.answered)
	for log2, n := range q.distances {
		put(g, fmt.Sprintf("distance_%d", log2), n)
	}
	return g
}

func (q *quality) reset() {
	*q = quality{ids: sketch{seed: q.ids.seed}, secure: sketch{seed: q.secure.seed}, addresses: sketch{seed: q.addresses.seed}}
}

func newQuality() *quality {
	seed := maphash.MakeSeed()
	return &quality{ids: sketch{seed: seed}, secure: sketch{seed: seed}, addresses: sketch{seed: seed}}
}

// sketch counts distinct things, as HyperLogLog does: within some 2% whatever
// their number, and up to a few hundred nearly without error. The hash is keyed,
// so that nobody can choose what to count for more.
type sketch struct {
	seed      maphash.Seed
	registers [1 << sketchBits]uint8
}

const sketchBits = 12

func (s *sketch) add(b []byte) {
	h := maphash.Bytes(s.seed, b)
	r := &s.registers[h>>(64-sketchBits)]
	*r = max(*r, uint8(bits.LeadingZeros64(h<<sketchBits|1<<(sketchBits-1))+1))
}

func (s *sketch) count() int64 {
	const m = float64(len(s.registers))
	sum, empty := 0.0, 0
	for _, r := range s.registers {
		sum += math.Ldexp(1, -int(r))
		if r == 0 {
			empty++
		}
	}
	estimate := 0.7213 / (1 + 1.079/m) * m * m / sum
	if estimate <= 2.5*m && empty > 0 {
		estimate = m * math.Log(m/float64(empty)) // the better one for few
	}
	return int64(math.Round(estimate))
}
