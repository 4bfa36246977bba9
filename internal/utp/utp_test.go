package utp

import (
	"bytes"
	"context"
	"crypto/rand"
	"errors"
	"io"
	"math/big"
	"net"
	"net/netip"
	"os"
	"sync"
	"syscall"
	"testing"
	"time"

	other "github.com/anacrolix/utp"
)

func udp(t testing.TB) *net.UDPConn {
	t.Helper()
	pc, err := net.ListenUDP("udp4", &net.UDPAddr{IP: net.IPv4(127, 0, 0, 1)})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { pc.Close() })
	return pc
}

func newSocket(t testing.TB) *Socket {
	t.Helper()
	s, err := New(udp(t), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { s.Close() })
	return s
}

// serve accepts one connection at a time with another implementation.
func serve(t *testing.T, with func(net.Conn)) netip.AddrPort {
	t.Helper()
	pc := udp(t)
	s, err := other.NewSocketFromPacketConn(pc)
	if err != nil {
		t.Fatal(err)
	}
	var all sync.WaitGroup
	all.Go(func() {
		for {
			c, err := s.Accept()
			if err != nil {
				return
			}
			with(c)
			c.Close()
		}
	})
	t.Cleanup(func() {
		s.CloseNow()
		all.Wait()
	})
	return pc.LocalAddr().(*net.UDPAddr).AddrPort()
}

// relay passes packets between whoever comes first and to, but for those that
// drop says to lose, and every eleventh comes late.
func relay(t *testing.T, to netip.AddrPort, lose func(n int) bool) netip.AddrPort {
	t.Helper()
	pc := udp(t)
	var all sync.WaitGroup
	all.Go(func() {
		var client netip.AddrPort
		var held []byte
		var heldTo netip.AddrPort
		buf := make([]byte, 4096)
		for n := 1; ; n++ {
			size, from, err := pc.ReadFromUDPAddrPort(buf)
			if err != nil {
				return
			}
			target := client
			if from != to {
				client, target = from, to
			}
			switch {
			case lose(n):
			case n%11 == 0 && held == nil:
				held, heldTo = bytes.Clone(buf[:size]), target
			default:
				pc.WriteToUDPAddrPort(buf[:size], target)
				if held != nil {
					pc.WriteToUDPAddrPort(held, heldTo)
					held = nil
				}
			}
		}
	})
	t.Cleanup(func() {
		pc.Close()
		all.Wait()
	})
	return pc.LocalAddr().(*net.UDPAddr).AddrPort()
}

// echo answers a request of ten bytes with reply, until the client is done.
func echo(reply []byte) func(net.Conn) {
	return func(c net.Conn) {
		var head [10]byte
		if _, err := io.ReadFull(c, head[:]); err != nil {
			return
		}
		c.Write(append(head[:], reply...))
		io.Copy(io.Discard, c)
	}
}

func TestAgainstAnother(t *testing.T) {
	reply := make([]byte, 600_000) // more than a window
	rand.Read(reply)
	for name, lose := range map[string]func(int) bool{
		"all arrives":             func(int) bool { return false },
		"the first is lost":       func(n int) bool { return n == 1 },
		"the second is lost":      func(n int) bool { return n == 2 },
		"the third is lost":       func(n int) bool { return n == 3 },
		"one in thirteen is lost": func(n int) bool { return n%13 == 0 },
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			at := relay(t, serve(t, echo(reply)), lose)
			s := newSocket(t)
			ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
			defer cancel()
			c, err := s.Dial(ctx, at)
			if err != nil {
				t.Fatal(err)
			}
			defer c.Close()
			c.SetDeadline(time.Now().Add(time.Minute))
			for _, part := range []string{"hello", "world"} {
				if _, err := io.WriteString(c, part); err != nil {
					t.Fatal(err)
				}
			}
			got := make([]byte, 10+len(reply))
			if n, err := io.ReadFull(c, got); err != nil {
				t.Fatalf("after %d bytes: %v", n, err)
			}
			if string(got[:10]) != "helloworld" || !bytes.Equal(got[10:], reply) {
				t.Error("what came is not what was sent")
			}
			c.Close()
			if n := s.buffered.Load(); n != 0 || len(s.conns) != 0 {
				t.Errorf("%d bytes and %d connections are kept after the end", n, len(s.conns))
			}
		})
	}
}

