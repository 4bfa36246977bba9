package collect

import (
	"bytes"
	"context"
	"io"
	"net/netip"

	"github.com/boontorrent/boon/internal/rawlog"
)

// questionT is the size of the transaction ids of our queries, in bytes.
const questionT = 5

// question is a query of ours: to whom, and under which transaction id. The id is
// random. The library's own count up, so that anybody could reply in the name of
// an address that we ask, and have it taken for proven.
type question struct {
	to netip.AddrPort
	t  [questionT]byte
}

// questionOf is the question that a reply would be to; false where its
// transaction id is none of ours.
func questionOf(from netip.AddrPort, t []byte) (question, bool) {
	if len(t) != questionT {
		return question{}, false
	}
	return question{from, [questionT]byte(t)}, true
}

// asking is when a query was sent, and who waits for the reply: a lookup, or the
// library, which knows the query as t.
type asking struct {
	at      int64
	replies chan<- reported
	t       []byte
}

// ask sends a query of the library's, if the guard allows it.
func (l *library) ask(packet []byte, to netip.AddrPort) {
	var m message
	k := parse(packet, &m)
	if k != ping && k != findNode || missing(k, &m) != "" {
		return // it sends no others
	}
	l.send(k, m.id, m.target, to, asking{at: l.now(), t: bytes.Clone(m.t)})
}

// findNode sends a query of a lookup of ours, if the guard allows it.
func (l *library) findNode(ctx context.Context, our, target rawlog.ID, to netip.AddrPort, replies chan<- reported) bool {
	if l.limiter.Wait(ctx) != nil {
		return false
	}
	return l.send(findNode, our[:], target[:], to, asking{at: l.now(), replies: replies})
}

// send sends a query of ours under a transaction id that nobody can guess, if the
// guard allows it.
func (l *library) send(k kind, our, target []byte, to netip.AddrPort, a asking) bool {
	if to.Addr().Is6() != l.v6() || !l.guard.mayAsk(to, a.at) {
		return false
	}
	q := question{to: to}
	l.mu.Lock()
	if _, err := io.ReadFull(l.random, q.t[:]); err != nil || len(l.asked) >= maxAsked {
		l.mu.Unlock()
		return false
	}
	l.asked[q] = a
	l.mu.Unlock()
	if _, err := l.conn.WriteToUDPAddrPort(l.query(k, our, target, q.t[:]), to); err != nil {
		return false
	}
	if k == ping {
		l.sent(sentPing)
	} else {
		l.sent(sentFindNode)
	}
	return true
}

// query writes a ping or find_node. The target stands in it twice: anacrolix/dht,
// in its many versions, answers a find_node with the nodes nearest to info_hash.
func (l *library) query(k kind, our, target, t []byte) []byte {
	b := append([]byte("d1:ad2:id20:"), our...)
	if k == findNode {
		want := "4:wantl2:n4e"
		if l.v6() {
			want = "4:wantl2:n6e"
		}
		b = append(append(b, "9:info_hash20:"...), target...)
		b = append(append(append(b, "6:target20:"...), target...), want...)
	}
	b = appendString(append(b, "e1:q"...), []byte(k.String()))
	b = appendString(append(b, "1:t"...), t)
	return append(b, "1:v4:"+software+"1:y1:qe"...)
}
