package collect

import (
	"bytes"
	"math/rand/v2"
	"net/netip"
	"slices"
	"testing"

	"github.com/anacrolix/dht/v2/krpc"
	"github.com/google/go-cmp/cmp"

	"github.com/anacrolix/dht/v2"

	"github.com/boontorrent/boon/internal/keyspace"
	"github.com/boontorrent/boon/internal/rawlog"
)

const now = int64(noon)

func at(s string) netip.AddrPort { return netip.MustParseAddrPort(s) }

// TestNothingIsSentWhereNobodyIs goes through addresses that no packet may go to.
func TestNothingIsSentWhereNobodyIs(t *testing.T) {
	g := newGuard(Limits{}, false)
	g.isOwn(at("8.8.4.4:1"))
	for addr, want := range map[string]reason{
		"8.8.8.8:6881":              kept,
		"[2a00:1450::1]:6881":       kept,
		"8.8.8.8:0":                 portZero,
		"8.8.4.4:6881":              ownAddress,
		"127.0.0.1:6881":            bogonSource,
		"[::1]:6881":                bogonSource,
		"10.1.2.3:6881":             bogonSource,
		"172.16.0.1:6881":           bogonSource,
		"192.168.1.1:6881":          bogonSource,
		"169.254.1.1:6881":          bogonSource,
		"100.64.0.1:6881":           bogonSource,
		"0.0.0.0:6881":              bogonSource,
		"224.0.0.1:6881":            bogonSource,
		"239.192.152.143:6771":      bogonSource,
		"255.255.255.255:6881":      bogonSource,
		"[ff02::1]:6881":            bogonSource,
		"[fe80::1]:6881":            bogonSource,
		"[fc00::1]:6881":            bogonSource,
		"[::ffff:192.168.1.1]:6881": bogonSource,
		"[2002:a00:1::]:6881":       bogonSource,
	} {
		a := at(addr)
		if got := g.admit(a, now); got != want {
			t.Errorf("%s: %q, want %q", addr, got, want)
		}
		if got := g.mayAsk(a, now); got != (want == kept) {
			t.Errorf("%s: may be asked: %v", addr, got)
		}
	}
	g = newGuard(Limits{}, true)
	g.isOwn(at("127.0.0.1:7"))
	if g.admit(at("127.0.0.1:7"), now) != ownAddress || g.admit(at("127.0.0.1:1"), now) != kept || g.admit(at("10.0.0.1:1"), now) != bogonSource {
		t.Error("allowing loopback must allow loopback alone")
	}
}

func TestRates(t *testing.T) {
	g := newGuard(Limits{Address: 25, Network: 100, All: 1000}, false)
	taken := func(seconds int64, addr func(i int) netip.AddrPort) map[reason]int {
		got := map[reason]int{}
		for s := range seconds {
			for i := range 5000 {
				got[g.admit(addr(i), now+s*second+int64(i)*200)]++
			}
		}
		return got
	}
	within := func(what string, got map[reason]int, want int, rest reason) {
		if n := got[kept]; n < want*9/10 || n > want*11/10 || n+got[rest] != 50_000 {
			t.Errorf("%s: %v, want some %d taken and the rest dropped as %s", what, got, want, rest)
		}
	}
	within("one address", taken(10, func(int) netip.AddrPort { return at("5.5.5.5:1") }), 25*10+25*burstSeconds, rateAddress)
	g = newGuard(g.limits, false)
	within("one /24", taken(10, func(i int) netip.AddrPort {
		return netip.AddrPortFrom(netip.AddrFrom4([4]byte{5, 5, 5, byte(i)}), 1)
	}), 100*10+100*burstSeconds, rateNetwork)
	g = newGuard(g.limits, false)
	within("everybody", taken(10, func(i int) netip.AddrPort {
		return netip.AddrPortFrom(netip.AddrFrom4([4]byte{5, byte(i >> 8), byte(i), 1}), 1)
	}), 1000*10+1000*burstSeconds, rateAll)
}

