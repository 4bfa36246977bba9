package resolve_test

import (
	"context"
	"crypto/sha256"
	"encoding/base32"
	"errors"
	"fmt"
	"io"
	"net/netip"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
	"testing/iotest"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/prometheus/client_golang/prometheus"

	"github.com/boontorrent/boon/etl"
	"github.com/boontorrent/boon/internal/infodict"
	"github.com/boontorrent/boon/internal/lake"
	"github.com/boontorrent/boon/internal/metrics/metricstest"
	"github.com/boontorrent/boon/internal/peertest"
	"github.com/boontorrent/boon/internal/pseudonym"
	"github.com/boontorrent/boon/internal/rawlog"
	"github.com/boontorrent/boon/internal/rawlog/rawlogtest"
	"github.com/boontorrent/boon/resolve"
	"github.com/boontorrent/boon/resolve/fetch"
)

// quick is a fetcher that soon asks an address again, and another one.
var quick = fetch.Config{ConnectTimeout: 20 * time.Second, PeerTimeout: 20 * time.Second, AddressRest: time.Millisecond, Stagger: 20 * time.Millisecond, NoUTP: true}

// torrent is one that a client would load, of so many files.
func torrent(name string, files int) []byte {
	var b strings.Builder
	b.WriteString("d5:filesl")
	for i := range files {
		fmt.Fprintf(&b, "d6:lengthi%de4:pathl4:d%03dee", 1000+i, i)
	}
	total := files*1000 + files*(files-1)/2
	pieces := (total + 16383) / 16384
	fmt.Fprintf(&b, "e4:name%d:%s12:piece lengthi16384e6:pieces%d:%se", len(name), name, 20*pieces, strings.Repeat("p", 20*pieces))
	return []byte(b.String())
}

// resolved runs a resolver to its end and returns what it says and what the lake has.
func resolved(t *testing.T, ctx context.Context, cfg resolve.Config) (resolve.Summary, []resolve.Report) {
	t.Helper()
	if cfg.Spool == "" {
		cfg.Spool = filepath.Join(t.TempDir(), "spool")
	}
	var mu sync.Mutex
	var reports []resolve.Report
	cfg.Collector, cfg.Software, cfg.AllowLoopback = "resolver", "boon test", true
	if cfg.Fetch.PeerTimeout == 0 {
		cfg.Fetch = quick
	}
	cfg.Say = t.Logf
	cfg.Report = func(r resolve.Report) {
		mu.Lock()
		defer mu.Unlock()
		reports = append(reports, r)
	}
	sum, err := resolve.Run(ctx, cfg)
	if err != nil {
		t.Fatal(err)
	}
	slices.SortFunc(reports, func(a, b resolve.Report) int { return strings.Compare(a.Infohash, b.Infohash) })
	return sum, reports
}

func magnet(hash [20]byte, peers ...netip.AddrPort) string {
	link := fmt.Sprintf("magnet:?xt=urn:btih:%x&dn=whatever", hash)
	for _, p := range peers {
		link += "&x.pe=" + p.String()
	}
	return link
}

// A list that cannot be read on ends the run with the reason.
func TestListFails(t *testing.T) {
	gone := errors.New("the disk is gone")
	_, err := resolve.Run(t.Context(), resolve.Config{
		Store: lake.NewMemory(), Spool: filepath.Join(t.TempDir(), "spool"), Collector: "resolver", Software: "boon test", AllowLoopback: true,
		List: io.MultiReader(strings.NewReader(strings.Repeat("7", 40)+"\n"), iotest.ErrReader(gone)), Fetch: quick, Say: t.Logf, Report: func(resolve.Report) {},
	})
	if !errors.Is(err, gone) {
		t.Errorf("it ended with %v, want %v", err, gone)
	}
}

