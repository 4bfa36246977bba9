package rawlog

import (
	"bytes"
	"encoding/binary"
	"net/netip"
	"unicode/utf8"
	"unsafe"
)

// notAnEvent marks a line that is a header or footer, or one that only says so.
const notAnEvent = "not an event"

// scanner turns lines into events. It knows by heart how AppendEvent writes
// queries, and reads such a line in one pass without allocation (and resolve
// events with little, see scan_resolve.go); a line that differs in anything
// goes to decode.
type scanner struct {
	version [64]byte
	reject  Reject
	ours    [8]knownID
	geo     Place
	texts   map[string]string // of places, each held once
}

var resolvePrefix = []byte(`{"type":"resolve"`)

// event reads line into ev, or says why not.
func (s *scanner) event(line []byte, ev *Event) *Reject {
	if len(line) > MaxQueryLine && !bytes.HasPrefix(line, resolvePrefix) {
		s.reject = Reject{Reason: TooLong}
		return &s.reject
	}
	if s.known(line, ev) {
		if ev.T < MinTime || ev.T >= MaxTime {
			s.reject = Reject{Reason: BadTime}
			return &s.reject
		}
		return nil
	}
	return decode(line, ev)
}

// cursor walks over a line. A step that does not find what it looks for
// leaves ok false, and the whole line to decode.
type cursor struct {
	b  []byte
	ok bool
}

// take moves over lit, which must be next.
func (c *cursor) take(lit string) {
	if len(c.b) >= len(lit) && string(c.b[:len(lit)]) == lit {
		c.b = c.b[len(lit):]
		return
	}
	c.ok = false
}

// has moves over lit if it is next.
func (c *cursor) has(lit string) bool {
	if len(c.b) >= len(lit) && string(c.b[:len(lit)]) == lit {
		c.b = c.b[len(lit):]
		return true
	}
	return false
}

// number reads a whole number as JSON writes it: no sign, no leading zero, at
// most 18 digits.
func (c *cursor) number() int64 { return int64(c.digits(18)) }

// digits reads a whole number without a sign, of at most most digits (up to 19).
func (c *cursor) digits(most int) uint64 {
	var n uint64
	i := 0
	for i < len(c.b) && i <= most {
		d := c.b[i] - '0'
		if d > 9 {
			break
		}
		n = n*10 + uint64(d)
		i++
	}
	if i == 0 || i > most || i > 1 && c.b[0] == '0' {
		c.ok = false
		return 0
	}
	c.b = c.b[i:]
	return n
}

func (c *cursor) port() uint16 {
	n := c.number()
	if n < 1 || n > 65535 {
		c.ok = false
	}
	return uint16(n)
}

// id reads forty lower-case hex digits and the closing quote.
func (c *cursor) id(id *ID) {
	if len(c.b) < 41 || c.b[40] != '"' {
		c.ok = false
		return
	}
	var bad uint64
	for i := range 5 {
		four, wrong := hex8(binary.LittleEndian.Uint64(c.b[8*i:]))
		binary.LittleEndian.PutUint32(id[4*i:], four)
		bad |= wrong
	}
	if bad != 0 {
		c.ok = false
	}
	c.b = c.b[41:]
}

// hex8 reads eight lower-case hex digits, which x holds one a byte, all at
// once; wrong is not zero where one is none.
func hex8(x uint64) (four uint32, wrong uint64) {
	const each = 0x0101010101010101
	letter := x >> 6 & each                      // 'a' to 'f' have bit 6, '0' to '9' have not
	v := x&(15*each) + 9*letter                  // 1 to 6 with 9, or the digit itself
	wrong = x>>4&(15*each) ^ (3*each + 3*letter) // upper half: 3, or 6 for letters
	wrong |= v & (16 * each)                     // a letter past 'f'
	wrong |= (v+6*each)>>4&each ^ letter         // ten and more are letters, and only they
	v = (v<<4 | v>>8) & 0x00ff00ff00ff00ff       // pairs of digits
	v = (v | v>>8) & 0x0000ffff0000ffff
	return uint32(v | v>>16), wrong
}

// unhex gives the value of a lower-case hex digit, 0xf0 for other bytes.
var unhex = func() (t [256]byte) {
	for i := range t {
		t[i] = 0xf0
	}
	for i := range len(hexDigits) {
		t[hexDigits[i]] = byte(i)
	}
	return t
}()

// text reads up to the closing quote; only text that needs no unescaping will do.
func (c *cursor) text() []byte {
	n := bytes.IndexByte(c.b, '"')
	if n < 0 {
		c.ok = false
		return nil
	}
	t := c.b[:n]
	c.b = c.b[n+1:]
	for _, b := range t {
		if b == '\\' || b < 0x20 {
			c.ok = false
			return nil
		}
	}
	return t
}

func (c *cursor) tri() Tri {
	switch {
	case c.has("true"):
		return True
	case c.has("false"):
		return False
	}
	c.ok = false
	return Unknown
}

