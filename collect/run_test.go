package collect_test

import (
	"bytes"
	"context"
	"net"
	"net/netip"
	"path/filepath"
	"slices"
	"sync/atomic"
	"testing"
	"time"

	"github.com/anacrolix/dht/v2/krpc"
	"github.com/anacrolix/torrent/bencode"

	"github.com/boontorrent/boon/collect"
	"github.com/boontorrent/boon/internal/lake"
	"github.com/boontorrent/boon/internal/rawlog"
	"github.com/boontorrent/boon/internal/rawlog/rawlogtest"
)

// running is a collector on loopback.
type running struct {
	at    netip.AddrPort   // the first
	all   []netip.AddrPort // that it listens on
	store lake.Store
	cfg   collect.Config
	stop  func() collect.Summary
}

// start runs a collector with a lake in memory. Its name of the network is
// 127.0.0.1, and there is nobody to bootstrap from unless cfg says so.
func start(t testing.TB, cfg collect.Config) *running {
	t.Helper()
	if cfg.Store == nil {
		cfg.Store = lake.NewMemory()
	}
	if cfg.Spool == "" {
		cfg.Spool = filepath.Join(t.TempDir(), "spool")
	}
	if cfg.Listen == nil {
		cfg.Listen = []netip.AddrPort{netip.MustParseAddrPort("127.0.0.1:0")}
	}
	if cfg.Bootstrap == nil {
		cfg.Bootstrap = []string{"127.0.0.1:9"}
	}
	cfg.Collector, cfg.Software, cfg.AllowLoopback = "test", "boon test", true
	cfg.Now = quietClock()
	ready := make(chan []netip.AddrPort, 1)
	cfg.Ready = func(at []netip.AddrPort) { ready <- at }
	ctx, cancel := context.WithCancel(context.Background())
	type result struct {
		sum collect.Summary
		err error
	}
	done := make(chan result, 1)
	go func() {
		sum, err := collect.Run(ctx, cfg)
		done <- result{sum, err}
	}()
	r := &running{store: cfg.Store, cfg: cfg}
	var stopped atomic.Bool
	r.stop = func() collect.Summary {
		stopped.Store(true)
		cancel()
		res := <-done
		if res.err != nil {
			t.Errorf("the collector ended with: %v", res.err)
		}
		return res.sum
	}
	t.Cleanup(func() {
		if !stopped.Load() {
			r.stop()
		}
	})
	select {
	case r.all = <-ready:
		r.at = r.all[0]
	case res := <-done:
		stopped.Store(true)
		t.Fatalf("the collector did not start: %v", res.err)
	}
	return r
}

var clocks atomic.Int64

// quietClock begins a second after a full ten minutes, later than the last one did,
// so that neither a minute nor a day ends while a test asks.
func quietClock() func() time.Time {
	began := time.Now()
	base := time.Date(2026, 11, 22, 0, 10*int(clocks.Add(1)), 1, 0, time.UTC)
	return func() time.Time { return base.Add(time.Since(began)) }
}

// asker is a socket that sends raw packets.
type asker struct {
	t    testing.TB
	conn *net.UDPConn
	id   [20]byte
	wait time.Duration // for an answer
}

func newAsker(t testing.TB, to netip.AddrPort, from string) *asker {
	t.Helper()
	local := net.UDPAddrFromAddrPort(netip.MustParseAddrPort(from))
	conn, err := net.DialUDP("udp", local, net.UDPAddrFromAddrPort(to))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { conn.Close() })
	a := &asker{t: t, conn: conn, wait: 10 * time.Second}
	copy(a.id[:], "asker-"+from+"----------------")
	return a
}

func (a *asker) send(packet string) {
	a.t.Helper()
	if _, err := a.conn.Write([]byte(packet)); err != nil {
		a.t.Fatal(err)
	}
}

// raw waits for an answer; nil where none comes. Queries that the collector
// sends to get to know us are passed over.
func (a *asker) raw() []byte {
	buf := make([]byte, 4096)
	_ = a.conn.SetReadDeadline(time.Now().Add(a.wait))
	for {
		n, err := a.conn.Read(buf)
		if err != nil {
			return nil
		}
		if !bytes.HasSuffix(buf[:n], []byte("1:y1:qe")) {
			return buf[:n]
		}
	}
}

// ask sends a query and reads its answer with another implementation.
func (a *asker) ask(method string, args krpc.MsgArgs) (krpc.Msg, int) {
	a.t.Helper()
	args.ID = a.id
	b := bencode.MustMarshal(krpc.Msg{T: "aa", Y: "q", Q: method, A: &args})
	a.send(string(b))
	answer := a.raw()
	if answer == nil {
		a.t.Fatalf("%s got no answer", method)
	}
	var m krpc.Msg
	if err := bencode.Unmarshal(answer, &m); err != nil {
		a.t.Fatalf("the answer to %s is no message: %v: %q", method, err, answer)
	}
	if m.T != "aa" {
		a.t.Errorf("the answer to %s has t %q", method, m.T)
	}
	return m, len(answer)
}

// recorded is what a lake holds.
type recorded struct {
	events    []rawlog.Event // queries
	probes    []rawlog.Event
	stats     []rawlog.StatsEvent
	summaries []rawlog.Summary
	keys      []string
	numbers   map[string][]int64 // of records, by run
}

// read reads all segments, and holds what must be true of any: each is sealed
// and whole, its sums close, and the records of a run are numbered from 1
// without gap or repetition.
func read(t testing.TB, store lake.Store) recorded {
	t.Helper()
	all := recorded{numbers: map[string][]int64{}}
	for _, segment := range rawlogtest.Lake(t, store) {
		all.keys = append(all.keys, segment.Name)
		all.add(t, segment)
	}
	for run, numbers := range all.numbers {
		slices.Sort(numbers)
		for i, n := range numbers {
			if n != int64(i)+1 {
				t.Errorf("run %s: record %d of %d has the number %d", run, i+1, len(numbers), n)
				break
			}
		}
	}
	return all
}

func (all *recorded) add(t testing.TB, segment *rawlogtest.Segment) {
	t.Helper()
	all.summaries = append(all.summaries, segment.Summary)
	key, logged, said, received, dropped := segment.Name, int64(0), int64(0), int64(0), int64(0)
	for _, ev := range segment.Events {
		all.numbers[segment.Header.Run] = append(all.numbers[segment.Header.Run], ev.N)
		switch ev.Kind {
		case rawlog.Stats:
			all.stats = append(all.stats, *ev.Stats)
			said += sum(ev.Stats.Logged)
			received += sum(ev.Stats.Received)
			dropped += sum(ev.Stats.Dropped)
			continue
		case rawlog.Probe:
			all.probes = append(all.probes, ev)
		default:
			all.events = append(all.events, ev)
		}
		logged++
	}
	if said != logged {
		t.Errorf("%s holds %d events, and its stats events say %d", key, logged, said)
	}
	if received != logged+dropped {
		t.Errorf("%s: received %d is not logged %d + dropped %d", key, received, logged, dropped)
	}
}

func sum(counts map[string]int64) int64 {
	var n int64
	for _, v := range counts {
		n += v
	}
	return n
}