func TestUpload(t *testing.T) {
	sent := make([]byte, 40_000) // as much as requests ever take
	rand.Read(sent)
	got := make(chan []byte, 1)
	at := serve(t, func(c net.Conn) {
		b := make([]byte, len(sent))
		io.ReadFull(c, b)
		got <- b
	})
	c, err := newSocket(t).Dial(t.Context(), relay(t, at, func(n int) bool { return n%17 == 0 }))
	if err != nil {
		t.Fatal(err)
	}
	c.SetDeadline(time.Now().Add(time.Minute))
	if n, err := c.Write(sent); n != len(sent) || err != nil {
		t.Fatalf("wrote %d: %v", n, err)
	}
	select {
	case b := <-got:
		if !bytes.Equal(b, sent) {
			t.Error("what came is not what was sent")
		}
	case <-time.After(time.Minute):
		t.Error("not all came")
	}
}

func TestNobodyThere(t *testing.T) {
	s := newSocket(t)
	silent := udp(t)
	ctx, cancel := context.WithTimeout(t.Context(), 50*time.Millisecond)
	defer cancel()
	if _, err := s.Dial(ctx, silent.LocalAddr().(*net.UDPAddr).AddrPort()); !errors.Is(err, context.DeadlineExceeded) {
		t.Errorf("a silent address: %v", err)
	}
	if len(s.conns) != 0 {
		t.Errorf("%d connections are kept", len(s.conns))
	}
}

// TestHostile answers with what no implementation sends.
func TestHostile(t *testing.T) {
	for name, c := range map[string]struct {
		answer func(p packet) [][]byte // to each packet
		dial   error
		read   error // nil: up to its end
	}{
		"a reset at once": {func(p packet) [][]byte { return [][]byte{answer(p, kindReset, 1, nil)} }, syscall.ECONNREFUSED, nil},
		"a reset later": {func(p packet) [][]byte {
			return [][]byte{answer(p, kindState, 100, nil), answer(p, kindReset, 100, nil)}
		}, nil, syscall.ECONNRESET},
		"an end that comes first": {func(p packet) [][]byte {
			return [][]byte{answer(p, kindState, 100, nil), answer(p, kindFin, 101, nil), answer(p, kindData, 100, []byte("x"))}
		}, nil, nil},
		"short packets and wrong versions": {func(p packet) [][]byte {
			good := answer(p, kindState, 100, nil)
			bad := bytes.Clone(good)
			bad[0] = kindState<<4 | 7
			cut := bytes.Clone(good)
			cut[1] = selective
			return [][]byte{{}, {1}, good[:19], bad, cut, append(cut, 0, 200), good, answer(p, kindFin, 100, nil)}
		}, nil, nil},
		"acknowledgements of what was not sent": {func(p packet) [][]byte {
			p.seq += 50
			return [][]byte{answer(p, kindState, 100, nil)}
		}, context.DeadlineExceeded, nil},
		"packets far ahead": {func(p packet) [][]byte {
			all := [][]byte{answer(p, kindState, 100, nil)}
			for i := range 2000 {
				all = append(all, answer(p, kindData, 101+uint16(i*30), make([]byte, 1000)))
			}
			return all
		}, nil, os.ErrDeadlineExceeded},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			s := newSocket(t)
			ctx, cancel := context.WithTimeout(t.Context(), patience(errors.Is(c.dial, context.DeadlineExceeded)))
			defer cancel()
			conn, err := s.Dial(ctx, script(t, c.answer))
			if !errors.Is(err, c.dial) && !errors.Is(err, syscall.ECONNRESET) { // a reset may come before Dial returns
				t.Fatalf("dial: %v, want %v", err, c.dial)
			}
			if err != nil {
				return
			}
			conn.SetDeadline(time.Now().Add(patience(errors.Is(c.read, os.ErrDeadlineExceeded))))
			if _, err := io.Copy(io.Discard, conn); !errors.Is(err, c.read) {
				t.Errorf("read: %v, want %v", err, c.read)
			}
			if n := s.buffered.Load(); n > window+maxPayload {
				t.Errorf("%d bytes are kept for one connection", n)
			}
			conn.Close()
			if n := s.buffered.Load(); n != 0 {
				t.Errorf("%d bytes are kept after the end", n)
			}
		})
	}
}

