package etl

import (
	"encoding/binary"
	"slices"
	"unicode/utf8"

	"github.com/boontorrent/boon/internal/keyspace"
	"github.com/boontorrent/boon/internal/rawlog"
)

// A row is a query between scanning and sorting: a fixed part, an asker of
// four or sixteen bytes, and a number, a name and a place where they need room.
//
//	0  flags u24     bits below
//	3  cpl   u8      leading bits that info-hash and the asker's id share; noCpl
//	4  ts    u40     µs of the day
//	9  n     u40     number of the record, if not wideN
//	14 source u32    number of the source: run (and so collector) and own id
//	18 their u64     a digest or the pseudonym of the asker's node id, to count distinct ones
//	26 hash  [20]    info-hash
//	46 v     u32     first four bytes of the client's version
//	50 asker         4, 16 (address) or 16 (requester, network)
//	   n             i64, if wideN
//	   name          u16 and bytes, if hasName
//	   place         u32, number of the place, if hasPlace
const (
	rowFlags  = 0
	rowCpl    = 3
	rowTs     = 4
	rowN      = 9
	rowSource = 14
	rowTheir  = 18
	rowHash   = 26
	rowV      = 46
	rowAsker  = 50
)

const noCpl = 255

// The bits of a row's flags. A tri takes two bits.
const (
	kindMask  = 7
	askerV6   = 1 << 3 // asker has sixteen bytes
	askerKey  = 1 << 4 // asker is requester and network, not an address
	hasName   = 1 << 5
	hasPlace  = 1 << 6
	vShift    = 7  // 3 bits: length of v, noV if there was none
	roShift   = 10 // tri
	portShift = 12
	tokShift  = 14
	seedShift = 16
	safeShift = 18
	wideN     = 1 << 20 // n does not fit into 40 bits
	flagsMask = 1<<24 - 1
	triMask   = 3
	noV       = 7
)

const bits40 = 1<<40 - 1

type row []byte

func (r row) flags() uint32     { return binary.LittleEndian.Uint32(r[rowFlags:]) & flagsMask }
func (r row) micros() int64     { return int64(binary.LittleEndian.Uint64(r[rowTs:]) & bits40) }
func (r row) source() uint32    { return binary.LittleEndian.Uint32(r[rowSource:]) }
func (r row) their() uint64     { return binary.LittleEndian.Uint64(r[rowTheir:]) }
func (r row) hash() []byte      { return r[rowHash : rowHash+20] }
func (r row) v() uint32         { return binary.LittleEndian.Uint32(r[rowV:]) }
func (r row) kind() rawlog.Kind { return rawlog.Kind(r[rowFlags] & kindMask) }

func (r row) tri(shift int) rawlog.Tri { return rawlog.Tri(r.flags() >> shift & triMask) }

func (r row) n() int64 {
	if r.flags()&wideN != 0 {
		return int64(binary.LittleEndian.Uint64(r.afterAsker()))
	}
	return int64(binary.LittleEndian.Uint64(r[rowN:]) & bits40)
}

// asker is the bytes that tell one asker from another.
func (r row) asker() []byte {
	if r[rowFlags]&(askerV6|askerKey) != 0 {
		return r[rowAsker : rowAsker+16]
	}
	return r[rowAsker : rowAsker+4]
}

func (r row) afterAsker() []byte { return r[rowAsker+len(r.asker()):] }

// rest is what follows the asker and the number.
func (r row) rest() []byte {
	b := r.afterAsker()
	if r.flags()&wideN != 0 {
		b = b[8:]
	}
	return b
}

func (r row) name() []byte {
	if r[rowFlags]&hasName == 0 {
		return nil
	}
	b := r.rest()
	n := int(binary.LittleEndian.Uint16(b))
	return b[2 : 2+n]
}

// place is the number of the place recorded with the event.
func (r row) place() (uint32, bool) {
	if r[rowFlags]&hasPlace == 0 {
		return 0, false
	}
	b := r.rest()
	if r[rowFlags]&hasName != 0 {
		b = b[2+binary.LittleEndian.Uint16(b):]
	}
	return binary.LittleEndian.Uint32(b), true
}

// rowSize is the row's length, given that it begins b.
func rowSize(b []byte) int {
	flags := binary.LittleEndian.Uint32(b)
	n := rowAsker + 4
	if flags&(askerV6|askerKey|hasName|hasPlace|wideN) == 0 {
		return n
	}
	if flags&(askerV6|askerKey) != 0 {
		n = rowAsker + 16
	}
	if flags&wideN != 0 {
		n += 8
	}
	if flags&hasName != 0 {
		n += 2 + int(binary.LittleEndian.Uint16(b[n:]))
	}
	if flags&hasPlace != 0 {
		n += 4
	}
	return n
}

// maxName bounds a name in a table. File systems allow 255 characters; nothing
// keeps an announce_peer from sending more.
const maxName = 1024

