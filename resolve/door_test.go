package resolve

import (
	"context"
	"fmt"
	"net"
	"net/netip"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/anacrolix/dht/v2/krpc"
	"github.com/anacrolix/torrent/bencode"

	"github.com/boontorrent/boon/internal/lake"
	"github.com/boontorrent/boon/internal/spool"
)

// sampledNode is a DHT node written by hand: it answers whatever it is asked with a
// sample, and names other nodes.
type sampledNode struct {
	conn     *net.UDPConn
	interval int64
	mu       sync.Mutex
	asked    []time.Time // for a sample
	ro       bool        // all said that they are read-only
	others   int         // other queries
}

func newSampledNode(t *testing.T, at string, interval int64, samples []byte, names ...*sampledNode) *sampledNode {
	t.Helper()
	conn, err := net.ListenUDP("udp4", net.UDPAddrFromAddrPort(netip.MustParseAddrPort(at)))
	if err != nil {
		t.Fatal(err)
	}
	n := &sampledNode{conn: conn, interval: interval, ro: true}
	done := make(chan struct{})
	t.Cleanup(func() {
		conn.Close()
		<-done
	})
	go func() {
		defer close(done)
		buf := make([]byte, 2048)
		for {
			size, from, err := conn.ReadFromUDPAddrPort(buf)
			if err != nil {
				return
			}
			var m krpc.Msg
			if bencode.Unmarshal(buf[:size], &m) != nil || m.Y != "q" {
				continue
			}
			n.note(&m)
			nodes := ""
			for i, other := range names {
				at := other.conn.LocalAddr().(*net.UDPAddr).AddrPort()
				a := at.Addr().Unmap().As4()
				nodes += fmt.Sprintf("%020d", i+1) + string(a[:]) + string([]byte{byte(at.Port() >> 8), byte(at.Port())})
			}
			body := fmt.Sprintf("d2:id20:%s8:intervali%de5:nodes%d:%s3:numi9e7:samples%d:%se", strings.Repeat("n", 20), n.interval, len(nodes), nodes, len(samples), samples)
			_, _ = conn.WriteToUDPAddrPort([]byte(fmt.Sprintf("d1:r%s1:t%d:%s1:y1:re", body, len(m.T), m.T)), from)
		}
	}()
	return n
}

func (n *sampledNode) note(m *krpc.Msg) {
	n.mu.Lock()
	defer n.mu.Unlock()
	n.ro = n.ro && m.ReadOnly
	if m.Q == "sample_infohashes" {
		n.asked = append(n.asked, time.Now())
	} else {
		n.others++
	}
}

// TestSampling walks from node to node, takes what each says, and asks each once,
// however often it is named, until its interval is over by the resolver's clock.
func TestSampling(t *testing.T) {
	one, two := numbered(1), numbered(2)
	far := newSampledNode(t, "127.75.2.1:0", 7200, two[:])
	near := newSampledNode(t, "127.75.1.1:0", -5, one[:], far, far, far)
	s, err := spool.Open(filepath.Join(t.TempDir(), "spool"), 0)
	if err != nil {
		t.Fatal(err)
	}
	defer s.Close()
	var mu sync.Mutex
	ahead := time.Duration(0)
	cfg := Config{
		Store: lake.NewMemory(), Spool: "x", Collector: "test", Sample: true, AllowLoopback: true, Say: t.Logf,
		Listen: []netip.AddrPort{netip.MustParseAddrPort("127.75.3.1:0")}, Bootstrap: []string{near.conn.LocalAddr().String()},
		Now: func() time.Time { mu.Lock(); defer mu.Unlock(); return time.Now().Add(ahead) },
	}
	if err := cfg.check(); err != nil {
		t.Fatal(err)
	}
	r, err := newResolver(&cfg, s)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = r.close() }()
	ctx, cancel := context.WithCancel(t.Context())
	done := make(chan struct{})
	go func() { defer close(done); newSampler(r).run(ctx) }()
	asked := func(n *sampledNode, times int) {
		t.Helper()
		for end := time.Now().Add(10 * time.Second); ; time.Sleep(10 * time.Millisecond) {
			n.mu.Lock()
			got := len(n.asked)
			n.mu.Unlock()
			if got == times {
				break
			}
			if got > times || time.Now().After(end) {
				t.Fatalf("%s was asked %d times, want %d", n.conn.LocalAddr(), got, times)
			}
		}
	}
	asked(near, 1)
	asked(far, 1)
	time.Sleep(500 * time.Millisecond) // five turns more
	asked(near, 1)
	asked(far, 1)
	mu.Lock()
	ahead = 6 * time.Minute // what said -5 seconds is left alone for five minutes
	mu.Unlock()
	asked(near, 2)
	time.Sleep(300 * time.Millisecond)
	asked(far, 1)
	mu.Lock()
	ahead = 2*time.Hour + 10*time.Minute
	mu.Unlock()
	asked(far, 2)
	cancel()
	<-done
	for _, h := range []uint64{1, 2} {
		if e := r.desk.backlog.find(numbered(h)); e == nil || e.source != fromSample || e.wanted != 0 {
			t.Errorf("info-hash %d of a sample: %+v", h, e)
		}
	}
	for _, n := range []*sampledNode{near, far} {
		n.mu.Lock()
		if !n.ro {
			t.Errorf("a query to %s did not say that we answer nobody (BEP 43)", n.conn.LocalAddr())
		}
		n.mu.Unlock()
	}
}

