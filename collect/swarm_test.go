package collect_test

import (
	"bytes"
	"context"
	"fmt"
	"maps"
	"net/netip"
	"os"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/anacrolix/dht/v2/krpc"
	"github.com/anacrolix/torrent/bencode"

	"github.com/boontorrent/boon/collect"
	"github.com/boontorrent/boon/internal/dhttest"
	"github.com/boontorrent/boon/internal/metrics/metricstest"
	"github.com/boontorrent/boon/internal/rawlog"
)

// TestTakesPartInASwarm: the collector finds the nodes of a swarm by itself,
// hands them out, and lookups and announces of the swarm's nodes reach its log.
func TestTakesPartInASwarm(t *testing.T) {
	needSwarm(t)
	swarm := dhttest.Start(t, 12)
	c := start(t, collect.Config{Bootstrap: swarm.Addrs()[:2]})
	known := waitForNodes(t, c, 8)
	ids := map[krpc.ID]bool{}
	for _, n := range swarm.Nodes {
		ids[n.ID()] = true
	}
	for _, n := range known {
		if !ids[n.ID] {
			t.Errorf("the collector hands out %x, which is not in the swarm", n.ID)
		}
	}
	nodes := slices.Clone(known)
	slices.SortFunc(nodes, func(a, b krpc.NodeInfo) int { return strings.Compare(distance(a.ID), distance(b.ID)) })
	if len(known) != 8 || !slices.EqualFunc(nodes, known, func(a, b krpc.NodeInfo) bool { return a.ID == b.ID }) {
		t.Errorf("%d nodes, want the 8 nearest first", len(known))
	}

	swarm.Meet(t, c.at)
	us, _ := newAsker(t, c.at, "127.0.0.2:0").ask("ping", krpc.MsgArgs{})
	near := [20]byte(us.R.ID) // so near us that a lookup must end here
	near[19] ^= 1
	dhttest.Announce(t, swarm.Nodes[5], near, 4242)
	c.stop()
	kinds := map[rawlog.Kind]int{}
	for _, ev := range read(t, c.store).events {
		if ev.Query.Infohash != rawlog.ID(near) {
			continue
		}
		kinds[ev.Kind]++
		if ev.Kind == rawlog.AnnouncePeer && (ev.Query.AnnouncePort != 4242 || ev.Query.TokenValid != rawlog.True) {
			t.Errorf("%+v", ev.Query)
		}
	}
	if kinds[rawlog.GetPeers] != 1 || kinds[rawlog.AnnouncePeer] != 1 {
		t.Errorf("the lookup of one node left %v in the log", kinds)
	}
}

// TestProbesASwarm looks up random targets in a swarm of other programs' nodes:
// who is asked is in the swarm, and the node nearest the target is among them.
func TestProbesASwarm(t *testing.T) {
	needSwarm(t)
	swarm := dhttest.Start(t, 30)
	ids := map[rawlog.ID]bool{}
	for _, n := range swarm.Nodes {
		ids[rawlog.ID(n.ID())] = true
	}
	cfg, url := metered(collect.Config{Bootstrap: swarm.Addrs()[:2], Probes: collect.MaxProbes})
	c := start(t, cfg)
	waitForNodes(t, c, 8)
	ended := regexp.MustCompile(`boon_received_total\{kind="probe",node="1"\} (1[2-9]|[2-9]\d)\n`)
	for began := time.Now(); !ended.MatchString(metricstest.Get(t, url())) && time.Since(began) < 2*time.Minute; { // one begins each second
		time.Sleep(100 * time.Millisecond)
	}
	c.stop()
	reached, nodes := 0, 0
	probes := read(t, c.store).probes
	for _, ev := range probes {
		answered := map[rawlog.ID]bool{}
		for _, q := range ev.Probe.Queried {
			if !ids[q.ID] {
				t.Errorf("%s was asked, and is not in the swarm", q.ID)
			}
			answered[q.ID] = q.OK
		}
		nodes += len(answered)
		nearest := slices.MinFunc(slices.Collect(maps.Keys(ids)), func(a, b rawlog.ID) int {
			return bytes.Compare(xorOf(a, ev.Probe.Target), xorOf(b, ev.Probe.Target))
		})
		if answered[nearest] {
			reached++
		}
	}
	t.Logf("%d probes asked %d nodes; %d reached the node nearest their target", len(probes), nodes, reached)
	if len(probes) < 8 || reached < len(probes)*3/4 {
		t.Errorf("of %d probes %d reached the node nearest their target", len(probes), reached)
	}
}

func xorOf(a, b rawlog.ID) []byte {
	for i := range a {
		a[i] ^= b[i]
	}
	return a[:]
}

// needSwarm keeps tests against other programs, whose clocks are their own, to
// make test-swarm.
func needSwarm(t *testing.T) {
	t.Helper()
	if os.Getenv("BOON_SWARM") == "" {
		t.Skip("make test-swarm runs this")
	}
}

// distance orders ids by their distance from hash.
func distance(id krpc.ID) string {
	for i := range id {
		id[i] ^= hash[i]
	}
	return string(id[:])
}

