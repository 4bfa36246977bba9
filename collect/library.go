package collect

import (
	"context"
	"io"
	"net"
	"net/netip"
	"sync"
	"sync/atomic"
	"time"

	"github.com/anacrolix/dht/v2"
	"github.com/anacrolix/dht/v2/krpc"
	alog "github.com/anacrolix/log"
	"golang.org/x/time/rate"

	"github.com/boontorrent/boon/internal/rawlog"
)

// Bounds of what goes to and comes from the library.
const (
	maxAsked     = 4096 // queries of ours that wait for a reply
	askedLasts   = 20 * second
	maxReplied   = 8192 // nodes that replied of late
	repliedLasts = 15 * minute
	inboxPackets = 256
	meetEvery    = second / 10 // how often an asker is shown to the library
	ownQueries   = 50          // a second
	libraryGrace = 100 * time.Millisecond
	enoughNodes  = 8 // that replied of late: with these a table keeps itself
	firstBegin   = time.Second
	lastBegin    = time.Minute
)

// library is anacrolix/dht behind a connection of our making. It bootstraps and
// keeps the routing table; nothing else. It never sees a byte that came from
// the network: replies to its queries are written anew from what our parser
// read, without nodes that cannot be, and of those who ask us it sees a few,
// as pings that it must not answer. What it sends is written anew as well
// (question.go), and passes the guard.
type library struct {
	conn    *net.UDPConn
	guard   *guard
	limiter *rate.Limiter
	starts  dht.StartingNodesGetter
	sent    func(sentKind)
	random  io.Reader

	mu      sync.Mutex
	now     func() int64
	server  *dht.Server
	inbox   *inbox
	asked   map[question]asking
	replied map[netip.AddrPort]int64
	met     int64
	outside ballot
}

// reported is what a node told a lookup of ours.
type reported struct {
	from  netip.AddrPort
	nodes []found
}

func newLibrary(conn *net.UDPConn, g *guard, starts dht.StartingNodesGetter, now func() int64, random io.Reader, sent func(sentKind)) *library {
	return &library{
		conn: conn, guard: g, starts: starts, now: now, random: random, sent: sent, limiter: rate.NewLimiter(ownQueries, ownQueries),
		asked: map[question]asking{}, replied: map[netip.AddrPort]int64{},
	}
}

// run keeps the table of the node with that id until ctx ends.
func (l *library) run(ctx context.Context, id rawlog.ID) error {
	box := &inbox{lib: l, packets: make(chan heard, inboxPackets), closed: make(chan struct{})}
	quiet := alog.Default.FilterLevel(alog.Disabled)
	server, err := dht.NewServer(&dht.ServerConfig{
		NodeId: krpc.ID(id), Conn: box, NoSecurity: true, StartingNodes: l.startingNodes, SendLimiter: l.limiter,
		OnQuery: func(*krpc.Msg, net.Addr) bool { return false }, DefaultWant: l.want(), Logger: quiet,
	})
	if err != nil {
		return err
	}
	l.mu.Lock()
	l.server, l.inbox = server, box
	l.mu.Unlock()
	done := make(chan struct{})
	go func() {
		defer close(done)
		server.TableMaintainer()
	}()
	l.begin(ctx, server, id)
	l.mu.Lock()
	l.server, l.inbox = nil, nil
	l.mu.Unlock()
	server.Close()
	select {
	case <-done:
	case <-time.After(libraryGrace): // it takes no context: its last timers end it within seconds
	}
	return nil
}

// begin asks the named nodes for our neighbours, and those for theirs, whenever
// too few are known, until ctx ends. The library by itself asks the named nodes
// once, when its table is empty, and not again for half an hour: a start during
// which they are slow, or a stranger that never replies is met first, would find
// nobody.
func (l *library) begin(ctx context.Context, server *dht.Server, id rawlog.ID) {
	for wait := firstBegin; ; wait = min(2*wait, lastBegin) {
		if len(l.routes()) < enoughNodes && l.askNamed(ctx, server, id) {
			_, _ = server.BootstrapContext(ctx) // the library may be at it already
		}
		if len(l.routes()) >= enoughNodes {
			wait = lastBegin
		}
		select {
		case <-ctx.Done():
			return
		case <-time.After(wait):
		}
	}
}

