package collect

import (
	"encoding/binary"
	"errors"
	"fmt"
	"net"
	"net/netip"
	"sync"
	"sync/atomic"

	"github.com/boontorrent/boon/internal/rawlog"
)

// node is one DHT node: a socket and an id. It hears, answers and logs queries
// itself; replies to queries of our own go to its library.
type node struct {
	number int
	conn   *net.UDPConn
	guard  *guard
	peers  *peerStore
	queue  *queue
	full   *atomic.Bool // nothing can be logged: the spool is full
	tables *atomic.Pointer[tables]
	lib    *library

	mu     sync.Mutex // of all below
	id     rawlog.ID
	minute int64
	known  int64  // nodes in the table
	moved  func() // to be called when the id changes
	tokens *tokens
	counts counts
	handed int64 // when counts went into the queue last
	sample *quality
	totals counts // since the start, for metrics
	msg    message
	ev     rawlog.Event
	answer answer
	unread int64 // the kernel's count of drops, as of the last minute
	seeds  bloom // of the answer
	others bloom
}

// serve reads packets until the socket is closed.
func (n *node) serve(now func() int64) error {
	buf, out := make([]byte, maxPacket+1), make([]byte, 0, maxAnswer+64)
	for {
		size, from, err := n.conn.ReadFromUDPAddrPort(buf)
		if errors.Is(err, net.ErrClosed) {
			return nil
		}
		if err != nil {
			return fmt.Errorf("read from %s: %w", n.conn.LocalAddr(), err)
		}
		from = netip.AddrPortFrom(from.Addr().Unmap(), from.Port())
		if out = n.receive(buf[:size], from, now(), out[:0]); len(out) > 0 {
			_, _ = n.conn.WriteToUDPAddrPort(out, from) // a network that is down for a moment is no reason to stop
		}
	}
}

// receive does all that a packet asks for and appends the answer, if there is
// one, to out. Nothing is allocated on the way of a query.
func (n *node) receive(packet []byte, from netip.AddrPort, now int64, out []byte) []byte {
	n.mu.Lock()
	defer n.mu.Unlock()
	now = n.inMinute(now)
	switch k := parse(packet, &n.msg); k {
	case malformed:
		n.counts.drop(k, malformedFor)
	case response, failure:
		why := n.lib.hear(&n.msg, k, from, now, n.id)
		n.counts.drop(k, why)
		if why != unsolicited {
			n.sample.answered++
		}
	default:
		before := len(out)
		out = n.query(k, len(packet), from, now, out)
		if len(out) > before {
			n.counts.sent[sentOf(out[before:])]++
		}
	}
	return out
}

// sentOf tells a reply from an error: their first keys differ.
func sentOf(message []byte) sentKind {
	if string(message[:4]) == "d1:e" {
		return sentError
	}
	return sentResponse
}

// query counts, logs and answers a query.
func (n *node) query(k kind, size int, from netip.AddrPort, now int64, out []byte) []byte {
	m := &n.msg
	if r := n.guard.admit(from, now); r != kept {
		n.counts.drop(k, r)
		return out
	}
	if k == otherMethod {
		n.counts.drop(k, notKept)
		return n.refuse(out, methodUnknown, "method unknown", size, from, now)
	}
	if why := missing(k, m); why != "" {
		n.counts.drop(k, badArguments)
		return n.refuse(out, protocolError, why, size, from, now)
	}
	n.sample.hear((*rawlog.ID)(m.id), from.Addr())
	token := unknownToken
	if k == announcePeer {
		token = n.announce(from, now)
	}
	if k == getPeers || k == announcePeer {
		n.sample.wanted((*rawlog.ID)(m.infohash), &n.id)
	}
	n.log(k, from, now, token)
	if m.readOnly != yes {
		n.lib.meet(m.id, from, now)
	}
	if token == badToken {
		return n.refuse(out, protocolError, "bad token", size, from, now)
	}
	n.compose(k, from, now)
	return n.answer.appendTo(out, m, from, n.tables.Load(), n.peers, n.guard.budget(from, size, now), now)
}

// refuse appends an error, if it is within what may be sent.
func (n *node) refuse(out []byte, code int64, why string, size int, from netip.AddrPort, now int64) []byte {
	before := len(out)
	out = appendError(out, code, why, n.msg.t)
	if len(out)-before > n.guard.budget(from, size, now) {
		return out[:before]
	}
	return out
}

// missing tells what a query lacks; "" where it has all it needs.
func missing(k kind, m *message) string {
	switch {
	case !m.hasArgs:
		return "no arguments"
	case len(m.id) != 20:
		return "id is not 20 bytes"
	}
	switch k {
	case findNode, sampleInfohashes:
		if len(m.target) != 20 {
			return "target is not 20 bytes"
		}
	case getPeers, announcePeer:
		if len(m.infohash) != 20 {
			return "info_hash is not 20 bytes"
		}
	}
	if k == announcePeer && m.implied != yes && (m.port < 1 || m.port > 65535) {
		return "port is not 1 to 65535"
	}
	if k == announcePeer && m.token == nil {
		return "no token"
	}
	return ""
}

// tokenState says whether an announce had a token that we gave out.
type tokenState = rawlog.Tri

const (
	unknownToken = rawlog.Unknown
	badToken     = rawlog.False
	goodToken    = rawlog.True
)

// announce remembers the peer, if its token is good.
func (n *node) announce(from netip.AddrPort, now int64) tokenState {
	n.rotateTokens(now)
	n.sample.announces++
	if !n.tokens.valid(n.msg.token, from.Addr()) {
		return badToken
	}
	n.sample.valid++
	n.guard.prove(from, now)
	at := from
	if n.msg.implied != yes {
		at = netip.AddrPortFrom(from.Addr(), uint16(n.msg.port))
	}
	n.peers.add(rawlog.ID(n.msg.infohash), at, n.msg.seed == yes, now)
	return goodToken
}

