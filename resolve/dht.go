package resolve

import (
	"context"
	"fmt"
	"math"
	"net"
	"net/netip"
	"sync"
	"time"

	"github.com/anacrolix/dht/v2"
	"github.com/anacrolix/dht/v2/int160"
	"github.com/anacrolix/dht/v2/krpc"
	"github.com/anacrolix/dht/v2/traversal"
	alog "github.com/anacrolix/log"
	"golang.org/x/time/rate"

	"github.com/boontorrent/boon/internal/rawlog"
	"github.com/boontorrent/boon/resolve/fetch"
)

// Bounds of lookups.
const (
	lookupAlpha = 4                       // nodes asked at once in a lookup
	lookupPeers = 200                     // peers that a lookup hands on
	lookupTime  = 45 * time.Second        // for a lookup, from when its turn comes
	replyWait   = 1500 * time.Millisecond // for a node's reply
	closeGrace  = 100 * time.Millisecond
)

// network is our part of the DHT: a node for each address it listens on, that
// asks and is read-only (BEP 43): it answers nobody, and says so, so that nobody
// puts it into a table.
type network struct {
	nodes   []*node
	lookups chan struct{} // a place for each that runs
}

type node struct {
	server *dht.Server
	door   *door
	upkeep chan struct{} // closed when the library's upkeep is over
}

// openNetwork opens sockets and begins to look for neighbours.
func openNetwork(cfg *Config) (*network, error) {
	limiter := rate.NewLimiter(rate.Limit(cfg.Rate), max(1, int(cfg.Rate/10)))
	n := &network{lookups: make(chan struct{}, cfg.Lookups)}
	for _, at := range cfg.Listen {
		node, err := openNode(cfg, at, limiter)
		if err != nil {
			n.close()
			return nil, err
		}
		n.nodes = append(n.nodes, node)
	}
	return n, nil
}

func openNode(cfg *Config, at netip.AddrPort, limiter *rate.Limiter) (*node, error) {
	family, want := "udp4", krpc.WantNodes
	if at.Addr().Is6() {
		family, want = "udp6", krpc.WantNodes6
	}
	conn, err := net.ListenUDP(family, net.UDPAddrFromAddrPort(at))
	if err != nil {
		return nil, fmt.Errorf("listen on %s: %w", at, err)
	}
	d := newDoor(conn, cfg.AllowLoopback, cfg.Now)
	server, err := dht.NewServer(&dht.ServerConfig{
		NodeId: krpc.RandomNodeID(), Conn: d, NoSecurity: true, Passive: true, SendLimiter: limiter,
		StartingNodes:    func() ([]dht.Addr, error) { return startingNodes(cfg.Bootstrap) },
		QueryResendDelay: func() time.Duration { return replyWait },
		DefaultWant:      []krpc.Want{want}, Logger: alog.Default.FilterLevel(alog.Disabled),
	})
	if err != nil {
		_ = conn.Close()
		return nil, fmt.Errorf("begin a DHT node on %s: %w", at, err)
	}
	n := &node{server: server, door: d, upkeep: make(chan struct{})}
	go func() {
		defer close(n.upkeep)
		server.TableMaintainer()
	}()
	return n, nil
}

func startingNodes(bootstrap []string) ([]dht.Addr, error) {
	if len(bootstrap) == 0 {
		return dht.GlobalBootstrapAddrs("udp")
	}
	return dht.ResolveHostPorts(bootstrap)
}

// close ends the nodes.
func (n *network) close() {
	for _, node := range n.nodes {
		node.server.Close()
	}
	grace := time.After(closeGrace) // upkeep takes no context: its last timer ends it within a minute
	for _, node := range n.nodes {
		select {
		case <-node.upkeep:
		case <-grace:
			return
		}
	}
}

// addrs are the addresses listened on.
func (n *network) addrs() []netip.AddrPort {
	var all []netip.AddrPort
	for _, node := range n.nodes {
		at := node.door.LocalAddr().(*net.UDPAddr).AddrPort()
		all = append(all, netip.AddrPortFrom(at.Addr().Unmap(), at.Port()))
	}
	return all
}

