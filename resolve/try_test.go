package resolve

import (
	"net/netip"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/boontorrent/boon/internal/lake"
	"github.com/boontorrent/boon/internal/peertest"
	"github.com/boontorrent/boon/internal/rawlog"
	"github.com/boontorrent/boon/internal/spool"
	"github.com/boontorrent/boon/resolve/fetch"
)

// newTestResolver is one that does not run.
func newTestResolver(t *testing.T) *resolver {
	t.Helper()
	cfg := &Config{
		Store: lake.NewMemory(), Spool: filepath.Join(t.TempDir(), "spool"), Collector: "resolver", AllowLoopback: true, List: strings.NewReader(""),
		Fetch: fetch.Config{ConnectTimeout: 20 * time.Second, PeerTimeout: 20 * time.Second, NoUTP: true},
	}
	if err := cfg.check(); err != nil {
		t.Fatal(err)
	}
	s, err := spool.Open(cfg.Spool, 0)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(s.Close)
	r, err := newResolver(cfg, s)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = r.close() })
	return r
}

// TestExcludedIsCountedAtOnce: of what is excluded by its title a count is all there
// is; it is in the log before it is known not to be asked for again.
func TestExcludedIsCountedAtOnce(t *testing.T) {
	r := newTestResolver(t)
	for n := range uint64(3) {
		if err := r.writer.add(t.Context(), outcome{job: job{entry: entry{hash: numbered(n)}}, reason: excluded, excluded: true}); err != nil {
			t.Fatal(err)
		}
	}
	if err := r.writer.commit(); err != nil {
		t.Fatal(err)
	}
	names, err := r.spool.Names(spool.OpenSuffix)
	if err != nil || len(names) != 1 {
		t.Fatal(names, err)
	}
	in, err := os.Open(r.spool.Path(names[0]))
	if err != nil {
		t.Fatal(err)
	}
	defer in.Close()
	log, err := rawlog.NewReader(in)
	if err != nil {
		t.Fatal(err)
	}
	defer log.Close()
	var ev rawlog.Event
	if err := log.Next(&ev); err != nil || ev.Kind != rawlog.Stats || ev.Stats.Dropped[excluded] != 3 || ev.Stats.Received[excluded] != 3 {
		t.Errorf("%v: %+v", err, ev)
	}
}

// TestFinal: a dictionary that no client could use is not asked for again. What a
// peer says that breaks the protocol has the same name, and is no reason for that:
// anybody could keep a torrent from being resolved so.
func TestFinal(t *testing.T) {
	useless := []byte("d6:lengthi5e4:name4:test12:piece lengthi16384ee") // without pieces
	hostile := peertest.Start(t, peertest.Hostile(useless)["speaks another protocol"], peertest.Options{})
	good := peertest.Start(t, peertest.Good(0, useless), peertest.Options{})
	r := newTestResolver(t)
	for want, at := range map[bool]netip.AddrPort{true: good.Addr, false: hostile.Addr} {
		j := job{entry: entry{hash: rawlog.ID(peertest.Hash(useless)), source: fromList}, peers: []fetch.Peer{{Addr: at, Source: byList}}}
		if o, settled := r.try(t.Context(), j); !settled || o.reason != malformed || o.final != want {
			t.Errorf("settled %v, for the reason %q, final %v, want %v", settled, o.reason, o.final, want)
		}
	}
}
