package infodict

import (
	"bytes"
	"strconv"
)

// maxDepth bounds lists in dictionaries in lists; it is libtorrent's.
const maxDepth = 100

// maxDigits bounds the digits of a number. Numbers that do not fit into 64
// bits are bencoding all the same, and only matter where one is read.
const maxDigits = 64

// level is a list or dictionary that check is inside of.
type level struct {
	dict  bool
	value bool   // the next thing is the value of a key
	keyed bool   // there was a key
	last  []byte // the last key
}

// check measures the bencoded value at the beginning of b, without recursion
// or allocation. It is canonical if keys are sorted and differ and no number
// has leading zeros. A nil error means that value's methods are safe on b[:size].
func check(b []byte) (size int, canonical bool, err error) {
	var stack [maxDepth]level
	depth, at := 0, 0
	canonical = true
	for {
		if at >= len(b) {
			return 0, false, refuse(Malformed, "it ends at byte %d, in the middle", at)
		}
		var top *level
		if depth > 0 {
			top = &stack[depth-1]
		}
		c := b[at]
		switch {
		case c == 'e' && top != nil:
			if top.value {
				return 0, false, refuse(Malformed, "a key without a value at byte %d", at)
			}
			depth--
			at++
		case top != nil && top.dict && !top.value:
			key, n, plain := checkString(b[at:])
			if n == 0 {
				return 0, false, refuse(Malformed, "no key at byte %d, where one should be", at)
			}
			canonical = canonical && plain && (!top.keyed || bytes.Compare(top.last, key) < 0)
			top.last, top.keyed, top.value = key, true, true
			at += n
			continue
		case c == 'd' || c == 'l':
			if depth == maxDepth {
				return 0, false, refuse(TooDeep, "more than %d lists and dictionaries in each other", maxDepth)
			}
			stack[depth] = level{dict: c == 'd'}
			depth++
			at++
			continue
		default:
			n, plain := checkScalar(b[at:])
			if n == 0 {
				return 0, false, refuse(Malformed, "neither a number nor a string that ends at byte %d", at)
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

// value is one bencoded value that was checked: all of its bytes, or nil for
// one that is absent.
type value []byte

func (v value) isDict() bool { return len(v) > 0 && v[0] == 'd' }
func (v value) isList() bool { return len(v) > 0 && v[0] == 'l' }

// text is the content of a string.
func (v value) text() ([]byte, bool) {
	if len(v) == 0 || v[0] < '0' || v[0] > '9' {
		return nil, false
	}
	return v[bytes.IndexByte(v, ':')+1:], true
}

// integer is a number, if it fits.
func (v value) integer() (int64, bool) {
	if len(v) == 0 || v[0] != 'i' {
		return 0, false
	}
	n, err := strconv.ParseInt(string(v[1:len(v)-1]), 10, 64)
	return n, err == nil
}

// brief describes a value for a message.
func (v value) brief() string {
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

// pick finds the values of keys in a dictionary; the first of a key counts.
func (v value) pick(out []value, keys ...string) {
	c := v.enter()
	for c.more() {
		key, _ := c.take().text()
		val := c.take()
		for i, k := range keys {
			if string(key) == k && out[i] == nil {
				out[i] = val
			}
		}
	}
}

// cursor steps through the elements of a list or dictionary.
type cursor struct {
	b  value
	at int
}

func (v value) enter() cursor { return cursor{b: v, at: 1} }

func (c *cursor) more() bool { return c.b[c.at] != 'e' }

// take returns the next element.
func (c *cursor) take() value {
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