// TestList resolves a list: what is there is had, what is not has its reason, and
// what is excluded is never asked for.
func TestList(t *testing.T) {
	good, v2, secret, hidden := torrent("Good.Name.2020", 3), torrent("Other", 1), torrent("The Sécret Plans (2020)", 1), torrent("hidden", 1)
	broken := []byte("d6:lengthi5e4:name4:test12:piece lengthi16384ee") // no pieces: nobody could load it
	both := []byte("d9:file treed4:bothd0:d6:lengthi5e11:pieces root32:" + strings.Repeat("r", 32) +
		"eee6:lengthi5e12:meta versioni2e4:name4:both12:piece lengthi16384e6:pieces20:" + strings.Repeat("p", 20) + "e")
	peer := peertest.Start(t, peertest.Good(0, good, v2, secret, broken, both), peertest.Options{})
	never := peertest.Start(t, peertest.Good(0, hidden), peertest.Options{})
	liar := peertest.Start(t, func(c *peertest.Conn) { _ = c.ReadHandshake(); _ = c.SendHandshake([20]byte{1}); c.Wait() }, peertest.Options{})
	lost := [20]byte{9, 9}
	list := strings.Join([]string{
		"\ufeff# wanted",
		magnet(peertest.Hash(good), peer.Addr),
		"",
		strings.Replace(magnet(peertest.Hash(v2), peer.Addr), fmt.Sprintf("%x", peertest.Hash(v2)), base32.StdEncoding.EncodeToString(hashBytes(v2)), 1),
		magnet(peertest.Hash(secret), peer.Addr),
		magnet(peertest.Hash(broken), peer.Addr),
		magnet(peertest.Hash(both), peer.Addr), // excluded by its info-hash of version 2
		magnet(peertest.Hash(hidden), never.Addr),
		magnet([20]byte{7}, liar.Addr, netip.MustParseAddrPort("10.1.2.3:6881")),
		fmt.Sprintf("%X", lost),
		fmt.Sprintf("%x", lost),
		"no hash at all",
		strings.Repeat("x", 100_000),
	}, "\r\n")
	exclude, err := resolve.ReadExclusions(strings.NewReader(fmt.Sprintf("# not ours to keep\n%x\nsecret plans\n%x\n", peertest.Hash(hidden), sha256.Sum256(both))))
	if err != nil {
		t.Fatal(err)
	}
	store := lake.NewMemory()
	sum, reports := resolved(t, t.Context(), resolve.Config{Store: store, List: strings.NewReader(list), Exclude: exclude, KeepTorrents: true})

	state := map[string]string{}
	for _, r := range reports {
		state[r.Infohash] = strings.TrimSpace(r.State + " " + r.Reason)
	}
	want := map[string]string{
		hexOf(peertest.Hash(good)): "resolved", hexOf(peertest.Hash(v2)): "resolved", hexOf(peertest.Hash(secret)): "excluded",
		hexOf(peertest.Hash(broken)): "failed malformed", hexOf(peertest.Hash(hidden)): "excluded",
		hexOf(peertest.Hash(both)): "excluded",
		hexOf([20]byte{7}):         "failed bad_hash", hexOf(lost): "failed no_peers",
	}
	if diff := cmp.Diff(want, state); diff != "" {
		t.Errorf("reports (-want +got):\n%s", diff)
	}
	if sum.Resolved != 2 || sum.BadLines != 2 || sum.Excluded != 3 || sum.Spooled != 0 ||
		cmp.Diff(map[string]int64{"malformed": 1, "bad_hash": 1, "no_peers": 1}, sum.Failed) != "" {
		t.Errorf("%+v", sum)
	}
	if never.Connections.Load() > 0 {
		t.Error("the peer of an excluded info-hash was asked")
	}

	all := rawlogtest.Events(t, store)
	var ev *rawlog.ResolveEvent
	logged := map[string]int64{}
	for i := range all {
		switch e := &all[i]; e.Kind {
		case rawlog.Resolve:
			logged["resolve"]--
			if e.Resolve.Infohash == peertest.Hash(good) {
				ev = e.Resolve
			}
			if strings.Contains(e.Resolve.Name, "Plans") || e.Resolve.Name == "both" {
				t.Errorf("%s is excluded, and in the log", e.Resolve.Name)
			}
		case rawlog.ResolveFailed:
			logged["resolve_failed"]--
		case rawlog.Stats:
			for k, n := range e.Stats.Logged {
				logged[k] += n
			}
			if e.Stats.Received["excluded"] != e.Stats.Dropped["excluded"] {
				t.Errorf("sums of %+v do not close", e.Stats)
			}
		}
	}
	if logged["resolve"] != 0 || logged["resolve_failed"] != 0 {
		t.Errorf("stats events say %v more than there is", logged)
	}
	if ev == nil || ev.Name != "Good.Name.2020" || len(ev.Files) != 3 || ev.Files[2].Length != 1002 || ev.FoundBy != "list" || ev.Peers != 1 || ev.Seeders != -1 {
		t.Errorf("%+v", ev)
	}
	kept, _, err := lake.ReadAll(t.Context(), store, resolve.TorrentKey(peertest.Hash(good)), 1<<20)
	if err != nil {
		t.Fatal(err)
	}
	if got, err := infodict.FromTorrent(kept); err != nil || got.Infohash != peertest.Hash(good) {
		t.Errorf("the .torrent file: %v, %v", got, err)
	}
	for info := range store.List(t.Context(), "torrents/") {
		if strings.Contains(info.Key, hexOf(peertest.Hash(secret))) {
			t.Error("an excluded torrent is kept")
		}
	}
}

func hashBytes(info []byte) []byte { h := peertest.Hash(info); return h[:] }