// patience is short where the test waits for it to end.
func patience(toEnd bool) time.Duration {
	if toEnd {
		return 200 * time.Millisecond
	}
	return time.Minute
}

// answer makes a packet that answers p.
func answer(p packet, kind byte, seq uint16, payload []byte) []byte {
	h := header{kind: kind, id: p.id, window: 1 << 20, seq: seq, ack: p.seq}
	return append(h.append(nil), payload...)
}

// script answers packets as told. It takes a SYN's number for the connection's.
func script(t *testing.T, with func(packet) [][]byte) netip.AddrPort {
	t.Helper()
	pc := udp(t)
	var all sync.WaitGroup
	all.Go(func() {
		buf := make([]byte, 4096)
		for {
			n, from, err := pc.ReadFromUDPAddrPort(buf)
			if err != nil {
				return
			}
			p, ok := parse(buf[:n])
			if !ok || p.kind != kindSyn {
				continue
			}
			for _, b := range with(p) {
				pc.WriteToUDPAddrPort(b, from)
			}
		}
	})
	t.Cleanup(func() {
		pc.Close()
		all.Wait()
	})
	return pc.LocalAddr().(*net.UDPAddr).AddrPort()
}

// TestStrangers: packets that belong to no connection are not answered.
func TestStrangers(t *testing.T) {
	s, stranger := newSocket(t), udp(t)
	n, _ := rand.Int(rand.Reader, big.NewInt(1<<16))
	for kind := range byte(5) {
		h := header{kind: kind, id: uint16(n.Int64()), seq: 1}
		stranger.WriteTo(h.append(nil), s.pc.LocalAddr())
	}
	stranger.SetReadDeadline(time.Now().Add(50 * time.Millisecond))
	if n, _, err := stranger.ReadFrom(make([]byte, 100)); err == nil {
		t.Errorf("a stranger got an answer of %d bytes", n)
	}
}

// FuzzPackets gives a connection any packets at all: it stays within its bounds.
func FuzzPackets(f *testing.F) {
	h := header{kind: kindState, window: 1000, seq: 100, ack: 1}
	f.Add(h.append(nil), []byte("hello"))
	h = header{kind: kindData, window: 1000, seq: 101, ack: 1, came: 5}
	f.Add(h.append(nil), []byte{0x21, 1, 0, 0})
	s := newSocket(f)
	to := s.pc.LocalAddr().(*net.UDPAddr).AddrPort()
	f.Fuzz(func(t *testing.T, a, b []byte) {
		c, err := s.add(to)
		if err != nil {
			t.Fatal(err)
		}
		c.mu.Lock()
		c.send(kindSyn, nil)
		c.mu.Unlock()
		c.receive(packet{kind: kindState, seq: 100, ack: 1, window: 1 << 20})
		for i := range 50 {
			for _, raw := range [][]byte{a, b} {
				if p, ok := parse(raw); ok {
					p.seq += uint16(i)
					c.receive(p)
				}
			}
		}
		c.mu.Lock()
		kept := len(c.in) + c.lateBytes
		if c.err == nil && (kept > window+maxPayload || len(c.late) > maxLate || c.under < 0 || int64(kept) > s.buffered.Load()) {
			t.Errorf("%d bytes, %d packets kept, %d under way, socket says %d", kept, len(c.late), c.under, s.buffered.Load())
		}
		c.mu.Unlock()
		c.Close()
		if n := s.buffered.Load(); n != 0 {
			t.Errorf("%d bytes are kept after the end", n)
		}
	})
}
