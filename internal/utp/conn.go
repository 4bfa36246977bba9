package utp

import (
	"io"
	"net"
	"net/netip"
	"os"
	"sync"
	"syscall"
	"time"
)

// Bounds of a connection.
const (
	window     = 256 << 10 // bytes received and not read
	maxLate    = 256       // packets that came before one that is missing
	maxPayload = 1200      // bytes of a packet that we send
	maxUnacked = 16        // packets under way
	maxTries   = 6         // of a packet
	firstRTO   = time.Second
	leastRTO   = 500 * time.Millisecond
)

// Conn is a connection. One goroutine may read while another writes.
type Conn struct {
	s       *Socket
	to      netip.AddrPort
	id      uint16        // of packets to us; those from us have one more
	settled chan struct{} // closed once connected, or failed
	reader  chan struct{} // a token: look again
	writer  chan struct{}

	mu        sync.Mutex
	connected bool
	err       error // why it is over
	deadline  time.Time
	timer     *time.Timer

	seq, ack uint16 // next to send, last that came in order
	delay    uint32 // that the last packet took, by clocks that do not agree
	unacked  []sent
	under    int // bytes of unacked
	allowed  int // bytes that the other side takes
	again    int // acknowledgements that brought nothing new
	rto      time.Duration
	rtt, dev time.Duration

	in        []byte
	late      map[uint16][]byte
	lateBytes int
	offered   int // the window that was last told
	fin       bool
	finSeq    uint16
}

// sent is a packet that is not acknowledged.
type sent struct {
	kind    byte
	seq     uint16
	payload []byte
	at      time.Time
	tries   int
}

func newConn(s *Socket, to netip.AddrPort) *Conn {
	return &Conn{
		s: s, to: to, seq: 1, rto: firstRTO, allowed: maxPayload,
		settled: make(chan struct{}), reader: make(chan struct{}, 1), writer: make(chan struct{}, 1),
	}
}

// poke lets whoever waits look again.
func poke(c chan struct{}) {
	select {
	case c <- struct{}{}:
	default:
	}
}

// send sends a packet that is to be acknowledged. c.mu is held.
func (c *Conn) send(kind byte, payload []byte) {
	p := sent{kind: kind, seq: c.seq, payload: payload}
	c.seq++
	c.under += len(payload)
	c.unacked = append(c.unacked, p)
	c.transmit(&c.unacked[len(c.unacked)-1])
	if len(c.unacked) == 1 {
		c.arm()
	}
}

func (c *Conn) transmit(p *sent) {
	p.at = time.Now()
	p.tries++
	c.write(p.kind, p.seq, p.payload)
}

// write puts a packet on the wire. An error is a lost packet.
func (c *Conn) write(kind byte, seq uint16, payload []byte) {
	var buf [headerSize + 10 + maxPayload]byte
	c.offered = max(0, window-len(c.in)-c.lateBytes)
	h := header{kind: kind, id: c.id + 1, sent: c.s.now(), delay: c.delay, window: uint32(c.offered), seq: seq, ack: c.ack}
	if kind == kindSyn {
		h.id = c.id
	}
	for seq := range c.late {
		if i := seq - c.ack - 2; i < 64 {
			h.came |= 1 << i
		}
	}
	_, _ = c.s.pc.WriteToUDPAddrPort(append(h.append(buf[:0]), payload...), c.to)
}

// arm starts the timer of the oldest packet under way.
func (c *Conn) arm() {
	if c.timer == nil {
		c.timer = time.AfterFunc(c.rto, c.overdue)
		return
	}
	c.timer.Reset(c.rto)
}

// overdue sends the oldest packet again.
func (c *Conn) overdue() {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.err != nil || len(c.unacked) == 0 {
		return
	}
	if p := &c.unacked[0]; time.Since(p.at) >= c.rto {
		if p.tries == maxTries {
			c.fail(os.ErrDeadlineExceeded)
			return
		}
		c.rto *= 2
		c.transmit(p)
	}
	c.arm()
}

// fail ends the connection. c.mu is held.
func (c *Conn) fail(err error) {
	if c.err != nil {
		return
	}
	c.err = err
	c.unacked, c.late = nil, nil
	c.s.buffered.Add(-int64(c.lateBytes))
	c.lateBytes = 0
	if c.timer != nil {
		c.timer.Stop()
	}
	if !c.connected {
		close(c.settled)
	}
	c.s.forget(c)
	poke(c.reader)
	poke(c.writer)
}

// receive takes a packet of this connection.
func (c *Conn) receive(p packet) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.err != nil {
		return
	}
	if p.kind == kindReset {
		if c.connected {
			c.fail(syscall.ECONNRESET)
		} else {
			c.fail(syscall.ECONNREFUSED)
		}
		return
	}
	c.delay = c.s.now() - p.sent
	c.acked(p.ack)
	c.allowed = int(min(p.window, 1<<20))
	if !c.connected {
		if p.kind != kindState || len(c.unacked) > 0 {
			return
		}
		c.connected = true
		c.ack = p.seq - 1
		close(c.settled)
		return
	}
	if p.kind == kindData || p.kind == kindFin {
		c.take(p)
		c.write(kindState, c.seq, nil)
	}
}