func hexOf(h [20]byte) string { return fmt.Sprintf("%x", h) }

// TestKnownIsNotAskedForAgain runs the same list again: with the spool's memory,
// with the lake's tables alone, and with neither.
func TestKnownIsNotAskedForAgain(t *testing.T) {
	info := torrent("Once", 1)
	peer := peertest.Start(t, peertest.Good(0, info), peertest.Options{})
	list := magnet(peertest.Hash(info), peer.Addr) + "\n"
	store, spool := lake.NewMemory(), filepath.Join(t.TempDir(), "spool")
	for i, want := range []string{"resolved", "known", "known", "resolved"} {
		cfg := resolve.Config{Store: store, Spool: spool, List: strings.NewReader(list)}
		switch i {
		case 2:
			if _, err := etl.Run(t.Context(), store, etl.Options{NewKey: func() (pseudonym.Key, error) { return pseudonym.Key{1}, nil }, Now: time.Now}); err != nil {
				t.Fatal(err)
			}
			cfg.Spool = ""
		case 3:
			cfg.Store, cfg.Spool = lake.NewMemory(), ""
		}
		if _, reports := resolved(t, t.Context(), cfg); len(reports) != 1 || reports[0].State != want {
			t.Errorf("run %d: %+v, want %s", i, reports, want)
		}
	}
}

// heardLog writes a segment in which a torrent is asked for.
func heardLog(t *testing.T, store lake.Store, events ...rawlog.Event) {
	t.Helper()
	log := rawlog.NewLog(store, rawlog.Header{Collector: "fra1", Run: fmt.Sprint(time.Now().UnixNano()), Software: "test", Privacy: "plain"}, 0)
	for i := range events {
		if err := log.Append(t.Context(), &events[i]); err != nil {
			t.Fatal(err)
		}
	}
	if err := log.Close(t.Context()); err != nil {
		t.Fatal(err)
	}
}

func announce(info []byte, at netip.AddrPort, token rawlog.Tri) rawlog.Event {
	return rawlog.Event{Kind: rawlog.AnnouncePeer, T: time.Now().UnixMicro(), Query: rawlog.Query{
		Infohash: peertest.Hash(info), Addr: at.Addr(), Port: 1, AnnouncePort: at.Port(), ImpliedPort: rawlog.False, TokenValid: token,
	}}
}

// awaitResolved waits until a resolver says that it has resolved so many.
func awaitResolved(t *testing.T, ctx context.Context, gauges *resolve.Metrics, want float64) {
	t.Helper()
	metrics := prometheus.NewRegistry()
	metrics.MustRegister(gauges)
	for ; ctx.Err() == nil; time.Sleep(10 * time.Millisecond) {
		all, err := metrics.Gather()
		if err != nil {
			t.Fatal(err)
		}
		for _, m := range all {
			if m.GetName() == "boon_resolve_resolved_total" && m.GetMetric()[0].GetCounter().GetValue() >= want {
				return
			}
		}
	}
	t.Error("not resolved in time")
}

// TestLake reads what a collector heard: announcers with a good token are asked,
// others are not.
func TestLake(t *testing.T) {
	info, forged := torrent("Announced", 2), torrent("Forged", 2)
	peer := peertest.Start(t, peertest.Good(0, info, forged), peertest.Options{})
	victim := peertest.Start(t, peertest.Good(0, info, forged), peertest.Options{})
	store := lake.NewMemory()
	heardLog(t, store, announce(info, peer.Addr, rawlog.True), announce(forged, victim.Addr, rawlog.False))
	ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
	defer cancel()
	var gauges resolve.Metrics
	done := make(chan struct{})
	go func() {
		defer close(done)
		resolved(t, ctx, resolve.Config{Store: store, Lake: time.Hour, Gauges: &gauges})
	}()
	awaitResolved(t, ctx, &gauges, 1)
	time.Sleep(300 * time.Millisecond) // for a connection that must not be
	cancel()
	<-done
	var got []string
	for _, ev := range rawlogtest.Events(t, store) {
		if ev.Kind == rawlog.Resolve {
			got = append(got, ev.Resolve.Name+" by "+ev.Resolve.FoundBy)
		}
	}
	if diff := cmp.Diff([]string{"Announced by announce"}, got); diff != "" {
		t.Errorf("-want +got:\n%s", diff)
	}
	if victim.Connections.Load() > 0 {
		t.Error("an address that somebody wrote into a packet was connected to")
	}
}

