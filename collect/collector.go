package collect

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"net"
	"net/netip"
	"sync/atomic"
	"time"

	"github.com/anacrolix/dht/v2"
	"golang.org/x/sync/errgroup"

	"github.com/boontorrent/boon/internal/lake"
	"github.com/boontorrent/boon/internal/metrics"
	"github.com/boontorrent/boon/internal/rawlog"
	"github.com/boontorrent/boon/internal/spool"
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
	spool    *spool.Spool
	clock    *clock
	ids      identities
	unkept   bool // ids are not on disk yet: it was full
	nodes    []*node
	queue    *queue
	journal  *journal
	keys     *keyring // of privacy "edge" alone
	uploader *spool.Uploader
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

func (c *clock) micros() int64 { return c.at(c.now()) }

func (c *clock) at(t time.Time) int64 { return c.base + t.Sub(c.start).Microseconds() }

// drift is how far the wall clock was set away from ours.
func (c *clock) drift() time.Duration {
	now := c.now()
	return time.Duration(now.UnixMicro()-c.at(now)) * time.Microsecond
}

func newCollector(ctx context.Context, cfg Config, s *spool.Spool) (*collector, error) {
	ids, err := readIdentities(s)
	if err != nil {
		return nil, err
	}
	run, err := spool.RunName(cfg.Random, cfg.Now())
	if err != nil {
		return nil, err
	}
	c := &collector{
		cfg: cfg, spool: s, ids: ids, clock: newClock(cfg.Now), queue: newQueue(), peers: newPeerStore(),
		guard: newGuard(cfg.Limits, cfg.AllowLoopback),
	}
	c.tables.Store(&tables{})
	c.uploader = spool.NewUploader(s, cfg.Store, cfg.Say, cfg.UploadWait)
	header := rawlog.Header{Collector: cfg.Collector, Run: run, Software: cfg.Software, Privacy: cfg.Privacy}
	c.journal = newJournal(s, header, len(cfg.Listen), &c.full, c.uploader.Notify)
	c.journal.heard = cfg.Heard
	if cfg.Privacy == Edge {
		c.keys = newKeyring(cfg)
		if err := c.keys.fetch(ctx, lake.DayOf(c.clock.micros())); err != nil {
			return nil, err
		}
		c.journal.edge = &edge{keys: c.keys, geo: cfg.Geo}
	}
	if cfg.Live != nil {
		c.journal.live = newLive(cfg.Collector, cmp.Or(cfg.LiveK, LiveNetworks), cfg.Live, cfg.Geo)
	}
	for i, at := range cfg.Listen {
		n, err := c.newNode(i, at)
		if err != nil {
			c.closeSockets()
			return nil, err
		}
		c.nodes = append(c.nodes, n)
	}
	if err := c.keepIDs(); err != nil {
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
		return nil, fmt.Errorf("listen on %s: %w; name another address or port with --listen", at, err)
	}
	enlarge(conn, receiveBuffer)
	now := c.clock.micros()
	n := &node{
		number: i, conn: conn, guard: c.guard, peers: c.peers, queue: c.queue, full: &c.full, tables: &c.tables, minute: now / minute, sample: newQuality(),
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
	n.lib = newLibrary(conn, c.guard, c.startingNodes, c.clock.micros, c.cfg.Random, n.countSent)
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
	if c.keys != nil {
		sockets.Go(func() error {
			c.keys.keep(inner, c.clock.micros, c.cfg.Say)
			return nil
		})
	}
	if c.cfg.Probes > 0 {
		sockets.Go(func() error { return c.probe(inner) })
	}
	if c.journal.live != nil {
		sockets.Go(func() error {
			c.journal.live.run(inner, c.clock.micros, c.cfg.Say)
			return nil
		})
	}
	if c.cfg.Metrics != "" {
		sockets.Go(func() error {
			return metrics.Serve(inner, c.cfg.Metrics, c.cfg.Say, append(c.cfg.Beside, newGauges(c))...)
		})
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
		c.uploader.Run(uploading)
	}()
	c.uploader.Notify()
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
	if err := c.uploader.All(rest); err != nil {
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
		c.sync(syncing, syncEvery)
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
			return fmt.Errorf("write to the spool %s: %w", c.spool.Dir(), err)
		}
		spare = b
	}
	return c.journal.segments.Close()
}

// sync makes what is written last, beside the goroutine that writes: a slow
// disk must not hold up the queue.
func (c *collector) sync(ctx context.Context, every time.Duration) {
	ticker := time.NewTicker(every)
	defer ticker.Stop()
	for {
		select {
		case <-ctx.Done():
			return
		case <-ticker.C:
		}
		_ = c.journal.segments.Sync() // sealing syncs again, and tells what is wrong
	}
}
