// Package dhttest is a DHT on loopback for tests: a swarm of anacrolix/dht
// nodes, and sessions of libtorrent, a real client, where Python has it.
//
// Each node has an address of its own in 127.0.0.0/8, in a /24 of its own,
// since clients keep one node of each. Nothing leaves the machine, and
// everything ends with the test.
package dhttest

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/netip"
	"testing"
	"time"

	"github.com/anacrolix/dht/v2"
	"github.com/anacrolix/dht/v2/krpc"
	peerstore "github.com/anacrolix/dht/v2/peer-store"
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
		node, err := s.node(i, others)
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
	return s
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

func (s *Swarm) node(i int, others []string) (*dht.Server, error) {
	at := netip.AddrPortFrom(netip.AddrFrom4([4]byte{127, 0, byte(20 + i), 1}), 0)
	conn, err := net.ListenUDP("udp4", net.UDPAddrFromAddrPort(at))
	if err != nil {
		return nil, fmt.Errorf("node %d: %w", i, err)
	}
	node, err := dht.NewServer(&dht.ServerConfig{
		NodeId: krpc.RandomNodeID(), Conn: conn, NoSecurity: true, SendLimiter: rate.NewLimiter(rate.Inf, 1),
		PeerStore: &peerstore.InMemory{}, DefaultWant: []krpc.Want{krpc.WantNodes},
		StartingNodes:    func() ([]dht.Addr, error) { return s.starting(i, others) },
		QueryResendDelay: func() time.Duration { return 300 * time.Millisecond },
		Logger:           log.Default.FilterLevel(log.Disabled),
	})
	if err != nil {
		return nil, fmt.Errorf("node %d: %w", i, err)
	}
	return node, nil
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
	ctx, cancel := context.WithTimeout(ctx, 10*time.Second)
	defer cancel()
	if _, err := n.BootstrapContext(ctx); err != nil {
		return fmt.Errorf("bootstrap %s: %w", n.Addr(), err)
	}
	if n.NumNodes() == 0 {
		return errors.New("a node of the swarm knows nobody")
	}
	return nil
}
