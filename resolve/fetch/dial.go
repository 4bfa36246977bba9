package fetch

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/netip"
	"syscall"
	"time"

	"github.com/boontorrent/boon/internal/utp"
)

// Stream is a connection. Its bytes are read and written by one goroutine, and
// any may close it.
type Stream interface {
	Read(b []byte) (int, error)
	Write(b []byte) (int, error)
	Close() error
	SetDeadline(t time.Time) error
}

// dialer opens connections.
type dialer struct {
	cfg      *Config
	tcp      net.Dialer
	utp, ut6 *utp.Socket // nil where the system has no such addresses
}

func (d *dialer) open(cfg *Config) error {
	d.cfg = cfg
	d.tcp.KeepAlive = -1 // a peer is given seconds
	d.tcp.SetMultipathTCP(false)
	if cfg.NoUTP || cfg.Dial != nil {
		return nil
	}
	var err4, err6 error
	d.utp, err4 = openUTP(cfg, "udp4")
	d.ut6, err6 = openUTP(cfg, "udp6")
	if err4 != nil && err6 != nil {
		return fmt.Errorf("open a socket for uTP: %w", errors.Join(err4, err6))
	}
	return nil
}

// receiveBuffer holds the packets of all uTP peers that answer at once.
const receiveBuffer = 4 << 20

func openUTP(cfg *Config, network string) (*utp.Socket, error) {
	pc, err := net.ListenUDP(network, nil)
	if err != nil {
		return nil, err
	}
	_ = pc.SetReadBuffer(receiveBuffer) // what the system allows of it; what does not fit comes again
	s, err := utp.New(pc, cfg.Random)
	if err != nil {
		pc.Close()
	}
	return s, err
}

func (d *dialer) close() error {
	var errs []error
	for _, s := range []*utp.Socket{d.utp, d.ut6} {
		if s != nil {
			errs = append(errs, s.Close())
		}
	}
	return errors.Join(errs...)
}

// connection is one that was opened, and over what.
type connection struct {
	stream Stream
	over   Transport
	err    error
}

// errNoTransport is for an address that cannot be reached over a transport.
var errNoTransport = errors.New("no such transport for this address")

// connect opens a connection: over TCP first, over uTP as well when TCP fails or
// has had its head start. failed is called when TCP fails.
func (d *dialer) connect(ctx context.Context, to netip.AddrPort, failed func()) connection {
	ctx, cancel := context.WithTimeout(ctx, d.cfg.ConnectTimeout)
	defer cancel()
	switch {
	case d.cfg.NoUTP:
		return d.over(ctx, TCP, to)
	case d.cfg.NoTCP:
		return d.over(ctx, UTP, to)
	}
	return d.race(ctx, cancel, to, failed)
}

func (d *dialer) race(ctx context.Context, cancel context.CancelFunc, to netip.AddrPort, failed func()) connection {
	came := make(chan connection, 2)
	go func() { came <- d.over(ctx, TCP, to) }()
	start := time.NewTimer(d.cfg.HeadStart)
	defer start.Stop()
	var first connection
	select {
	case first = <-came:
		if first.err == nil || ctx.Err() != nil {
			return first
		}
		failed()
		return either(first, d.over(ctx, UTP, to))
	case <-start.C:
	}
	go func() { came <- d.over(ctx, UTP, to) }()
	if first = <-came; first.err != nil {
		return either(first, <-came)
	}
	cancel()
	if late := <-came; late.err == nil {
		late.stream.Close()
	}
	return first
}

// either returns the second connection if it came about, as the first did not,
// or else TCP's failure, which says more.
func either(first, second connection) connection {
	if second.err == nil || first.over == UTP {
		return second
	}
	return first
}

// over opens a connection over one transport. Where our own system has no room
// for one, it waits for some.
func (d *dialer) over(ctx context.Context, over Transport, to netip.AddrPort) connection {
	for {
		stream, err := d.dial(ctx, over, to)
		if !noRoom(err) {
			return connection{stream, over, err}
		}
		select {
		case <-time.After(lull):
		case <-ctx.Done():
			return connection{nil, over, ctx.Err()}
		}
	}
}

// lull is how long to wait for room.
const lull = 50 * time.Millisecond

// noRoom reports whether an error is for want of descriptors, ports or buffers.
func noRoom(err error) bool {
	for _, want := range []error{syscall.EMFILE, syscall.ENFILE, syscall.ENOBUFS, syscall.EADDRNOTAVAIL} {
		if errors.Is(err, want) {
			return true
		}
	}
	return false
}

func (d *dialer) dial(ctx context.Context, over Transport, to netip.AddrPort) (Stream, error) {
	if d.cfg.Dial != nil {
		return d.cfg.Dial(ctx, over, to)
	}
	if over == TCP {
		return d.dialTCP(ctx, to)
	}
	s := d.ut6
	if to.Addr().Unmap().Is4() {
		s = d.utp
	}
	if s == nil {
		return nil, errNoTransport
	}
	return s.Dial(ctx, to)
}

// dialTCP opens a connection that is reset when it is closed: ended in the
// ordinary way, each would hold one of our ports for a minute longer.
func (d *dialer) dialTCP(ctx context.Context, to netip.AddrPort) (Stream, error) {
	c, err := d.tcp.DialTCP(ctx, "tcp", netip.AddrPort{}, to)
	if err != nil {
		return nil, err
	}
	if err := c.SetLinger(0); err != nil {
		c.Close()
		return nil, err
	}
	return c, nil
}
