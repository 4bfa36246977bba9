package collect

// Bounds of what is parsed. A packet outside them is malformed.
const (
	maxPacket = 4096 // bytes; what a DHT node sends fits into an Ethernet frame
	maxDepth  = 6    // of nested lists and dictionaries; no known message has more than three
	maxT      = 64   // bytes of a transaction id, which we send back
)

// kind is what a packet is. The first five are the queries we serve.
type kind uint8

const (
	ping kind = iota
	findNode
	getPeers
	announcePeer
	sampleInfohashes
	otherMethod
	response
	failure // a KRPC error
	malformed
	unread // dropped by the kernel before we saw it
	probed // no packet: a lookup of ours that ended, and is logged
	kinds
)

var kindNames = [kinds]string{
	"ping", "find_node", "get_peers", "announce_peer", "sample_infohashes", "other_method", "response", "error", "malformed", "unread",
	"probe",
}

func (k kind) String() string { return kindNames[k] }

// tri is a mark that a query may carry: absent, no or yes.
type tri uint8

const (
	absent tri = iota
	no
	yes
)

// message is what we need of a KRPC message (BEP 5). Its slices point into the
// packet; a nil slice was not there, or was not a string.
type message struct {
	t, y, q, v []byte
	ip         []byte // our own address, as a responder sees it (BEP 42)
	readOnly   tri    // BEP 43
	hasArgs    bool   // there is a dictionary "a"
	hasReply   bool   // there is a dictionary "r"

	id, target, infohash, token, name []byte
	port                              int64 // -1 where there is none
	implied, seed, noseed, scrape     tri
	wants, want4, want6               bool // BEP 32

	nodes, nodes6 []byte

	rest cursor // here, because on the stack it would escape
}

// parse reads a packet into m and tells what it is. It reads any bencode that
// is sound and within bounds, whatever the order of its keys; of a key that
// stands twice, the first counts. Nothing is allocated.
func parse(packet []byte, m *message) kind {
	*m = message{port: -1, rest: cursor{b: packet}}
	if len(packet) > maxPacket || !m.rest.dict((*topLevel)(m)) ||
		m.t == nil || len(m.t) > maxT || len(m.y) != 1 {
		return malformed
	}
	switch m.y[0] {
	case 'q':
		if m.q == nil {
			return malformed
		}
		return methodOf(m.q)
	case 'r':
		if !m.hasReply {
			return malformed
		}
		return response
	case 'e':
		return failure
	}
	return malformed
}

func methodOf(q []byte) kind {
	for k := ping; k <= sampleInfohashes; k++ {
		if string(q) == kindNames[k] {
			return k
		}
	}
	return otherMethod
}

// A taker takes the value of one key of a dictionary, or skips it.
type taker interface {
	take(key []byte, c *cursor) bool
}

type (
	topLevel  message
	arguments message
	reply     message
)

func (m *topLevel) take(key []byte, c *cursor) bool {
	switch string(key) {
	case "t":
		return c.optional(&m.t)
	case "y":
		return c.optional(&m.y)
	case "q":
		return c.optional(&m.q)
	case "v":
		return c.optional(&m.v)
	case "ip":
		return c.optional(&m.ip)
	case "ro":
		return c.mark(&m.readOnly)
	case "a":
		if !m.hasArgs && c.at('d') {
			m.hasArgs = true
			return c.dict((*arguments)(m))
		}
	case "r":
		if !m.hasReply && c.at('d') {
			m.hasReply = true
			return c.dict((*reply)(m))
		}
	}
	return c.skip()
}

func (m *arguments) take(key []byte, c *cursor) bool {
	switch string(key) {
	case "id":
		return c.optional(&m.id)
	case "target":
		return c.optional(&m.target)
	case "info_hash":
		return c.optional(&m.infohash)
	case "token":
		return c.optional(&m.token)
	case "name":
		return c.optional(&m.name)
	case "port":
		if m.port < 0 && c.at('i') {
			n, ok := c.integer()
			m.port = max(n, 0) // what is below is no port either
			return ok
		}
	case "implied_port":
		return c.mark(&m.implied)
	case "seed":
		return c.mark(&m.seed)
	case "noseed":
		return c.mark(&m.noseed)
	case "scrape":
		return c.mark(&m.scrape)
	case "want":
		if !m.wants && c.at('l') {
			m.wants = true
			return (*message)(m).wantList(c)
		}
	}
	return c.skip()
}