// askNamed sends find_node for our own id to the named nodes. Those that reply
// enter the library's table, where bootstrapping begins; false where none does.
func (l *library) askNamed(ctx context.Context, server *dht.Server, id rawlog.ID) bool {
	addrs, err := l.startingNodes()
	if err != nil {
		return false // no name could be looked up: there may be no network yet
	}
	var all sync.WaitGroup
	var replied atomic.Bool
	for _, a := range addrs[:min(len(addrs), 2*enoughNodes)] {
		all.Go(func() {
			res := server.Query(ctx, a, "find_node", dht.QueryInput{MsgArgs: krpc.MsgArgs{Target: krpc.ID(id), Want: l.want()}})
			if res.Err == nil {
				replied.Store(true)
			}
		})
	}
	all.Wait()
	return replied.Load()
}

// startingNodes are the nodes to ask first; the guard learns that they were named.
func (l *library) startingNodes() ([]dht.Addr, error) {
	addrs, err := l.starts()
	for _, a := range addrs {
		if at, ok := a.Raw().(*net.UDPAddr); ok {
			to := at.AddrPort()
			l.guard.name(netip.AddrPortFrom(to.Addr().Unmap(), to.Port()), l.now())
		}
	}
	return addrs, err
}

func (l *library) v6() bool {
	a := l.conn.LocalAddr().(*net.UDPAddr)
	return a.IP.To4() == nil
}

func (l *library) want() []krpc.Want {
	if l.v6() {
		return []krpc.Want{krpc.WantNodes6}
	}
	return []krpc.Want{krpc.WantNodes}
}

// hear takes in a reply or error and tells what to count it as.
func (l *library) hear(m *message, k kind, from netip.AddrPort, now int64, our rawlog.ID) reason {
	q, ok := questionOf(from, m.t)
	if !ok {
		return unsolicited
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	asking, ok := l.asked[q]
	if !ok {
		return unsolicited
	}
	delete(l.asked, q)
	l.guard.prove(from, now)
	if k == failure && asking.replies != nil {
		return notKept
	}
	if k == failure {
		l.give(heard{packet: errorFor(asking.t), from: from})
		return notKept
	}
	if len(m.id) != 20 || rawlog.ID(m.id) == our {
		return badArguments
	}
	// Who replies to a lookup is not in the table for that, and takes no room from those who are.
	if _, known := l.replied[from]; known || asking.replies == nil && len(l.replied) < maxReplied {
		l.replied[from] = now
	}
	if at, ok := endpoint(m.ip); ok {
		l.outside.vote(at.Addr(), from.Addr())
	}
	if asking.replies != nil {
		select {
		case asking.replies <- reported{from, l.nodesOf(m)}:
		default: // it has room for all; the lookup is over
		}
		return notKept
	}
	l.give(heard{packet: l.replyFor(m, asking.t), from: from})
	return notKept
}

// meet shows an asker to the library now and then: it may become part of the table.
func (l *library) meet(id []byte, from netip.AddrPort, now int64) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.inbox == nil || now-l.met < meetEvery {
		return
	}
	l.met = now
	b := append([]byte("d1:ad2:id20:"), id...)
	l.give(heard{packet: append(b, "e1:q4:ping1:t1:01:y1:qe"...), from: from})
}

// give hands a packet to the library, or throws it away where too many wait.
func (l *library) give(h heard) {
	if l.inbox == nil {
		return
	}
	select {
	case l.inbox.packets <- h:
	default:
	}
}

