package resolve_test

import (
	"context"
	"fmt"
	"net/netip"
	"strings"
	"testing"
	"time"

	"github.com/boontorrent/boon/internal/dhttest"
	"github.com/boontorrent/boon/internal/lake"
	"github.com/boontorrent/boon/internal/peertest"
	"github.com/boontorrent/boon/resolve"
)

// TestLookup finds peers in a DHT of eight nodes of another make.
func TestLookup(t *testing.T) {
	swarm := dhttest.Start(t, 8)
	info := torrent("Looked.Up", 2)
	peer := peertest.Start(t, peertest.Good(0, info), peertest.Options{})
	swarm.Announce(t, peertest.Hash(info), peer.Addr)

	ctx, cancel := context.WithTimeout(t.Context(), 60*time.Second)
	defer cancel()
	list := fmt.Sprintf("%x\n%x\n", peertest.Hash(info), [20]byte{1, 2, 3})
	sum, reports := resolved(t, ctx, resolve.Config{
		Store: lake.NewMemory(), List: strings.NewReader(list), Bootstrap: swarm.Addrs()[:2],
		Listen: []netip.AddrPort{netip.MustParseAddrPort("127.73.1.1:0")},
	})
	if len(reports) != 2 || reports[0].Reason != "no_peers" || reports[1].State != "resolved" || reports[1].FoundBy != "lookup" || reports[1].Name != "Looked.Up" {
		t.Errorf("%+v, %+v", sum, reports)
	}
}