// traffic is how many packets were sent, received, and refused of those, and how
// many nodes are known.
func (n *network) traffic() (sent, received, refused, nodes int64) {
	for _, node := range n.nodes {
		sent += node.door.sent.Load()
		received += node.door.received.Load()
		refused += node.door.refused.Load()
		nodes += int64(node.server.NumNodes())
	}
	return sent, received, refused, nodes
}

// silent reports whether we know no DHT node at all.
func (n *network) silent() bool {
	_, _, _, nodes := n.traffic()
	return len(n.nodes) > 0 && nodes == 0
}

// scrape is what the nodes near an info-hash say of its swarm: BEP 33's filters,
// put together.
type scrape struct {
	mu             sync.Mutex
	seeds, others  krpc.ScrapeBloomFilter
	filters, peers int
}

// lookup finds peers of an info-hash and hands them on, until it has found all,
// or ctx ends. It waits for its turn first.
func (n *network) lookup(ctx context.Context, hash rawlog.ID, found chan<- fetch.Peer) *scrape {
	sc := &scrape{}
	select {
	case <-ctx.Done():
		return sc
	case n.lookups <- struct{}{}:
	}
	defer func() { <-n.lookups }()
	ctx, cancel := context.WithTimeout(ctx, lookupTime)
	defer cancel()
	var wg sync.WaitGroup
	for _, node := range n.nodes {
		wg.Go(func() { node.lookup(ctx, hash, sc, found) })
	}
	wg.Wait()
	return sc
}

func (n *node) lookup(ctx context.Context, hash rawlog.ID, sc *scrape, found chan<- fetch.Peer) {
	start, err := n.server.TraversalStartingNodes()
	if err != nil {
		return // nobody is known yet, and nobody answers where one could ask
	}
	op := traversal.Start(traversal.OperationInput{
		Target: krpc.ID(hash), Alpha: lookupAlpha, NodeFilter: n.server.TraversalNodeFilter,
		DoQuery: func(asking context.Context, at krpc.NodeAddr) traversal.QueryResult {
			res := n.server.GetPeers(asking, dht.NewAddr(at.UDP()), int160.FromByteArray(hash), true, dht.QueryRateLimiting{})
			if r := res.Reply.R; r != nil {
				sc.add(ctx, r, found)
			}
			return res.TraversalQueryResult(at)
		},
	})
	op.AddNodes(start)
	for range 2 { // the first time may be of before it had the nodes to begin with
		select {
		case <-op.Stalled():
		case <-ctx.Done():
		}
	}
	op.Stop()
	<-op.Stopped()
}

// add takes a node's reply in, and hands on the peers that it names.
func (s *scrape) add(ctx context.Context, r *krpc.Return, found chan<- fetch.Peer) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if r.BFsd != nil && r.BFpe != nil && plausible(r.BFsd) && plausible(r.BFpe) {
		s.filters++
		for i := range s.seeds {
			s.seeds[i] |= r.BFsd[i]
			s.others[i] |= r.BFpe[i]
		}
	}
	for _, v := range r.Values {
		ip, ok := netip.AddrFromSlice(v.IP)
		if !ok || v.Port <= 0 || v.Port > 65535 || s.peers >= lookupPeers {
			continue
		}
		select {
		case found <- fetch.Peer{Addr: netip.AddrPortFrom(ip.Unmap(), uint16(v.Port)), Source: byLookup}:
			s.peers++
		case <-ctx.Done():
			return
		}
	}
}

// plausible keeps out filters so full that they say nothing, but would fill all.
func plausible(f *krpc.ScrapeBloomFilter) bool {
	set := 0
	for _, b := range f {
		for ; b != 0; b &= b - 1 {
			set++
		}
	}
	return set <= 2048*95/100
}

// estimates are how many seeders and leechers there are, -1 where nobody said.
func (s *scrape) estimates() (seeders, leechers int64) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.filters == 0 {
		return -1, -1
	}
	return estimate(&s.seeds), estimate(&s.others)
}

func estimate(f *krpc.ScrapeBloomFilter) int64 {
	n := f.EstimateCount()
	if math.IsInf(n, 0) || math.IsNaN(n) {
		return -1
	}
	return int64(math.Round(n))
}
