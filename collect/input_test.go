package collect

import (
	"context"
	"fmt"
	"net"
	"net/netip"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/anacrolix/dht/v2/krpc"
	"github.com/anacrolix/torrent/bencode"

	"github.com/boontorrent/boon/internal/lake"
	"github.com/boontorrent/boon/internal/rawlog"
	"github.com/boontorrent/boon/internal/spool"
)

// TestWant asks for nodes of either family, of both and of none in particular
// (BEP 32); the answers are read by another implementation.
func TestWant(t *testing.T) {
	n := newTestNode(t)
	n.tables.Store(&tables{v4: n.tables.Load().v4, v6: someRoutes(20, "[2a00:1450::7]:9")})
	from4, from6 := at("8.8.8.8:6881"), at("[2a00:1450::1]:6881")
	n.guard.prove(from4, now)
	n.guard.prove(from6, now)
	for name, key := range map[string]string{"9:find_node": "6:target", "9:get_peers": "9:info_hash", "17:sample_infohashes": "6:target"} {
		for _, c := range []struct {
			from          netip.AddrPort
			want          string
			nodes, nodes6 int
		}{
			{from4, "", 8, 0}, {from6, "", 0, 8}, {from4, "4:wantl2:n4e", 8, 0}, {from4, "4:wantl2:n6e", 0, 8},
			{from6, "4:wantl2:n42:n6e", 8, 8}, {from4, "4:wantl2:n9e", 8, 0}, {from4, "4:wantle", 8, 0},
		} {
			q := "d1:ad2:id20:" + idA + key + "20:" + hashH + c.want + "e1:q" + name + "1:t2:aa1:y1:qe"
			var m krpc.Msg
			if err := bencode.Unmarshal(n.receive([]byte(q), c.from, now, nil), &m); err != nil || m.R == nil {
				t.Fatalf("%s: %v, %+v", q, err, m)
			}
			if len(m.R.Nodes) != c.nodes || len(m.R.Nodes6) != c.nodes6 {
				t.Errorf("%s with %q from %s: %d nodes and %d nodes6, want %d and %d", name, c.want, c.from, len(m.R.Nodes), len(m.R.Nodes6), c.nodes, c.nodes6)
			}
		}
	}
}

// TestTokensOverTime announces with tokens of different ages.
func TestTokensOverTime(t *testing.T) {
	from := at("8.8.8.8:6881")
	for age, want := range map[int64]int64{0: 1, 4 * minute: 1, 9 * minute: 1, 16 * minute: 0} {
		n := newTestNode(t)
		var m krpc.Msg
		out := n.receive([]byte("d1:ad2:id20:"+idA+"9:info_hash20:"+hashH+"e1:q9:get_peers1:t2:aa1:y1:qe"), from, now, nil)
		if err := bencode.Unmarshal(out, &m); err != nil || m.R.Token == nil {
			t.Fatal(err, m.R)
		}
		for at := now + minute; at < now+age; at += minute { // others keep asking
			n.receive([]byte(realGetPeers), from, at, nil)
		}
		announce := "d1:ad2:id20:" + idA + "9:info_hash20:" + hashH + "4:porti7e5:token4:" + *m.R.Token + "e1:q13:announce_peer1:t2:aa1:y1:qe"
		n.receive([]byte(announce), from, now+age, nil)
		if n.sample.announces+n.totals.received[announcePeer] == 0 || n.peers.peers != int(want) {
			t.Errorf("a token of %d minutes: %d peers, want %d", age/minute, n.peers.peers, want)
		}
	}
}

