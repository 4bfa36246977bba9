package etl

import (
	"encoding/binary"
	"hash/crc32"
	"math/bits"
	"net/netip"
	"unicode/utf8"

	"github.com/boontorrent/boon/internal/rawlog"
)

// A row is a query between scanning and sorting: a fixed part, an asker of
// four or sixteen bytes, and a name and a place where there are any.
//
//	0  flags u32     bits below
//	4  ts    i64     µs
//	12 n     i64
//	20 run   u32     number of the run (and so collector)
//	24 our   u32     number of our id
//	28 their u64     a digest of the asker's node id, to count distinct ones
//	36 hash  [20]    info-hash
//	56 v     u32     first four bytes of the client's version
//	60 cpl   u8      leading bits that info-hash and the asker's id share; noCpl
//	61 asker         4, 16 (address) or 16 (requester, network)
//	   name          u16 and bytes, if hasName
//	   place         u32, number of the place, if hasPlace
const (
	rowFlags = 0
	rowTs    = 4
	rowN     = 12
	rowRun   = 20
	rowOur   = 24
	rowTheir = 28
	rowHash  = 36
	rowV     = 56
	rowCpl   = 60
	rowAsker = 61
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
	triMask   = 3
	noV       = 7
)

type row []byte

func (r row) flags() uint32     { return binary.LittleEndian.Uint32(r[rowFlags:]) }
func (r row) ts() int64         { return int64(binary.LittleEndian.Uint64(r[rowTs:])) }
func (r row) n() int64          { return int64(binary.LittleEndian.Uint64(r[rowN:])) }
func (r row) run() uint32       { return binary.LittleEndian.Uint32(r[rowRun:]) }
func (r row) our() uint32       { return binary.LittleEndian.Uint32(r[rowOur:]) }
func (r row) their() uint64     { return binary.LittleEndian.Uint64(r[rowTheir:]) }
func (r row) hash() []byte      { return r[rowHash : rowHash+20] }
func (r row) v() uint32         { return binary.LittleEndian.Uint32(r[rowV:]) }
func (r row) kind() rawlog.Kind { return rawlog.Kind(r[rowFlags] & kindMask) }

func (r row) tri(shift int) rawlog.Tri { return rawlog.Tri(r.flags() >> shift & triMask) }

// asker is the bytes that tell one asker from another.
func (r row) asker() []byte {
	if r[rowFlags]&(askerV6|askerKey) != 0 {
		return r[rowAsker : rowAsker+16]
	}
	return r[rowAsker : rowAsker+4]
}

// rest is what follows the asker.
func (r row) rest() []byte { return r[rowAsker+len(r.asker()):] }

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

// size is the row's length, given that it begins b.
func rowSize(b []byte) int {
	n := rowAsker + 4
	if b[rowFlags]&(askerV6|askerKey) != 0 {
		n = rowAsker + 16
	}
	if b[rowFlags]&hasName != 0 {
		n += 2 + int(binary.LittleEndian.Uint16(b[n:]))
	}
	if b[rowFlags]&hasPlace != 0 {
		n += 4
	}
	return n
}

// maxName bounds a name in a table. File systems allow 255 characters; nothing
// keeps an announce_peer from sending more.
const maxName = 1024

