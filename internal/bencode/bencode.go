// Package bencode walks bencoded bytes from strangers, in place.
//
// Check goes through them once, without recursion or allocation, with depth and
// lengths bounded. Only what has passed it becomes a Value, whose methods read
// the bytes where they are. Nothing is decoded into structs or maps, so nothing
// costs more memory than the bytes themselves.
package bencode

import (
	"bytes"
	"fmt"
	"strconv"
)

// MaxDepth bounds lists in dictionaries in lists; it is libtorrent's.
const MaxDepth = 100

// maxDigits bounds the digits of a number. Numbers that do not fit into 64
// bits are bencoding all the same, and only matter where one is read.
const maxDigits = 64

// Error is why bytes are not bencoding that is taken.
type Error struct {
	TooDeep bool // otherwise malformed
	Detail  string
}

func (e *Error) Error() string { return e.Detail }

func malformed(format string, args ...any) error {
	return &Error{Detail: fmt.Sprintf(format, args...)}
}

// level is a list or dictionary that Check is inside of.
type level struct {
	dict  bool
	value bool   // the next thing is the value of a key
	keyed bool   // there was a key
	last  []byte // the last key
}

// Check measures the bencoded value at the beginning of b, without recursion
// or allocation. It is canonical if keys are sorted and differ and no number
// has leading zeros. A nil error means that Value's methods are safe on
// b[:size]. Every error is an *Error.
func Check(b []byte) (size int, canonical bool, err error) {
	var stack [MaxDepth]level
	depth, at := 0, 0
	canonical = true
	for {
		if at >= len(b) {
			return 0, false, malformed("it ends at byte %d, in the middle", at)
		}
		var top *level
		if depth > 0 {
			top = &stack[depth-1]
		}
		c := b[at]
		switch {
		case c == 'e' && top != nil:
			if top.value {
				return 0, false, malformed("a key without a value at byte %d", at)
			}
			depth--
			at++
		case top != nil && top.dict && !top.value:
			key, n, plain := checkString(b[at:])
			if n == 0 {
				return 0, false, malformed("no key at byte %d, where one should be", at)
			}
			canonical = canonical && plain && (!top.keyed || bytes.Compare(top.last, key) < 0)
			top.last, top.keyed, top.value = key, true, true
			at += n
			continue
		case c == 'd' || c == 'l':
			if depth == MaxDepth {
				return 0, false, &Error{TooDeep: true, Detail: fmt.Sprintf("more than %d lists and dictionaries in each other", MaxDepth)}
			}
			stack[depth] = level{dict: c == 'd'}
			depth++
			at++
			continue
		default:
			n, plain := checkScalar(b[at:])
			if n == 0 {
				return 0, false, malformed("neither a number nor a string that ends at byte %d", at)
			}
			canonical = canonical && plain
			at += n
		}
		if depth == 0 {
			return at, canonical, nil
		}
		stack[depth-1].value = false
	}
}

func checkScalar(b []byte) (n int, plain bool) {
	if b[0] == 'i' {
		return checkInteger(b)
	}
	_, n, plain = checkString(b)
	return n, plain
}

func checkInteger(b []byte) (n int, plain bool) {
	i := 1
	if i < len(b) && b[i] == '-' {
		i++
	}
	first := i
	for i < len(b) && i-first < maxDigits && b[i] >= '0' && b[i] <= '9' {
		i++
	}
	if i == first || i >= len(b) || b[i] != 'e' {
		return 0, false
	}
	zero := b[first] == '0' && (i-first > 1 || b[first-1] == '-')
	return i + 1, !zero
}

func checkString(b []byte) (text []byte, n int, plain bool) {
	length, i := 0, 0
	for ; i < len(b) && i < 10 && b[i] >= '0' && b[i] <= '9'; i++ {
		length = length*10 + int(b[i]-'0')
	}
	if i == 0 || i >= len(b) || b[i] != ':' || length > len(b)-i-1 {
		return nil, 0, false
	}
	return b[i+1 : i+1+length], i + 1 + length, i == 1 || b[0] != '0'
}

// Value is one bencoded value that was checked: all of its bytes, or nil for
// one that is absent.
type Value []byte

// IsDict reports whether v is a dictionary.
func (v Value) IsDict() bool { return len(v) > 0 && v[0] == 'd' }

// IsList reports whether v is a list.
func (v Value) IsList() bool { return len(v) > 0 && v[0] == 'l' }

// Text is the content of a string.
func (v Value) Text() ([]byte, bool) {
	if len(v) == 0 || v[0] < '0' || v[0] > '9' {
		return nil, false
	}
	return v[bytes.IndexByte(v, ':')+1:], true
}

// Integer is a number, if it fits.
func (v Value) Integer() (int64, bool) {
	if len(v) == 0 || v[0] != 'i' {
		return 0, false
	}
	n, err := strconv.ParseInt(string(v[1:len(v)-1]), 10, 64)
	return n, err == nil
}

// Brief describes a value for a message.
func (v Value) Brief() string {
	switch {
	case v == nil:
		return "missing"
	case v[0] == 'i':
		return string(v[1 : len(v)-1])
	case v[0] == 'l':
		return "a list"
	case v[0] == 'd':
		return "a dictionary"
	}
	return "a string"
}

// Pick finds the values of keys in a dictionary; the first of a key counts.
func (v Value) Pick(out []Value, keys ...string) {
	c := v.Enter()
	for c.More() {
		key, _ := c.Take().Text()
		val := c.Take()
		for i, k := range keys {
			if string(key) == k && out[i] == nil {
				out[i] = val
			}
		}
	}
}

// Cursor steps through the elements of a list or dictionary.
type Cursor struct {
	b  Value
	at int
}

// Enter returns a cursor before the first element of a list or dictionary.
func (v Value) Enter() Cursor { return Cursor{b: v, at: 1} }

// More reports whether there is another element.
func (c *Cursor) More() bool { return c.b[c.at] != 'e' }

// Take returns the next element.
func (c *Cursor) Take() Value {
	start, depth := c.at, 0
	for {
		switch b := c.b[c.at]; b {
		case 'd', 'l':
			depth++
			c.at++
		case 'e':
			depth--
			c.at++
		case 'i':
			c.at += bytes.IndexByte(c.b[c.at:], 'e') + 1
		default:
			_, n, _ := checkString(c.b[c.at:])
			c.at += n
		}
		if depth == 0 {
			return c.b[start:c.at]
		}
	}
}

// Ahead is what lies before the cursor: the next element, those after it, and
// the ends of all that they are in.
func (c *Cursor) Ahead() []byte { return c.b[c.at:] }

// Step enters the list or dictionary that comes next, or, when there is no more
// of one that was entered in this way, leaves it.
func (c *Cursor) Step() { c.at++ }