// TestDoor: the library sees sound replies of those who were asked, and sends to
// nobody who cannot be.
func TestDoor(t *testing.T) {
	listen := func(at string) *net.UDPConn {
		c, err := net.ListenUDP("udp4", net.UDPAddrFromAddrPort(netip.MustParseAddrPort(at)))
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() { c.Close() })
		return c
	}
	now := time.Now()
	d := newDoor(listen("127.76.1.1:0"), true, func() time.Time { return now })
	friend, stranger := listen("127.76.2.1:0"), listen("127.76.3.1:0")
	ask := func() (sent string) {
		t.Helper()
		query := "d1:ad2:id20:" + strings.Repeat("y", 20) + "e1:q4:ping1:t1:a1:y1:qe"
		if n, err := d.WriteTo([]byte(query), friend.LocalAddr()); err != nil || n != len(query) {
			t.Fatal(n, err)
		}
		buf := make([]byte, 4096)
		n, _, err := friend.ReadFrom(buf)
		if err != nil {
			t.Fatal(err)
		}
		before, after, ok := strings.Cut(string(buf[:n]), "1:t8:")
		if !ok || before != "d1:ad2:id20:"+strings.Repeat("y", 20)+"e1:q4:ping" || after[8:] != "1:y1:qe" {
			t.Fatalf("sent %q", buf[:n])
		}
		return after[:8]
	}
	reply := func(tag string) string {
		return fmt.Sprintf("d1:rd2:id20:%se1:t%d:%s1:y1:re", strings.Repeat("x", 20), len(tag), tag)
	}
	tag := ask()
	if again := ask(); again == tag {
		t.Errorf("two questions were sent as %q", tag)
	}
	good := reply(tag)
	send := func(c *net.UDPConn, packets ...string) {
		for _, p := range packets {
			if _, err := c.WriteTo([]byte(p), d.LocalAddr()); err != nil {
				t.Fatal(err)
			}
		}
	}
	send(stranger, good)
	send(friend, "", "x", "i1e", "le", "d1:y1:qe", "d1:yi1ee", "d1:y1:re", good+"x", good[:len(good)-1], strings.Repeat("l", 300)+strings.Repeat("e", 300),
		"d1:t8:"+tag+"1:y1:r1:z4000:"+strings.Repeat("z", 4080)+"e", reply("a"), reply("guessed!"), good)
	_ = d.SetReadDeadline(time.Unix(1, 0)) // reads fail, for a while
	time.AfterFunc(100*time.Millisecond, func() { _ = d.SetReadDeadline(time.Time{}) })
	buf := make([]byte, 8192)
	n, from, err := d.ReadFrom(buf)
	if err != nil || string(buf[:n]) != reply("a") || from.String() != friend.LocalAddr().String() {
		t.Errorf("%q from %v, %v", buf[:n], from, err)
	}
	if d.received.Load() != 15 || d.refused.Load() != 14 {
		t.Errorf("received %d, refused %d", d.received.Load(), d.refused.Load())
	}
	at := friend.LocalAddr().(*net.UDPAddr).AddrPort()
	if d.reply([]byte(good), at) != nil {
		t.Error("the same question is answered twice")
	}
	for _, at := range []string{"10.0.0.1:1", "192.168.1.1:1", "224.0.0.1:1", "127.76.2.1:0"} {
		if _, err := d.WriteTo([]byte(good), net.UDPAddrFromAddrPort(netip.MustParseAddrPort(at))); err != nil {
			t.Errorf("%s: %v", at, err)
		}
	}
	if d.sent.Load() != 2 {
		t.Errorf("%d packets sent", d.sent.Load())
	}
	last := ask()
	now = now.Add(askedFor + time.Second)
	if d.reply([]byte(reply(last)), at) != nil {
		t.Error("a reply may come for ever")
	}
	ask()
	if len(d.asked) != 1 {
		t.Errorf("%d questions are remembered, all but one too old", len(d.asked))
	}
}