func (n *node) rotateTokens(now int64) {
	if n.tokens.due(now) {
		_ = n.tokens.rotate(now) // without randomness the old secret serves on
	}
}

// compose settles what the answer to the query holds.
func (n *node) compose(k kind, from netip.AddrPort, now int64) {
	m, a := &n.msg, &n.answer
	*a = answer{id: n.id, token: a.token[:0]}
	switch k {
	case findNode:
		a.nodes, a.target = true, rawlog.ID(m.target)
	case sampleInfohashes:
		a.nodes, a.target, a.hasSample = true, rawlog.ID(m.target), true
		a.sample, a.num, a.interval = n.peers.sampled(now)
	case getPeers:
		n.rotateTokens(now)
		a.nodes, a.target = true, rawlog.ID(m.infohash)
		a.token, a.hasToken = n.tokens.appendToken(a.token, from.Addr()), true
		a.values = swarmKey{a.target, from.Addr().Is6()}
		a.hasValues = n.peers.count(a.values) > 0
		if m.scrape == yes && (a.hasValues || n.peers.count(a.values.twin()) > 0) {
			n.seeds, n.others = bloom{}, bloom{}
			a.seeds, a.others = &n.seeds, &n.others
			n.peers.scrape(a.target, a.seeds, a.others, now)
		}
	}
	a.wanted(m, from)
}

// log puts the query into the queue, if it is of a kind that is written down.
func (n *node) log(k kind, from netip.AddrPort, now int64, token tokenState) {
	m := &n.msg
	n.counts.received[k]++
	if k == ping || k == findNode && !selfTarget(m) {
		n.counts.dropped[k][notKept]++
		return
	}
	q := &n.ev.Query
	n.ev.Kind, n.ev.T = eventKind(k), now
	*q = rawlog.Query{
		OurID: n.id, TheirID: rawlog.ID(m.id), HasTheirID: true, Addr: from.Addr(), Port: from.Port(),
		Version: bounded(m.v, 64), ReadOnly: triOf(m.readOnly), NoSeed: m.noseed == yes, Scrape: m.scrape == yes,
	}
	if k == findNode || k == sampleInfohashes {
		q.Infohash = rawlog.ID(m.target)
	} else {
		q.Infohash = rawlog.ID(m.infohash)
	}
	if k == announcePeer {
		q.ImpliedPort, q.TokenValid, q.Seed, q.Name = triOf(m.implied), token, triOf(m.seed), m.name
		if m.port > 0 && m.port <= 65535 {
			q.AnnouncePort = uint16(m.port)
		}
	}
	n.put(k, &n.ev)
}

// put queues an event, or counts it as dropped.
func (n *node) put(k kind, ev *rawlog.Event) {
	switch {
	case n.full.Load():
		n.counts.dropped[k][spoolFull]++
	case !n.queue.put(n.number, ev):
		n.counts.dropped[k][queueFull]++
	}
}

func bounded(s []byte, most int) []byte { return s[:min(len(s), most)] }

func triOf(t tri) rawlog.Tri {
	switch t {
	case no:
		return rawlog.False
	case yes:
		return rawlog.True
	}
	return rawlog.Unknown
}

// selfTarget reports whether target and asker share 32 bits: such an asker is
// looking for itself.
func selfTarget(m *message) bool {
	return binary.BigEndian.Uint32(m.target) == binary.BigEndian.Uint32(m.id)
}

// countsEvery is how much of its counts a crash may cost: they go into the log so
// often, though what is measured goes there once a minute.
const countsEvery = 10 * second

// tick is called each second. It ends the minute where no packet did, and hands
// over what was counted meanwhile.
func (n *node) tick(now int64) {
	n.mu.Lock()
	defer n.mu.Unlock()
	if now = n.inMinute(now); now-n.handed < countsEvery {
		return
	}
	n.countUnread()
	if n.counts != (counts{}) {
		n.handOver(&mark{at: now, id: n.id})
	}
}

// inMinute ends the minute if it is over. A packet that waited for the lock
// while another ended its minute is of the new one.
func (n *node) inMinute(now int64) int64 {
	if now/minute > n.minute {
		n.endMinute(now)
	}
	return max(now, n.minute*minute)
}

// endMinute hands over what was counted in the minute that is over, and what was
// measured in it.
func (n *node) endMinute(now int64) {
	at := (n.minute+1)*minute - 1
	if at > now { // the last minute is not over
		at = now
	}
	n.countUnread()
	n.handOver(&mark{at: at, id: n.id, minute: true, nodes: n.known, gauges: n.sample.gauges()})
	n.sample.reset()
	n.minute = now / minute
}

// handOver puts what was counted since the last time into the queue, behind the
// events that it is about. Where the queue is full, it is counted on.
func (n *node) handOver(m *mark) {
	m.counts = n.counts
	if n.queue.putMark(n.number, m) {
		n.handed = m.at
		n.totals.add(&n.counts)
		n.counts = counts{}
	}
}

// countUnread adds what the kernel dropped since the last time.
func (n *node) countUnread() {
	if n.conn == nil {
		return
	}
	drops, ok := kernelDrops(n.conn.LocalAddr())
	if ok && drops > n.unread {
		n.counts.received[unread] += drops - n.unread
		n.counts.dropped[unread][socketFull] += drops - n.unread
		n.unread = drops
	}
}

// counted is what was counted since the start.
func (n *node) counted() counts {
	n.mu.Lock()
	defer n.mu.Unlock()
	c := n.totals
	c.add(&n.counts)
	return c
}
