package collect

import (
	"encoding/binary"
	"fmt"
	"math/rand/v2"
	"net"
	"net/netip"
	"slices"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/anacrolix/dht/v2/krpc"
	"github.com/anacrolix/torrent/bencode"

	"github.com/boontorrent/boon/internal/rawlog"
)

// newTestNode is a node without a socket, with a table of 500 nodes.
func newTestNode(t testing.TB) *node {
	t.Helper()
	tok, err := newTokens(rand.NewChaCha8([32]byte{}), now)
	if err != nil {
		t.Fatal(err)
	}
	n := &node{
		guard: newGuard(Limits{All: -1, Address: 1e9, Network: 1e9}, false), peers: newPeerStore(), queue: newQueue(),
		full: &atomic.Bool{}, tables: &atomic.Pointer[tables]{}, tokens: tok, minute: now / minute, id: rawlog.ID{9}, sample: newQuality(),
	}
	n.lib = newLibrary(&net.UDPConn{}, n.guard, nil, func() int64 { return now }, rand.NewChaCha8([32]byte{1}), n.countSent)
	n.tables.Store(&tables{v4: someRoutes(500, "5.6.7.8:9")})
	return n
}

// someRoutes are n nodes with random ids at one address.
func someRoutes(n int, addr string) routes {
	r := rand.New(rand.NewPCG(4, uint64(n)))
	var known []route
	for range n {
		var id rawlog.ID
		for j := range id {
			id[j] = byte(r.Uint32())
		}
		known = append(known, newRoute(id, at(addr)))
	}
	return newRoutes(known)
}

// TestQueriesAllocateNothing goes through every kind of query, and what is no query.
func TestQueriesAllocateNothing(t *testing.T) {
	n := newTestNode(t)
	id, h := "2:id20:"+idA, "9:info_hash20:"+hashH
	token := string(n.tokens.appendToken(nil, netip.MustParseAddr("8.8.8.8")))
	out := make([]byte, 0, 2*maxAnswer)
	for name, packet := range map[string]string{
		"ping":              "d1:ad" + id + "e1:q4:ping1:t2:aa1:y1:qe",
		"find_node":         "d1:ad" + id + "6:target20:" + hashH + "e1:q9:find_node1:t2:aa1:y1:qe",
		"get_peers":         realGetPeers,
		"announce_peer":     "d1:ad" + id + h + "4:name6:a film4:porti6881e5:token4:" + token + "e1:q13:announce_peer1:t2:aa1:y1:qe",
		"sample_infohashes": "d1:ad" + id + "6:target20:" + hashH + "e1:q17:sample_infohashes1:t2:aa1:y1:qe",
		"scrape":            "d1:ad" + id + h + "6:scrapei1ee1:q9:get_peers1:t2:aa1:y1:qe",
		"unknown method":    "d1:ad" + id + "e1:q4:sing1:t2:aa1:y1:qe",
		"bad arguments":     "d1:ade1:q4:ping1:t2:aa1:y1:qe",
		"malformed":         "d1:q",
		"unsolicited":       "d1:rd" + id + "e1:t2:aa1:y1:re",
	} {
		p := []byte(packet)
		if got := allocations(200, func() {
			out = n.receive(p, at("8.8.8.8:6881"), now, out[:0])
		}); got != 0 {
			t.Errorf("%s: %v allocations", name, got)
		}
	}
}

// allocations is how many a call makes: the fewest of some measurements, since what
// other tests' nodes still do in the background is counted too.
func allocations(runs int, call func()) float64 {
	fewest := testing.AllocsPerRun(runs, call)
	for tries := 1; fewest > 0 && tries < 20; tries++ {
		time.Sleep(50 * time.Millisecond)
		fewest = min(fewest, testing.AllocsPerRun(runs, call))
	}
	return fewest
}

