package collect

import (
	"context"
	"math/rand/v2"
	"net"
	"net/netip"
	"strings"
	"testing"
	"time"

	"github.com/anacrolix/dht/v2/krpc"
	"github.com/anacrolix/torrent/bencode"
)

// newTestLibrary is a library whose node can send, to loopback too, and whose
// inbox nobody reads.
func newTestLibrary(t testing.TB) (*node, *library) {
	t.Helper()
	n := newTestNode(t)
	conn, err := net.ListenUDP("udp4", &net.UDPAddr{IP: net.IPv4(127, 0, 0, 1)})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { conn.Close() })
	n.guard = newGuard(Limits{}, true)
	n.lib = newLibrary(conn, n.guard, nil, func() int64 { return now }, rand.NewChaCha8([32]byte{1}), n.countSent)
	n.lib.inbox = &inbox{lib: n.lib, packets: make(chan heard, inboxPackets), closed: make(chan struct{})}
	return n, n.lib
}

const (
	askPing   = "d1:ad2:id20:" + hashH + "e1:q4:ping1:t2:zz1:y1:qe"
	replyPing = "d1:rd2:id20:" + idA + "e1:t2:zz1:y1:re"
)

// given is what the library got to read.
func (l *library) given() (packets []string) {
	for {
		select {
		case h := <-l.inbox.packets:
			packets = append(packets, string(h.packet))
		default:
			return packets
		}
	}
}

// onlyT is the transaction id of the one query that waits for a reply.
func (l *library) onlyT(t testing.TB) string {
	t.Helper()
	if len(l.asked) != 1 {
		t.Fatalf("%d queries wait for a reply", len(l.asked))
	}
	for q := range l.asked {
		return string(q.t[:])
	}
	return ""
}

// replyTo is the packet with that transaction id in place of the library's.
func replyTo(packet, t string) string {
	return strings.Replace(packet, "1:t2:zz", "1:t5:"+t, 1)
}

// TestRepliesAreToOurQueriesAlone: a reply counts once, from the address that
// was asked, with the transaction id that was sent. Any other proves nothing,
// and never reaches the library. The library's own transaction ids, which can be
// guessed, are not sent.
func TestRepliesAreToOurQueriesAlone(t *testing.T) {
	n, l := newTestLibrary(t)
	asked, other := at("127.0.0.9:6881"), at("127.0.0.10:6881")
	l.ask([]byte(askPing), asked)
	sent := l.onlyT(t)
	replyPing := replyTo(replyPing, sent)
	for _, c := range []struct {
		name, packet string
		from         netip.AddrPort
		want         reason
	}{
		{"from another address", replyPing, other, unsolicited},
		{"from another port", replyPing, at("127.0.0.9:6882"), unsolicited},
		{"with the library's t", strings.Replace(replyPing, "5:"+sent, "2:zz", 1), asked, unsolicited},
		{"with another t", strings.Replace(replyPing, sent, "zyxwv", 1), asked, unsolicited},
		{"with a longer t", strings.Replace(replyPing, "5:"+sent, "9:zzzzzzzzz", 1), asked, unsolicited},
		{"the one asked for", replyPing, asked, notKept},
		{"the same again", replyPing, asked, unsolicited},
	} {
		before := n.counts.dropped[response][c.want]
		n.receive([]byte(c.packet), c.from, now, nil)
		if n.counts.dropped[response][c.want] != before+1 {
			t.Errorf("a reply %s is not counted as %q", c.name, c.want)
		}
		if proven := n.guard.budget(asked, 10, now) == maxAnswer; proven != (c.want == notKept || c.name == "the same again") {
			t.Errorf("after a reply %s the address is proven: %v", c.name, proven)
		}
	}
	if n.guard.budget(other, 10, now) != 30 {
		t.Error("who was not asked has proven himself by replying")
	}
	if got := l.given(); len(got) != 1 || !strings.Contains(got[0], "1:t2:zz") || n.sample.asked != 1 || n.sample.answered != 1 {
		t.Errorf("the library got %q; %d asked, %d answered", got, n.sample.asked, n.sample.answered)
	}
}

