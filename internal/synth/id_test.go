package synth

import (
	"encoding/binary"
	"encoding/hex"
	"net/netip"
	"testing"

	"github.com/boontorrent/boon/internal/rawlog"
)

// TestSecure uses the examples of BEP 42.
func TestSecure(t *testing.T) {
	for _, tt := range []struct {
		addr   string
		random byte
		want   string // the first 21 bits, and the last byte
	}{
		{"124.31.75.21", 1, "5fbfb8"},
		{"21.75.31.124", 86, "5a3ce8"},
		{"65.23.51.170", 22, "a5d430"},
		{"84.124.73.14", 65, "1b0320"},
		{"43.213.53.83", 90, "e56f68"},
	} {
		b := netip.MustParseAddr(tt.addr).As16()
		p := person{hi: binary.BigEndian.Uint64(b[:8]), lo: binary.BigEndian.Uint64(b[8:])}
		var id rawlog.ID
		secure(&id, &p, tt.random)
		id[2] &= 0xf8
		if got := hex.EncodeToString(id[:3]); got != tt.want || id[19] != tt.random {
			t.Errorf("%s with %d: %s … %d, want %s", tt.addr, tt.random, got, id[19], tt.want)
		}
	}
}

func TestSharing(t *testing.T) {
	r := derive(1, 2, 3, 4)
	for bits := range 152 {
		var id rawlog.ID
		r.fill(id[:])
		other := sharing(&r, id, bits)
		n := 0
		for n < 160 && id[n/8]>>(7-n%8)&1 == other[n/8]>>(7-n%8)&1 {
			n++
		}
		if n != bits {
			t.Errorf("%s and %s share %d bits, want %d", id, other, n, bits)
		}
	}
}

// TestChoice draws from a distribution that is known.
func TestChoice(t *testing.T) {
	c := newChoice([]float64{1, 0, 3, 6})
	r := derive(1, 2, 3, 4)
	var n [4]int
	for range 100_000 {
		n[c.draw(&r)]++
	}
	for i, want := range []int{10_000, 0, 30_000, 60_000} {
		if n[i] < want-800 || n[i] > want+800 {
			t.Errorf("%d was drawn %d times of 100000, want about %d", i, n[i], want)
		}
	}
}