// TestPeersEnd: who announced half an hour ago is not handed out any more, also
// before the store is tidied up.
func TestPeersEnd(t *testing.T) {
	n := newTestNode(t)
	token := string(n.tokens.appendToken(nil, netip.MustParseAddr("9.9.9.9")))
	n.receive([]byte("d1:ad2:id20:"+idA+"9:info_hash20:"+hashH+"4:porti7e4:seedi1e5:token4:"+token+"e1:q13:announce_peer1:t2:aa1:y1:qe"), at("9.9.9.9:9"), now, nil)
	n.guard.prove(at("8.8.8.8:6881"), now+peerLasts)
	for i, after := range []int64{peerLasts - 1, peerLasts} { // in this order: time does not run back
		want := 1 - i
		var m krpc.Msg
		out := n.receive([]byte("d1:ad2:id20:"+idA+"9:info_hash20:"+hashH+"6:scrapei1ee1:q9:get_peers1:t2:aa1:y1:qe"), at("8.8.8.8:6881"), now+after, nil)
		if err := bencode.Unmarshal(out, &m); err != nil || len(m.R.Values) != want {
			t.Errorf("after %d s %d peers (%v), want %d", after/second, len(m.R.Values), err, want)
		}
		if seeds := m.R.BFsd != nil && *m.R.BFsd != (krpc.ScrapeBloomFilter{}); seeds != (want > 0) {
			t.Errorf("after %d s a scrape counts seeds: %v", after/second, seeds)
		}
	}
}

// TestSamplesAreDistinct: an info-hash with peers of both families is one.
func TestSamplesAreDistinct(t *testing.T) {
	s := newPeerStore()
	for i := range byte(6) {
		s.add(rawlog.ID{i}, at("9.9.9.9:9"), false, now)
		s.add(rawlog.ID{i + 3}, at("[2600::9]:9"), false, now+int64(i)*minute)
	}
	sample, num, _ := s.sampled(now)
	distinct := map[rawlog.ID]bool{}
	for i := 0; i < len(sample); i += 20 {
		distinct[rawlog.ID(sample[i:])] = true
	}
	if num != 9 || len(sample) != 9*20 || len(distinct) != 9 {
		t.Errorf("%d info-hashes, a sample of %d, %d of them distinct; want 9", num, len(sample)/20, len(distinct))
	}
	s.expire(now + peerLasts) // IPv4 peers end, and the first of IPv6
	if _, num, _ := s.sampled(now + peerLasts); num != 5 {
		t.Errorf("half an hour later %d info-hashes, want the 5 that IPv6 peers announced since", num)
	}
	for range 20 {
		s.evict()
	}
	if _, num, _ := s.sampled(now + peerLasts); num != 0 || s.twins != 0 {
		t.Errorf("an empty store counts %d info-hashes, %d twins", num, s.twins)
	}
}

// TestScrapeCountsBothFamilies: a swarm is one, whoever asks for its filters
// (BEP 33): an IPv4 asker, whom IPv6 peers are of no use to, hears how many there are.
func TestScrapeCountsBothFamilies(t *testing.T) {
	n := newTestNode(t)
	n.peers.add(rawlog.ID([]byte(hashH)), at("[2600::9]:9"), false, now)
	n.guard.prove(at("8.8.8.8:6881"), now)
	var m krpc.Msg
	out := n.receive([]byte("d1:ad2:id20:"+idA+"9:info_hash20:"+hashH+"6:scrapei1ee1:q9:get_peers1:t2:aa1:y1:qe"), at("8.8.8.8:6881"), now, nil)
	if err := bencode.Unmarshal(out, &m); err != nil || len(m.R.Values) != 0 || m.R.BFsd == nil || m.R.BFpe == nil {
		t.Fatalf("%q (%v)", out, err)
	}
	var want krpc.ScrapeBloomFilter
	want.AddIp(net.ParseIP("2600::9"))
	if *m.R.BFpe != want || *m.R.BFsd != (krpc.ScrapeBloomFilter{}) {
		t.Error("the filters are not those of the one IPv6 peer")
	}
}

// TestSampleInterval: the sample stays the same for as long as the answer says
// (BEP 51), and is another one afterwards.
func TestSampleInterval(t *testing.T) {
	s := newPeerStore()
	for i := range 500 {
		s.add(rawlog.ID{byte(i >> 8), byte(i)}, at("9.9.9.9:9"), false, now)
	}
	first, num, interval := s.sampled(now)
	if num != 500 || len(first) != 20*sampleSize || interval*second != sampleLasts {
		t.Errorf("%d of %d hashes for %d s", len(first)/20, num, interval)
	}
	before := string(first)
	last, _, left := s.sampled(now + sampleLasts - 1)
	if string(last) != before || left != 1 {
		t.Errorf("the sample changes within its interval, or %d s are left of it", left)
	}
	if next, _, _ := s.sampled(now + sampleLasts); string(next) == before {
		t.Error("the sample never changes")
	}
}