// replyFor writes a reply anew, with the nodes that may be asked, to the library's query t.
func (l *library) replyFor(m *message, t []byte) []byte {
	b := append([]byte("d1:rd2:id20:"), m.id...)
	if l.v6() { // of the other family we could ask nobody
		b = appendString(append(b, "6:nodes6"...), l.askable(m.nodes6, 38))
	} else {
		b = appendString(append(b, "5:nodes"...), l.askable(m.nodes, 26))
	}
	b = appendString(append(b, "e1:t"...), t)
	return append(b, "1:y1:re"...)
}

// askable keeps the nodes of a list whose addresses can be.
func (l *library) askable(list []byte, size int) []byte {
	var good []byte
	l.guard.mu.Lock()
	defer l.guard.mu.Unlock()
	for ; len(list) >= size; list = list[size:] {
		if at, ok := endpoint(list[20:size]); ok && l.guard.reachable(at) == kept && len(good) < 32*size {
			good = append(good, list[:size]...)
		}
	}
	return good
}

// nodesOf are the nodes of a reply that may be asked.
func (l *library) nodesOf(m *message) []found {
	list, size := m.nodes, 26
	if l.v6() {
		list, size = m.nodes6, 38
	}
	return foundIn(l.askable(list, size), size)
}

// foundIn reads a list of compact nodes.
func foundIn(list []byte, size int) []found {
	var nodes []found
	for ; len(list) >= size; list = list[size:] {
		at, _ := endpoint(list[20:size])
		nodes = append(nodes, found{rawlog.ID(list[:20]), at})
	}
	return nodes
}

func errorFor(t []byte) []byte {
	return append(appendString([]byte("d1:eli201e5:errore1:t"), t), "1:y1:ee"...)
}

// forget drops questions and repliers that are too old.
func (l *library) forget(now int64) {
	l.mu.Lock()
	defer l.mu.Unlock()
	for q, a := range l.asked {
		if now-a.at > askedLasts {
			delete(l.asked, q)
		}
	}
	for a, at := range l.replied {
		if now-at > repliedLasts {
			delete(l.replied, a)
		}
	}
}

// routes are the nodes of the table that replied of late.
func (l *library) routes() []route {
	l.mu.Lock()
	server := l.server
	l.mu.Unlock()
	if server == nil {
		return nil
	}
	nodes := server.Nodes()
	l.mu.Lock()
	defer l.mu.Unlock()
	var found []route
	for _, n := range nodes {
		at := n.Addr.ToNodeAddrPort().AddrPort
		at = netip.AddrPortFrom(at.Addr().Unmap(), at.Port())
		if _, ok := l.replied[at]; ok {
			found = append(found, newRoute(rawlog.ID(n.ID), at))
		}
	}
	return found
}

// inbox is the library's net.PacketConn.
type inbox struct {
	lib     *library
	packets chan heard
	once    sync.Once
	closed  chan struct{}
}

type heard struct {
	packet []byte
	from   netip.AddrPort
}

// ReadFrom gives the library what hear and meet wrote for it.
func (b *inbox) ReadFrom(p []byte) (int, net.Addr, error) {
	select {
	case <-b.closed:
		return 0, nil, io.EOF
	case h := <-b.packets:
		return copy(p, h.packet), net.UDPAddrFromAddrPort(h.from), nil
	}
}

// WriteTo sends a query. One that the guard refuses is lost on the way, as
// packets are.
func (b *inbox) WriteTo(p []byte, to net.Addr) (int, error) {
	if at, ok := to.(*net.UDPAddr); ok {
		a := at.AddrPort()
		b.lib.ask(p, netip.AddrPortFrom(a.Addr().Unmap(), a.Port()))
	}
	return len(p), nil
}

// Close ends ReadFrom; the socket itself stays open.
func (b *inbox) Close() error {
	b.once.Do(func() { close(b.closed) })
	return nil
}

// LocalAddr is the socket's.
func (b *inbox) LocalAddr() net.Addr { return b.lib.conn.LocalAddr() }

// SetDeadline and its kin do nothing: the library sets none.
func (b *inbox) SetDeadline(time.Time) error      { return nil }
func (b *inbox) SetReadDeadline(time.Time) error  { return nil }
func (b *inbox) SetWriteDeadline(time.Time) error { return nil }
