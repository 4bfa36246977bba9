package fetch

import (
	"net/netip"
	"testing"
	"time"
)

func TestPossible(t *testing.T) {
	for addr, want := range map[string][2]bool{ // without and with loopback
		"8.8.8.8:6881":           {true, true},
		"[2a00:1450::1]:6881":    {true, true},
		"8.8.8.8:0":              {false, false},
		"0.0.0.0:6881":           {false, false},
		"10.1.2.3:6881":          {false, false},
		"172.16.0.1:6881":        {false, false},
		"192.168.1.1:6881":       {false, false},
		"100.64.0.1:6881":        {false, false},
		"169.254.1.1:6881":       {false, false},
		"224.0.0.1:6881":         {false, false},
		"255.255.255.255:6881":   {false, false},
		"127.0.0.1:6881":         {false, true},
		"127.0.0.1:0":            {false, false},
		"[::1]:6881":             {false, true},
		"[::]:6881":              {false, false},
		"[fe80::1%eth0]:6881":    {false, false},
		"[fd00::1]:6881":         {false, false},
		"[ff02::1]:6881":         {false, false},
		"[::ffff:10.0.0.1]:6881": {false, false},
		"[2002:a00:1::1]:6881":   {false, false}, // 6to4 of 10.0.0.1
		"[2001:db8::1]:6881":     {false, false},
		"[64:ff9b::7f00:1]:6881": {false, false},
	} {
		a := netip.MustParseAddrPort(addr)
		for i, loopback := range []bool{false, true} {
			g := gate{loopback: loopback}
			if got := g.possible(a); got != want[i] {
				t.Errorf("%s, loopback %v: %v", addr, loopback, got)
			}
		}
	}
	if g := (gate{}); g.possible(netip.AddrPort{}) {
		t.Error("no address at all is possible")
	}
}

func TestRest(t *testing.T) {
	g := gate{rest: time.Second}
	a, b := netip.MustParseAddr("8.8.8.8"), netip.MustParseAddr("8.8.4.4")
	now := time.Unix(1000, 0)
	for i, step := range []struct {
		of   netip.Addr
		at   time.Duration
		want time.Duration
	}{
		{a, 0, 0},
		{b, 0, 0},
		{a, 400 * time.Millisecond, 600 * time.Millisecond},
		{netip.MustParseAddr("::ffff:8.8.8.8"), 400 * time.Millisecond, 600 * time.Millisecond},
		{a, time.Second, 0},
		{a, time.Second, time.Second},
		{b, 1500 * time.Millisecond, 0},
		{a, 2 * time.Second, 0},
	} {
		if got := g.enter(step.of, now.Add(step.at)); got != step.want {
			t.Errorf("step %d: %v, want %v", i, got, step.want)
		}
	}
	for i := range 100_000 { // an hour and more, 20 a second
		g.enter(netip.AddrFrom4([4]byte{1, byte(i >> 16), byte(i >> 8), byte(i)}), now.Add(time.Hour+time.Duration(i)*50*time.Millisecond))
		if len(g.last) > 41 {
			t.Fatalf("%d addresses are remembered after %d", len(g.last), i)
		}
	}
}