// appendRow appends the row of a query event.
func appendRow(dst []byte, ev *rawlog.Event, run, our, place uint32, imported bool) []byte {
	q := &ev.Query
	flags := uint32(ev.Kind) | uint32(said(q.ImpliedPort, imported))<<portShift | uint32(q.TokenValid)<<tokShift
	flags |= uint32(said(q.Seed, imported))<<seedShift | uint32(said(q.ReadOnly, imported))<<roShift
	flags |= uint32(secure(q)) << safeShift
	vLen, v := clientBytes(q.Version)
	flags |= vLen << vShift
	if len(q.Name) > 0 {
		flags |= hasName
	}
	if place != noPlace {
		flags |= hasPlace
	}
	switch {
	case !q.Addr.IsValid():
		flags |= askerKey
	case !q.Addr.Is4():
		flags |= askerV6
	}
	cpl := byte(noCpl)
	if q.HasTheirID {
		cpl = byte(commonBits(&q.Infohash, &q.TheirID))
	}
	dst = binary.LittleEndian.AppendUint32(dst, flags)
	dst = binary.LittleEndian.AppendUint64(dst, uint64(ev.T))
	dst = binary.LittleEndian.AppendUint64(dst, uint64(ev.N))
	dst = binary.LittleEndian.AppendUint32(dst, run)
	dst = binary.LittleEndian.AppendUint32(dst, our)
	dst = binary.LittleEndian.AppendUint64(dst, digest(&q.TheirID))
	dst = append(dst, q.Infohash[:]...)
	dst = binary.LittleEndian.AppendUint32(dst, v)
	dst = append(dst, cpl)
	dst = appendAsker(dst, q)
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

// commonBits is the number of leading bits that two ids share.
func commonBits(a, b *rawlog.ID) int {
	for i := 0; i < 16; i += 8 {
		if x := binary.BigEndian.Uint64(a[i:]) ^ binary.BigEndian.Uint64(b[i:]); x != 0 {
			return 8*i + bits.LeadingZeros64(x)
		}
	}
	if x := binary.BigEndian.Uint32(a[16:]) ^ binary.BigEndian.Uint32(b[16:]); x != 0 {
		return 128 + bits.LeadingZeros32(x)
	}
	return 160
}

var castagnoli = crc32.MakeTable(crc32.Castagnoli)

// secure tells whether the asker's node id fits its address (BEP 42): its first
// 21 bits must be those of a CRC-32C of the masked address and three bits that
// the id's last byte gives.
func secure(q *rawlog.Query) rawlog.Tri {
	if !q.HasTheirID || !q.Addr.IsValid() {
		return rawlog.Unknown
	}
	return rawlog.TriOf(FitsBEP42(q.Addr, q.TheirID))
}

// FitsBEP42 reports whether a node at addr may have that id under BEP 42. The
// exemption of local addresses is not applied.
func FitsBEP42(addr netip.Addr, id rawlog.ID) bool {
	r := id[19] & 7
	var sum uint32
	if addr.Is4() {
		a := addr.As4()
		b := [4]byte{a[0]&0x03 | r<<5, a[1] & 0x0f, a[2] & 0x3f, a[3]}
		sum = crc32.Checksum(b[:], castagnoli)
	} else {
		a := addr.As16()
		mask := [8]byte{0x01, 0x03, 0x07, 0x0f, 0x1f, 0x3f, 0x7f, 0xff}
		var b [8]byte
		for i := range b {
			b[i] = a[i] & mask[i]
		}
		b[0] |= r << 5
		sum = crc32.Checksum(b[:], castagnoli)
	}
	return byte(sum>>24) == id[0] && byte(sum>>16) == id[1] && byte(sum>>8)&0xf8 == id[2]&0xf8
}

// log2Distance is log2 of the XOR of two ids taken as a number, in sixteenths
// and rounded down; 0 where they are equal.
func log2Distance(a, b []byte) int32 {
	for i := range 20 {
		if a[i] == b[i] {
			continue
		}
		var window uint64 // eight bytes from the first that differs
		for j := i; j < i+8; j++ {
			window <<= 8
			if j < 20 {
				window |= uint64(a[j] ^ b[j])
			}
		}
		zeros := bits.LeadingZeros64(window)
		top := 8*(19-i) + 7 - zeros
		return int32(top)*16 + log2Fraction(uint32(window<<zeros>>32))
	}
	return 0
}

// log2Fraction is 16·log2(m/2^31), rounded down, for a number m with bit 31 set.
func log2Fraction(m uint32) int32 {
	var f int32
	x := uint64(m)
	for range 4 { // square and see whether it passes two
		x = x * x >> 31
		f <<= 1
		if x >= 1<<32 {
			f |= 1
			x >>= 1
		}
	}
	return f
}
