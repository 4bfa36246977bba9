// Package peertest has BitTorrent peers on loopback for tests: good ones, that
// hand out info dictionaries, and hostile ones.
//
// A peer is a Behaviour: a function that has a connection and does what it
// likes with it. Good is one; hostile ones are written with the methods of Conn,
// which make it easy to send what no client would. Start serves a Behaviour on
// an address of its own, over TCP, uTP or both, in the clear or encrypted.
//
// Peers are written after the specifications (BEP 3, 9, 10, 11, MSE), not after
// the code that they test; uTP and encryption are anacrolix's.
package peertest

import (
	"context"
	"crypto/sha1"
	"crypto/sha256"
	"errors"
	"fmt"
	"net"
	"net/netip"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/anacrolix/torrent/mse"
)

// Behaviour is what a peer does with a connection. It ends when the connection
// does.
type Behaviour func(*Conn)

// Encryption says which handshakes a peer takes.
type Encryption uint8

// What a peer may take.
const (
	Either Encryption = iota
	Plain
	Encrypted
)

// Options say how a peer listens. The zero value is TCP, Either.
type Options struct {
	UTP, NoTCP bool
	Encryption Encryption
	Infohashes [][20]byte // that an encrypted handshake may be for
	Addr       netip.Addr // where to listen; a fresh loopback address if not valid
}

// Peer is one that listens.
type Peer struct {
	Addr        netip.AddrPort
	Connections atomic.Int64 // accepted, before any handshake
	Shaken      atomic.Int64 // handed to the Behaviour

	behave    Behaviour
	raw       func(net.Conn) // instead of it
	opts      Options
	listeners []net.Listener

	mu   sync.Mutex
	open map[net.Conn]struct{} // nil once ended
	all  sync.WaitGroup
}

var lastAddr atomic.Uint32

// FreshAddr returns a loopback address that no other call of the process gets.
func FreshAddr() netip.Addr {
	n := lastAddr.Add(1)
	return netip.AddrFrom4([4]byte{127, 32 + byte(n>>16), byte(n >> 8), byte(n)})
}

// Start serves a behaviour until the test ends.
func Start(t testing.TB, behave Behaviour, opts Options) *Peer {
	t.Helper()
	if !opts.Addr.IsValid() {
		opts.Addr = FreshAddr()
	}
	listeners, at, err := listen(opts)
	if err != nil {
		t.Fatalf("start a peer: %v", err)
	}
	p := Serve(behave, opts, listeners...)
	p.Addr = at
	t.Cleanup(p.Close)
	return p
}

// StartRaw serves connections over TCP as they come, until the test ends.
func StartRaw(t testing.TB, serve func(net.Conn)) netip.AddrPort {
	t.Helper()
	listeners, at, err := listen(Options{Addr: FreshAddr()})
	if err != nil {
		t.Fatalf("start a peer: %v", err)
	}
	p := &Peer{raw: serve, listeners: listeners, open: map[net.Conn]struct{}{}}
	p.all.Go(func() { p.accept(listeners[0]) })
	t.Cleanup(p.Close)
	return at
}

// Serve serves a behaviour on listeners, which are the peer's from then on,
// until Close.
func Serve(behave Behaviour, opts Options, on ...net.Listener) *Peer {
	p := &Peer{behave: behave, opts: opts, listeners: on, open: map[net.Conn]struct{}{}}
	for _, l := range on {
		p.all.Go(func() { p.accept(l) })
	}
	return p
}

// Close ends the peer and its connections.
func (p *Peer) Close() {
	for _, l := range p.listeners {
		l.Close()
	}
	p.end()
	p.all.Wait()
}

// listen opens TCP and uTP on the same port, as asked for.
func listen(opts Options) ([]net.Listener, netip.AddrPort, error) {
	var all []net.Listener
	at := netip.AddrPortFrom(opts.Addr, 0)
	for range 100 {
		if !opts.NoTCP {
			l, err := new(net.ListenConfig).Listen(context.Background(), "tcp", at.String())
			if err != nil {
				return nil, at, err
			}
			all = append(all, l)
			at = l.Addr().(*net.TCPAddr).AddrPort()
		}
		if !opts.UTP {
			return all, at, nil
		}
		l, err := listenUTP(at)
		if err == nil {
			return append(all, l), l.at, nil
		}
		for _, l := range all { // the port is free for TCP only
			l.Close()
		}
		all, at = nil, netip.AddrPortFrom(opts.Addr, 0)
	}
	return nil, at, errors.New("no port is free for both TCP and uTP")
}

func (p *Peer) accept(l net.Listener) {
	for {
		conn, err := l.Accept()
		if err != nil {
			return
		}
		p.Connections.Add(1)
		if !p.add(conn) {
			conn.Close()
			return
		}
		p.all.Go(func() {
			defer p.remove(conn)
			p.serve(conn)
		})
	}
}

func (p *Peer) add(conn net.Conn) bool {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.open == nil {
		return false
	}
	p.open[conn] = struct{}{}
	return true
}

func (p *Peer) remove(conn net.Conn) {
	conn.Close()
	p.mu.Lock()
	defer p.mu.Unlock()
	delete(p.open, conn)
}

func (p *Peer) end() {
	p.mu.Lock()
	defer p.mu.Unlock()
	for conn := range p.open {
		conn.Close()
	}
	p.open = nil
}

// patience bounds what a peer waits for.
const patience = 30 * time.Second

// serve finds out whether a handshake is encrypted, and hands over.
func (p *Peer) serve(conn net.Conn) {
	_ = conn.SetDeadline(time.Now().Add(patience))
	if p.raw != nil {
		p.raw(conn)
		return
	}
	c := newConn(conn)
	head, err := c.r.Peek(20)
	if err != nil {
		return
	}
	plain := string(head) == protocol
	if plain && p.opts.Encryption == Encrypted || !plain && p.opts.Encryption == Plain {
		return
	}
	if !plain {
		keys := func(try func([]byte) bool) {
			for _, h := range p.opts.Infohashes {
				if !try(h[:]) {
					return
				}
			}
		}
		rw, _, err := mse.ReceiveHandshake(context.Background(), stream{c.r, c.w}, keys, func(mse.CryptoMethod) mse.CryptoMethod { return mse.CryptoMethodRC4 })
		if err != nil {
			return
		}
		c.over(rw)
	}
	p.Shaken.Add(1)
	p.behave(c)
}

// Hash is the info-hash of an info dictionary of version 1.
func Hash(info []byte) [20]byte { return sha1.Sum(info) }

// HashV2 is the info-hash, cut, of an info dictionary of version 2.
func HashV2(info []byte) [20]byte {
	sum := sha256.Sum256(info)
	return [20]byte(sum[:20])
}

// Info makes an info dictionary of about that many bytes, each name another.
func Info(name string, size int) []byte {
	const hashed = 20
	pieces := max(1, (size-100-len(name))/hashed)
	info := fmt.Appendf(nil, "d6:lengthi%de4:name%d:%s12:piece lengthi16384e6:pieces%d:", pieces*16384, len(name), name, pieces*hashed)
	for i := range pieces {
		sum := sha1.Sum(fmt.Appendf(nil, "%s %d", name, i))
		info = append(info, sum[:]...)
	}
	return append(info, 'e')
}
