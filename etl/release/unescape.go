package release

import (
	"strings"
	"unicode/utf8"
)

// escape is a place where the name was shortened: from byte at of what is read, the name has more bytes.
type escape struct{ at, more int32 }

// entities are the HTML entities that get into names; the numeric ones are read by their number.
var entities = [...]struct{ name, text string }{
	{"amp", "&"}, {"quot", `"`}, {"apos", "'"}, {"lt", "<"}, {"gt", ">"}, {"nbsp", " "}, {"rsquo", "'"}, {"lsquo", "'"},
	{"ndash", "-"}, {"mdash", "-"}, {"hellip", "..."}, {"eacute", "é"}, {"egrave", "è"}, {"agrave", "à"}, {"ccedil", "ç"},
	{"ouml", "ö"}, {"uuml", "ü"}, {"auml", "ä"}, {"szlig", "ß"}, {"ntilde", "ñ"}, {"oacute", "ó"}, {"iacute", "í"}, {"aacute", "á"},
}

// unescape undoes what web pages do to names: &amp; and &#039;, and where a name has no blank %20, or %28 among plus signs. It keeps in p.escapes
// where the name shrank, so that spans can be told in the name as it came.
func (p *Parser) unescape(name string) string {
	p.escapes = p.escapes[:0]
	percent := strings.IndexByte(name, '%') >= 0 && strings.IndexByte(name, ' ') < 0 && (strings.Contains(name, "%20") || strings.Count(name, "+") > 2)
	semicolon := strings.LastIndexByte(name, ';')
	if !percent && (semicolon < 0 || strings.LastIndexByte(name[:semicolon], '&') < 0) {
		return name
	}
	p.buf = p.buf[:0]
	for i := 0; i < len(name); {
		n := 0
		switch {
		case name[i] == '&':
			p.buf, n = appendEntity(p.buf, name[i:])
		case name[i] == '%' && percent:
			p.buf, n = appendPercent(p.buf, name[i:])
		}
		if n == 0 {
			p.buf = append(p.buf, name[i])
			i++
			continue
		}
		i += n
		p.escapes = append(p.escapes, escape{int32(len(p.buf)), int32(i - len(p.buf))})
	}
	if len(p.escapes) == 0 {
		return name
	}
	return string(p.buf)
}

// appendEntity reads the entity at the head of s and returns how many bytes it has, 0 for none.
func appendEntity(b []byte, s string) ([]byte, int) {
	end := strings.IndexByte(s[:min(len(s), 10)], ';')
	if end < 2 {
		return b, 0
	}
	word := s[1:end]
	if word[0] == '#' {
		if r := entityNumber(word[1:]); r > ' ' {
			return utf8.AppendRune(b, r), end + 1
		}
		return b, 0
	}
	for _, e := range entities {
		if e.name == word {
			return append(b, e.text...), end + 1
		}
	}
	return b, 0
}

func entityNumber(s string) rune {
	base, n := rune(10), rune(0)
	if len(s) > 1 && (s[0] == 'x' || s[0] == 'X') {
		base, s = 16, s[1:]
	}
	for _, c := range []byte(s) {
		d := hexDigit(c)
		if d >= base {
			return 0
		}
		n = n*base + d
	}
	if !utf8.ValidRune(n) {
		return 0
	}
	return n
}

func appendPercent(b []byte, s string) ([]byte, int) {
	if len(s) < 3 {
		return b, 0
	}
	hi, lo := hexDigit(s[1]), hexDigit(s[2])
	if hi > 15 || lo > 15 || hi < 2 {
		return b, 0
	}
	return append(b, byte(hi<<4|lo)), 3
}

// hexDigit is the value of a hexadecimal digit, 99 for none.
func hexDigit(c byte) rune {
	switch {
	case c >= '0' && c <= '9':
		return rune(c - '0')
	case c|0x20 >= 'a' && c|0x20 <= 'f':
		return rune(c|0x20-'a') + 10
	}
	return 99
}

// escaped moves the spans from what was read to the name as it came, which is the title where it holds nothing but escapes.
func (p *Parser) escaped(name string) {
	if p.r.Title == "" {
		p.r.Title, p.r.Spans[FieldTitle] = strings.ToValidUTF8(name, ""), Span{0, int32(len(name))}
		return
	}
	for f := range p.r.Spans {
		s := &p.r.Spans[f]
		if s.End == 0 {
			continue
		}
		start, end := int32(0), int32(0)
		for _, e := range p.escapes {
			if e.at <= s.Start {
				start = e.more
			}
			if e.at <= s.End {
				end = e.more
			}
		}
		s.Start, s.End = s.Start+start, s.End+end
	}
}
