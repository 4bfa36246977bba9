package etl

import (
	"encoding/binary"
	"math/rand/v2"
	"net/netip"
	"runtime"
	"runtime/debug"
	"testing"
	"time"

	"github.com/boontorrent/boon/internal/lake"
	"github.com/boontorrent/boon/internal/pseudonym"
	"github.com/boontorrent/boon/internal/rawlog"
)

// crowd writes a day of n queries by about a quarter as many askers.
func crowd(t *testing.T, day lake.Day, n int) lake.Store {
	t.Helper()
	store := lake.NewFile(t.TempDir())
	l := rawlog.NewLog(store, rawlog.Header{Collector: "c1", Run: "r"}, 0)
	r := rand.New(rand.NewPCG(1, uint64(n)))
	ev := rawlog.Event{Kind: rawlog.GetPeers}
	ev.Query.HasTheirID = true
	for i := range n {
		ev.T, ev.N = day.Start()+int64(i)*lake.MicrosPerDay/int64(n), 0
		q := &ev.Query
		q.Addr = netip.AddrFrom4([4]byte(binary.BigEndian.AppendUint32(nil, 0x05000000+mul(r.Uint32N(uint32(n)/4)))))
		binary.BigEndian.PutUint64(q.Infohash[:], r.Uint64N(uint64(n)))
		binary.BigEndian.PutUint64(q.TheirID[4:], r.Uint64())
		if err := l.Append(t.Context(), &ev); err != nil {
			t.Fatal(err)
		}
	}
	if err := l.Close(t.Context()); err != nil {
		t.Fatal(err)
	}
	return store
}

// mul spreads addresses over networks.
func mul(x uint32) uint32 { return x * 2654435761 & 0x00ffffff }

// The memory that a day's queries take does not grow with the day, under a
// memory limit that they keep. Row groups and buffers are small here, so that a
// small day fills them often. What grows is where temporary files have what, a
// fortieth of it as these are; the rows themselves would be three quarters more.
func TestMemoryDoesNotGrowWithTheDay(t *testing.T) {
	day := lake.Day(20000)
	defer debug.SetMemoryLimit(debug.SetMemoryLimit(256 << 20)) // as GOMEMLIMIT does
	peak := func(n int) uint64 {
		store := crowd(t, day, n)
		runtime.GC()
		var before, now runtime.MemStats
		runtime.ReadMemStats(&before)
		most := uint64(0)
		opts := Options{
			Workers: 2, TempDir: t.TempDir(), SectionBytes: 512 << 10, groupRows: 4 << 10, rowChunk: 256, Now: time.Now,
			NewKey: func() (pseudonym.Key, error) { return pseudonym.Key{1}, nil },
			Progress: func(Progress) {
				runtime.GC()
				runtime.ReadMemStats(&now)
				most = max(most, now.HeapAlloc-min(now.HeapAlloc, before.HeapAlloc))
			},
		}
		report, err := Run(t.Context(), store, opts)
		if err != nil || report.Days[0].Err != nil || report.Days[0].Rows["queries"] != int64(n) {
			t.Fatalf("%v, %+v", err, report)
		}
		return most
	}
	small, large := peak(25_000), peak(200_000)
	t.Logf("%d KiB for 25,000 queries, %d KiB for 200,000", small>>10, large>>10)
	if large > small+small/2 {
		t.Errorf("%d KiB for 25,000 queries, but %d KiB for 200,000", small>>10, large>>10)
	}
}