func (m *reply) take(key []byte, c *cursor) bool {
	switch string(key) {
	case "id":
		return c.optional(&m.id)
	case "nodes":
		return c.optional(&m.nodes)
	case "nodes6":
		return c.optional(&m.nodes6)
	}
	return c.skip()
}

// wantList reads a list of "n4" and "n6"; other members are passed over.
func (m *message) wantList(c *cursor) bool {
	c.i++
	for !c.at('e') {
		var family []byte
		if !c.optional(&family) {
			return false
		}
		m.want4 = m.want4 || string(family) == "n4"
		m.want6 = m.want6 || string(family) == "n6"
	}
	c.i++
	return true
}

// cursor reads bencode. Its methods return false where the bytes are not
// sound, and then it is of no use any more.
type cursor struct {
	b []byte
	i int
}

func (c *cursor) at(b byte) bool { return c.i < len(c.b) && c.b[c.i] == b }

func (c *cursor) digit() bool { return c.i < len(c.b) && c.b[c.i] >= '0' && c.b[c.i] <= '9' }

// dict reads a dictionary, handing each value to t.
func (c *cursor) dict(t taker) bool {
	if !c.at('d') {
		return false
	}
	c.i++
	for !c.at('e') {
		key, ok := c.str()
		if !ok || !t.take(key, c) {
			return false
		}
	}
	c.i++
	return true
}

// str reads a string.
func (c *cursor) str() ([]byte, bool) {
	n, first := 0, c.i
	for c.digit() && c.i-first < 5 {
		n = 10*n + int(c.b[c.i]-'0')
		c.i++
	}
	if c.i == first || !c.at(':') || n > len(c.b)-c.i-1 {
		return nil, false
	}
	c.i++
	s := c.b[c.i : c.i+n : c.i+n]
	c.i += n
	return s, true
}

// optional reads a string into dst, unless dst has one; another value is passed over.
func (c *cursor) optional(dst *[]byte) bool {
	if *dst != nil || !c.digit() {
		return c.skip()
	}
	s, ok := c.str()
	*dst = s
	return ok
}

// mark reads a boolean: BEP 5 has none, so it is an integer, 0 or not.
func (c *cursor) mark(dst *tri) bool {
	if *dst != absent || !c.at('i') {
		return c.skip()
	}
	n, ok := c.integer()
	*dst = no
	if n != 0 {
		*dst = yes
	}
	return ok
}

// integer reads i…e of at most 18 digits.
func (c *cursor) integer() (int64, bool) {
	c.i++
	negative := c.at('-')
	if negative {
		c.i++
	}
	var n int64
	first := c.i
	for c.digit() {
		n = 10*n + int64(c.b[c.i]-'0')
		c.i++
		if c.i-first > 18 {
			return 0, false
		}
	}
	if c.i == first || !c.at('e') {
		return 0, false
	}
	c.i++
	if negative {
		n = -n
	}
	return n, true
}

// skip passes over one value. It does not recurse: nesting costs no stack, and
// is bounded.
func (c *cursor) skip() bool {
	for depth := 0; ; {
		switch {
		case c.i >= len(c.b):
			return false
		case c.b[c.i] == 'd' || c.b[c.i] == 'l':
			depth++
			if depth > maxDepth {
				return false
			}
			c.i++
		case c.b[c.i] == 'e':
			if depth == 0 {
				return false
			}
			depth--
			c.i++
		case c.b[c.i] == 'i':
			if !c.skipInteger() {
				return false
			}
		default:
			if _, ok := c.str(); !ok {
				return false
			}
		}
		if depth == 0 {
			return true
		}
	}
}

// skipInteger passes over an integer of any size.
func (c *cursor) skipInteger() bool {
	c.i++
	if c.at('-') {
		c.i++
	}
	first := c.i
	for c.digit() {
		c.i++
	}
	c.i++
	return c.i-1 > first && c.i <= len(c.b) && c.b[c.i-1] == 'e'
}
