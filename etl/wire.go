package etl

import (
	"encoding/binary"
	"errors"

	"github.com/boontorrent/boon/internal/rawlog"
)

// Resolve events are read twice on their way to the tables, and JSON is slow to
// read: between scanning and writing they travel in the form below. It never
// leaves the process.

// packed is the first byte of an event in this form; JSON begins otherwise.
const packed = 0

var errShort = errors.New("an event written a moment ago is cut short")

// appendResolve appends the event's bytes.
func appendResolve(dst []byte, ev *rawlog.Event) []byte {
	r := ev.Resolve
	dst = append(dst, packed)
	dst = appendInts(dst, ev.T, ev.N, r.PieceLength, r.Size, r.FileCount, r.Peers, r.Seeders, r.Leechers, int64(r.Private))
	dst = append(dst, r.Infohash[:]...)
	dst = appendTexts(dst, r.InfohashV2, r.Name, r.NameB64, r.FoundBy)
	if r.Files == nil {
		return appendInts(dst, -1)
	}
	dst = appendInts(dst, int64(len(r.Files)))
	for _, f := range r.Files {
		dst = appendInts(dst, f.Length, int64(len(f.Path)))
		dst = appendTexts(dst, f.Attr)
		dst = appendTexts(dst, f.Path...)
	}
	return dst
}

func appendInts(dst []byte, values ...int64) []byte {
	for _, v := range values {
		dst = binary.AppendVarint(dst, v)
	}
	return dst
}

func appendTexts(dst []byte, values ...string) []byte {
	for _, s := range values {
		dst = binary.AppendUvarint(dst, uint64(len(s)))
		dst = append(dst, s...)
	}
	return dst
}

// unpacker reads what the functions above append.
type unpacker struct {
	b   []byte
	err error
}

func (u *unpacker) int() int64 {
	v, n := binary.Varint(u.b)
	if n <= 0 {
		u.err, u.b = errShort, nil
		return 0
	}
	u.b = u.b[n:]
	return v
}

func (u *unpacker) text() string {
	n, k := binary.Uvarint(u.b)
	if k <= 0 || n > uint64(len(u.b)-k) {
		u.err, u.b = errShort, nil
		return ""
	}
	s := string(u.b[k : k+int(n)])
	u.b = u.b[k+int(n):]
	return s
}

func decodeResolve(b []byte, ev *rawlog.Event) error {
	u := unpacker{b: b[1:]}
	r := &rawlog.ResolveEvent{}
	ev.Kind, ev.Resolve = rawlog.Resolve, r
	ev.T, ev.N = u.int(), u.int()
	r.PieceLength, r.Size, r.FileCount = u.int(), u.int(), u.int()
	r.Peers, r.Seeders, r.Leechers, r.Private = u.int(), u.int(), u.int(), rawlog.Tri(u.int())
	if len(u.b) < len(r.Infohash) {
		return errShort
	}
	u.b = u.b[copy(r.Infohash[:], u.b):]
	r.InfohashV2, r.Name, r.NameB64, r.FoundBy = u.text(), u.text(), u.text(), u.text()
	n := u.int()
	if n < 0 || u.err != nil {
		return u.err
	}
	r.Files = make([]rawlog.File, 0, min(n, int64(len(u.b))))
	for range n {
		f := rawlog.File{Length: u.int()}
		parts := u.int()
		f.Attr = u.text()
		for range parts {
			f.Path = append(f.Path, u.text())
			if u.err != nil {
				return u.err
			}
		}
		r.Files = append(r.Files, f)
	}
	return u.err
}