// TestHostileTraffic sends a node all kinds of rubbish in great numbers. What
// comes back is never more than three times what was sent, every packet is
// counted, and the tables stay within their bounds.
func TestHostileTraffic(t *testing.T) {
	n := newTestNode(t)
	n.guard = newGuard(Limits{All: 2000}, false)
	n.lib.guard = n.guard
	r := rand.New(rand.NewPCG(5, 5))
	sound := []string{realGetPeers, realAnnounce, "d1:rd2:id20:" + idA + "e1:t2:aa1:y1:re", "d1:ad2:id20:" + idA + "6:target20:" + hashH + "e1:q17:sample_infohashes1:t2:aa1:y1:qe"}
	out := make([]byte, 0, 2*maxAnswer)
	const packets = 200_000
	for i := range packets {
		p := []byte(sound[r.IntN(len(sound))])
		switch r.IntN(5) {
		case 0:
			p = p[:r.IntN(len(p))]
		case 1:
			for range 1 + r.IntN(4) {
				p[r.IntN(len(p))] = byte(r.Uint32())
			}
		case 2:
			p = fmt.Appendf(nil, "d1:ad2:id20:%se1:q9:method%03d1:t2:aa1:y1:qe", idA, r.IntN(1000))
		case 3:
			binary.BigEndian.PutUint64(p[strings.Index(string(p), "20:")+3:], r.Uint64())
		}
		from := netip.AddrPortFrom(netip.AddrFrom4([4]byte{byte(5 + r.IntN(3)), byte(r.Uint32()), byte(r.Uint32()), byte(r.Uint32())}), uint16(r.Uint32()))
		out = n.receive(p, from, now+int64(i)*100, out[:0])
		if len(out) > amplification*len(p) {
			t.Fatalf("%d bytes in answer to the %d of %q", len(out), len(p), p)
		}
	}
	received, dropped := n.counts.total()
	logged := int64(0)
	for _, e := range n.queue.take(newBatch()).entries {
		if e.mark == nil {
			logged++
		}
	}
	if received != packets || received != logged+dropped || logged == 0 {
		t.Errorf("received %d of %d, logged %d, dropped %d", received, packets, logged, dropped)
	}
	if n.counts.dropped[response][unsolicited] == 0 || n.counts.droppedBy(rateAll) == 0 || len(n.lib.asked) > 0 {
		t.Errorf("%+v", n.counts.dropped)
	}
}

// TestPeerStoreIsBounded announces more than it holds, then lets half an hour pass.
func TestPeerStoreIsBounded(t *testing.T) {
	s := newPeerStore()
	var h rawlog.ID
	for i := range uint32(3 * maxPeers) {
		binary.BigEndian.PutUint32(h[:], i/5)
		s.add(h, netip.AddrPortFrom(netip.AddrFrom4([4]byte{5, byte(i >> 16), byte(i >> 8), byte(i)}), 1), false, now)
	}
	if len(s.swarms) > maxSwarms || s.peers > maxPeers || s.peers < maxPeers/2 {
		t.Errorf("%d swarms of %d peers", len(s.swarms), s.peers)
	}
	for i := range uint32(2 * maxSwarms) { // each with one peer
		binary.BigEndian.PutUint32(h[:], 1<<31|i)
		s.add(h, at("6.6.6.6:6"), false, now)
	}
	if len(s.swarms) != maxSwarms {
		t.Errorf("%d swarms", len(s.swarms))
	}
	for i := range uint32(2 * peersPerSwarm) {
		s.add(rawlog.ID{1}, netip.AddrPortFrom(netip.AddrFrom4([4]byte{6, 6, byte(i >> 8), byte(i)}), 1), false, now+int64(i))
	}
	if got := s.count(swarmKey{infohash: rawlog.ID{1}}); got != peersPerSwarm {
		t.Errorf("%d peers of one swarm", got)
	}
	s.expire(now + peerLasts + second)
	if s.peers != 0 || len(s.swarms) != 0 {
		t.Errorf("after half an hour %d swarms of %d peers", len(s.swarms), s.peers)
	}
}

// TestQueueFull offers more than the queue holds: the newest are refused and
// counted, and the minute's counts get through.
func TestQueueFull(t *testing.T) {
	n := newTestNode(t)
	out := make([]byte, 0, 2*maxAnswer)
	const packets = queueEvents + 1000
	for range packets {
		out = n.receive([]byte(realGetPeers), at("8.8.8.8:6881"), now, out[:0])
		if len(out) == 0 {
			t.Fatal("no answer")
		}
	}
	n.end(now + 1)
	b := n.queue.take(newBatch())
	m := b.entries[len(b.entries)-1].mark
	if m == nil || m.counts.dropped[getPeers][queueFull] != 1000 || m.counts.received[getPeers] != packets || len(b.entries) != queueEvents+1 {
		t.Fatalf("%d entries, mark %+v", len(b.entries), m)
	}
	if !n.queue.put(0, &rawlog.Event{Kind: rawlog.GetPeers}) {
		t.Error("the queue does not recover")
	}
}

