// Package dhttest is a DHT on loopback for tests: a swarm of anacrolix/dht
// nodes, and sessions of libtorrent, a real client, where Python has it.
//
// Each node has an address of its own in 127.0.0.0/8, in a /24 of its own,
// since clients keep one node of each. Nothing leaves the machine, and
// everything ends with the test.
package dhttest

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"net"
	"net/netip"
	"slices"
	"sync"
	"testing"
	"time"

	"github.com/anacrolix/dht/v2"
	"github.com/anacrolix/dht/v2/int160"
	dhtutil "github.com/anacrolix/dht/v2/k-nearest-nodes"
	"github.com/anacrolix/dht/v2/krpc"
	peerstore "github.com/anacrolix/dht/v2/peer-store"
	"github.com/anacrolix/dht/v2/traversal"
	"github.com/anacrolix/log"
	"golang.org/x/time/rate"
)

// Swarm is a number of DHT nodes that know each other.
type Swarm struct {
	Nodes []*dht.Server
}

// Start starts a swarm of n nodes (at most 200) and waits until each knows
// others. More starting points may be given, as host:port.
func Start(t testing.TB, n int, others ...string) *Swarm {
	t.Helper()
	s := &Swarm{}
	for i := range n {
		node, err := s.node(i, n, others)
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(node.Close)
		s.Nodes = append(s.Nodes, node)
	}
	for range 2 { // in the first round there is nobody yet to tell of others
		for _, node := range s.Nodes {
			if err := settle(t.Context(), node); err != nil {
				t.Fatal(err)
			}
		}
	}
	for _, node := range s.Nodes {
		for _, near := range s.nearest(node) {
			if res := node.Ping(near.Addr().(*net.UDPAddr)); res.Err != nil {
				t.Fatalf("%s does not answer %s: %v", near.Addr(), node.Addr(), res.Err)
			}
		}
	}
	return s
}

// nearest are eight others whose ids are nearest to a node's. These must know it, or
// a lookup does not find it; upkeep sees to that within minutes.
func (s *Swarm) nearest(to *dht.Server) []*dht.Server {
	distance := func(n *dht.Server) []byte {
		a, b := n.ID(), to.ID()
		for i := range a {
			a[i] ^= b[i]
		}
		return a[:]
	}
	others := slices.SortedFunc(slices.Values(s.Nodes), func(a, b *dht.Server) int { return bytes.Compare(distance(a), distance(b)) })[1:]
	return others[:min(8, len(others))]
}

// Addrs are the nodes' addresses, as host:port.
func (s *Swarm) Addrs() []string {
	var addrs []string
	for _, n := range s.Nodes {
		addrs = append(addrs, n.Addr().String())
	}
	return addrs
}

// Meet makes every node of the swarm ping another, which thereby gets into
// their tables: what upkeep does within minutes.
func (s *Swarm) Meet(t testing.TB, other netip.AddrPort) {
	t.Helper()
	for _, n := range s.Nodes {
		if res := n.Ping(net.UDPAddrFromAddrPort(other)); res.Err != nil {
			t.Fatalf("%s does not answer %s: %v", other, n.Addr(), res.Err)
		}
	}
}

// Announce makes a peer known, as it would by itself: from its own address, to the
// nodes nearest to the info-hash.
func (s *Swarm) Announce(t testing.TB, hash [20]byte, peer netip.AddrPort) {
	t.Helper()
	conn, err := net.ListenUDP("udp4", &net.UDPAddr{IP: peer.Addr().AsSlice()})
	if err != nil {
		t.Fatal(err)
	}
	server, err := dht.NewServer(&dht.ServerConfig{
		Conn: conn, NodeId: krpc.RandomNodeID(), NoSecurity: true, Passive: true, Logger: log.Default.FilterLevel(log.Disabled),
		StartingNodes: func() ([]dht.Addr, error) { return s.starting(-1, nil) },
	})
	if err != nil {
		t.Fatal(err)
	}
	defer server.Close()
	Announce(t, server, hash, int(peer.Port()))
}

