package resolve

import (
	"strconv"

	"github.com/boontorrent/boon/internal/bencode"
)

// soundReply reports whether a packet may be a reply or an error.
func soundReply(p []byte) bool {
	if len(p) > maxPacket {
		return false
	}
	if size, _, err := bencode.Check(p); err != nil || size != len(p) {
		return false
	}
	v := bencode.Value(p)
	if !v.IsDict() {
		return false
	}
	var got [1]bencode.Value
	v.Pick(got[:], "y")
	y, ok := got[0].Text()
	return ok && (string(y) == "r" || string(y) == "e")
}

// rewritten is a sound reply written anew, under the transaction id t, from what of it
// matters and is what it should be; nil where it does not say who replies. The library
// gets no other: on an address of fewer than two bytes it panics, and what it cannot
// read it prints, with the address that it came from.
func rewritten(p, t []byte) []byte {
	var top [2]bencode.Value
	bencode.Value(p).Pick(top[:], "y", "r")
	if y, _ := top[0].Text(); string(y) == "e" {
		return append(appendText([]byte("d1:eli201e5:errore1:t"), t), "1:y1:ee"...)
	}
	if !top[1].IsDict() {
		return nil
	}
	var r [9]bencode.Value
	top[1].Pick(r[:], "BFpe", "BFsd", "id", "interval", "nodes", "nodes6", "samples", "token", "values")
	if id, ok := r[2].Text(); !ok || len(id) != 20 {
		return nil
	}
	out := append(make([]byte, 0, len(p)), "d1:rd"...)
	out = appendWhole(out, "BFpe", r[0], 256, 256)
	out = appendWhole(out, "BFsd", r[1], 256, 256)
	out = appendWhole(out, "id", r[2], 20, 20)
	if n, ok := r[3].Integer(); ok {
		out = append(strconv.AppendInt(append(out, "8:intervali"...), n, 10), 'e')
	}
	out = appendWhole(out, "nodes", r[4], 0, 26)
	out = appendWhole(out, "nodes6", r[5], 0, 38)
	out = appendWhole(out, "samples", r[6], 0, 20)
	out = appendWhole(out, "token", r[7], 0, 1)
	out = appendValues(out, r[8])
	return append(appendText(append(out, "e1:t"...), t), "1:y1:re"...)
}

// appendWhole appends a key and its string, if that is of exactly so many bytes, where
// that is said, and otherwise of whole pieces.
func appendWhole(dst []byte, key string, v bencode.Value, exactly, piece int) []byte {
	text, ok := v.Text()
	if !ok || len(text)%piece != 0 || exactly > 0 && len(text) != exactly {
		return dst
	}
	return appendText(appendText(dst, []byte(key)), text)
}

// appendValues appends the peers that a list names.
func appendValues(dst []byte, v bencode.Value) []byte {
	if !v.IsList() {
		return dst
	}
	dst = append(dst, "6:valuesl"...)
	for c := v.Enter(); c.More(); {
		if at, ok := c.Take().Text(); ok && (len(at) == 6 || len(at) == 18) {
			dst = appendText(dst, at)
		}
	}
	return append(dst, 'e')
}

// appendText appends a string as bencode.
func appendText(dst, s []byte) []byte {
	return append(append(strconv.AppendInt(dst, int64(len(s)), 10), ':'), s...)
}
