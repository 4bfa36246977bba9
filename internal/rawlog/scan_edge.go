package rawlog

import (
	"math"
	"strconv"
	"unicode/utf8"
	"unsafe"
)

// What a collector with privacy "edge" writes in place of the asker's address.

// maxTexts bounds the names of places that a scanner holds.
const maxTexts = 1 << 14

// signed reads any int64 as JSON writes it.
func (c *cursor) signed() int64 {
	negative := c.has("-")
	most := uint64(math.MaxInt64)
	if negative {
		most++
	}
	n := c.digits(19)
	if n > most {
		c.ok = false
		return 0
	}
	if negative {
		return -int64(n)
	}
	return int64(n)
}

func pseudonyms(c *cursor, q *Query) {
	q.HasPseudonym = true
	q.Requester = c.signed()
	c.take(`,"network":`)
	q.Network = c.signed()
	if !c.has(`,"node":`) {
		return
	}
	q.HasNode = true
	q.Node = c.signed()
	c.take(`,"their_cpl":`)
	n := c.number()
	if n > 160 {
		c.ok = false
	}
	q.TheirCpl = uint8(n)
	if c.has(`,"id_secure":`) {
		q.IDSecure = c.tri()
	}
}

// place reads a place up to its closing brace. It is the scanner's own, and
// holds until the next call.
func (s *scanner) place(c *cursor, q *Query) {
	s.geo = Place{}
	p, first := &s.geo, true
	q.Geo = p
	for _, t := range [...]struct {
		key string
		to  *string
	}{{`"country":"`, &p.Country}, {`"region":"`, &p.Region}, {`"city":"`, &p.City}} {
		if c.member(t.key, &first) {
			*t.to = s.name(c)
		}
	}
	if c.member(`"lat":`, &first) {
		p.Lat, p.HasPoint = c.degrees(90), true
		c.take(`,"lon":`)
		p.Lon = c.degrees(180)
	}
	if c.member(`"asn":`, &first) {
		n := c.number()
		if n > math.MaxUint32 {
			c.ok = false
		}
		p.ASN = uint32(n)
	}
	if c.member(`"as_name":"`, &first) {
		p.ASName = s.name(c)
	}
	c.take("}")
}

// member moves over a key, and the comma before it where it is not the first,
// if it is next.
func (c *cursor) member(key string, first *bool) bool {
	b := c.b
	if !*first {
		if len(b) == 0 || b[0] != ',' {
			return false
		}
		b = b[1:]
	}
	if len(b) < len(key) || string(b[:len(key)]) != key {
		return false
	}
	c.b, *first = b[len(key):], false
	return true
}

// degrees reads a number from -most to most.
func (c *cursor) degrees(most float64) float64 {
	n := 0
	for n < len(c.b) && n < 32 && (c.b[n] == '-' || c.b[n] == '.' || c.b[n]-'0' <= 9) {
		n++
	}
	text := c.b[:n]
	c.b = c.b[n:]
	digits := text
	if n > 0 && text[0] == '-' {
		digits = text[1:]
	}
	// ParseFloat takes more than JSON does: .5, 5. and 05.
	if len(digits) == 0 || digits[0] == '.' || digits[len(digits)-1] == '.' || len(digits) > 1 && digits[0] == '0' && digits[1] != '.' {
		c.ok = false
		return 0
	}
	v, err := strconv.ParseFloat(unsafe.String(unsafe.SliceData(text), len(text)), 64)
	if err != nil || v < -most || v > most {
		c.ok = false
	}
	return v
}

// name reads text of which there are not many different ones.
func (s *scanner) name(c *cursor) string {
	t := c.text()
	if name, ok := s.texts[string(t)]; ok {
		return name
	}
	if !utf8.Valid(t) {
		c.ok = false
		return ""
	}
	if s.texts == nil || len(s.texts) >= maxTexts {
		s.texts = map[string]string{}
	}
	name := string(t)
	s.texts[name] = name
	return name
}