// address reads an address and the closing quote.
func (c *cursor) address() netip.Addr {
	if a, n := ipv4(c.b); n > 0 {
		c.b = c.b[n:]
		return a
	}
	t := c.text()
	if !c.ok || len(t) > 45 {
		c.ok = false
		return netip.Addr{}
	}
	// ParseAddr keeps no part of a text without a zone, and its error is dropped.
	a, err := netip.ParseAddr(unsafe.String(unsafe.SliceData(t), len(t)))
	if err != nil || a.Zone() != "" {
		c.ok = false
		return netip.Addr{}
	}
	return a.Unmap()
}

// ipv4 reads a dotted quad up to its closing quote; n counts the quote, and is
// 0 where it is none.
func ipv4(b []byte) (a netip.Addr, n int) {
	var quad [4]byte
	at := 0
	for i := range quad {
		v, digits := 0, 0
		for at < len(b) && digits < 3 && b[at]-'0' <= 9 {
			v = v*10 + int(b[at]-'0')
			at++
			digits++
		}
		if digits == 0 || v > 255 || digits > 1 && b[at-digits] == '0' || at >= len(b) {
			return netip.Addr{}, 0
		}
		want := byte('.')
		if i == 3 {
			want = '"'
		}
		if b[at] != want {
			return netip.Addr{}, 0
		}
		at++
		quad[i] = byte(v)
	}
	return netip.AddrFrom4(quad), at
}

// query reads a line as AppendEvent writes queries; false if it is not one.
func (s *scanner) query(line []byte, ev *Event) bool {
	c := cursor{b: line, ok: true}
	c.take(`{"type":"`)
	if ev.Kind = kindOf(&c); ev.Kind == NoKind {
		return false
	}
	ev.Probe, ev.Stats, ev.Resolve, ev.Failed = nil, nil, nil, nil
	ev.T = c.number()
	ev.N = 0
	if c.has(`,"n":`) {
		ev.N = c.number()
	}
	q := &ev.Query
	*q = Query{}
	s.common(&c, ev.Kind, q)
	if ev.Kind == AnnouncePeer && c.ok {
		announce(&c, q)
	}
	q.NoSeed = c.has(`,"noseed":true`)
	q.Scrape = c.has(`,"scrape":true`)
	if c.has(`,"requester":`) {
		pseudonyms(&c, q)
	}
	if c.has(`,"geo":{`) {
		s.place(&c, q)
	}
	return c.ok && string(c.b) == "}" && (q.Addr.IsValid() || q.HasPseudonym)
}

// common reads the fields that all queries have.
func (s *scanner) common(c *cursor, k Kind, q *Query) {
	c.take(`,"our_id":"`)
	s.ourID(c, &q.OurID)
	if !c.ok {
		return
	}
	if c.has(`,"their_id":"`) {
		q.HasTheirID = true
		c.id(&q.TheirID)
	}
	if c.has(`,"their_ip":"`) {
		q.Addr = c.address()
	}
	if c.has(`,"their_port":`) {
		q.Port = c.port()
	}
	if k == GetPeers || k == AnnouncePeer {
		c.take(`,"infohash":"`)
	} else {
		c.take(`,"target":"`)
	}
	if !c.ok {
		return
	}
	c.id(&q.Infohash)
	if c.has(`,"version_hex":"`) {
		s.versionHex(c, q)
	}
	if c.has(`,"ro":`) {
		q.ReadOnly = c.tri()
	}
}

// knownID is an id of the collector's own, of which there are few, and its
// text with the closing quote.
type knownID struct {
	text [41]byte
	id   ID
}

// ourID reads an id that most likely was read before.
func (s *scanner) ourID(c *cursor, id *ID) {
	if len(c.b) < 41 {
		c.ok = false
		return
	}
	text := [41]byte(c.b)
	known := &s.ours[(text[0]^text[39]<<1)&7]
	if text == known.text && text[40] == '"' {
		*id = known.id
		c.b = c.b[41:]
		return
	}
	if c.id(id); c.ok {
		known.text, known.id = text, *id
	}
}

func (s *scanner) versionHex(c *cursor, q *Query) {
	n := 0
	for len(c.b) >= 2 && c.b[0] != '"' && n < len(s.version) {
		hi, lo := unhex[c.b[0]], unhex[c.b[1]]
		if (hi|lo)&0xf0 != 0 {
			c.ok = false
			return
		}
		s.version[n] = hi<<4 | lo
		n++
		c.b = c.b[2:]
	}
	c.take(`"`)
	q.Version = s.version[:n]
}

func announce(c *cursor, q *Query) {
	if c.has(`,"port":`) {
		q.AnnouncePort = c.port()
	}
	if c.has(`,"implied_port":`) {
		q.ImpliedPort = c.tri()
	}
	if c.has(`,"token_valid":`) {
		q.TokenValid = c.tri()
	}
	if c.has(`,"seed":`) {
		q.Seed = c.tri()
	}
	if c.has(`,"name":"`) {
		q.Name = c.text()
		if !utf8.Valid(q.Name) {
			c.ok = false
		}
	}
}
