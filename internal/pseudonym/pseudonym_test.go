package pseudonym_test

import (
	"context"
	"crypto/sha256"
	"encoding/binary"
	"errors"
	"net/netip"
	"testing"

	"github.com/boontorrent/boon/internal/lake"
	"github.com/boontorrent/boon/internal/pseudonym"
)

// byHand is HMAC as RFC 2104 writes it down, for a key shorter than a block.
func byHand(key [32]byte, message []byte) int64 {
	var inner, outer [64]byte
	copy(inner[:], key[:])
	copy(outer[:], key[:])
	for i := range inner {
		inner[i] ^= 0x36
		outer[i] ^= 0x5c
	}
	in := sha256.Sum256(append(inner[:], message...))
	out := sha256.Sum256(append(outer[:], in[:]...))
	return int64(binary.BigEndian.Uint64(out[:8]))
}

func TestPseudonyms(t *testing.T) {
	key := pseudonym.Key{1, 2, 3, 31: 9}
	v4 := []byte{0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xff, 0xff, 130, 91, 7, 200}
	net24 := []byte{'n', 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xff, 0xff, 130, 91, 7, 0}
	v6 := []byte{0x2a, 2, 0x81, 8, 0, 7, 0, 1, 0, 0, 0, 0, 0, 0, 0, 0x42}
	net48 := []byte{'n', 0x2a, 2, 0x81, 8, 0, 7, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0}
	tests := []struct {
		addr         string
		own, network []byte
	}{
		{"130.91.7.200", v4, net24},
		{"::ffff:130.91.7.200", v4, net24},
		{"2a02:8108:7:1::42", v6, net48},
	}
	h := key.Hasher()
	for range 2 { // a hasher keeps nothing from one address to the next
		for _, tt := range tests {
			a := netip.MustParseAddr(tt.addr)
			if got, want := h.Requester(a), byHand(key, tt.own); got != want {
				t.Errorf("requester of %s is %d, want %d", a, got, want)
			}
			if got, want := h.Network(a), byHand(key, tt.network); got != want {
				t.Errorf("network of %s is %d, want %d", a, got, want)
			}
			if key.Requester(a) != h.Requester(a) || key.Network(a) != h.Network(a) {
				t.Errorf("the key and its hasher differ on %s", a)
			}
		}
	}
}

func TestHasherAllocatesNothing(t *testing.T) {
	h := (&pseudonym.Key{7}).Hasher()
	a := netip.MustParseAddr("130.91.7.200")
	if n := testing.AllocsPerRun(100, func() { h.Requester(a); h.Network(a) }); n != 0 {
		t.Errorf("%v allocations for a pair of pseudonyms", n)
	}
}

func TestEpochName(t *testing.T) {
	tests := []struct{ day, mode, want string }{
		{"2026-01-05", "day", "2026-01-05"},
		{"2026-01-05", "week", "2026-W02"},
		{"2026-01-04", "week", "2026-W01"},
		{"2027-01-01", "week", "2026-W53"}, // a Friday: still the old year's week
		{"2018-12-31", "week", "2019-W01"},
		{"2026-01-05", "month", "2026-01"},
		{"2026-01-05", "study", "study"},
	}
	for _, tt := range tests {
		day, err := lake.ParseDay(tt.day)
		if err != nil {
			t.Fatal(err)
		}
		if got, err := pseudonym.EpochName(day, tt.mode); got != tt.want || err != nil {
			t.Errorf("%s of %s is %q (%v), want %q", tt.mode, tt.day, got, err, tt.want)
		}
	}
	if _, err := pseudonym.EpochName(0, "year"); err == nil {
		t.Error("an epoch of a year is accepted")
	}
}

func TestStoreAndLoad(t *testing.T) {
	ctx, store := context.Background(), lake.NewMemory()
	if _, err := pseudonym.Load(ctx, store, "2026-W02"); !errors.Is(err, lake.ErrNotFound) {
		t.Errorf("a key that is not there: %v", err)
	}
	key := pseudonym.Key{5}
	if err := pseudonym.Store(ctx, store, "2026-W02", key); err != nil {
		t.Fatal(err)
	}
	if got, err := pseudonym.Load(ctx, store, "2026-W02"); got != key || err != nil {
		t.Errorf("loaded %v, %v", got, err)
	}
	if err := pseudonym.Store(ctx, store, "2026-W02", pseudonym.Key{6}); !errors.Is(err, lake.ErrConflict) {
		t.Errorf("a second key for the epoch: %v", err)
	}
	if _, err := lake.PutBytes(ctx, store, "keys/short.key", lake.Condition{}, []byte("short")); err != nil {
		t.Fatal(err)
	}
	if _, err := pseudonym.Load(ctx, store, "short"); err == nil {
		t.Error("a key of five bytes is accepted")
	}
}

func BenchmarkRequester(b *testing.B) {
	h := (&pseudonym.Key{7}).Hasher()
	a := netip.MustParseAddr("130.91.7.200")
	b.ReportAllocs()
	for b.Loop() {
		h.Requester(a)
	}
}