// TestAMillionMethods: no method that somebody makes up costs memory.
func TestAMillionMethods(t *testing.T) {
	n := newTestNode(t)
	p, out := []byte("d1:ad2:id20:"+idA+"e1:q7:m0000001:t2:aa1:y1:qe"), make([]byte, 0, maxAnswer)
	first := strings.Index(string(p), "m000000") + 1
	if allocs := testing.AllocsPerRun(1, func() {
		for i := range 500_000 {
			for d := first + 5; d >= first; d-- {
				p[d] = '0' + byte(i%10)
				i /= 10
			}
			out = n.receive(p, at("8.8.8.8:6881"), now, out[:0])
			if string(out[:9]) != "d1:eli204" {
				t.Fatalf("%q is answered %q", p, out)
			}
		}
	}); allocs > 1000 { // what other tests' nodes still do in the background is counted too
		t.Errorf("%v allocations for 500,000 methods", allocs)
	}
	if n.counts.dropped[otherMethod][notKept] != 1_000_000 {
		t.Errorf("%d counted", n.counts.dropped[otherMethod][notKept])
	}
}

// newTestCollector is a collector with an open socket that nobody reads.
func newTestCollector(t *testing.T, cfg Config) (*collector, *spool.Spool) {
	t.Helper()
	cfg.Store, cfg.Spool, cfg.Collector, cfg.AllowLoopback = lake.NewMemory(), filepath.Join(t.TempDir(), "spool"), "test", true
	cfg.Listen = []netip.AddrPort{at("127.0.0.1:0")}
	if err := cfg.check(); err != nil {
		t.Fatal(err)
	}
	s, err := spool.Open(cfg.Spool, 0)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(s.Close)
	c, err := newCollector(t.Context(), cfg, s)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(c.closeSockets)
	return c, s
}

// TestRotateIDs: with --rotate-ids a node moves to another id when its time has
// come, not before, says so, and keeps the new one over a restart. What it is
// told of its address it keeps to as well.
func TestRotateIDs(t *testing.T) {
	var said []string
	c, s := newTestCollector(t, Config{RotateIDs: time.Hour, Say: func(format string, args ...any) { said = append(said, fmt.Sprintf(format, args...)) }})
	settle := func(after int64) rawlog.ID {
		t.Helper()
		if err := c.settleIDs(c.clock.base + after); err != nil {
			t.Fatal(err)
		}
		return c.nodes[0].currentID()
	}
	first := c.nodes[0].currentID()
	if settle(59*minute) != first || len(said) > 0 {
		t.Errorf("the id changes before its time: %q", said)
	}
	second := settle(61 * minute)
	if second == first || len(said) != 1 || !strings.Contains(said[0], second.String()) {
		t.Errorf("after an hour the id is %s, it was %s: %q", second, first, said)
	}
	kept, err := readIdentities(s)
	if err != nil || kept["127.0.0.1:0"].ID != second.String() {
		t.Errorf("kept %+v (%v)", kept, err)
	}
	for i := range byte(8) { // repliers of eight networks tell us our address
		c.nodes[0].lib.outside.vote(netip.MustParseAddr("84.124.73.14"), netip.AddrFrom4([4]byte{7, i, 1, 1}))
	}
	third := settle(62 * minute)
	if third == second || c.guard.reachable(at("84.124.73.14:6881")) != ownAddress {
		t.Errorf("the id %s does not follow the outside address, or it may be sent to", third)
	}
}

