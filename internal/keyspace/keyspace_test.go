package keyspace_test

import (
	"hash/crc32"
	"math/big"
	"math/rand/v2"
	"net/netip"
	"testing"

	"github.com/boontorrent/boon/internal/keyspace"
	"github.com/boontorrent/boon/internal/rawlog"
)

// exact is 16·log2 of the XOR, rounded down, by whole numbers: the greatest k
// with 2^k <= x^16.
func exact(a, b rawlog.ID) int32 {
	var x [20]byte
	for i := range x {
		x[i] = a[i] ^ b[i]
	}
	n := new(big.Int).SetBytes(x[:])
	if n.Sign() == 0 {
		return 0
	}
	return int32(n.Exp(n, big.NewInt(16), nil).BitLen() - 1)
}

func TestLog2DistanceIsExact(t *testing.T) {
	r := rand.New(rand.NewPCG(1, 1))
	for i := range 200_000 {
		var a, b rawlog.ID
		for j := i % 20; j < 20; j++ {
			a[j], b[j] = byte(r.Uint32()), byte(r.Uint32())
		}
		if got, want := keyspace.Log2Distance(a[:], b[:]), exact(a, b); got != want {
			t.Fatalf("%s and %s: %d, want %d", a, b, got, want)
		}
	}
	one, zero := rawlog.ID{19: 1}, rawlog.ID{}
	for _, c := range []struct {
		a, b rawlog.ID
		want int32
	}{{zero, zero, 0}, {one, zero, 0}, {rawlog.ID{19: 2}, zero, 16}, {rawlog.ID{19: 3}, zero, 25}, {rawlog.ID{0: 0x80}, zero, 159 * 16}} {
		if got := keyspace.Log2Distance(c.a[:], c.b[:]); got != c.want {
			t.Errorf("%s and %s: %d, want %d", c.a, c.b, got, c.want)
		}
	}
}

// The examples of BEP 42.
func TestFits(t *testing.T) {
	for _, c := range []struct{ ip, id string }{
		{"124.31.75.21", "5fbfbff10c5d6a4ec8a88e4c6ab4c28b95eee401"},
		{"21.75.31.124", "5a3ce9c14e7a08645677bbd1cfe7d8f956d53256"},
		{"65.23.51.170", "a5d43220bc8f112a3d426c84764f8c2a1150e616"},
		{"84.124.73.14", "1b0321dd1bb1fe518101ceef99462b947a01ff41"},
		{"43.213.53.83", "e56f6cbf5b7c4be0237986d5243b87aa6d51305a"},
	} {
		id, err := rawlog.ParseID(c.id)
		if err != nil {
			t.Fatal(err)
		}
		addr := netip.MustParseAddr(c.ip)
		if !keyspace.Fits(id, addr) {
			t.Errorf("%s does not fit %s", c.id, c.ip)
		}
		id[0] ^= 1
		if keyspace.Fits(id, addr) {
			t.Errorf("%s fits %s", id, c.ip)
		}
	}
}

// TestFitIsTheChecksum: ids are made to fit as BEP 42 says it, bit by bit.
func TestFitIsTheChecksum(t *testing.T) {
	r := rand.New(rand.NewPCG(4, 2))
	random := func(n int) []byte {
		b := make([]byte, n)
		for i := range b {
			b[i] = byte(r.Uint32())
		}
		return b
	}
	for range 20_000 {
		masked, mask := random(4), []byte{0x03, 0x0f, 0x3f, 0xff}
		addr, _ := netip.AddrFromSlice(masked)
		if r.IntN(2) == 0 {
			b := random(16)
			addr = netip.AddrFrom16([16]byte(b))
			masked, mask = b[:8], []byte{0x01, 0x03, 0x07, 0x0f, 0x1f, 0x3f, 0x7f, 0xff}
		}
		id := rawlog.ID(random(20))
		for i := range masked {
			masked[i] &= mask[i]
		}
		masked[0] |= id[19] & 7 << 5
		sum := crc32.Checksum(masked, crc32.MakeTable(crc32.Castagnoli))
		want := id
		want[0], want[1], want[2] = byte(sum>>24), byte(sum>>16), byte(sum>>8)&0xf8|id[2]&7
		if got := keyspace.Fit(id, addr); got != want || !keyspace.Fits(want, addr) {
			t.Fatalf("%s at %s: %s, want %s", id, addr, got, want)
		}
	}
}

// TestAtDistance: the id that stands for another is as far away, to the
// sixteenth, and the same for all ids at that distance.
func TestAtDistance(t *testing.T) {
	r := rand.New(rand.NewPCG(2, 2))
	for i := range 100_000 {
		var target, id rawlog.ID
		for j := range 20 {
			target[j], id[j] = byte(r.Uint32()), byte(r.Uint32())
		}
		copy(id[:i%12], target[:])
		log2 := keyspace.Log2Distance(target[:], id[:])
		got := keyspace.AtDistance(target, id)
		if back := keyspace.Log2Distance(target[:], got[:]); back != log2 {
			t.Fatalf("%s from %s at %d: %s at %d", id, target, log2, got, back)
		}
		id[19] ^= byte(r.Uint32()) // far below a sixteenth
		if again := keyspace.AtDistance(target, id); again != got {
			t.Fatalf("%s and %s for ids at one distance", got, again)
		}
	}
}

func TestCommonBits(t *testing.T) {
	for _, c := range []struct {
		a, b rawlog.ID
		want int
	}{{rawlog.ID{}, rawlog.ID{}, 160}, {rawlog.ID{0: 0x80}, rawlog.ID{}, 0}, {rawlog.ID{8: 1}, rawlog.ID{}, 71}, {rawlog.ID{19: 1}, rawlog.ID{}, 159}} {
		if got := keyspace.CommonBits(&c.a, &c.b); got != c.want {
			t.Errorf("%s and %s: %d, want %d", c.a, c.b, got, c.want)
		}
	}
}
