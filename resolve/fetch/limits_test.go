package fetch_test

import (
	"bytes"
	"context"
	"io"
	"net"
	"net/netip"
	"sync"
	"sync/atomic"
	"syscall"
	"testing"
	"time"

	"github.com/boontorrent/boon/internal/peertest"
	"github.com/boontorrent/boon/resolve/fetch"
)

// silent is peers that say nothing.
func silent(t *testing.T, n int) []netip.AddrPort {
	var all []netip.AddrPort
	for range n {
		all = append(all, peertest.StartRaw(t, func(conn net.Conn) { io.Copy(io.Discard, conn) }))
	}
	return all
}

// dials opens connections over TCP, and keeps count.
type dials struct {
	mu        sync.Mutex
	now, most int
	began     []time.Time
}

func (d *dials) dial(ctx context.Context, _ fetch.Transport, to netip.AddrPort) (fetch.Stream, error) {
	d.mu.Lock()
	d.began = append(d.began, time.Now())
	d.now++
	d.most = max(d.most, d.now)
	d.mu.Unlock()
	conn, err := new(net.Dialer).DialContext(ctx, "tcp", to.String())
	if err != nil {
		d.end()
		return nil, err
	}
	return &dialled{Conn: conn, end: sync.OnceFunc(d.end)}, nil
}

func (d *dials) end() {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.now--
}

type dialled struct {
	net.Conn
	end func()
}

func (d *dialled) Close() error {
	d.end()
	return d.Conn.Close()
}

// TestPerHash: a hash has no more peers at once than it may, and all their turn.
func TestPerHash(t *testing.T) {
	var d dials
	f := newFetcher(t, fetch.Config{PerHash: 3, PeerTimeout: 100 * time.Millisecond, Stagger: time.Millisecond, NoUTP: true, Dial: d.dial})
	res := among(t, f, [20]byte{1}, silent(t, 12)...)
	if res.Tried != 12 || res.Failed[fetch.Timeout] != 12 || d.most > 3 || d.now != 0 {
		t.Errorf("%d at once, want 3; %d left; %+v", d.most, d.now, res)
	}
}

// TestMaxConns: all hashes together have no more than they may.
func TestMaxConns(t *testing.T) {
	var d dials
	f := newFetcher(t, fetch.Config{MaxConns: 4, PeerTimeout: 100 * time.Millisecond, AddressRest: time.Millisecond, NoUTP: true, Dial: d.dial})
	peers := silent(t, 12)
	var all sync.WaitGroup
	for i := range 6 {
		all.Go(func() {
			if res := among(t, f, [20]byte{byte(i)}, peers[2*i:2*i+2]...); res.Tried != 2 || res.Failed[fetch.Timeout] != 2 {
				t.Errorf("%+v", res)
			}
		})
	}
	all.Wait()
	if d.most > 4 || d.now != 0 {
		t.Errorf("%d at once, want 4; %d left", d.most, d.now)
	}
}

// TestAddressRests: two connections to an address are a second apart (here 300
// milliseconds), whether it is for the other handshake or for another hash.
func TestAddressRests(t *testing.T) {
	const rest = 300 * time.Millisecond
	var d dials
	start := time.Now()
	peer := peertest.StartRaw(t, func(net.Conn) {})
	f := newFetcher(t, fetch.Config{AddressRest: rest, NoUTP: true, Dial: d.dial})
	var all sync.WaitGroup
	for i := range 2 {
		all.Go(func() {
			if res := among(t, f, [20]byte{byte(i)}, peer); res.Reason != fetch.Refused {
				t.Errorf("%+v", res)
			}
		})
	}
	all.Wait()
	if len(d.began) != 4 {
		t.Fatalf("%d connections, want two handshakes for each of two hashes", len(d.began))
	}
	for i, began := range d.began { // one that began late says nothing of when it was let
		if after := began.Sub(start); after < time.Duration(i)*rest {
			t.Errorf("connection %d came after %v", i+1, after)
		}
	}
}

// TestTired: a hash whose only peer has an address that many ask does not wait
// for its turn for ever, unless it is to.
func TestTired(t *testing.T) {
	infos := [][]byte{peertest.Info("first", 500), peertest.Info("second", 500)}
	peer := peertest.Start(t, peertest.Good(0, infos...), peertest.Options{})
	f := newFetcher(t, fetch.Config{AddressRest: time.Hour, RestWait: 10 * time.Millisecond})
	if res := among(t, f, peertest.Hash(infos[0]), peer.Addr); res.Reason != fetch.OK {
		t.Fatalf("%+v", res)
	}
	if res := among(t, f, peertest.Hash(infos[1]), peer.Addr); res.Reason != fetch.Timeout || res.Peers != 1 || res.Tried != 0 || res.Skipped != 1 {
		t.Errorf("%+v", res)
	}
	f = newFetcher(t, fetch.Config{AddressRest: 100 * time.Millisecond, RestWait: time.Nanosecond})
	for _, info := range infos {
		peers := make(chan fetch.Peer, 1)
		peers <- fetch.Peer{Addr: peer.Addr}
		close(peers)
		if res := f.Fetch(t.Context(), fetch.Want{Infohash: peertest.Hash(info), Patient: true}, peers); !bytes.Equal(res.Info, info) {
			t.Errorf("a patient one: %+v", res)
		}
	}
}

