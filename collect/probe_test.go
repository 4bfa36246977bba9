package collect_test

import (
	"crypto/rand"
	"fmt"
	"maps"
	"net"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/anacrolix/dht/v2/krpc"
	"github.com/anacrolix/torrent/bencode"

	"github.com/boontorrent/boon/collect"
	"github.com/boontorrent/boon/internal/metrics/metricstest"
	"github.com/boontorrent/boon/internal/rawlog"
)

// witness is a DHT node that knows nobody and remembers what it is asked.
type witness struct {
	conn *net.UDPConn
	id   krpc.ID

	mu      sync.Mutex
	targets map[rawlog.ID]int // of lookups
}

func startWitness(t *testing.T) *witness {
	t.Helper()
	conn, err := net.ListenUDP("udp4", &net.UDPAddr{IP: net.IPv4(127, 0, 52, 1)})
	if err != nil {
		t.Fatal(err)
	}
	w := &witness{conn: conn, id: krpc.RandomNodeID(), targets: map[rawlog.ID]int{}}
	done := make(chan struct{})
	t.Cleanup(func() { conn.Close(); <-done })
	go func() {
		defer close(done)
		w.serve()
	}()
	return w
}

func (w *witness) serve() {
	buf := make([]byte, 4096)
	for {
		n, from, err := w.conn.ReadFromUDPAddrPort(buf)
		if err != nil {
			return
		}
		var m krpc.Msg
		if bencode.Unmarshal(buf[:n], &m) != nil || m.Y != "q" {
			continue
		}
		if m.Q == "find_node" && m.A.Target != m.A.ID { // the table's upkeep looks for ourselves
			w.mu.Lock()
			w.targets[rawlog.ID(m.A.Target)]++
			w.mu.Unlock()
		}
		reply := bencode.MustMarshal(krpc.Msg{T: m.T, Y: "r", R: &krpc.Return{ID: w.id}})
		_, _ = w.conn.WriteToUDPAddrPort(reply, from)
	}
}

func (w *witness) seen() map[rawlog.ID]int {
	w.mu.Lock()
	defer w.mu.Unlock()
	return maps.Clone(w.targets)
}

// drawn is randomness that remembers which ids were made of it.
type drawn struct {
	mu  sync.Mutex
	ids map[rawlog.ID]bool
}

func (d *drawn) Read(p []byte) (int, error) {
	n, err := rand.Read(p)
	if len(p) == len(rawlog.ID{}) {
		d.mu.Lock()
		defer d.mu.Unlock()
		d.ids[rawlog.ID(p)] = true
	}
	return n, err
}

// TestProbes makes a probe a second. Each one that a node of the network saw is
// in the log with that node, in the manner of every family in turn, and the log's
// sums close with them.
func TestProbes(t *testing.T) {
	t.Parallel()
	w, random := startWitness(t), &drawn{ids: map[rawlog.ID]bool{}}
	cfg, url := metered(collect.Config{Bootstrap: []string{w.conn.LocalAddr().String()}, Probes: collect.MaxProbes, Random: random})
	c := start(t, cfg)
	// The table's upkeep, too, looks for ids at random, but draws them itself.
	probes := func() map[rawlog.ID]int {
		random.mu.Lock()
		defer random.mu.Unlock()
		seen := w.seen()
		maps.DeleteFunc(seen, func(target rawlog.ID, _ int) bool { return !random.ids[target] })
		return seen
	}
	var ended map[rawlog.ID]int
	for began := time.Now(); ; time.Sleep(20 * time.Millisecond) {
		ended = probes()
		if len(ended) >= 5 && strings.Contains(metricstest.Get(t, url()), fmt.Sprintf("\nboon_logged_total %d\n", len(ended))) {
			break // none is under way
		}
		if time.Since(began) > time.Minute {
			t.Fatalf("%d probes reached the network", len(ended))
		}
	}
	sum := c.stop()
	got, seen := read(t, c.store), probes()
	families := map[string]int{}
	for _, ev := range got.probes {
		families[ev.Probe.Family]++
		q := ev.Probe.Queried
		if len(q) != 1 || q[0].ID != rawlog.ID(w.id) || !q[0].OK || seen[ev.Probe.Target] != 1 {
			t.Errorf("logged %+v; the node saw it %d times", ev.Probe, seen[ev.Probe.Target])
		}
		delete(ended, ev.Probe.Target)
	}
	if len(families) != 4 || len(ended) > 0 {
		t.Errorf("families %v; seen and not logged: %d", families, len(ended))
	}
	if int64(len(got.probes)) != sum.Logged || sum.Sent["find_node"] < sum.Logged {
		t.Errorf("%d probes in the log: %+v", len(got.probes), sum)
	}
}
