// Package utp dials connections of uTP, BitTorrent's transport over UDP
// (BEP 29).
//
// One Socket carries all connections. It takes none in, and sends nothing to an
// address that was not dialled: packets of strangers are dropped without an
// answer, so that it cannot be made to answer others' packets. It is made for
// asking a little and receiving more: what it sends is bounded to a few packets
// under way and has no congestion control of its own; towards the other side,
// who has, it acknowledges all that comes, selectively where packets are
// missing.
//
// Memory is bounded for each connection by the window that it advertises, and
// for all of a socket's by Most: over that, packets are dropped as a network
// would, and come again.
package utp

import (
	"context"
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"net"
	"net/netip"
	"sync"
	"sync/atomic"
	"syscall"
	"time"
)

// Most bounds what connections of a socket have received and nobody read yet.
const Most = 32 << 20

// Socket carries connections. Close it to end them.
type Socket struct {
	pc       *net.UDPConn
	start    time.Time // of the clock in packets
	buffered atomic.Int64
	reading  sync.WaitGroup

	mu    sync.Mutex
	conns map[key]*Conn // nil once closed
	rand  *rand.Rand
}

// key finds a packet's connection.
type key struct {
	from netip.AddrPort
	id   uint16
}

// New makes a socket of a UDP connection, which is the socket's from then on.
// The numbers of connections come from random.
func New(pc *net.UDPConn, random io.Reader) (*Socket, error) {
	var seed [32]byte
	if _, err := io.ReadFull(random, seed[:]); err != nil {
		return nil, fmt.Errorf("seed the numbers of uTP connections: %w", err)
	}
	s := &Socket{pc: pc, start: time.Now(), conns: make(map[key]*Conn), rand: rand.New(rand.NewChaCha8(seed))}
	s.reading.Go(s.read)
	return s, nil
}

// Close ends the socket and its connections.
func (s *Socket) Close() error {
	s.mu.Lock()
	conns := s.conns
	s.conns = nil
	s.mu.Unlock()
	for _, c := range conns {
		c.Close()
	}
	err := s.pc.Close()
	s.reading.Wait()
	return err
}

// read hands packets to their connections until the socket is closed.
func (s *Socket) read() {
	buf := make([]byte, 1<<16)
	for {
		n, from, err := s.pc.ReadFromUDPAddrPort(buf)
		if errors.Is(err, net.ErrClosed) {
			return
		}
		if err != nil {
			continue // what a send before caused; UDP goes on
		}
		p, ok := parse(buf[:n])
		if !ok {
			continue
		}
		from = netip.AddrPortFrom(from.Addr().Unmap(), from.Port())
		s.mu.Lock()
		c := s.conns[key{from, p.id}]
		s.mu.Unlock()
		if c != nil {
			c.receive(p)
		}
	}
}

// Dial connects to an address.
func (s *Socket) Dial(ctx context.Context, to netip.AddrPort) (*Conn, error) {
	c, err := s.add(netip.AddrPortFrom(to.Addr().Unmap(), to.Port()))
	if err != nil {
		return nil, err
	}
	c.mu.Lock()
	c.send(kindSyn, nil)
	c.mu.Unlock()
	select {
	case <-c.settled:
	case <-ctx.Done():
		c.Close()
		return nil, ctx.Err()
	}
	c.mu.Lock()
	err = c.err
	c.mu.Unlock()
	if err != nil {
		c.Close()
		return nil, err
	}
	return c, nil
}

// add makes a connection with a number that is free.
func (s *Socket) add(to netip.AddrPort) (*Conn, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.conns == nil {
		return nil, net.ErrClosed
	}
	c := newConn(s, to)
	for range 100 {
		c.id = uint16(s.rand.Uint32())
		if _, used := s.conns[key{to, c.id}]; !used {
			s.conns[key{to, c.id}] = c
			return c, nil
		}
	}
	return nil, fmt.Errorf("too many uTP connections to one address: %w", syscall.EADDRNOTAVAIL)
}

// forget drops a connection's number.
func (s *Socket) forget(c *Conn) {
	s.mu.Lock()
	defer s.mu.Unlock()
	delete(s.conns, key{c.to, c.id})
}

// now is the clock in packets: microseconds.
func (s *Socket) now() uint32 { return uint32(time.Since(s.start).Microseconds()) }
