package main

import (
	"bytes"
	"context"
	"fmt"
	"net/netip"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/boontorrent/boon/etl"
	"github.com/boontorrent/boon/internal/dhttest"
	"github.com/boontorrent/boon/internal/lake"
	"github.com/boontorrent/boon/internal/metrics/metricstest"
	"github.com/boontorrent/boon/internal/peertest"
)

// terminal runs verbs as a person would and keeps what they write.
type terminal struct {
	mu       sync.Mutex
	out, err bytes.Buffer
}

// Write implements io.Writer for what goes to standard error.
func (c *terminal) Write(p []byte) (int, error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.err.Write(p)
}

func (c *terminal) run(t *testing.T, ctx context.Context, args ...string) string {
	t.Helper()
	c.out.Reset()
	if code := run(ctx, args, console{in: strings.NewReader(""), out: &c.out, err: c}); code != 0 {
		t.Errorf("boon %s ended with code %d\n%s", strings.Join(args, " "), code, c.err.String())
	}
	return c.out.String()
}

// wrote is what standard error says behind a text, up to the end of the line.
func (c *terminal) wrote(after string) (rest string, ok bool) {
	c.mu.Lock()
	defer c.mu.Unlock()
	_, rest, ok = strings.Cut(c.err.String(), after)
	rest, _, whole := strings.Cut(rest, "\n")
	return rest, ok && whole
}

// listening runs a collector with a resolver beside it, in a DHT. Do is called once
// it is there; it is stopped once its metrics have all lines, or after so long.
func listening(t *testing.T, lakeDir string, swarm *dhttest.Swarm, at string, most time.Duration, do func(collector netip.AddrPort), lines ...string) *terminal {
	t.Helper()
	c := &terminal{}
	ctx, stop := context.WithCancel(t.Context())
	defer stop()
	done := make(chan struct{})
	go func() {
		defer close(done)
		c.run(t, ctx, "collect", "--contact", "test", "--lake", lakeDir, "--collector", "one", "--spool", filepath.Join(t.TempDir(), "spool"),
			"--listen", at, "--bootstrap", swarm.Addrs()[0], "--allow-loopback", "--live", "none", "--metrics", "127.0.0.1:0",
			"--resolve", "--resolve-listen", "127.74.1.1:0")
	}()
	said := func(text string) string {
		for {
			if rest, ok := c.wrote(text); ok {
				return rest
			}
			select {
			case <-done:
				t.Fatal("the collector ended")
			case <-time.After(10 * time.Millisecond):
			}
		}
	}
	metrics := said("metrics on ")
	do(netip.MustParseAddrPort(said("listening on ")))
	for end := time.Now().Add(most); time.Now().Before(end); time.Sleep(50 * time.Millisecond) {
		if page := metricstest.Get(t, metrics); !slices.ContainsFunc(lines, func(line string) bool { return !strings.Contains(page, line+"\n") }) {
			break
		}
	}
	stop()
	<-done
	return c
}

// TestCollectResolves: what is announced to a collector stands in the tables with
// its name and files as soon as it is stopped, and the sums close.
func TestCollectResolves(t *testing.T) {
	swarm := dhttest.Start(t, 3)
	info := []byte("d5:filesld6:lengthi70000e4:pathl1:a5:b.txteed6:lengthi5e4:pathl1:ceee4:name9:A.Torrent12:piece lengthi16384e6:pieces100:" +
		strings.Repeat("x", 100) + "e")
	hash := peertest.Hash(info)
	peer := peertest.Start(t, peertest.Good(0, info), peertest.Options{})
	dir := filepath.Join(t.TempDir(), "lake")
	c := listening(t, dir, swarm, "127.74.2.1:0", time.Minute, func(collector netip.AddrPort) {
		swarm.Meet(t, collector)
		swarm.Announce(t, hash, peer.Addr)
		swarm.Announce(t, [20]byte{1, 2, 3}, peer.Addr) // nobody has it
	}, "boon_resolve_resolved_total 1", `boon_resolve_failed_total{reason="refused"} 1`)
	c.run(t, t.Context(), "etl", "--lake", dir)
	got, err := etl.FindTorrent(t.Context(), lake.NewFile(dir), fmt.Sprintf("%x", hash))
	if err != nil {
		t.Fatalf("%v\n%s", err, c.err.String())
	}
	if got.Name != "A.Torrent" || len(got.Files) != 2 || got.Size != 70005 {
		t.Errorf("%+v", got)
	}
	c.run(t, t.Context(), "verify", "--lake", dir)
	checkUnresolved(t, c, dir)
}

// TestLibtorrentResolved does the same with a real client and torrents that it has
// made, of version 1, 2 and both.
func TestLibtorrentResolved(t *testing.T) {
	if os.Getenv("BOON_SWARM") == "" {
		t.Skip("make test-swarm runs this")
	}
	swarm := dhttest.Start(t, 5)
	dir := filepath.Join(t.TempDir(), "lake")
	var torrents []peertest.Torrent
	c := listening(t, dir, swarm, "127.74.3.1:0", 3*time.Minute, func(collector netip.AddrPort) {
		swarm.Meet(t, collector)
		torrents, _ = peertest.Libtorrent(t, dhttest.Python(t), t.TempDir(), strings.Join(append(swarm.Addrs()[:2], collector.String()), ","))
	}, "boon_resolve_resolved_total 4") // the hybrid one by both its hashes
	c.run(t, t.Context(), "etl", "--lake", dir)
	for _, want := range torrents {
		got, err := etl.FindTorrent(t.Context(), lake.NewFile(dir), fmt.Sprintf("%x", want.Infohash))
		if err != nil && want.Version == "hybrid" { // announced by both hashes, and not both heard in a short time
			got, err = etl.FindTorrent(t.Context(), lake.NewFile(dir), want.InfohashV2)
		}
		if err != nil {
			t.Errorf("%s: %v\n%s", want.Version, err, c.err.String())
			continue
		}
		files, told := map[string]int64{}, map[string]int64{}
		for _, f := range got.Files {
			if !strings.Contains(f.Attr, "p") {
				files[strings.Join(f.Path, "/")] = f.Length
			}
		}
		for _, f := range want.Files {
			if !f.Pad {
				told[strings.TrimPrefix(f.Path, want.Name+"/")] = f.Length
			}
		}
		if diff := cmp.Diff(told, files); diff != "" || got.Name != want.Name {
			t.Errorf("%s: %q, want %q; files (-want +got):\n%s", want.Version, got.Name, want.Name, diff)
		}
	}
}
