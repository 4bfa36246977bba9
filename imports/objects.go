package imports

import (
	"bytes"
	"io"

	"github.com/boontorrent/boon/internal/rawlog"
)

// Bounds of what objects reads.
const (
	maxObject = 1 << 20 // bytes of one object
	maxNested = 32      // objects and arrays in each other
	maxText   = 4 << 10 // bytes that are kept of a text that is no object
)

// tooDeep is a reason of this package; the others are rawlog's.
const tooDeep = "too_deep"

// objects splits a stream into JSON objects. They may stand one a line, run
// together, or be the elements of an array; what an object says is not looked
// at beyond where it must end.
//
// A text that cannot be an object is given back too, with a reason. After it
// objects goes on where the next object seems to begin: at a line's end, after
// a brace that closes, or at {"type". Memory is bounded by maxObject.
type objects struct {
	in    io.Reader
	buf   []byte
	start int    // of the text in buf
	at    int    // the next byte
	err   error  // what the stream ended with
	text  []byte // scratch: the beginning of a rejected text
}

func newObjects(in io.Reader) *objects { return &objects{in: in, buf: make([]byte, 0, 64<<10)} }

// piece is a JSON object, or a text that is none.
type piece struct {
	text   []byte // holds until the next call; the beginning, where reason is set
	reason string // "" for an object
	size   int64
}

// next returns the next piece, or io.EOF, or what the stream failed with. A
// stream that fails ends the piece before it, so nothing that was read is lost.
func (o *objects) next() (piece, error) {
	for {
		c, ok := o.peek()
		if !ok {
			return piece{}, o.err
		}
		if !isSeparator(c) {
			break
		}
		o.at++
		o.start = o.at
	}
	o.start = o.at
	if c, _ := o.peek(); c != '{' {
		return o.reject(rawlog.NotJSON), nil
	}
	if reason := o.scan(); reason != "" {
		return o.reject(reason), nil
	}
	text := o.buf[o.start:o.at]
	return piece{text: text, size: int64(len(text))}, nil
}

// isSeparator knows what may stand between objects, a byte order mark included.
func isSeparator(c byte) bool {
	switch c {
	case ' ', '\t', '\r', '\n', ',', '[', ']', 0xef, 0xbb, 0xbf:
		return true
	}
	return false
}

// scan moves to the end of the object that begins at start, or to the byte
// after the one with which it cannot be an object, and says why.
func (o *objects) scan() (reason string) {
	var arrays uint64 // bit i: the i-th level is an array
	depth := 0
	last := byte('[') // the last byte that was no space; a literal counts as 'x'
	for {
		c, ok := o.peek()
		if !ok {
			return rawlog.NotJSON
		}
		if o.at-o.start >= maxObject {
			return rawlog.TooLong
		}
		o.at++
		inArray := depth > 0 && arrays>>(depth-1)&1 == 1
		switch c {
		case ' ', '\t', '\r', '\n':
			continue
		case '"':
			if !canBegin(last) {
				return rawlog.NotJSON
			}
			if reason := o.scanString(); reason != "" {
				return reason
			}
		case '{', '[':
			if !canBegin(last) || c == '{' && last != ':' && !inArray && depth > 0 {
				return rawlog.NotJSON
			}
			if depth == maxNested {
				return tooDeep
			}
			arrays &^= 1 << depth
			if c == '[' {
				arrays |= 1 << depth
			}
			depth++
		case '}', ']':
			if inArray != (c == ']') {
				return rawlog.NotJSON
			}
			if depth--; depth == 0 {
				return ""
			}
		case ',', ':':
		default:
			if !isLiteral(c) || !canBegin(last) && last != 'x' {
				return rawlog.NotJSON
			}
			c = 'x'
		}
		last = c
	}
}

// canBegin reports whether a value may follow the byte last.
func canBegin(last byte) bool { return last == '{' || last == '[' || last == ',' || last == ':' }

func isLiteral(c byte) bool {
	return c >= '0' && c <= '9' || c >= 'a' && c <= 'z' || c >= 'A' && c <= 'Z' || c == '-' || c == '+' || c == '.'
}

// scanString moves behind the quote that ends a string. A line's end cannot
// stand in one.
func (o *objects) scanString() (reason string) {
	escaped := false
	for {
		c, ok := o.peek()
		if !ok {
			return rawlog.NotJSON
		}
		if o.at-o.start >= maxObject {
			return rawlog.TooLong
		}
		o.at++
		switch {
		case c < 0x20:
			return rawlog.NotJSON
		case escaped:
			escaped = false
		case c == '\\':
			escaped = true
		case c == '"':
			return ""
		}
	}
}

// opening is how every object of the logs begins.
const opening = `{"type"`

// reject gives back the text from start, and moves to where the next object
// seems to begin: within what was read, or after it.
func (o *objects) reject(reason string) piece {
	if end := o.begins(reason); end > 0 {
		o.text = append(o.text[:0], o.buf[o.start:o.start+min(end, maxText)]...)
		o.at = o.start + end
		return piece{text: o.text, reason: reason, size: int64(end)}
	}
	read := o.buf[o.start:o.at]
	o.text = append(o.text[:0], read[:min(len(read), maxText)]...)
	size, garbage, prev := int64(len(read)), len(read) < 3, byte(0)
	if len(read) > 0 {
		prev = read[len(read)-1]
	}
	for {
		o.start = o.at
		c, ok := o.peek()
		if !ok || c == '\n' || c == '{' && (prev == '}' || garbage && o.ahead(`{"`) || o.ahead(opening)) {
			return piece{text: o.text, reason: reason, size: size}
		}
		if len(o.text) < maxText {
			o.text = append(o.text, c)
		}
		prev = c
		size++
		o.at++
	}
}

// begins finds where in the text that was read for one object another begins.
func (o *objects) begins(reason string) int {
	if o.at == o.start {
		return 0
	}
	o.ahead(opening) // for what begins with the last bytes
	text := o.buf[o.start:min(len(o.buf), o.at+len(opening)-1)]
	if i := bytes.Index(text[1:], []byte(opening)); i >= 0 {
		return 1 + i
	}
	last := o.at - o.start - 1
	if c := text[last]; reason == rawlog.NotJSON && last > 1 && (c == '{' || c == '\n') {
		return last
	}
	return 0
}

// ahead reports whether s comes next.
func (o *objects) ahead(s string) bool {
	for len(o.buf)-o.at < len(s) && o.err == nil {
		o.fill()
	}
	return bytes.HasPrefix(o.buf[o.at:], []byte(s))
}

func (o *objects) peek() (byte, bool) {
	if o.at < len(o.buf) {
		return o.buf[o.at], true
	}
	return o.peekMore()
}

func (o *objects) peekMore() (byte, bool) {
	for o.at == len(o.buf) {
		if o.err != nil {
			return 0, false
		}
		o.fill()
	}
	return o.buf[o.at], true
}

// fill reads more behind what is in hand.
func (o *objects) fill() {
	if o.start > 0 {
		n := copy(o.buf, o.buf[o.start:])
		o.buf, o.at, o.start = o.buf[:n], o.at-o.start, 0
	}
	if len(o.buf) == cap(o.buf) {
		o.buf = append(o.buf, make([]byte, cap(o.buf))...)[:len(o.buf)]
	}
	n, err := o.in.Read(o.buf[len(o.buf):cap(o.buf)])
	o.buf = o.buf[:len(o.buf)+n]
	if err != nil {
		o.err = err
	}
}