// TestRepliesWithNodesThatCannotBe: nodes at private addresses, at port 0 and
// at our own address are neither asked nor handed on, and a reply in our own
// name is no reply.
func TestRepliesWithNodesThatCannotBe(t *testing.T) {
	n, l := newTestLibrary(t)
	own := l.conn.LocalAddr().(*net.UDPAddr).AddrPort()
	n.guard.isOwn(own)
	n.guard.isOwn(at("84.124.73.14:0"))
	var list []byte
	for _, a := range []string{"10.0.0.1:1", "192.168.1.1:1", "84.124.73.14:6881", own.String(), "8.8.8.8:0", "224.0.0.1:1", "8.8.4.4:7"} {
		list = appendEndpoint(append(list, idA...), at(a))
	}
	good := appendEndpoint([]byte(idA), at("8.8.4.4:7"))
	l.ask([]byte(askPing), at("127.0.0.9:1"))
	reply := replyTo(string(appendString([]byte("d1:rd2:id20:"+idA+"5:nodes"), list))+"e1:t2:zz1:y1:re", l.onlyT(t))
	n.receive([]byte(reply), at("127.0.0.9:1"), now, nil)
	if got := l.given(); len(got) != 1 || !strings.Contains(got[0], "5:nodes26:"+string(good)+"e") {
		t.Errorf("the library got %q", got)
	}
	l.ask([]byte(askPing), at("127.0.0.9:1"))
	n.receive([]byte(strings.Replace(replyTo(replyPing, l.onlyT(t)), idA, string(n.id[:]), 1)), at("127.0.0.9:1"), now, nil)
	if n.counts.dropped[response][badArguments] != 1 || len(l.given()) != 0 {
		t.Errorf("a reply in our own name: %v", n.counts.dropped[response])
	}
}

// TestRepliesTellOurAddress: repliers of several networks say what our address
// is (BEP 42), and are believed together.
func TestRepliesTellOurAddress(t *testing.T) {
	n, l := newTestLibrary(t)
	for i := range byte(6) {
		from := netip.AddrPortFrom(netip.AddrFrom4([4]byte{127, 0, i, 9}), 1)
		l.ask([]byte(askPing), from)
		n.receive([]byte("d2:ip6:\x54\x7c\x49\x0e\x1a\xe1"+replyTo(replyPing, l.onlyT(t))[1:]), from, now, nil)
		if got := l.outsideAddress(); got.IsValid() != (i >= votesToWin-1) || got.IsValid() && got.String() != "84.124.73.14" {
			t.Errorf("after %d replies our address is %s", i+1, got)
		}
	}
}

// TestLibrarySendsWhatTheGuardAllows: nothing goes to an address that cannot
// be, nor often to one that does not reply, nor to our own socket.
func TestLibrarySendsWhatTheGuardAllows(t *testing.T) {
	n, l := newTestLibrary(t)
	heard, err := net.ListenUDP("udp4", &net.UDPAddr{IP: net.IPv4(127, 0, 0, 7)})
	if err != nil {
		t.Fatal(err)
	}
	defer heard.Close()
	n.guard.isOwn(l.conn.LocalAddr().(*net.UDPAddr).AddrPort())
	for range 10 {
		for _, to := range []net.Addr{
			heard.LocalAddr(), l.conn.LocalAddr(), &net.UDPAddr{IP: net.IPv4(10, 1, 1, 1), Port: 1}, &net.UDPAddr{IP: net.ParseIP("::1"), Port: 9},
		} {
			if _, err := l.inbox.WriteTo([]byte(askPing), to); err != nil {
				t.Fatal(err)
			}
		}
	}
	if n.counts.sent[sentPing] != askedAtMost || n.sample.asked != askedAtMost {
		t.Errorf("%d pings sent, %d counted as asked; want %d", n.counts.sent[sentPing], n.sample.asked, askedAtMost)
	}
	buf := make([]byte, 100)
	ids := map[string]bool{}
	for range askedAtMost {
		k, err := heard.Read(buf)
		var m message
		if err != nil || parse(buf[:k], &m) != ping || string(m.id) != hashH || string(m.v) != software || len(m.t) != questionT {
			t.Errorf("%q (%v)", buf[:k], err)
		}
		ids[string(m.t)] = true
	}
	if len(ids) != askedAtMost {
		t.Errorf("%d queries have %d transaction ids", askedAtMost, len(ids))
	}
}

// TestReadOnlyAskersAreNotMet: a node that says that it answers nobody (BEP 43)
// does not get into the routing table.
func TestReadOnlyAskersAreNotMet(t *testing.T) {
	n, l := newTestLibrary(t)
	n.receive([]byte("d1:ad2:id20:"+idA+"e1:q4:ping2:roi1e1:t2:aa1:y1:qe"), at("127.0.0.9:1"), now, nil)
	if got := l.given(); len(got) != 0 {
		t.Errorf("a read-only asker is met: %q", got)
	}
	n.receive([]byte("d1:ad2:id20:"+idA+"e1:q4:ping1:t2:aa1:y1:qe"), at("127.0.0.9:1"), now, nil)
	if got := l.given(); len(got) != 1 || !strings.Contains(got[0], idA) {
		t.Errorf("an asker is not met: %q", got)
	}
}

