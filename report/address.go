//go:build cgo && !noduck

package report

import (
	"bytes"
	"net/netip"
)

// eachAddress calls each with what reads as an IPv4 address (four numbers up to
// 255 and dots between them) or a global IPv6 address.
func eachAddress(b []byte, each func([]byte)) {
	for i := 0; i < len(b); i++ {
		switch {
		case b[i] == '.' && i > 0 && isDigit(b[i-1]):
			start := i
			for start > 0 && isDigit(b[start-1]) {
				start--
			}
			if start > 1 && b[start-1] == '.' && isDigit(b[start-2]) {
				continue // seen from the first dot on
			}
			if end := dottedEnd(b, start); end > 0 {
				each(b[start:end])
				i = end - 1
			}
		case b[i] == ':' && i > 0 && isHex(b[i-1]):
			start, end := i, i
			for start > 0 && isHex(b[start-1]) {
				start--
			}
			for end < len(b) && (isHex(b[end]) || b[end] == ':') {
				end++
			}
			word := bytes.TrimRight(b[start:end], ":")
			if len(word) > 6 && (start == 0 || !isWord(b[start-1])) && (end == len(b) || !isWord(b[end])) && bytes.Count(word, []byte(":")) > 1 && isGlobal6(string(word)) {
				each(word)
			}
			i = end - 1
		}
	}
}

// dottedEnd is the end of the dotted quad at start, 0 where there is none.
func dottedEnd(b []byte, start int) int {
	i := start
	for part := range 4 {
		n, digits := 0, 0
		for i < len(b) && isDigit(b[i]) && digits < 4 {
			n = 10*n + int(b[i]-'0')
			i, digits = i+1, digits+1
		}
		if digits == 0 || digits > 3 || n > 255 {
			return 0
		}
		if part < 3 {
			if i == len(b) || b[i] != '.' {
				return 0
			}
			i++
		}
	}
	if i+1 < len(b) && b[i] == '.' && isDigit(b[i+1]) {
		return 0 // five numbers are no address
	}
	return i
}

func isGlobal6(s string) bool {
	a, err := netip.ParseAddr(s)
	return err == nil && a.Is6() && a.As16()[0]>>5 == 1 // 2000::/3
}

func isDigit(c byte) bool { return c >= '0' && c <= '9' }

func isHex(c byte) bool { return isDigit(c) || c >= 'a' && c <= 'f' || c >= 'A' && c <= 'F' }

func isWord(c byte) bool { return isHex(c) || c >= 'g' && c <= 'z' || c >= 'G' && c <= 'Z' }

// needles are byte strings of two bytes or more that are looked for together: a year has
// many keys.
type needles struct {
	begin [1 << 16]bool // by their first two bytes
	all   [][]byte
}

func (n *needles) add(needle []byte) {
	n.begin[int(needle[0])<<8|int(needle[1])] = true
	n.all = append(n.all, needle)
}

// in says whether b holds any of them.
func (n *needles) in(b []byte) bool {
	for i := 0; i+1 < len(b); i++ {
		if n.begin[int(b[i])<<8|int(b[i+1])] {
			for _, needle := range n.all {
				if bytes.HasPrefix(b[i:], needle) {
					return true
				}
			}
		}
	}
	return false
}