// acked drops packets that are acknowledged, and learns the round trip's time.
func (c *Conn) acked(ack uint16) {
	n := 0
	for n < len(c.unacked) && !before(ack, c.unacked[n].seq) {
		n++
	}
	if !before(ack, c.seq) {
		return // of what was never sent
	}
	if n == 0 {
		c.repeated()
		return
	}
	c.again = 0
	for _, p := range c.unacked[:n] {
		c.under -= len(p.payload)
		if p.tries == 1 {
			c.measure(time.Since(p.at))
		}
	}
	c.unacked = append(c.unacked[:0], c.unacked[n:]...)
	if len(c.unacked) > 0 {
		c.arm()
	}
	poke(c.writer)
}

// repeated counts acknowledgements of nothing new: three say that the oldest
// packet under way was lost.
func (c *Conn) repeated() {
	if c.again++; c.again == 3 && len(c.unacked) > 0 {
		c.transmit(&c.unacked[0])
	}
}

func (c *Conn) measure(rtt time.Duration) {
	if c.rtt == 0 {
		c.rtt, c.dev = rtt, rtt/2
	} else {
		c.dev += ((c.rtt - rtt).Abs() - c.dev) / 4
		c.rtt += (rtt - c.rtt) / 8
	}
	c.rto = max(c.rtt+4*c.dev, leastRTO)
}

// take keeps a packet's payload, in order or for later.
func (c *Conn) take(p packet) {
	ahead := p.seq - c.ack - 1 // packets missing before it
	if ahead >= maxLate || c.fin && before(c.finSeq, p.seq) {
		return
	}
	if p.kind == kindFin {
		c.fin, c.finSeq = true, p.seq
	}
	size := len(p.payload)
	if len(c.in)+c.lateBytes+size > window+maxPayload || c.s.buffered.Load()+int64(size) > Most {
		return
	}
	if ahead > 0 {
		c.keep(p)
		return
	}
	c.s.buffered.Add(int64(size))
	c.in = append(c.in, p.payload...)
	c.ack++
	for data, ok := c.late[c.ack+1]; ok; data, ok = c.late[c.ack+1] {
		delete(c.late, c.ack+1)
		c.in = append(c.in, data...)
		c.lateBytes -= len(data)
		c.ack++
	}
	poke(c.reader)
}

// keep keeps a packet that came too early.
func (c *Conn) keep(p packet) {
	if _, twice := c.late[p.seq]; twice {
		return
	}
	if c.late == nil {
		c.late = make(map[uint16][]byte)
	}
	c.late[p.seq] = append([]byte(nil), p.payload...)
	c.lateBytes += len(p.payload)
	c.s.buffered.Add(int64(len(p.payload)))
}

// Read waits for bytes and reads them.
func (c *Conn) Read(b []byte) (int, error) {
	if len(b) == 0 {
		return 0, nil
	}
	for {
		n, deadline, err := c.readNow(b)
		if n > 0 || err != nil {
			return n, err
		}
		if err := wait(c.reader, deadline); err != nil {
			return 0, err
		}
	}
}

// readNow reads what is there.
func (c *Conn) readNow(b []byte) (int, time.Time, error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if n := copy(b, c.in); n > 0 {
		c.in = c.in[n:]
		c.s.buffered.Add(-int64(n))
		if len(c.in) == 0 {
			c.in = nil
		}
		if c.err == nil && c.offered < window/2 && window-len(c.in)-c.lateBytes >= window/2 {
			c.write(kindState, c.seq, nil) // there is room again
		}
		return n, time.Time{}, nil
	}
	switch {
	case c.err != nil:
		return 0, time.Time{}, c.err
	case c.fin && c.ack == c.finSeq:
		return 0, time.Time{}, io.EOF
	}
	return 0, c.deadline, nil
}

// wait waits for a token, but not over a deadline.
func wait(token <-chan struct{}, deadline time.Time) error {
	if deadline.IsZero() {
		<-token
		return nil
	}
	t := time.NewTimer(time.Until(deadline))
	defer t.Stop()
	select {
	case <-token:
		return nil
	case <-t.C:
		return os.ErrDeadlineExceeded
	}
}

// Write sends bytes. It waits while as many as may be are under way.
func (c *Conn) Write(b []byte) (int, error) {
	written := 0
	for len(b) > 0 {
		n, deadline, err := c.writeNow(b)
		if err != nil {
			return written, err
		}
		written += n
		if b = b[n:]; n > 0 {
			continue
		}
		if err := wait(c.writer, deadline); err != nil {
			return written, err
		}
	}
	return written, nil
}

// writeNow sends a packet, if one may be sent.
func (c *Conn) writeNow(b []byte) (int, time.Time, error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.err != nil {
		return 0, time.Time{}, c.err
	}
	n := min(len(b), maxPayload)
	if len(c.unacked) >= maxUnacked || len(c.unacked) > 0 && c.under+n > c.allowed {
		return 0, c.deadline, nil
	}
	c.send(kindData, append([]byte(nil), b[:n]...))
	return n, time.Time{}, nil
}

// SetDeadline bounds how long Read and Write wait. The zero time: for ever.
func (c *Conn) SetDeadline(t time.Time) error {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.deadline = t
	poke(c.reader)
	poke(c.writer)
	return nil
}

// Close ends the connection. Nobody is left to hear whether the other side got
// the last packet, so it is told by a reset.
func (c *Conn) Close() error {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.err == nil && c.connected {
		c.write(kindReset, c.seq, nil)
	}
	c.fail(net.ErrClosed)
	c.err = net.ErrClosed
	c.s.buffered.Add(-int64(len(c.in)))
	c.in = nil
	return nil
}