// TestQuestionsAreForgotten: what waits for replies is bounded and ends.
func TestQuestionsAreForgotten(t *testing.T) {
	n, l := newTestLibrary(t)
	n.guard.limits.All = -1
	for i := range 2 * maxAsked {
		l.ask([]byte(askPing), netip.AddrPortFrom(netip.AddrFrom4([4]byte{127, 1, byte(i >> 8), byte(i)}), 9))
	}
	if len(l.asked) != maxAsked {
		t.Errorf("%d questions wait", len(l.asked))
	}
	l.replied[at("127.0.0.1:1")] = now
	l.forget(now + askedLasts + 1)
	if len(l.asked) != 0 || len(l.replied) != 1 {
		t.Errorf("later %d questions wait, %d have replied of late", len(l.asked), len(l.replied))
	}
	l.forget(now + repliedLasts + 1)
	if len(l.replied) != 0 {
		t.Error("who replied long ago counts as of late")
	}
}

// TestLookupsLeaveTheTableAlone: many replies to lookups do not make the table's
// own nodes look silent.
func TestLookupsLeaveTheTableAlone(t *testing.T) {
	n, l := newTestLibrary(t)
	n.guard.limits.All = -1
	replies := make(chan reported, 1)
	reply := func(from netip.AddrPort, a asking, at int64) {
		q := question{to: from, t: [questionT]byte([]byte("fghij"))}
		l.asked[q] = a
		n.receive([]byte(replyTo(replyPing, "fghij")), from, at, nil)
	}
	inTable := at("127.0.0.9:1")
	reply(inTable, asking{at: now, t: []byte("zz")}, now)
	for i := range 2 * maxReplied {
		reply(netip.AddrPortFrom(netip.AddrFrom4([4]byte{127, 1, byte(i >> 8), byte(i)}), 9), asking{at: now, replies: replies}, now)
	}
	reply(at("127.0.0.10:1"), asking{at: now, t: []byte("zz")}, now+1)
	if len(l.replied) != 2 {
		t.Errorf("%d nodes count as repliers, want the 2 that the table asked", len(l.replied))
	}
	for i := range maxReplied {
		l.replied[netip.AddrPortFrom(netip.AddrFrom4([4]byte{127, 2, byte(i >> 8), byte(i)}), 9)] = now
	}
	reply(inTable, asking{at: now, t: []byte("zz")}, now+repliedLasts)
	if l.replied[inTable] != now+repliedLasts {
		t.Error("where many have replied, one that replies again counts as silent")
	}
}

// TestOwnQueriesKeepTheirPace: fifty a second of our own, as docs/ethics.md
// says, however many a lookup would like to send.
func TestOwnQueriesKeepTheirPace(t *testing.T) {
	n, l := newTestLibrary(t)
	began, sent := time.Now(), 0
	for i := range 500 {
		soon, cancel := context.WithTimeout(t.Context(), time.Millisecond) // does not wait for its turn
		to := netip.AddrPortFrom(netip.AddrFrom4([4]byte{127, 3, byte(i >> 8), byte(i)}), 9)
		if l.findNode(soon, n.id, n.id, to, nil) {
			sent++
		}
		cancel()
	}
	if most := 50 + 50*time.Since(began).Seconds() + 1; float64(sent) > most || sent == 0 {
		t.Errorf("%d queries sent, want at most %.0f", sent, most)
	}
}

// FuzzReply gives replies that were asked for to the library and to a lookup:
// what comes of anything is sound, and has no node that may not be asked.
func FuzzReply(f *testing.F) {
	for _, p := range realPackets(f) {
		f.Add(p)
	}
	for _, p := range []string{
		replyPing,
		"d2:ip6:\x54\x7c\x49\x0e\x1a\xe11:rd2:id20:" + idA + "5:nodes26:" + idA + "\x08\x08\x08\x08\x1a\xe1e1:t2:zz1:y1:re",
		"d1:eli203e3:bade1:t2:zz1:y1:ee",
	} {
		f.Add([]byte(replyTo(p, "fghij")))
	}
	n, l := newTestLibrary(f)
	from := at("127.0.0.9:6881")
	f.Fuzz(func(t *testing.T, packet []byte) {
		var m message
		if k := parse(packet, &m); k != response && k != failure {
			return
		}
		q, ok := questionOf(from, m.t)
		if !ok {
			return
		}
		told := make(chan reported, 1)
		for _, replies := range []chan reported{nil, told} {
			l.asked[q] = asking{now, replies, []byte("zz")}
			n.receive(packet, from, now, nil)
		}
		for _, p := range l.given() {
			var msg krpc.Msg
			if err := bencode.Unmarshal([]byte(p), &msg); err != nil || msg.T != "zz" || msg.Y != "r" && msg.Y != "e" {
				t.Fatalf("the library is given %q (%v)", p, err)
			}
		}
		if len(told) == 0 {
			return
		}
		for _, node := range (<-told).nodes {
			if why := n.guard.reachable(node.at); why != kept {
				t.Errorf("a lookup is told of %s: %s", node.at, why)
			}
		}
	})
}
