// Package keyspace is the DHT's space of 160-bit ids: how far two of them are
// from each other, and which id a node may have.
package keyspace

import (
	"encoding/binary"
	"hash/crc32"
	"math/bits"
	"net/netip"
	"sort"

	"github.com/boontorrent/boon/internal/rawlog"
)

// CommonBits is the number of leading bits that two ids share.
func CommonBits(a, b *rawlog.ID) int {
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

// Log2Distance is log2 of the XOR of two ids taken as a number, in sixteenths
// and rounded down; 0 where they are equal.
func Log2Distance(a, b []byte) int32 {
	var x [3]uint64 // the XOR, from its first bit on
	x[0] = binary.BigEndian.Uint64(a) ^ binary.BigEndian.Uint64(b)
	x[1] = binary.BigEndian.Uint64(a[8:]) ^ binary.BigEndian.Uint64(b[8:])
	x[2] = uint64(binary.BigEndian.Uint32(a[16:])^binary.BigEndian.Uint32(b[16:])) << 32
	for i := range x {
		if x[i] == 0 {
			continue
		}
		zeros := bits.LeadingZeros64(x[i])
		window := x[i] << zeros
		if i < 2 {
			window |= x[i+1] >> (64 - zeros)
		}
		return int32(159-64*i-zeros)*16 + log2Fraction(uint32(window>>32))
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

// AtDistance is an id at the same Log2Distance from target as id, which tells
// nothing else of id: of all such ids the nearest. One that is less than 2^32
// away, as only a made-up id can be, is given back as it is.
func AtDistance(target, id rawlog.ID) rawlog.ID {
	log2 := Log2Distance(target[:], id[:])
	top := int(log2 / 16) // the distance's highest bit
	if top < 32 {
		return id
	}
	const one = 1 << 31
	least := one + sort.Search(one, func(i int) bool { return log2Fraction(uint32(one+i)) >= log2%16 })
	for bit := range 32 {
		at := top - 31 + bit
		target[19-at/8] ^= byte(least>>bit&1) << (at % 8)
	}
	return target
}

// Fits reports whether a node at that address may have the id: its first 21
// bits must be those of a checksum of the address (BEP 42). The exemption of
// local addresses is not applied.
func Fits(id rawlog.ID, a netip.Addr) bool {
	sum := checksum(a, id[19])
	return id[0] == byte(sum>>24) && id[1] == byte(sum>>16) && id[2]&0xf8 == byte(sum>>8)&0xf8
}

// Fit makes an id fit an address.
func Fit(id rawlog.ID, a netip.Addr) rawlog.ID {
	sum := checksum(a, id[19])
	id[0], id[1], id[2] = byte(sum>>24), byte(sum>>16), byte(sum>>8)&0xf8|id[2]&7
	return id
}

// checksum is the CRC-32C of the masked address and three bits of the id's last byte.
func checksum(a netip.Addr, last byte) uint32 {
	if a.Is4() {
		b := a.As4()
		return sums4.zeros ^ sums4.of[0][b[0]&0x03|last<<5] ^ sums4.of[1][b[1]&0x0f] ^ sums4.of[2][b[2]&0x3f] ^ sums4.of[3][b[3]]
	}
	b := a.As16()
	sum := sums8.zeros ^ sums8.of[0][b[0]&0x01|last<<5]
	for i := 1; i < 8; i++ {
		sum ^= sums8.of[i][b[i]&(1<<(i+1)-1)]
	}
	return sum
}

// sums makes the checksum of so many bytes: that of zeros, and what each byte at
// each place adds to it. A CRC adds up, so the bytes need not be taken one after
// another.
type sums struct {
	zeros uint32
	of    [8][256]uint32
}

var sums4, sums8 = sumsOf(4), sumsOf(8)

func sumsOf(bytes int) *sums {
	table := crc32.MakeTable(crc32.Castagnoli)
	b := make([]byte, bytes)
	s := &sums{zeros: crc32.Checksum(b, table)}
	for i := range b {
		for v := range s.of[i] {
			b[i] = byte(v)
			s.of[i][v] = crc32.Checksum(b, table) ^ s.zeros
		}
		b[i] = 0
	}
	return s
}
