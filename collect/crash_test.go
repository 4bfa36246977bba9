package collect_test

import (
	"bufio"
	"context"
	"encoding/binary"
	"fmt"
	"net/netip"
	"os"
	"os/exec"
	"os/signal"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/boontorrent/boon/collect"
	"github.com/boontorrent/boon/internal/lake"
)

// childDir, in the environment, makes the test binary a collector.
const childDir = "BOON_TEST_COLLECTOR_DIR"

func TestMain(m *testing.M) {
	if dir := os.Getenv(childDir); dir != "" {
		os.Exit(child(dir))
	}
	os.Exit(m.Run())
}

// child collects into dir until it is told to stop, or killed.
func child(dir string) int {
	ctx, stop := signal.NotifyContext(context.Background(), syscall.SIGTERM)
	defer stop()
	store, err := lake.Open(filepath.Join(dir, "lake"))
	if err == nil {
		_, err = collect.Run(ctx, collect.Config{
			Store: store, Spool: filepath.Join(dir, "spool"), Collector: "test", Software: "boon test", AllowLoopback: true,
			Listen: []netip.AddrPort{netip.MustParseAddrPort("127.0.0.1:0")}, Bootstrap: []string{"127.0.0.1:9"},
			Limits: collect.Limits{Address: 5000, Network: 5000},
			Say:    func(format string, args ...any) { fmt.Fprintf(os.Stderr, format+"\n", args...) },
			Ready:  func(at []netip.AddrPort) { fmt.Println(at[0]) },
		})
	}
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		return 1
	}
	return 0
}

// process is a collector in a process of its own.
type process struct {
	cmd *exec.Cmd
	at  netip.AddrPort
}

func spawn(t *testing.T, dir string) *process {
	t.Helper()
	cmd := exec.CommandContext(t.Context(), os.Args[0])
	cmd.Env = append(os.Environ(), childDir+"="+dir)
	cmd.Stderr = os.Stderr
	out, err := cmd.StdoutPipe()
	if err == nil {
		err = cmd.Start()
	}
	if err != nil {
		t.Fatal(err)
	}
	line, err := bufio.NewReader(out).ReadString('\n')
	if err != nil {
		t.Fatalf("the collector did not start: %v", err)
	}
	return &process{cmd, netip.MustParseAddrPort(strings.TrimSpace(line))}
}

// TestKillLosesAtMostASecond kills a collector under load again and again. What
// was answered a second before is in the log, once; nothing is there twice; the
// sums of every segment close. On a machine that lets processes wait, so long a
// wait is granted on top.
func TestKillLosesAtMostASecond(t *testing.T) {
	dir := t.TempDir()
	var sure, sent []uint64 // by the number in the info-hash
	next := uint64(1)
	for range 4 {
		p := spawn(t, dir)
		a := newAsker(t, p.at, "127.0.0.2:0")
		var at []time.Time
		first := next
		stalled := measureStalls(t)
		for began := time.Now(); time.Since(began) < 1700*time.Millisecond; next++ {
			a.send(numberedQuery(next))
			if a.raw() == nil {
				t.Fatalf("query %d got no answer", next)
			}
			at = append(at, time.Now())
			sent = append(sent, next)
			time.Sleep(500 * time.Microsecond)
		}
		if err := p.cmd.Process.Kill(); err != nil {
			t.Fatal(err)
		}
		killed := time.Now()
		_ = p.cmd.Wait()
		granted := time.Second + 3*stalled()
		for i, when := range at {
			if killed.Sub(when) > granted {
				sure = append(sure, first+uint64(i))
			}
		}
	}
	last := spawn(t, dir) // mends, uploads, and stops in order
	a := newAsker(t, last.at, "127.0.0.2:0")
	a.send(numberedQuery(next))
	a.raw()
	sure, sent = append(sure, next), append(sent, next)
	if err := last.cmd.Process.Signal(syscall.SIGTERM); err != nil {
		t.Fatal(err)
	}
	if err := last.cmd.Wait(); err != nil {
		t.Errorf("SIGTERM: %v", err)
	}
	checkNumbered(t, lake.NewFile(filepath.Join(dir, "lake")), sure, sent)
	left, err := filepath.Glob(filepath.Join(dir, "spool", "*.zst"))
	if open, _ := filepath.Glob(filepath.Join(dir, "spool", "*.open")); err != nil || len(left)+len(open) > 0 {
		t.Errorf("left in the spool: %v %v", left, open)
	}
}

// measureStalls watches how long the machine lets a process wait that has
// something to do, until the function that it returns is called.
func measureStalls(t *testing.T) func() time.Duration {
	t.Helper()
	stop, longest := make(chan struct{}), make(chan time.Duration)
	go func() {
		const step = 5 * time.Millisecond
		var most time.Duration
		for {
			before := time.Now()
			select {
			case <-stop:
				longest <- most
				return
			case <-time.After(step):
				most = max(most, time.Since(before)-step)
			}
		}
	}()
	return func() time.Duration {
		close(stop)
		return <-longest
	}
}

func numberedQuery(n uint64) string {
	h := make([]byte, 20)
	binary.BigEndian.PutUint64(h[12:], n)
	return "d1:ad2:id20:" + strings.Repeat("i", 20) + "9:info_hash20:" + string(h) + "e1:q9:get_peers1:t2:aa1:y1:qe"
}

// checkNumbered holds that the log has all of sure, once, and nothing but sent.
func checkNumbered(t *testing.T, store lake.Store, sure, sent []uint64) {
	t.Helper()
	all := read(t, store)
	found := map[uint64]int{}
	for _, ev := range all.events {
		found[binary.BigEndian.Uint64(ev.Query.Infohash[12:])]++
	}
	lost := 0
	for _, n := range sure {
		if found[n] != 1 {
			lost++
		}
	}
	if lost > 0 {
		t.Errorf("%d of %d queries that must be in the log once are not", lost, len(sure))
	}
	for _, n := range sent {
		if found[n] > 1 {
			t.Errorf("query %d is in the log %d times", n, found[n])
		}
		delete(found, n)
	}
	if len(found) > 0 {
		t.Errorf("%d queries in the log that nobody sent", len(found))
	}
}