// TestStop: a fetch ends when it is told to, whatever its peers do and whether
// or not more are to come.
func TestStop(t *testing.T) {
	f := newFetcher(t, fetch.Config{})
	ctx, cancel := context.WithCancel(t.Context())
	peers := make(chan fetch.Peer)
	addrs := silent(t, 4)
	go func() {
		for _, a := range addrs {
			peers <- fetch.Peer{Addr: a}
		}
		for f.Stats().Conns < 2 {
			time.Sleep(time.Millisecond)
		}
		cancel()
	}()
	if res := f.Fetch(ctx, fetch.Want{Infohash: [20]byte{1}}, peers); res.Reason != fetch.Stopped || res.Info != nil {
		t.Errorf("%+v", res)
	}
	if s := f.Stats(); s.Conns != 0 || s.Hashes != 0 || s.Failed[fetch.Stopped] != 1 {
		t.Errorf("%+v", s)
	}
}

// TestNoPeers: nobody to ask is a reason of its own.
func TestNoPeers(t *testing.T) {
	f := newFetcher(t, fetch.Config{})
	if res := among(t, f, [20]byte{1}); res.Reason != fetch.NoPeers || res.Peers != 0 {
		t.Errorf("%+v", res)
	}
}

// TestLatePeers: peers may come one by one, and again.
func TestLatePeers(t *testing.T) {
	info := peertest.Info("wanted", 500)
	good := peertest.Start(t, peertest.Good(0, info), peertest.Options{})
	bad := peertest.Start(t, peertest.Good(0), peertest.Options{})
	f := newFetcher(t, fetch.Config{AddressRest: time.Millisecond, NoUTP: true})
	peers := make(chan fetch.Peer)
	go func() {
		for range 3 {
			peers <- fetch.Peer{Addr: bad.Addr}
			time.Sleep(10 * time.Millisecond)
		}
		peers <- fetch.Peer{Addr: good.Addr, Source: "late"}
	}()
	res := f.Fetch(t.Context(), fetch.Want{Infohash: peertest.Hash(info)}, peers)
	if !bytes.Equal(res.Info, info) || res.Source != "late" || res.Peers != 2 || res.Tried != 2 {
		t.Errorf("%+v", res)
	}
}

// TestNoRoom: a shortage of our own is waited out, and no peer is blamed for it.
func TestNoRoom(t *testing.T) {
	info := peertest.Info("wanted", 500)
	good := peertest.Start(t, peertest.Good(0, info), peertest.Options{})
	var tries atomic.Int64
	f := newFetcher(t, fetch.Config{NoUTP: true, Dial: func(ctx context.Context, _ fetch.Transport, to netip.AddrPort) (fetch.Stream, error) {
		if tries.Add(1) < 3 {
			return nil, &net.OpError{Op: "dial", Err: syscall.EMFILE}
		}
		return new(net.Dialer).DialContext(ctx, "tcp", to.String())
	}})
	if res := among(t, f, peertest.Hash(info), good.Addr); !bytes.Equal(res.Info, info) || tries.Load() != 3 {
		t.Errorf("after %d tries: %+v", tries.Load(), res)
	}
}

// TestRace: a peer that TCP does not reach is reached over uTP.
func TestRace(t *testing.T) {
	info := peertest.Info("wanted", 500)
	for name, tcp := range map[string]func(context.Context) error{
		"TCP is refused": func(context.Context) error { return syscall.ECONNREFUSED },
		"TCP is silent": func(ctx context.Context) error {
			<-ctx.Done()
			return ctx.Err()
		},
	} {
		good := peertest.Start(t, peertest.Good(0, info), peertest.Options{})
		f := newFetcher(t, fetch.Config{HeadStart: time.Millisecond, Dial: func(ctx context.Context, over fetch.Transport, to netip.AddrPort) (fetch.Stream, error) {
			if over == fetch.TCP {
				return nil, tcp(ctx)
			}
			return new(net.Dialer).DialContext(ctx, "tcp", to.String())
		}})
		if res := among(t, f, peertest.Hash(info), good.Addr); !bytes.Equal(res.Info, info) {
			t.Errorf("%s: %+v", name, res)
		}
	}
}

func TestConfig(t *testing.T) {
	for name, cfg := range map[string]fetch.Config{
		"a negative time":           {PeerTimeout: -1},
		"no peers":                  {PerHash: -1},
		"more than can be read":     {MaxInfo: 65 << 20, MaxMemory: 1 << 30},
		"less memory than one asks": {MaxMemory: 5 << 20},
		"no transport":              {NoTCP: true, NoUTP: true},
		"an unknown policy":         {Encryption: 9},
	} {
		if _, err := fetch.New(cfg); err == nil {
			t.Errorf("%s is taken", name)
		}
	}
}