// appendRow appends the row of a query event; micros is its time of the day.
func appendRow(dst []byte, ev *rawlog.Event, micros int64, source, place uint32, imported bool) []byte {
	q := &ev.Query
	flags := rowFlagsOf(ev, imported)
	if place != noPlace {
		flags |= hasPlace
	}
	vLen, v := clientBytes(q.Version)
	flags |= vLen << vShift
	cpl, their := uint32(noCpl), digest(&q.TheirID)
	switch {
	case q.HasTheirID:
		cpl = uint32(keyspace.CommonBits(&q.Infohash, &q.TheirID))
	case q.HasNode:
		cpl, their = uint32(q.TheirCpl), uint64(q.Node)
	}
	at := len(dst)
	dst = slices.Grow(dst, rowAsker+16)[:at+rowAsker]
	b := dst[at : at+rowAsker]
	binary.LittleEndian.PutUint64(b[rowTs:], uint64(micros))
	binary.LittleEndian.PutUint64(b[rowN:], uint64(ev.N)) // each writes over what the last wrote too much
	binary.LittleEndian.PutUint32(b[rowFlags:], flags|cpl<<24)
	binary.LittleEndian.PutUint32(b[rowSource:], source)
	binary.LittleEndian.PutUint64(b[rowTheir:], their)
	copy(b[rowHash:rowHash+20], q.Infohash[:])
	binary.LittleEndian.PutUint32(b[rowV:], v)
	dst = appendAsker(dst, q)
	if flags&wideN != 0 {
		dst = binary.LittleEndian.AppendUint64(dst, uint64(ev.N))
	}
	if flags&hasName != 0 {
		name := cutName(q.Name)
		dst = binary.LittleEndian.AppendUint16(dst, uint16(len(name)))
		dst = append(dst, name...)
	}
	if place != noPlace {
		dst = binary.LittleEndian.AppendUint32(dst, place)
	}
	return dst
}

// rowFlagsOf is the flags that follow from the event alone.
func rowFlagsOf(ev *rawlog.Event, imported bool) uint32 {
	q := &ev.Query
	flags := uint32(ev.Kind) | uint32(said(q.ImpliedPort, imported))<<portShift | uint32(q.TokenValid)<<tokShift
	flags |= uint32(said(q.Seed, imported))<<seedShift | uint32(said(q.ReadOnly, imported))<<roShift
	flags |= uint32(secure(q)) << safeShift
	if len(q.Name) > 0 {
		flags |= hasName
	}
	if ev.N > bits40 {
		flags |= wideN
	}
	switch {
	case !q.Addr.IsValid():
		flags |= askerKey
	case !q.Addr.Is4():
		flags |= askerV6
	}
	return flags
}

// cutName cuts a name that is too long, at a character's end.
func cutName(name []byte) []byte {
	if len(name) <= maxName {
		return name
	}
	n := maxName
	for n > maxName-utf8.UTFMax && !utf8.RuneStart(name[n]) {
		n--
	}
	return name[:n]
}

func appendAsker(dst []byte, q *rawlog.Query) []byte {
	switch {
	case !q.Addr.IsValid():
		dst = binary.LittleEndian.AppendUint64(dst, uint64(q.Requester))
		return binary.LittleEndian.AppendUint64(dst, uint64(q.Network))
	case q.Addr.Is4():
		a := q.Addr.As4()
		return append(dst, a[:]...)
	}
	a := q.Addr.As16()
	return append(dst, a[:]...)
}

// said reads a mark that an asker may have sent. Our collectors leave it out
// where it was not sent, which means no; old logs did not have all of them.
func said(t rawlog.Tri, imported bool) rawlog.Tri {
	if t == rawlog.Unknown && !imported {
		return rawlog.False
	}
	return t
}

func clientBytes(version []byte) (length, v uint32) {
	if version == nil {
		return noV, 0
	}
	var b [4]byte
	n := copy(b[:], version)
	return uint32(n), binary.LittleEndian.Uint32(b[:])
}

// digest folds an id into 64 bits. Ids are (or ought to be) random, so that
// distinct ones of one address hardly ever meet.
func digest(id *rawlog.ID) uint64 {
	a := binary.LittleEndian.Uint64(id[0:])
	b := binary.LittleEndian.Uint64(id[8:])
	c := uint64(binary.LittleEndian.Uint32(id[16:]))
	return mix(a ^ mix(b^mix(c)))
}

// mix is the finalizer of SplitMix64: every bit of x moves every bit of the result.
func mix(x uint64) uint64 {
	x ^= x >> 30
	x *= 0xbf58476d1ce4e5b9
	x ^= x >> 27
	x *= 0x94d049bb133111eb
	return x ^ x>>31
}

// secure tells whether the asker's node id fits its address (BEP 42): either its
// collector has said so, or both are here.
func secure(q *rawlog.Query) rawlog.Tri {
	switch {
	case q.HasNode:
		return q.IDSecure
	case !q.HasTheirID || !q.Addr.IsValid():
		return rawlog.Unknown
	}
	return rawlog.TriOf(keyspace.Fits(q.TheirID, q.Addr))
}