// TestCrowdedAddress: who announces many torrents from one address does not hold
// up what is wanted less.
func TestCrowdedAddress(t *testing.T) {
	crowd, other := [][]byte{torrent("One", 1), torrent("Two", 1), torrent("Three", 1)}, torrent("Other", 1)
	seedbox := peertest.Start(t, peertest.Good(0, crowd...), peertest.Options{})
	peer := peertest.Start(t, peertest.Good(0, other), peertest.Options{})
	store := lake.NewMemory()
	heard := []rawlog.Event{announce(other, peer.Addr, rawlog.True)}
	for _, info := range crowd {
		heard = append(heard, announce(info, seedbox.Addr, rawlog.True), announce(info, netip.MustParseAddrPort("127.9.9.9:9"), rawlog.False))
	}
	heardLog(t, store, heard...)
	ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
	defer cancel()
	go func() {
		for ctx.Err() == nil && peer.Shaken.Load() == 0 {
			time.Sleep(10 * time.Millisecond)
		}
		cancel()
	}()
	slow := quick
	slow.AddressRest, slow.RestWait = time.Hour, time.Millisecond
	sum, _ := resolved(t, ctx, resolve.Config{Store: store, Lake: time.Hour, Concurrency: 1, Fetch: slow})
	if peer.Shaken.Load() == 0 || sum.Failed["timeout"] != 2 {
		t.Errorf("the other's peer was asked %d times, after %v", peer.Shaken.Load(), sum.Failed)
	}
}

// TestMetrics asks a resolver how it does while it runs.
func TestMetrics(t *testing.T) {
	info := torrent("Measured", 1)
	peer := peertest.Start(t, peertest.Good(0, info), peertest.Options{})
	store := lake.NewMemory()
	heardLog(t, store, announce(info, peer.Addr, rawlog.True))
	ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
	defer cancel()
	address := make(chan string, 1)
	done := make(chan error, 1)
	go func() {
		_, err := resolve.Run(ctx, resolve.Config{
			Store: store, Lake: time.Hour, Spool: filepath.Join(t.TempDir(), "spool"), Collector: "resolver", AllowLoopback: true, Fetch: quick,
			Metrics: "127.0.0.1:0",
			Say: func(format string, args ...any) {
				if line := fmt.Sprintf(format, args...); strings.HasPrefix(line, "metrics on ") {
					address <- strings.TrimPrefix(line, "metrics on ")
				}
			},
		})
		done <- err
	}()
	url := <-address
	want := []string{
		"boon_resolve_up 1", "boon_resolve_resolved_total 1", `boon_resolve_failed_total{reason="no_peers"} 0`, "boon_resolve_demand_resolved_share 1",
		"boon_resolve_in_flight 0", "boon_resolve_wanted 0", "boon_resolve_oldest_due_seconds 0", "boon_resolve_peers_total 1", "go_goroutines",
	}
	var missing []string
	for ctx.Err() == nil {
		page := metricstest.Get(t, url)
		missing = slices.DeleteFunc(slices.Clone(want), func(line string) bool { return strings.Contains(page, line) })
		if strings.Contains(page, peer.Addr.Addr().String()) {
			t.Error("a peer's address is among the metrics")
		}
		if len(missing) == 0 {
			break
		}
		time.Sleep(20 * time.Millisecond)
	}
	if len(missing) > 0 {
		t.Errorf("missing: %q", missing)
	}
	cancel()
	if err := <-done; err != nil {
		t.Error(err)
	}
}

// TestLakeResolvedByAnother: what another resolver has had of late is not asked for,
// though it is asked for in an earlier segment and no table has it yet.
func TestLakeResolvedByAnother(t *testing.T) {
	info, open := torrent("Had", 1), torrent("Not.Had", 1)
	peer := peertest.Start(t, peertest.Good(0, info, open), peertest.Options{})
	store := lake.NewMemory()
	had := announce(info, peer.Addr, rawlog.True)
	had.T -= 60e6
	heardLog(t, store, had, announce(open, peer.Addr, rawlog.True), rawlog.Event{Kind: rawlog.Resolve, T: time.Now().UnixMicro(), Resolve: &rawlog.ResolveEvent{
		Infohash: peertest.Hash(info), Name: "Had", PieceLength: 16384, Files: []rawlog.File{{Path: []string{"Had"}, Length: 1}}, Peers: 1, Seeders: -1, Leechers: -1, FoundBy: "announce",
	}})
	ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
	defer cancel()
	var gauges resolve.Metrics
	done := make(chan resolve.Summary)
	go func() {
		sum, _ := resolved(t, ctx, resolve.Config{Store: store, Lake: time.Hour, Gauges: &gauges})
		done <- sum
	}()
	awaitResolved(t, ctx, &gauges, 1)
	time.Sleep(500 * time.Millisecond) // for another connection, if there is to be one
	cancel()
	if sum := <-done; sum.Resolved != 1 || peer.Shaken.Load() != 1 || sum.Share != 1 {
		t.Errorf("%+v, and %d connections", sum, peer.Shaken.Load())
	}
}
