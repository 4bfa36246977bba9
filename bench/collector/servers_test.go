package collector

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/netip"
	"os"
	"os/exec"
	"os/signal"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/anacrolix/dht/v2"
	peerstore "github.com/anacrolix/dht/v2/peer-store"
	"github.com/anacrolix/log"
	"golang.org/x/time/rate"

	"github.com/boontorrent/boon/collect"
	"github.com/boontorrent/boon/internal/dhttest"
	"github.com/boontorrent/boon/internal/lake"
	"github.com/boontorrent/boon/internal/rawlog"
)

// startSwarm gives the servers nodes to know and to hand out.
func startSwarm(t *testing.T) *dhttest.Swarm { return dhttest.Start(t, 24) }

// serve is the child's life: it prints its address and serves until SIGTERM.
func serve(what, dir string, bootstrap []string) error {
	ctx, stop := signal.NotifyContext(context.Background(), syscall.SIGTERM)
	defer stop()
	if what == "boon" {
		return serveBoon(ctx, dir, bootstrap)
	}
	return serveBare(ctx, bootstrap)
}

func serveBoon(ctx context.Context, dir string, bootstrap []string) error {
	store, err := lake.Open(filepath.Join(dir, "lake"))
	if err != nil {
		return err
	}
	_, err = collect.Run(ctx, collect.Config{
		Store: store, Spool: filepath.Join(dir, "spool"), Collector: "bench", Software: "boon bench", AllowLoopback: true,
		Listen: []netip.AddrPort{netip.MustParseAddrPort("127.0.0.1:0")}, Bootstrap: bootstrap,
		Limits: collect.Limits{All: -1, Address: 1e9, Network: 1e9},
		Ready:  func(at []netip.AddrPort) { fmt.Println(at[0]) },
	})
	return err
}

func serveBare(ctx context.Context, bootstrap []string) error {
	conn, err := net.ListenPacket("udp4", "127.0.0.1:0")
	if err != nil {
		return err
	}
	server, err := dht.NewServer(&dht.ServerConfig{
		Conn: conn, NoSecurity: true, SendLimiter: rate.NewLimiter(rate.Inf, 1), PeerStore: &peerstore.InMemory{},
		StartingNodes: func() ([]dht.Addr, error) { return dht.ResolveHostPorts(bootstrap) },
		Logger:        log.Default.FilterLevel(log.Disabled),
	})
	if err != nil {
		return err
	}
	go server.TableMaintainer()
	fmt.Println(conn.LocalAddr())
	<-ctx.Done()
	server.Close()
	return nil
}

// server is a child.
type server struct {
	cmd    *exec.Cmd
	at     netip.AddrPort
	dir    string
	before time.Duration // CPU time before the first query
	bytes  int64         // of the log
}

func launch(t *testing.T, what string, swarm *dhttest.Swarm) *server {
	t.Helper()
	s := &server{dir: t.TempDir()}
	s.cmd = exec.CommandContext(t.Context(), os.Args[0], append([]string{s.dir}, swarm.Addrs()...)...)
	s.cmd.Env = append(os.Environ(), serverVariable+"="+what)
	s.cmd.Stderr = os.Stderr
	out, err := s.cmd.StdoutPipe()
	if err == nil {
		err = s.cmd.Start()
	}
	if err != nil {
		t.Fatal(err)
	}
	line, err := bufio.NewReader(out).ReadString('\n')
	if err != nil {
		t.Fatalf("%s did not start: %v", what, err)
	}
	s.at = netip.MustParseAddrPort(strings.TrimSpace(line))
	time.Sleep(6 * time.Second) // until it knows the swarm
	s.before = s.cpu(t)
	return s
}

// end stops the child and returns the CPU time that the queries took, writing
// and uploading the log included, and how many are in the log.
func (s *server) end(t *testing.T) (time.Duration, int) {
	t.Helper()
	if err := s.cmd.Process.Signal(syscall.SIGTERM); err != nil {
		t.Fatal(err)
	}
	if err := s.cmd.Wait(); err != nil {
		t.Fatal(err)
	}
	p := s.cmd.ProcessState
	return p.UserTime() + p.SystemTime() - s.before, s.logged(t)
}

// cpu is the child's CPU time so far, from /proc: fields 14 and 15, in
// hundredths of a second.
func (s *server) cpu(t *testing.T) time.Duration {
	t.Helper()
	b, err := os.ReadFile(fmt.Sprintf("/proc/%d/stat", s.cmd.Process.Pid))
	if err != nil {
		t.Fatal(err)
	}
	fields := strings.Fields(string(b[strings.LastIndexByte(string(b), ')')+1:]))
	user, err1 := strconv.ParseInt(fields[11], 10, 64)
	system, err2 := strconv.ParseInt(fields[12], 10, 64)
	if err := errors.Join(err1, err2); err != nil {
		t.Fatal(err)
	}
	return time.Duration(user+system) * 10 * time.Millisecond
}

// memory is the most that the child had resident.
func (s *server) memory(t *testing.T) int64 {
	t.Helper()
	b, err := os.ReadFile(fmt.Sprintf("/proc/%d/status", s.cmd.Process.Pid))
	if err != nil {
		t.Fatal(err)
	}
	for line := range strings.Lines(string(b)) {
		if rest, ok := strings.CutPrefix(line, "VmHWM:"); ok {
			n, err := strconv.ParseInt(strings.Fields(rest)[0], 10, 64)
			if err != nil {
				t.Fatal(err)
			}
			return n << 10
		}
	}
	t.Fatal("no VmHWM")
	return 0
}

// logged counts the queries of the flood in the child's lake.
func (s *server) logged(t *testing.T) int {
	t.Helper()
	store := lake.NewFile(filepath.Join(s.dir, "lake"))
	n := 0
	for info, err := range store.List(t.Context(), lake.RawPrefix) {
		if err != nil {
			t.Fatal(err)
		}
		s.bytes += info.Size
		o, err := store.Open(t.Context(), info.Key)
		if err != nil {
			t.Fatal(err)
		}
		r, err := rawlog.NewReader(o)
		if err != nil {
			t.Fatal(err)
		}
		var ev rawlog.Event
		for err = r.Next(&ev); err == nil; err = r.Next(&ev) {
			if ev.Kind.IsQuery() && ev.Query.Addr.As4()[1] == loadNet {
				n++
			}
		}
		if !errors.Is(err, io.EOF) {
			t.Fatal(err)
		}
		r.Close()
		_ = o.Close()
	}
	return n
}
