package synth

import (
	"encoding/binary"
	"math"
	"strconv"

	"github.com/boontorrent/boon/internal/rawlog"
)

// node is one of our node ids.
type node struct {
	id        rawlog.ID
	collector int
}

const (
	nodesEach = 8 // node ids of a collector
	allNodes  = 2 * nodesEach

	// dhtNodes is the size of the model DHT. It sets how near a node must be to
	// an info-hash to hear all lookups: among the nearest, of all these.
	dhtNodes = 8192
	nearest  = 8    // nodes that a lookup ends at, and announces to (k of Kademlia)
	arrives  = 0.97 // share of packets that are not lost
)

// collectors are the names of our two collectors.
func collectors() []string { return []string{"fra1", "nyc1"} }

// newNodes spreads our ids evenly over the keyspace, alternating between the collectors.
func newNodes(seed uint64) [allNodes]node {
	var nodes [allNodes]node
	r := derive(seed, forNodes, 0, 0)
	for i := range nodes {
		r.fill(nodes[i].id[:])
		nodes[i].id[0] = byte(i<<4) | nodes[i].id[0]&15
		nodes[i].collector = i % 2
	}
	return nodes
}

// distance is that of two ids (XOR) as a share of the keyspace.
func distance(a, b *rawlog.ID) float64 {
	d := binary.BigEndian.Uint64(a[:8]) ^ binary.BigEndian.Uint64(b[:8])
	return (float64(d) + 0.5) / (1 << 64)
}

// asked is the probability that a lookup asks a node at this distance: the
// nearest are asked surely; of those farther away a lookup asks as many in each
// doubling of the distance, so each of them half as often.
func asked(distance float64) float64 {
	return arrives * min(1, nearest/(distance*dhtNodes))
}

// announcedTo is the probability that a lookup that asked a node at this
// distance announces to it: only the nearest get it, and where the lookup did
// not find all of these, the next ones.
func announcedTo(distance float64) float64 {
	rank := distance * dhtNodes / nearest
	return 0.95 * math.Max(0, math.Min(1, 2-rank))
}

// hearing are the probabilities with which our nodes hear lookups for a place in the keyspace.
type hearing struct {
	asked, announced [allNodes]float64
}

func (s *swarm) hearing(target *rawlog.ID) (h hearing) {
	for k := range s.nodes {
		d := distance(target, &s.nodes[k].id)
		h.asked[k], h.announced[k] = asked(d), announcedTo(d)
	}
	return h
}

// perLookup is the mean number of get_peers and of announces heard of one lookup.
func (h *hearing) perLookup() (asked, announced float64) {
	for k := range h.asked {
		asked += h.asked[k]
		announced += h.asked[k] * h.announced[k]
	}
	return asked, announced
}

// listener picks the node that heard a lookup, given that one did.
func (h *hearing) listener(r *rng) int {
	total, _ := h.perLookup()
	at := r.float() * total
	for k, p := range h.asked {
		if at -= p; at < 0 {
			return k
		}
	}
	return allNodes - 1
}

// runName names a collector's run: the same only for the same configuration.
func (s *swarm) runName(collector int) string {
	c := s.cfg
	h := mix(c.Seed + 1)
	for _, v := range []int{int(c.Start), c.Days, c.Events, c.Torrents, collector} {
		h = mix(h ^ uint64(v)*gamma)
	}
	return "synth-" + strconv.FormatUint(h, 16)
}