// Announce makes a node announce a port of its address to the nodes nearest to the
// info-hash. The library's own way to do so may stop before all have replied.
func Announce(t testing.TB, from *dht.Server, hash [20]byte, port int) {
	t.Helper()
	start, err := from.TraversalStartingNodes()
	if err != nil {
		t.Fatal(err)
	}
	op := traversal.Start(traversal.OperationInput{
		Target: hash, NodeFilter: from.TraversalNodeFilter,
		DataFilter: func(token any) bool {
			_, ok := token.(string)
			return ok
		},
		DoQuery: func(ctx context.Context, at krpc.NodeAddr) traversal.QueryResult {
			return from.GetPeers(ctx, dht.NewAddr(at.UDP()), int160.FromByteArray(hash), false, dht.QueryRateLimiting{}).TraversalQueryResult(at)
		},
	})
	op.AddNodes(start)
	for range 2 { // the first time may be of before it had the nodes to begin with
		<-op.Stalled()
	}
	op.Stop()
	<-op.Stopped()
	op.Closest().Range(func(near dhtutil.Elem) {
		args := krpc.MsgArgs{InfoHash: hash, Port: &port, Token: near.Data.(string)}
		if res := from.Query(t.Context(), dht.NewAddr(near.Addr.UDP()), "announce_peer", dht.QueryInput{MsgArgs: args}); res.Err != nil {
			t.Errorf("announce to %s: %v", near.Addr, res.Err)
		}
	})
}

// node is the i-th of n. Their ids are spread over the keyspace: the library tells of
// nobody whose id is nearer to its own than the one that is looked for, so that where
// all are in one corner none tells of another.
func (s *Swarm) node(i, n int, others []string) (*dht.Server, error) {
	id := krpc.RandomNodeID()
	id[0] = byte(256 * i / n)
	at := netip.AddrPortFrom(netip.AddrFrom4([4]byte{127, 0, byte(20 + i), 1}), 0)
	conn, err := net.ListenUDP("udp4", net.UDPAddrFromAddrPort(at))
	if err != nil {
		return nil, fmt.Errorf("node %d: %w", i, err)
	}
	node, err := dht.NewServer(&dht.ServerConfig{
		NodeId: id, Conn: conn, NoSecurity: true, SendLimiter: rate.NewLimiter(rate.Inf, 1),
		PeerStore: &peers{of: map[peerstore.InfoHash][]krpc.NodeAddr{}}, DefaultWant: []krpc.Want{krpc.WantNodes},
		StartingNodes:    func() ([]dht.Addr, error) { return s.starting(i, others) },
		QueryResendDelay: func() time.Duration { return 3 * time.Second }, // nothing is lost here, and what is late must not come twice
		Logger:           log.Default.FilterLevel(log.Disabled),
	})
	if err != nil {
		return nil, fmt.Errorf("node %d: %w", i, err)
	}
	return node, nil
}

// peers is a node's store of peers. The library's own hands out addresses cut
// short.
type peers struct {
	mu sync.Mutex
	of map[peerstore.InfoHash][]krpc.NodeAddr
}

// AddPeer implements peerstore.Interface.
func (p *peers) AddPeer(hash peerstore.InfoHash, at krpc.NodeAddr) {
	p.mu.Lock()
	defer p.mu.Unlock()
	for _, known := range p.of[hash] {
		if known.IP.Equal(at.IP) && known.Port == at.Port {
			return
		}
	}
	p.of[hash] = append(p.of[hash], at)
}

// GetPeers implements peerstore.Interface.
func (p *peers) GetPeers(hash peerstore.InfoHash) []krpc.NodeAddr {
	p.mu.Lock()
	defer p.mu.Unlock()
	return slices.Clone(p.of[hash])
}

// starting are the first nodes of the swarm, and the others given.
func (s *Swarm) starting(i int, others []string) ([]dht.Addr, error) {
	var addrs []dht.Addr
	for j, n := range s.Nodes[:min(4, len(s.Nodes))] {
		if j != i {
			addrs = append(addrs, dht.NewAddr(n.Addr()))
		}
	}
	for _, o := range others {
		at, err := net.ResolveUDPAddr("udp4", o)
		if err != nil {
			return nil, err
		}
		addrs = append(addrs, dht.NewAddr(at))
	}
	return addrs, nil
}

func settle(ctx context.Context, n *dht.Server) error {
	ctx, cancel := context.WithTimeout(ctx, time.Minute)
	defer cancel()
	for { // it may give up before it has begun
		if _, err := n.BootstrapContext(ctx); err != nil {
			return fmt.Errorf("bootstrap %s: %w", n.Addr(), err)
		}
		if n.NumNodes() > 0 {
			return nil
		}
		if ctx.Err() != nil {
			return errors.New("a node of the swarm knows nobody")
		}
	}
}