// waitForNodes waits until the collector hands out n nodes near hash.
func waitForNodes(t *testing.T, c *running, n int) []krpc.NodeInfo {
	t.Helper()
	a := newAsker(t, c.at, "127.0.0.2:0")
	m, _ := a.ask("get_peers", krpc.MsgArgs{InfoHash: [20]byte{1}})
	a.announce(*m.R.Token, 1)                                        // proves the address: answers are not cut short
	ctx, cancel := context.WithTimeout(t.Context(), 150*time.Second) // the library tries again each minute
	defer cancel()
	for {
		m, _ := a.ask("find_node", krpc.MsgArgs{Target: hash})
		if len(m.R.Nodes) >= n {
			return m.R.Nodes
		}
		select {
		case <-ctx.Done():
			t.Fatalf("the collector hands out %d nodes", len(m.R.Nodes))
		case <-time.After(300 * time.Millisecond):
		}
	}
}

// TestLibtorrent lets a real client look up and announce: each get_peers and
// announce_peer that it says it sent to the collector is in the log, once, with
// what was in it.
func TestLibtorrent(t *testing.T) {
	needSwarm(t)
	swarm := dhttest.Start(t, 10)
	c := start(t, collect.Config{Bootstrap: swarm.Addrs()[:2]})
	waitForNodes(t, c, 8)
	swarm.Meet(t, c.at)
	// Half of the hashes are nearest to us, so that they are announced to us.
	us, _ := newAsker(t, c.at, "127.0.0.2:0").ask("ping", krpc.MsgArgs{})
	var infohashes []string
	for i := range 5 {
		infohashes = append(infohashes, fmt.Sprintf("%x%04x", us.R.ID[:18], i+1), fmt.Sprintf("%02x%038x", 50*i, i+1))
	}
	sent := dhttest.Libtorrent(t, dhttest.Job{
		Sessions: 5, Bootstrap: swarm.Addrs()[3], Watch: c.at.String(), Infohashes: infohashes, Seconds: 14,
		AtLeast: map[string]int{"get_peers": 20, "announce_peer": 5},
	})
	c.stop()
	want, kinds := map[string]int{}, map[string]int{}
	for _, s := range sent {
		line, kind := asLogged(t, s)
		if line != "" {
			want[line]++
			kinds[kind]++
		}
	}
	got := map[string]int{}
	for _, ev := range read(t, c.store).events {
		if q := &ev.Query; q.Addr.As4()[2] >= 150 { // the sessions' addresses
			got[fmt.Sprintf("%s %s:%d id %s hash %s v %x ro %d port %d implied %d seed %d token valid %d", ev.Kind, q.Addr, q.Port, q.TheirID, q.Infohash, q.Version,
				q.ReadOnly, q.AnnouncePort, q.ImpliedPort, q.Seed, q.TokenValid)]++
		}
	}
	t.Logf("libtorrent sent %v", kinds)
	if kinds["get_peers"] < 20 || kinds["announce_peer"] < 5 {
		t.Errorf("libtorrent sent the collector %v: too few for a test", kinds)
	}
	for _, line := range slices.Sorted(maps.Keys(want)) {
		if got[line] != want[line] {
			t.Errorf("sent %d times, logged %d times: %s", want[line], got[line], line)
		}
		delete(got, line)
	}
	for line := range got {
		t.Errorf("logged and not sent: %s", line)
	}
}

// asLogged is how a packet that was sent must stand in the log, read by another
// implementation; "" for one that is not logged.
func asLogged(t *testing.T, s dhttest.Sent) (line, kind string) {
	t.Helper()
	var m struct {
		Q  string `bencode:"q"`
		Y  string `bencode:"y"`
		V  string `bencode:"v"`
		RO *int   `bencode:"ro"`
		A  struct {
			ID      string `bencode:"id"`
			Hash    string `bencode:"info_hash"`
			Port    int    `bencode:"port"`
			Implied *int   `bencode:"implied_port"`
			Seed    *int   `bencode:"seed"`
		} `bencode:"a"`
	}
	if err := bencode.Unmarshal(s.Packet, &m); err != nil {
		t.Fatalf("libtorrent sent %q: %v", s.Packet, err)
	}
	if m.Y != "q" || m.Q != "get_peers" && m.Q != "announce_peer" {
		return "", ""
	}
	valid := rawlog.Unknown
	if m.Q == "announce_peer" {
		valid = rawlog.True
	}
	mark := func(n *int) rawlog.Tri {
		if n == nil {
			return rawlog.Unknown
		}
		return rawlog.TriOf(*n != 0)
	}
	from := netip.AddrPortFrom(s.From.Addr(), s.From.Port())
	return fmt.Sprintf("%s %s id %x hash %x v %x ro %d port %d implied %d seed %d token valid %d", m.Q, from, m.A.ID, m.A.Hash, m.V,
		mark(m.RO), m.A.Port, mark(m.A.Implied), mark(m.A.Seed), valid), m.Q
}
