package fetch_test

import (
	"fmt"
	"net/netip"
	"os"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/boontorrent/boon/internal/dhttest"
	"github.com/boontorrent/boon/internal/infodict"
	"github.com/boontorrent/boon/internal/peertest"
	"github.com/boontorrent/boon/internal/rawlog"
	"github.com/boontorrent/boon/resolve/fetch"
)

// TestRealClients fetches from programs that people share with: what is read
// from it is what the client that made the torrent says is in it.
func TestRealClients(t *testing.T) {
	if os.Getenv("BOON_SWARM") == "" {
		t.Skip("make test-swarm runs this")
	}
	dir := t.TempDir()
	torrents, seeders := peertest.Libtorrent(t, dhttest.Python(t), dir, "")
	for _, torrent := range torrents {
		for _, s := range seeders {
			t.Run(fmt.Sprintf("libtorrent, %s, uTP %v, encrypted %v", torrent.Version, s.UTP, s.Encrypted), func(t *testing.T) {
				checkFetch(t, torrent, torrent.Infohash, s.Addr, s.UTP)
			})
		}
		if torrent.Version == "hybrid" {
			t.Run("libtorrent, hybrid by its other hash", func(t *testing.T) {
				hash, _ := rawlog.ParseID(torrent.InfohashV2[:40])
				checkFetch(t, torrent, hash, seeders[0].Addr, false)
			})
		}
		if torrent.Version != "v1" {
			continue // aria2 and transmission refuse what has a part of version 2
		}
		for _, encrypted := range []bool{false, true} {
			t.Run(fmt.Sprintf("aria2, %s, encrypted %v", torrent.Version, encrypted), func(t *testing.T) {
				checkFetch(t, torrent, torrent.Infohash, peertest.Aria2(t, torrent.File, dir, encrypted), false)
			})
			t.Run(fmt.Sprintf("transmission, %s, encrypted %v", torrent.Version, encrypted), func(t *testing.T) {
				at := peertest.Transmission(t, torrent.File, dir, encrypted)
				checkFetch(t, torrent, torrent.Infohash, at, false)
				checkFetch(t, torrent, torrent.Infohash, at, true)
			})
		}
	}
}

// checkFetch fetches a torrent from a client, and compares. A client that has
// just begun may not know its torrents yet.
func checkFetch(t *testing.T, torrent peertest.Torrent, hash [20]byte, from netip.AddrPort, utp bool) {
	t.Helper()
	f := newFetcher(t, fetch.Config{NoTCP: utp})
	res := among(t, f, hash, from)
	for tries := 1; res.Reason != fetch.OK && tries < 5; tries++ {
		res = among(t, f, hash, from)
	}
	if res.Reason != fetch.OK {
		t.Fatalf("uTP %v: %s, %+v", utp, res.Reason, res)
	}
	id := rawlog.ID(hash)
	ev, err := infodict.FromInfo(res.Info, &id)
	if err != nil {
		t.Fatal(err)
	}
	if ev.Name != torrent.Name || ev.InfohashV2 != torrent.InfohashV2 {
		t.Errorf("%q, %q; the client says %q, %q", ev.Name, ev.InfohashV2, torrent.Name, torrent.InfohashV2)
	}
	want, got := map[string]int64{}, map[string]int64{}
	for _, f := range torrent.Files {
		if !f.Pad {
			want[f.Path] = f.Length
		}
	}
	for _, f := range ev.Files {
		if !strings.Contains(f.Attr, "p") {
			got[torrent.Name+"/"+strings.Join(f.Path, "/")] = f.Length
		}
	}
	if diff := cmp.Diff(want, got); diff != "" || len(got) == 0 {
		t.Errorf("files: %s", diff)
	}
}
