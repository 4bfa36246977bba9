package etl

import (
	"math/big"
	"math/rand/v2"
	"net/netip"
	"testing"

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
		if got, want := log2Distance(a[:], b[:]), exact(a, b); got != want {
			t.Fatalf("%s and %s: %d, want %d", a, b, got, want)
		}
	}
	one, zero := rawlog.ID{19: 1}, rawlog.ID{}
	for _, c := range []struct {
		a, b rawlog.ID
		want int32
	}{{zero, zero, 0}, {one, zero, 0}, {rawlog.ID{19: 2}, zero, 16}, {rawlog.ID{19: 3}, zero, 25}, {rawlog.ID{0: 0x80}, zero, 159 * 16}} {
		if got := log2Distance(c.a[:], c.b[:]); got != c.want {
			t.Errorf("%s and %s: %d, want %d", c.a, c.b, got, c.want)
		}
	}
}

// The examples of BEP 42.
func TestFitsBEP42(t *testing.T) {
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
		if !FitsBEP42(addr, id) {
			t.Errorf("%s does not fit %s", c.id, c.ip)
		}
		id[0] ^= 1
		if FitsBEP42(addr, id) {
			t.Errorf("%s fits %s", id, c.ip)
		}
	}
}
