package resolve

import (
	"context"
	"net"
	"net/netip"
	"time"

	"github.com/anacrolix/dht/v2"
	"github.com/anacrolix/dht/v2/krpc"

	"github.com/boontorrent/boon/internal/rawlog"
)

// Bounds of sampling.
const (
	sampleEvery    = 100 * time.Millisecond // ten nodes a second at most
	leastInterval  = 5 * time.Minute        // also where a node says less
	mostInterval   = 6 * time.Hour          // BEP 51 allows no more
	maxSampled     = 100_000                // nodes that are left alone
	maxToSample    = 10_000                 // nodes that wait to be asked
	maxSampleBytes = 20 * 200
)

// sampler asks other nodes for samples of the info-hashes they have peers for
// (BEP 51). It walks through the DHT from node to node, and leaves each alone for as
// long as the node says; the times are kept by address, so that one that changes its
// id is left alone, too. While it remembers as many nodes as it can, it asks nobody
// new.
type sampler struct {
	r     *resolver
	until map[netip.Addr]time.Time // when a node may be asked again
	queue []netip.AddrPort         // to be asked
}

func newSampler(r *resolver) *sampler {
	return &sampler{r: r, until: map[netip.Addr]time.Time{}}
}

func (s *sampler) run(ctx context.Context) {
	ticker := time.NewTicker(sampleEvery)
	defer ticker.Stop()
	for {
		select {
		case <-ctx.Done():
			return
		case <-ticker.C:
		}
		if len(s.queue) == 0 {
			s.refill()
		}
		if at, ok := s.pick(); ok {
			s.ask(ctx, at)
		}
	}
}

// refill begins anew with the nodes of the routing tables, where nobody waits.
func (s *sampler) refill() {
	now := s.r.cfg.Now()
	for a, t := range s.until {
		if now.After(t) {
			delete(s.until, a)
		}
	}
	for _, n := range s.r.network.nodes {
		for _, known := range n.server.Nodes() {
			s.add(known)
		}
	}
}

func (s *sampler) add(n krpc.NodeInfo) {
	if at := n.Addr.ToNodeAddrPort().AddrPort; len(s.queue) < maxToSample {
		s.queue = append(s.queue, netip.AddrPortFrom(at.Addr().Unmap(), at.Port()))
	}
}

// pick takes a node that may be asked from the queue.
func (s *sampler) pick() (netip.AddrPort, bool) {
	now := s.r.cfg.Now()
	for len(s.queue) > 0 {
		at := s.queue[0]
		s.queue = s.queue[1:]
		until, asked := s.until[at.Addr()]
		if asked && now.Before(until) || !asked && len(s.until) >= maxSampled || !reachable(at, s.r.cfg.AllowLoopback) {
			continue
		}
		s.until[at.Addr()] = now.Add(leastInterval) // also where there is no answer
		return at, true
	}
	return netip.AddrPort{}, false
}

// ask asks a node and takes in what it says.
func (s *sampler) ask(ctx context.Context, at netip.AddrPort) {
	node := s.node(at)
	if node == nil {
		return
	}
	var target rawlog.ID
	if _, err := s.r.cfg.Random.Read(target[:]); err != nil {
		return
	}
	res := node.server.Query(ctx, dht.NewAddr(net.UDPAddrFromAddrPort(at)), "sample_infohashes", dht.QueryInput{MsgArgs: krpc.MsgArgs{Target: krpc.ID(target)}})
	r := res.Reply.R
	if r == nil {
		return
	}
	if r.Interval != nil {
		seconds := min(max(*r.Interval, int64(leastInterval/time.Second)), int64(mostInterval/time.Second))
		s.until[at.Addr()] = s.r.cfg.Now().Add(time.Duration(seconds) * time.Second)
	}
	r.ForAllNodes(s.add)
	if r.Samples == nil {
		return
	}
	for i, h := range *r.Samples {
		if i*20 >= maxSampleBytes {
			break
		}
		s.r.desk.want(rawlog.ID(h), nil, fromSample)
	}
}

// node is one of ours of the same family.
func (s *sampler) node(at netip.AddrPort) *node {
	for _, n := range s.r.network.nodes {
		if n.door.v6() == at.Addr().Is6() {
			return n
		}
	}
	return nil
}
