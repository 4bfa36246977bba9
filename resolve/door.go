package resolve

import (
	"bytes"
	"crypto/rand"
	"errors"
	"fmt"
	"net"
	"net/netip"
	"sync"
	"sync/atomic"
	"time"

	"github.com/boontorrent/boon/internal/bencode"
	"github.com/boontorrent/boon/internal/geo"
)

// Bounds of what passes the door.
const (
	maxPacket = 4096             // bytes; what a DHT node sends fits into an Ethernet frame
	maxAsked  = 1 << 16          // questions that wait for a reply
	askedFor  = 20 * time.Second // so long may a reply take

	readAgain = 10 * time.Millisecond // after a read that failed
)

// question is a query that was sent: to whom, and under which transaction id. The
// id is random. The library's own count up, so that anybody could reply in the
// name of a node that we ask.
type question struct {
	to netip.AddrPort
	t  [8]byte
}

// asking is when a question was sent, and the id by which the library knows it.
type asking struct {
	at time.Time
	t  []byte
}

// door is the net.PacketConn that anacrolix/dht has instead of the socket. What
// comes in passes, written anew (reply.go), if it is sound bencoding of a bounded size
// and depth, and the first reply or error to a question of late: queries of others,
// and whatever else is sent to us, never reach the library. What goes out passes if it is a query to
// an address that can be on the internet.
type door struct {
	*net.UDPConn
	loopback bool
	now      func() time.Time

	mu    sync.Mutex
	asked map[question]asking
	swept time.Time

	sent, received, refused atomic.Int64 // packets; refused is of received
}

func newDoor(conn *net.UDPConn, loopback bool, now func() time.Time) *door {
	return &door{UDPConn: conn, loopback: loopback, now: now, asked: map[question]asking{}}
}

// ReadFrom returns the next packet that passes. Errors of the socket do not pass: of one
// that is not closed the library would end the process.
func (d *door) ReadFrom(p []byte) (int, net.Addr, error) {
	for {
		n, from, err := d.ReadFromUDPAddrPort(p)
		if errors.Is(err, net.ErrClosed) {
			return 0, nil, err
		}
		if err != nil {
			time.Sleep(readAgain)
			continue
		}
		d.received.Add(1)
		from = netip.AddrPortFrom(from.Addr().Unmap(), from.Port())
		if reply := d.reply(p[:n], from); reply != nil && len(reply) <= len(p) {
			return copy(p, reply), net.UDPAddrFromAddrPort(from), nil
		}
		d.refused.Add(1)
	}
}

// reply is a packet as the library awaits it, nil where it answers no question.
func (d *door) reply(p []byte, from netip.AddrPort) []byte {
	if !soundReply(p) {
		return nil
	}
	t, ok := tagOf(p)
	if !ok || len(t) != len(question{}.t) {
		return nil
	}
	a, ok := d.answered(question{from, [8]byte(t)})
	if !ok {
		return nil
	}
	return rewritten(p, a.t)
}

// tagOf is the transaction id of a packet, a dictionary that was checked.
func tagOf(p []byte) ([]byte, bool) {
	var t [1]bencode.Value
	bencode.Value(p).Pick(t[:], "t")
	return t[0].Text()
}

// retagged is the packet with another transaction id.
func retagged(p, t []byte) []byte {
	out := append(make([]byte, 0, len(p)+len(t)), 'd')
	for c := bencode.Value(p).Enter(); c.More(); {
		key, value := c.Take(), c.Take()
		out = append(out, key...)
		if name, _ := key.Text(); string(name) == "t" {
			value = append(fmt.Appendf(nil, "%d:", len(t)), t...)
		}
		out = append(out, value...)
	}
	return append(out, 'e')
}

// WriteTo sends a query. One that must not be sent is lost on the way, as
// packets are.
func (d *door) WriteTo(p []byte, to net.Addr) (int, error) {
	udp, ok := to.(*net.UDPAddr)
	if !ok {
		return len(p), nil
	}
	at := udp.AddrPort()
	at = netip.AddrPortFrom(at.Addr().Unmap(), at.Port())
	q, ok := d.ask(p, at)
	if !ok {
		return len(p), nil
	}
	d.sent.Add(1)
	if _, err := d.WriteToUDPAddrPort(q, at); err != nil {
		return 0, err
	}
	return len(p), nil
}

// reachable reports whether anybody can be at an address.
func reachable(at netip.AddrPort, loopback bool) bool {
	if !at.IsValid() || at.Port() == 0 {
		return false
	}
	if at.Addr().IsLoopback() {
		return loopback
	}
	return !geo.Bogon(at.Addr())
}

// ask remembers a query and gives it as it is to be sent; false where it must not.
func (d *door) ask(p []byte, to netip.AddrPort) ([]byte, bool) {
	if !reachable(to, d.loopback) {
		return nil, false
	}
	if size, _, err := bencode.Check(p); err != nil || size != len(p) || !bencode.Value(p).IsDict() {
		return nil, false
	}
	t, ok := tagOf(p)
	if !ok {
		return nil, false
	}
	q := question{to: to}
	rand.Read(q.t[:])
	now := d.now()
	d.mu.Lock()
	defer d.mu.Unlock()
	if now.Sub(d.swept) > askedFor {
		d.swept = now
		for q, a := range d.asked {
			if now.Sub(a.at) > askedFor {
				delete(d.asked, q)
			}
		}
	}
	if len(d.asked) >= maxAsked {
		return nil, false
	}
	d.asked[q] = asking{now, bytes.Clone(t)}
	return retagged(p, q.t[:]), true
}

// answered gives what is known of a question, once.
func (d *door) answered(q question) (asking, bool) {
	now := d.now()
	d.mu.Lock()
	defer d.mu.Unlock()
	a, ok := d.asked[q]
	delete(d.asked, q)
	return a, ok && now.Sub(a.at) <= askedFor
}

func (d *door) v6() bool { return d.LocalAddr().(*net.UDPAddr).IP.To4() == nil }