// TestRewritten: of a reply the library sees what is what it should be, and of an error
// that there is one.
func TestRewritten(t *testing.T) {
	id, full := "2:id20:"+strings.Repeat("x", 20), strings.Repeat("f", 256)
	nodes, nodes6, samples := strings.Repeat("n", 52), strings.Repeat("m", 38), strings.Repeat("s", 40)
	for body, want := range map[string]string{
		"d1:rd" + id + "e1:t3:abc1:y1:re":                           "d1:rd" + id + "e1:t2:aa1:y1:re",
		"d1:rd" + id + "e1:t3:abc1:v4:XX011:y1:re":                  "d1:rd" + id + "e1:t2:aa1:y1:re",
		"d2:ip0:1:rd" + id + "e1:t3:abc1:y1:re":                     "d1:rd" + id + "e1:t2:aa1:y1:re", // ends the library's process
		"d2:ip1:x1:rd" + id + "e1:t3:abc1:y1:re":                    "d1:rd" + id + "e1:t2:aa1:y1:re",
		"d1:rd2:id19:" + full[:19] + "ee1:y1:re":                    "",
		"d1:rde1:y1:re":                                             "",
		"d1:rle1:y1:re":                                             "",
		"d1:y1:re":                                                  "",
		"d1:ei5e1:t3:abc1:y1:ee":                                    "d1:eli201e5:errore1:t2:aa1:y1:ee",
		"d1:el0:0:e1:rd" + id + "e1:t3:abc1:y1:ee":                  "d1:eli201e5:errore1:t2:aa1:y1:ee",
		"d1:rd" + id + "6:valuesl0:1:x6:abcdefi5elee1:v0:ee1:y1:re": "d1:rd" + id + "6:valuesl6:abcdefee1:t2:aa1:y1:re",
		"d1:rd" + id + "6:values6:abcdefe1:y1:re":                   "d1:rd" + id + "e1:t2:aa1:y1:re",
		"d1:rd4:BFpe256:" + full + "4:BFsd256:" + full + id + "8:intervali-5e5:nodes52:" + nodes + "6:nodes638:" + nodes6 + "7:samples40:" + samples + "5:token3:tokee1:y1:re": "d1:rd4:BFpe256:" +
			full + "4:BFsd256:" + full + id + "8:intervali-5e5:nodes52:" + nodes + "6:nodes638:" + nodes6 + "7:samples40:" + samples + "5:token3:toke1:t2:aa1:y1:re",
		"d1:rd4:BFpe255:" + full[1:] + "4:BFsd0:" + id + "8:interval1:x5:nodes51:" + nodes[1:] + "6:nodes639:" + nodes6 + "x7:samples41:" + samples + "x5:tokeni5eee1:y1:re": "d1:rd" + id + "e1:t2:aa1:y1:re",
	} {
		if got := string(rewritten([]byte(body), []byte("aa"))); got != want {
			t.Errorf("%q became\n%q, want\n%q", body, got, want)
		}
	}
}

func FuzzDoor(f *testing.F) {
	f.Add([]byte("d1:rd2:id20:aaaaaaaaaaaaaaaaaaaae1:t1:a1:y1:re"))
	f.Add([]byte("d2:ip0:1:rd2:id20:aaaaaaaaaaaaaaaaaaaa6:valuesl1:aee1:t1:a1:y1:re"))
	f.Fuzz(func(t *testing.T, p []byte) {
		if !soundReply(p) {
			return
		}
		q := rewritten(p, []byte("other"))
		if q == nil {
			return
		}
		var m krpc.Msg // as the library reads it
		if err := bencode.Unmarshal(q, &m); err != nil || m.T != "other" {
			t.Errorf("%q became %q: %v", p, q, err)
		}
	})
}