// TestCountsMeanwhile: what was counted is on its way to the log every ten seconds in
// which something was heard; what is measured, once a minute. While the queue is full,
// it is counted on.
func TestCountsMeanwhile(t *testing.T) {
	n := newTestNode(t)
	ask := func() { n.receive([]byte(realGetPeers), at("8.8.8.8:6881"), now, nil) }
	marks := func() (received []int64, minutes int) {
		for _, e := range n.queue.take(newBatch()).entries {
			if e.mark != nil {
				received = append(received, e.mark.counts.received[getPeers])
			}
			if e.mark != nil && e.mark.minute {
				minutes++
			}
		}
		return received, minutes
	}
	begin := now / minute * minute
	n.minute = begin / minute
	ask()
	for s := range int64(30) {
		n.tick(begin + s*second)
		if s == 22 {
			ask()
			ask()
		}
	}
	n.tick(begin + 32*second)
	if got, minutes := marks(); !slices.Equal(got, []int64{1, 2}) || minutes != 0 {
		t.Errorf("%v in half a minute, %d ends of minutes", got, minutes)
	}
	for range queueEvents {
		ask()
	}
	n.tick(begin + 42*second)
	if got, _ := marks(); len(got) != 0 {
		t.Errorf("%v behind a full queue", got)
	}
	n.tick(begin + 43*second)
	n.tick(begin + minute)
	if got, minutes := marks(); !slices.Equal(got, []int64{queueEvents, 0}) || minutes != 1 {
		t.Errorf("%v then, %d ends of minutes", got, minutes)
	}
	if c := n.counted(); c.received[getPeers] != queueEvents+3 {
		t.Errorf("%d received in all", c.received[getPeers])
	}
}

// TestMoveToAnotherID: what was counted under one id stays with it, what comes
// after is of the other, and the library is told to begin anew.
func TestMoveToAnotherID(t *testing.T) {
	n := newTestNode(t)
	told := false
	if id := n.onMove(func() { told = true }); id != (rawlog.ID{9}) {
		t.Errorf("the id is %s", id)
	}
	ask := func() []byte { return n.receive([]byte(realGetPeers), at("8.8.8.8:6881"), now, nil) }
	ask()
	ask()
	n.move(rawlog.ID{7}, now+1)
	if out := string(ask()); !told || !strings.Contains(out, "2:id20:\x07\x00") {
		t.Errorf("told %v, answer %q", told, out)
	}
	n.end(now + 2)
	type part struct {
		id       rawlog.ID
		received int64
	}
	var got []part
	var events []rawlog.ID
	for _, e := range n.queue.take(newBatch()).entries {
		if e.mark != nil {
			got = append(got, part{e.mark.id, e.mark.counts.received[getPeers]})
		} else {
			events = append(events, e.ev.Query.OurID)
		}
	}
	if !slices.Equal(got, []part{{rawlog.ID{9}, 2}, {rawlog.ID{7}, 1}}) || !slices.Equal(events, []rawlog.ID{{9}, {9}, {7}}) {
		t.Errorf("counts %v, events of %v", got, events)
	}
}

// FuzzReceive sends a node anything: it does not panic, an answer is a message
// with the transaction id of the query, and has at most three bytes for each of it.
func FuzzReceive(f *testing.F) {
	for _, p := range realPackets(f) {
		f.Add(p)
	}
	f.Add([]byte(realGetPeers))
	f.Add([]byte(realAnnounce))
	f.Add([]byte("d1:ad2:id20:" + idA + "6:target20:" + hashH + "4:wantl2:n62:n4ee1:q9:find_node1:t2:aa1:y1:qe"))
	f.Add([]byte("d1:ad2:id20:" + idA + "6:target20:" + hashH + "e1:q17:sample_infohashes1:t2:aa1:y1:qe"))
	f.Add([]byte("d1:ad2:id20:" + idA + "9:info_hash20:" + hashH + "6:scrapei1ee1:q9:get_peers1:t0:1:y1:qe"))
	f.Add([]byte("d1:q4:sing1:t2:aa1:y1:qe"))
	n := newTestNode(f)
	n.peers.add(rawlog.ID([]byte(hashH)), at("9.9.9.9:9"), false, now)
	spare := newBatch()
	f.Fuzz(func(t *testing.T, packet []byte) {
		spare = n.queue.take(spare)
		for _, from := range []string{"8.8.8.8:6881", "[2a00:1450::1]:6881"} {
			out := n.receive(packet, at(from), now, nil)
			if len(out) == 0 {
				continue
			}
			if len(out) > amplification*len(packet) {
				t.Errorf("%d bytes in answer to %d", len(out), len(packet))
			}
			var m krpc.Msg
			if err := bencode.Unmarshal(out, &m); err != nil {
				t.Fatalf("%v: %q", err, out)
			}
			var asked message
			parse(packet, &asked)
			if m.T != string(asked.t) || m.Y == "q" {
				t.Errorf("answer %q to %q", out, packet)
			}
		}
	})
}

func BenchmarkReceiveGetPeers(b *testing.B) {
	n := newTestNode(b)
	out, spare := make([]byte, 0, 2*maxAnswer), newBatch()
	p, i, hashAt := []byte(realGetPeers), 0, strings.Index(realGetPeers, hashH)
	from := at("8.8.8.8:6881")
	b.ReportAllocs()
	for b.Loop() {
		if i++; i%queueEvents == 0 {
			spare = n.queue.take(spare)
		}
		binary.BigEndian.PutUint64(p[hashAt:], uint64(i))
		if out = n.receive(p, from, now, out[:0]); len(out) == 0 {
			b.Fatal("no answer")
		}
	}
}
