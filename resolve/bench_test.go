package resolve_test

import (
	"fmt"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/boontorrent/boon/internal/lake"
	"github.com/boontorrent/boon/internal/peertest"
	"github.com/boontorrent/boon/resolve"
)

// BenchmarkList is the whole way of a torrent, from a line of a list to a synced
// segment, with peers that answer after 50 ms in the same process.
func BenchmarkList(b *testing.B) {
	const torrents = 2000
	var infos [][]byte
	for i := range torrents {
		infos = append(infos, torrent(fmt.Sprintf("Torrent %d", i), 1+i%5))
	}
	peers := make([]*peertest.Peer, 200)
	for i := range peers {
		peers[i] = peertest.Start(b, peertest.Good(50*time.Millisecond, infos...), peertest.Options{})
	}
	var list strings.Builder
	for i, info := range infos {
		list.WriteString(magnet(peertest.Hash(info), peers[i%len(peers)].Addr) + "\n")
	}
	for b.Loop() {
		before, began := cpu(b), time.Now()
		sum, err := resolve.Run(b.Context(), resolve.Config{
			Store: lake.NewMemory(), Spool: b.TempDir(), Collector: "resolver", AllowLoopback: true, Fetch: quick, List: strings.NewReader(list.String()),
		})
		if err != nil || sum.Resolved != torrents {
			b.Fatalf("%+v, %v", sum, err)
		}
		b.ReportMetric(torrents/time.Since(began).Seconds(), "torrents/s")
		b.ReportMetric((cpu(b)-before).Seconds()*1e6/torrents, "cpu-µs/torrent")
	}
}

func cpu(b *testing.B) time.Duration {
	var u syscall.Rusage
	if err := syscall.Getrusage(syscall.RUSAGE_SELF, &u); err != nil {
		b.Fatal(err)
	}
	return time.Duration(u.Utime.Nano() + u.Stime.Nano())
}