// TestFloodLeavesTheProven: while forged addresses use up all that may be sent, who has
// proven to be where it says is heard, and so it is minutes after.
func TestFloodLeavesTheProven(t *testing.T) {
	g := newGuard(Limits{All: 1000}, false)
	proven, taken := at("9.9.9.9:1"), 0
	g.prove(proven, now)
	for i := range 500_000 {
		later := now + int64(i)*200 // 5000 a second
		if g.admit(netip.AddrPortFrom(netip.AddrFrom4([4]byte{5, byte(i >> 16), byte(i >> 8), byte(i)}), 1), later) == kept {
			taken++
		}
		if i > 450_000 && i%500 == 0 && g.admit(proven, later) != kept {
			t.Fatalf("after %d packets the proven address is not heard", i)
		}
	}
	if taken < 90_000 || taken > 110_000 {
		t.Errorf("%d packets of others were taken in 100 s, want some 100,000", taken)
	}
}

// TestForgedAddressesFillNothing sends from 300,000 addresses: the guard's
// memory is what it was, and an address that behaves is still heard.
func TestForgedAddressesFillNothing(t *testing.T) {
	g := newGuard(Limits{All: -1}, false)
	i := 0
	if n := testing.AllocsPerRun(3, func() {
		for range 100_000 {
			i++
			g.admit(netip.AddrPortFrom(netip.AddrFrom4([4]byte{5, byte(i >> 16), byte(i >> 8), byte(i)}), 1), now+int64(i))
		}
	}); n > 1000 { // what other tests' nodes still do in the background is counted too
		t.Errorf("%v allocations for 100,000 addresses", n)
	}
	if got := g.admit(at("8.8.8.8:1"), now+int64(i)); got != kept {
		t.Errorf("an honest asker is refused: %s", got)
	}
}

func TestProof(t *testing.T) {
	g := newGuard(Limits{}, false)
	a := at("8.8.8.8:6881")
	if got := g.budget(a, 100, now); got != 300 {
		t.Errorf("a stranger gets %d bytes for 100", got)
	}
	g.prove(a, now)
	if got := g.budget(a, 100, now+1); got != maxAnswer {
		t.Errorf("who has proven himself gets %d bytes", got)
	}
	if got := g.budget(a, 100, now+proofLasts+1); got != 300 {
		t.Errorf("a proof holds for ever: %d bytes", got)
	}
	b := at("9.9.9.9:1")
	asked := 0
	for i := range int64(50) {
		if g.mayAsk(b, now+i*second) {
			asked++
		}
	}
	if asked != askedAtMost {
		t.Errorf("an address that does not reply is asked %d times in a minute, want %d", asked, askedAtMost)
	}
}

func TestTokens(t *testing.T) {
	random := rand.NewChaCha8([32]byte{1})
	tok, err := newTokens(random, now)
	if err != nil {
		t.Fatal(err)
	}
	a, b := netip.MustParseAddr("8.8.8.8"), netip.MustParseAddr("8.8.8.9")
	given := tok.appendToken(nil, a)
	check := func(what string, token []byte, from netip.Addr, want bool) {
		t.Helper()
		if got := tok.valid(token, from); got != want {
			t.Errorf("%s: valid is %v", what, got)
		}
	}
	check("at once", given, a, true)
	check("from another address", given, b, false)
	check("cut short", given[:3], a, false)
	check("empty", nil, a, false)
	if tok.due(now+tokenRotate-1) || !tok.due(now+tokenRotate) {
		t.Error("the secret is to change every five minutes")
	}
	_ = tok.rotate(now + tokenRotate)
	check("after five minutes", given, a, true)
	_ = tok.rotate(now + 2*tokenRotate)
	check("after ten minutes", given, a, false)
}

