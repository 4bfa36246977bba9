package main

import (
	"context"
	"errors"
	"fmt"
	"iter"
	"net"
	"net/netip"
	"path/filepath"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/boontorrent/boon/collect"
	"github.com/boontorrent/boon/internal/lake"
	"github.com/boontorrent/boon/resolve"
)

// TestNotifyReady plays systemd: the socket that it names is told.
func TestNotifyReady(t *testing.T) {
	path := filepath.Join(t.TempDir(), "notify")
	l, err := net.ListenUnixgram("unixgram", &net.UnixAddr{Name: path, Net: "unixgram"})
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	t.Setenv("NOTIFY_SOCKET", path)
	notifyReady(t.Context())
	buf := make([]byte, 64)
	_ = l.SetReadDeadline(time.Now().Add(5 * time.Second))
	n, err := l.Read(buf)
	if err != nil || string(buf[:n]) != "READY=1" {
		t.Errorf("systemd is told %q (%v)", buf[:n], err)
	}
}

func TestParseSize(t *testing.T) {
	for s, want := range map[string]int64{
		"0": 0, "1": 1, "500M": 500 << 20, "20G": 20 << 30, "3T": 3 << 40, "7K": 7 << 10,
		"": -1, "G": -1, "-1": -1, "1.5G": -1, "20GB": -1, "20g": -1, "1KM": -1, "0x10": -1, " 1": -1, "99999999999T": -1,
	} {
		got, err := parseSize(s)
		if want < 0 && err == nil || want >= 0 && (err != nil || got != want) {
			t.Errorf("%q: %d, %v; want %d", s, got, err, want)
		}
	}
}

// away is a lake whose tables cannot be read at first.
type away struct {
	lake.Store
	failures atomic.Int32
	back     func() // called once they are read
}

func (a *away) List(ctx context.Context, prefix string) iter.Seq2[lake.Info, error] {
	if !strings.HasPrefix(prefix, lake.TablesPrefix) {
		return a.Store.List(ctx, prefix)
	}
	if a.failures.Add(-1) >= 0 {
		return func(yield func(lake.Info, error) bool) { yield(lake.Info{}, errors.New("the lake is away")) }
	}
	a.back()
	return a.Store.List(ctx, prefix)
}

// gone is a lake that cannot be read, and takes its time to say so.
type gone struct {
	lake.Store
	why error
}

func (g gone) Open(context.Context, string) (lake.Object, error) { return nil, g.why }

func (g gone) Stat(ctx context.Context, _ string) (lake.Info, error) {
	if _, bounded := ctx.Deadline(); !bounded {
		return lake.Info{}, errors.New("it may wait for ever")
	}
	return lake.Info{}, g.why
}

// TestPlacesAway: a lake that is away when it starts costs a collector the map; one that
// refuses, or privacy edge, which cannot do without places, the start.
func TestPlacesAway(t *testing.T) {
	var said string
	refuses := errors.New("access denied")
	for _, c := range []struct {
		why     error
		privacy string
		want    error
		says    string
	}{
		{lake.ErrAway, collect.Plain, nil, "the lake is away; the live view has no map until the next start"},
		{context.DeadlineExceeded, collect.Plain, nil, "the live view has no map until the next start"},
		{lake.ErrAway, collect.Edge, lake.ErrAway, ""},
		{refuses, collect.Plain, refuses, ""},
	} {
		said = ""
		cfg := collect.Config{Store: gone{lake.NewMemory(), c.why}, Say: func(format string, args ...any) { said += fmt.Sprintf(format, args...) }}
		cfg.Live = cfg.Store
		err := collectCommand{Privacy: c.privacy}.places(t.Context(), &cfg)
		if !errors.Is(err, c.want) || cfg.Geo != nil || !strings.Contains(said, c.says) {
			t.Errorf("%v, %s: %v, and said: %q", c.why, c.privacy, err, said)
		}
	}
}

// TestResolverBeside: a lake that is away when both begin stops neither of them.
func TestResolverBeside(t *testing.T) {
	ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
	defer cancel()
	back := false
	store := &away{Store: lake.NewMemory(), back: func() { back = true; cancel() }}
	store.failures.Store(2)
	loopback := []netip.AddrPort{netip.MustParseAddrPort("127.0.0.1:0")}
	failed := 0
	say := func(format string, args ...any) {
		if strings.Contains(fmt.Sprintf(format, args...), "the lake is away; the collector goes on") {
			failed++
		}
	}
	r := resolving{again: time.Millisecond, cfg: resolve.Config{
		Store: store, Spool: t.TempDir(), Collector: "c-resolver", Listen: loopback, Bootstrap: []string{"127.0.0.1:1"}, AllowLoopback: true, Say: say,
	}}
	_, err := r.beside(ctx, collect.Config{
		Store: store, Spool: t.TempDir(), Collector: "c", Software: "test", Privacy: "plain", Listen: loopback, Bootstrap: []string{"127.0.0.1:1"},
		Limits: collect.Limits{All: 100}, AllowLoopback: true, Say: func(string, ...any) {},
	})
	if err != nil || failed != 2 || !back {
		t.Errorf("%v; the resolver failed %d times, and then began: %v", err, failed, back)
	}
}