// TestFullDiskKeepsItsIDs: a disk that is full when the ids are to be kept ends
// nothing. They are kept once there is room, and the old file lasts until then.
func TestFullDiskKeepsItsIDs(t *testing.T) {
	var said []string
	c, s := newTestCollector(t, Config{RotateIDs: time.Hour, Say: func(format string, args ...any) { said = append(said, fmt.Sprintf(format, args...)) }})
	room := 10
	s.NewFile = func(path string) (spool.File, error) {
		f, err := spool.NewFile(path)
		return fullDisk{f, &room}, err
	}
	first := c.nodes[0].currentID()
	for i, want := range []int{2, 3} { // lines: the new id, and twice that it is not kept
		if err := c.settleIDs(c.clock.base + int64(61+i)*minute); err != nil || len(said) != want || !strings.Contains(said[want-1], "no space left") {
			t.Fatalf("%v; said %q", err, said)
		}
	}
	if kept, err := readIdentities(s); err != nil || kept["127.0.0.1:0"].ID != first.String() {
		t.Errorf("kept %+v (%v), want the old id", kept, err)
	}
	room = 1 << 20
	if err := c.settleIDs(c.clock.base + 63*minute); err != nil {
		t.Fatal(err)
	}
	kept, err := readIdentities(s)
	if second := c.nodes[0].currentID(); err != nil || second == first || kept["127.0.0.1:0"].ID != second.String() {
		t.Errorf("kept %+v (%v), want %s", kept, err, second)
	}
}

// TestSaysHowItGoes: the line a minute has the sums and no address.
func TestSaysHowItGoes(t *testing.T) {
	var said []string
	c, _ := newTestCollector(t, Config{Say: func(format string, args ...any) { said = append(said, fmt.Sprintf(format, args...)) }})
	c.nodes[0].receive([]byte(realGetPeers), at("127.0.0.9:6881"), c.clock.micros(), nil)
	c.nodes[0].receive([]byte("rubbish"), at("127.0.0.9:6881"), c.clock.micros(), nil)
	if err := c.journal.consume(c.queue.take(newBatch()), c.clock.micros()); err != nil {
		t.Fatal(err)
	}
	c.full.Store(true)
	c.say()
	if len(said) != 2 || said[0] != "received 2, logged 1, dropped 1, sent 1; 0 nodes known; 0.0 MiB in the spool" || !strings.Contains(said[1], "spool is full") {
		t.Errorf("said %q", said)
	}
}

// TestSaysThatTheClockWasSet: times in the log go on as they were, and a line a
// minute says by how much the clock has been set meanwhile.
func TestSaysThatTheClockWasSet(t *testing.T) {
	for set, want := range map[time.Duration]string{time.Second: "", 3 * time.Second: "set by 3s", -time.Hour: "set by -1h0m0s"} {
		var said []string
		c, _ := newTestCollector(t, Config{Say: func(format string, args ...any) { said = append(said, fmt.Sprintf(format, args...)) }})
		c.clock.base -= set.Microseconds() // as if it had been so much earlier at the start
		before := c.clock.micros()
		if c.say(); len(said) != 1 && want == "" || want != "" && (len(said) != 2 || !strings.Contains(said[1], want)) {
			t.Errorf("a clock set by %v: said %q", set, said)
		}
		if c.clock.micros() < before {
			t.Errorf("a clock set by %v: times in the log run backwards", set)
		}
	}
}

// countedDisk counts what is synced.
type countedDisk struct {
	spool.File
	synced chan struct{}
}

func (d countedDisk) Sync() error {
	select {
	case d.synced <- struct{}{}:
	default:
	}
	return d.File.Sync()
}

// TestSyncsWhatIsWritten: a power cut loses no more than the time between syncs.
func TestSyncsWhatIsWritten(t *testing.T) {
	c, s := newTestCollector(t, Config{})
	synced := make(chan struct{}, 1)
	create := s.NewFile
	s.NewFile = func(path string) (spool.File, error) {
		f, err := create(path)
		return countedDisk{f, synced}, err
	}
	if err := c.journal.consume(heardIn(3, noon), noon+second); err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	done := make(chan struct{})
	go func() {
		defer close(done)
		c.sync(ctx, time.Millisecond)
	}()
	<-synced
	cancel()
	<-done
	if err := c.journal.segments.Close(); err != nil {
		t.Fatal(err)
	}
}