// TestNearest compares with sorting all nodes.
func TestNearest(t *testing.T) {
	r := rand.New(rand.NewPCG(1, 2))
	for _, size := range []int{0, 1, 2, 7, 8, 9, 500} {
		var nodes []route
		for i := range size {
			var id rawlog.ID
			for j := range id {
				id[j] = byte(r.Uint32())
			}
			if i%3 == 0 {
				copy(id[:], "the same beginning")
			}
			nodes = append(nodes, newRoute(id, at("1.2.3.4:5")))
		}
		table := newRoutes(slices.Clone(nodes))
		for range 50 {
			var target rawlog.ID
			for j := range target {
				target[j] = byte(r.Uint32())
			}
			slices.SortFunc(nodes, func(a, b route) int { return bytes.Compare(xor(a.id, target), xor(b.id, target)) })
			var want []byte
			for _, n := range nodes[:min(8, size)] {
				want = append(want, n.compact...)
			}
			if got := table.appendNearest(nil, &target, 8); !bytes.Equal(got, want) {
				t.Fatalf("%d nodes: nearest %x, want %x", size, got, want)
			}
		}
	}
}

func xor(a, b rawlog.ID) []byte {
	for i := range a {
		a[i] ^= b[i]
	}
	return a[:]
}

// TestBEP42 makes ids for addresses and asks anacrolix/dht whether they fit.
func TestBEP42(t *testing.T) {
	random := rand.NewChaCha8([32]byte{2})
	for _, s := range []string{"124.31.75.21", "21.75.31.124", "65.23.51.170", "2a00:1450:4001:812::200e"} {
		a := netip.MustParseAddr(s)
		for range 20 {
			id, err := newID(random, a)
			if err != nil || !dht.NodeIdSecure(krpc.ID(id), a.AsSlice()) || !keyspace.Fits(id, a) {
				t.Errorf("%s does not fit %s (%v)", id, a, err)
			}
		}
		if id, _ := newID(random, netip.Addr{}); keyspace.Fits(id, a) {
			t.Errorf("a random id fits %s", a)
		}
	}
	// The test vectors of BEP 42.
	for s, want := range map[string]string{
		"124.31.75.21": "5fbfbff10c5d6a4ec8a88e4c6ab4c28b95eee401", "21.75.31.124": "5a3ce9c14e7a08645677bbd1cfe7d8f956d53256",
		"65.23.51.170": "a5d43220bc8f112a3d426c84764f8c2a1150e616", "84.124.73.14": "1b0321dd1bb1fe518101ceef99462b947a01ff41",
		"43.213.53.83": "e56f6cbf5b7c4be0237986d5243b87aa6d51305a",
	} {
		if id, err := rawlog.ParseID(want); err != nil || !keyspace.Fits(id, netip.MustParseAddr(s)) {
			t.Errorf("%s is said not to fit %s (%v)", want, s, err)
		}
	}
}

// TestOutsideAddress: repliers tell us our address; one network, or many liars
// that disagree, cannot make us believe another.
func TestOutsideAddress(t *testing.T) {
	var b ballot
	our, lie := netip.MustParseAddr("84.124.73.14"), netip.MustParseAddr("1.1.1.1")
	for i := range 250 {
		b.vote(lie, netip.AddrFrom4([4]byte{6, 6, 6, byte(i)}))
	}
	if got := b.elected(); got.IsValid() {
		t.Errorf("one /24 has made us %s", got)
	}
	for i := range byte(8) {
		b.vote(our, netip.AddrFrom4([4]byte{7, i, 1, 1}))
		b.vote(netip.MustParseAddr("192.168.1.1"), netip.AddrFrom4([4]byte{8, i, 1, 1}))
	}
	if got := b.elected(); got != our {
		t.Errorf("elected %s, want %s", got, our)
	}
	id := identity{}
	random := rand.NewChaCha8([32]byte{3})
	first, _, _ := id.due(random, netip.Addr{}, now, 0)
	second2, changed, _ := first.due(random, our, now, 0)
	if got, _ := rawlog.ParseID(second2.ID); !changed || !keyspace.Fits(got, our) {
		t.Error("the id does not follow the address")
	}
	if third, changed, _ := second2.due(random, netip.Addr{}, now+1, 0); changed || !cmp.Equal(third.ID, second2.ID) {
		t.Error("the id changes without a reason")
	}
	if fourth, changed, _ := second2.due(random, our, now+10, 10); !changed || fourth.ID == second2.ID {
		t.Error("an id that is due to rotate stays")
	}
}
