package collect

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/netip"
	"sync/atomic"
	"time"

	"github.com/anacrolix/dht/v2"
	"golang.org/x/sync/errgroup"

	"github.com/boontorrent/boon/internal/rawlog"
)

const (
	drainEvery    = 50 * time.Millisecond
	refreshEvery  = 5 * time.Second // the snapshot of the routing table
	syncEvery     = 4 * time.Second // to disk, so that a power cut loses five seconds
	lastUpload    = 20 * time.Second
	receiveBuffer = 8 << 20 // asked of the kernel for each socket
)

// collector is a run of a collector.
type collector struct {
	cfg      Config
	spool    *spool
	clock    *clock
	ids      identities
	nodes    []*node
	queue    *queue
	journal  *journal
	uploader *uploader
	peers    *peerStore
	guard    *guard
	tables   atomic.Pointer[tables]
	full     atomic.Bool
}

// clock gives µs since 1970 that never run backwards: the wall clock as it was
// at the start, and the time passed since.
type clock struct {
	now   func() time.Time
	start time.Time
	base  int64
}

func newClock(now func() time.Time) *clock {
	t := now()
	return &clock{now: now, start: t, base: t.UnixMicro()}
}

func (c *clock) micros() int64 { return c.base + c.now().Sub(c.start).Microseconds() }

// drift is how far the wall clock was set away from ours.
func (c *clock) drift() time.Duration {
	return time.Duration(c.now().UnixMicro()-c.micros()) * time.Microsecond
}

func newCollector(cfg Config, s *spool) (*collector, error) {
	ids, err := s.identities()
	if err != nil {
		return nil, err
	}
	run, err := runName(cfg.Random, cfg.Now())
	if err != nil {
		return nil, err
	}
	c := &collector{
		cfg: cfg, spool: s, ids: ids, clock: newClock(cfg.Now), queue: newQueue(), peers: newPeerStore(),
		guard: newGuard(cfg.Limits, cfg.AllowLoopback),
	}
	c.tables.Store(&tables{})
	c.uploader = &uploader{spool: s, store: cfg.Store, wake: make(chan struct{}, 1), say: cfg.Say, wait: cfg.UploadWait}
	header := rawlog.Header{Collector: cfg.Collector, Run: run, Software: cfg.Software, Privacy: "plain"}
	c.journal = newJournal(s, header, len(cfg.Listen), &c.full, c.uploader.notify)
	if cfg.Live != nil {
		c.journal.live = newLive(cfg.Collector, cfg.Live, cfg.Geo)
	}
	for i, at := range cfg.Listen {
		n, err := c.newNode(i, at)
		if err != nil {
			c.closeSockets()
			return nil, err
		}
		c.nodes = append(c.nodes, n)
	}
	if err := s.keep(c.ids); err != nil {
		c.closeSockets()
		return nil, err
	}
	return c, nil
}

// newNode opens a socket and gives it the id it had before, or a new one.
func (c *collector) newNode(i int, at netip.AddrPort) (*node, error) {
	network := "udp4"
	if at.Addr().Is6() {
		network = "udp6"
	}
	conn, err := net.ListenUDP(network, net.UDPAddrFromAddrPort(at))
	if err != nil {
		return nil, fmt.Errorf("listen on %s: %w", at, err)
	}
	_ = conn.SetReadBuffer(receiveBuffer) // as much as the system allows
	now := c.clock.micros()
	n := &node{
		number: i, conn: conn, guard: c.guard, peers: c.peers, queue: c.queue, full: &c.full, tables: &c.tables, minute: now / minute,
	}
	c.guard.isOwn(conn.LocalAddr().(*net.UDPAddr).AddrPort())
	ident, _, err := c.ids[at.String()].due(c.cfg.Random, netip.Addr{}, now, c.cfg.RotateIDs.Microseconds())
	if err == nil {
		c.ids[at.String()] = ident
		n.id, err = rawlog.ParseID(ident.ID)
	}
	if err == nil {
		n.tokens, err = newTokens(c.cfg.Random, now)
	}
	if err != nil {
		_ = conn.Close()
		return nil, err
	}
	n.unread, _ = kernelDrops(conn.LocalAddr())
	n.lib = newLibrary(conn, c.guard, c.startingNodes, c.clock.micros, n.countSent)
	return n, nil
}

