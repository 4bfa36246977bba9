package collect

import (
	"net/netip"
	"strconv"

	"github.com/boontorrent/boon/internal/rawlog"
)

// software is the "v" of our messages: Boon, 0.1.
const software = "BN\x00\x01"

const (
	nodesInAnswer  = 8
	nodesBeside    = 4 // where peers and nodes share a small answer
	valuesInAnswer = 50
)

// Codes and texts of KRPC errors (BEP 5).
const (
	protocolError = 203
	methodUnknown = 204
)

// answer is what a reply holds; appendTo writes it within a number of bytes.
type answer struct {
	id        rawlog.ID
	target    rawlog.ID
	nodes     bool // the nodes nearest to target
	v4, v6    bool // of which families
	hasToken  bool
	token     []byte
	values    swarmKey // peers, where hasValues
	hasValues bool
	seeds     *bloom // both or none
	others    *bloom
	hasSample bool
	sample    []byte
	num       int
	interval  int64
}

// wanted settles the families of the nodes in an answer: those that the asker
// names, or else its own (BEP 32).
func (a *answer) wanted(m *message, from netip.AddrPort) {
	a.v4, a.v6 = m.want4, m.want6
	if !a.v4 && !a.v6 {
		a.v4, a.v6 = from.Addr().Is4(), from.Addr().Is6()
	}
}

// appendTo appends the reply to m, in at most budget bytes: filters, samples,
// peers and nodes are left out as far as they do not fit. Nothing is appended
// where not even the rest fits. Keys are sorted, as bencode wants them.
func (a *answer) appendTo(dst []byte, m *message, from netip.AddrPort, t *tables, peers *peerStore, budget int, now int64) []byte {
	room := budget - a.fixed(m, from)
	if room < 0 {
		return dst
	}
	dst = append(dst, "d2:ip"...)
	if from.Addr().Is4() {
		dst = append(dst, "6:"...)
	} else {
		dst = append(dst, "18:"...)
	}
	dst = append(appendEndpoint(dst, from), "1:rd"...)
	if a.seeds != nil && room >= 2*(6+4+len(a.seeds)) {
		dst = append(append(dst, "4:BFpe256:"...), a.others[:]...)
		dst = append(append(dst, "4:BFsd256:"...), a.seeds[:]...)
		room -= 2 * (6 + 4 + len(a.seeds))
	}
	dst = append(append(dst, "2:id20:"...), a.id[:]...)
	if a.hasSample {
		dst = appendInt(append(dst, "8:interval"...), a.interval)
	}
	dst, room = a.appendNodes(dst, t, room)
	if a.hasSample {
		dst = appendInt(append(dst, "3:num"...), int64(a.num))
		sample := a.sample[:min(len(a.sample), max(room-3, 0)/20*20)]
		dst = appendString(append(dst, "7:samples"...), sample)
	}
	if a.hasToken {
		dst = appendString(append(dst, "5:token"...), a.token)
	}
	if a.hasValues {
		each := 8
		if a.values.v6 {
			each = 21
		}
		if n := min((room-len("6:valuesle"))/each, valuesInAnswer); n > 0 {
			dst = peers.appendValues(append(dst, "6:values"...), a.values, n, now)
		}
	}
	dst = append(dst, "e1:t"...)
	dst = append(appendString(dst, m.t), "1:v4:"+software+"1:y1:re"...)
	return dst
}

// fixed is an upper bound of the bytes of a reply without nodes, peers, filters
// and the samples themselves.
func (a *answer) fixed(m *message, from netip.AddrPort) int {
	n := len("d2:ip18:1:rd2:id20:e1:t64:1:v4:"+software+"1:y1:re") + 20 + len(m.t)
	if from.Addr().Is4() {
		n += 6 - 1
	} else {
		n += 18
	}
	if a.hasToken {
		n += len("5:token4:") + len(a.token)
	}
	if a.hasSample {
		n += len("8:intervali300e3:numi50000e7:samples0:")
	}
	return n
}

// appendNodes appends "nodes" and "nodes6". A family that was asked for and of
// which we know nobody gets an empty string.
func (a *answer) appendNodes(dst []byte, t *tables, room int) ([]byte, int) {
	if !a.nodes {
		return dst, room
	}
	most := nodesInAnswer
	if a.hasValues && room < maxAnswer/2 || a.hasSample && room < maxAnswer/2 {
		most = nodesBeside
	}
	for _, family := range [...]struct {
		wanted bool
		key    string
		known  routes
		size   int
	}{{a.v4, "5:nodes", t.v4, 26}, {a.v6, "6:nodes6", t.v6, 38}} {
		head := len(family.key) + len("000:")
		if !family.wanted || room < head {
			continue
		}
		n := min(most, (room-head)/family.size, len(family.known))
		dst = append(dst, family.key...)
		dst = strconv.AppendInt(dst, int64(n*family.size), 10)
		dst = family.known.appendNearest(append(dst, ':'), &a.target, n)
		room -= head + n*family.size
	}
	return dst, room
}

// appendError appends a KRPC error.
func appendError(dst []byte, code int64, text string, t []byte) []byte {
	dst = appendInt(append(dst, "d1:el"...), code)
	dst = appendString(dst, []byte(text))
	dst = appendString(append(dst, "e1:t"...), t)
	return append(dst, "1:v4:"+software+"1:y1:ee"...)
}