// startingNodes are the nodes to ask first.
func (c *collector) startingNodes() ([]dht.Addr, error) {
	if len(c.cfg.Bootstrap) == 0 {
		return dht.GlobalBootstrapAddrs("udp")
	}
	return dht.ResolveHostPorts(c.cfg.Bootstrap)
}

func (c *collector) closeSockets() {
	for _, n := range c.nodes {
		_ = n.conn.Close()
	}
}

// run starts every goroutine and waits for all of them. They end in the order
// of the data: sockets, queue, disk, lake.
func (c *collector) run(ctx context.Context) error {
	listening, stop := context.WithCancel(ctx)
	defer stop()
	sockets, inner := errgroup.WithContext(listening)
	for _, n := range c.nodes {
		sockets.Go(func() error { return n.serve(c.clock.micros) })
		sockets.Go(func() error { return c.keepTable(inner, n) })
	}
	sockets.Go(func() error { return c.tick(inner) })
	if c.journal.live != nil {
		sockets.Go(func() error {
			c.journal.live.run(inner, c.clock.micros, c.cfg.Say)
			return nil
		})
	}
	if c.cfg.Metrics != "" {
		sockets.Go(func() error { return c.serveMetrics(inner) })
	}
	sockets.Go(func() error {
		<-inner.Done()
		c.closeSockets()
		return nil
	})
	drained := make(chan struct{})
	disk, diskCtx := errgroup.WithContext(context.WithoutCancel(ctx))
	disk.Go(func() error { return c.write(diskCtx, drained) })
	uploading, stopUploads := context.WithCancel(context.WithoutCancel(ctx))
	uploaded := make(chan struct{})
	go func() {
		defer close(uploaded)
		c.uploader.run(uploading)
	}()
	c.uploader.notify()
	c.cfg.Ready(c.addresses())

	go func() { // a disk that fails ends the listening
		<-diskCtx.Done()
		stop()
	}()
	err := sockets.Wait()
	for _, n := range c.nodes {
		n.end(c.clock.micros())
	}
	close(drained)
	err = errors.Join(err, disk.Wait())
	stopUploads()
	<-uploaded
	return errors.Join(err, c.uploadRest(ctx))
}

// uploadRest uploads what the end has sealed. A lake that cannot be reached now
// is no failure: the next start goes on.
func (c *collector) uploadRest(ctx context.Context) error {
	rest, cancel := context.WithTimeout(context.WithoutCancel(ctx), lastUpload)
	defer cancel()
	if err := c.uploader.all(rest); err != nil {
		c.cfg.Say("%v; it stays in the spool for the next start", err)
	}
	return nil
}

func (c *collector) addresses() []netip.AddrPort {
	var at []netip.AddrPort
	for _, n := range c.nodes {
		a := n.conn.LocalAddr().(*net.UDPAddr).AddrPort()
		at = append(at, netip.AddrPortFrom(a.Addr().Unmap(), a.Port()))
	}
	return at
}

// write takes what is queued to disk until the sockets are closed and the
// queue is empty, and seals the segment.
func (c *collector) write(ctx context.Context, drained <-chan struct{}) error {
	syncing, stop := context.WithCancel(ctx)
	synced := make(chan struct{})
	go func() {
		defer close(synced)
		c.sync(syncing)
	}()
	defer func() {
		stop()
		<-synced
	}()
	ticker := time.NewTicker(drainEvery)
	defer ticker.Stop()
	spare := newBatch()
	for last := false; !last; {
		select {
		case <-drained:
			last = true
		case <-ticker.C:
		case <-c.queue.half:
		}
		b := c.queue.take(spare)
		if err := c.journal.consume(b, c.clock.micros()); err != nil {
			return fmt.Errorf("write to the spool %s: %w", c.spool.dir, err)
		}
		spare = b
	}
	return c.journal.close()
}

// sync makes what is written last, beside the goroutine that writes: a slow
// disk must not hold up the queue.
func (c *collector) sync(ctx context.Context) {
	ticker := time.NewTicker(syncEvery)
	defer ticker.Stop()
	for {
		select {
		case <-ctx.Done():
			return
		case <-ticker.C:
		}
		if f := c.journal.open.Load(); f != nil {
			_ = f.f.Sync() // sealing syncs again, and tells what is wrong
		}
	}
}
