package fetch

import (
	"bufio"
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"net"
	"sync"
	"time"

	"github.com/anacrolix/torrent/mse"
	pp "github.com/anacrolix/torrent/peer_protocol"
)

// Bounds of what a peer may send besides an info dictionary.
const (
	maxMessage = 1<<18 + 16 // bytes of a message; a bitfield of two million pieces fits
	maxChatter = 1 << 20    // bytes of all messages that are not pieces of it
)

// talk is a conversation with a peer.
type talk struct {
	h       *hunt
	conn    Stream
	r       *bufio.Reader
	w       io.Writer
	pooled  []*bufio.Reader
	out     []byte // what waits to be sent
	chatter int    // bytes that brought the info dictionary no nearer
	greeted bool
	g       greeting
	pieces  pieces
	barren  bool // it has no info dictionary, and is heard for the peers that it names
}

// readers are small: a connection has one all its life, and pieces go past it.
var readers = sync.Pool{New: func() any { return bufio.NewReaderSize(nil, 1<<10) }}

func newTalk(h *hunt, conn Stream) *talk {
	t := &talk{h: h, conn: conn}
	t.over(conn)
	return t
}

// over goes on over a stream.
func (t *talk) over(rw io.ReadWriter) {
	t.r, t.w = readers.Get().(*bufio.Reader), rw
	t.r.Reset(rw)
	t.pooled = append(t.pooled, t.r)
}

func (t *talk) end() {
	t.pieces.drop(&t.h.f.memory)
	for _, r := range t.pooled {
		r.Reset(nil)
		readers.Put(r)
	}
}

func (t *talk) run(ctx context.Context, encrypted bool) (info []byte, v2 bool, err error) {
	if err := t.shake(encrypted); err != nil {
		return nil, false, err
	}
	for !t.pieces.whole() {
		err := t.message(ctx)
		if err != nil && t.barren {
			err = NoMetadata
		}
		if err != nil {
			return nil, false, err
		}
	}
	return t.pieces.verify(t.h.want.Infohash)
}

const handshakeSize = len(pp.Protocol) + 8 + 20 + 20

// shake exchanges the handshakes of BEP 3, and no more: aria2, and libtorrent
// where it is encrypted, hang up on a handshake that has a byte more to it. Ours
// for extensions waits to go with the first requests, if the peer does not.
func (t *talk) shake(encrypted bool) error {
	if err := t.sendHandshake(encrypted); err != nil {
		return hungUp(err)
	}
	if _, err := t.r.Peek(1); err != nil {
		return hungUp(err)
	}
	head, err := t.r.Peek(handshakeSize)
	if err != nil {
		return err
	}
	if string(head[:len(pp.Protocol)]) != pp.Protocol {
		return Malformed
	}
	head = head[len(pp.Protocol):]
	if [20]byte(head[8:28]) != t.h.want.Infohash {
		return BadHash
	}
	if !pp.PeerExtensionBits(head[:8]).SupportsExtended() {
		return NoMetadata
	}
	if _, err = t.r.Discard(handshakeSize); err != nil {
		return err
	}
	t.out = append(t.out, t.h.f.hello...)
	return nil
}

// hungUp marks an error as one that another kind of handshake may not meet.
func hungUp(err error) error {
	if timeout := net.Error(nil); errors.As(err, &timeout) && timeout.Timeout() {
		return err
	}
	return fmt.Errorf("%w: %w", errHungUp, err)
}

func (t *talk) sendHandshake(encrypted bool) error {
	var bits pp.PeerExtensionBits
	bits.SetBit(pp.ExtensionBitLtep, true)
	b := make([]byte, 0, 128) // for requests, later
	b = append(b, pp.Protocol...)
	b = append(b, bits[:]...)
	b = append(b, t.h.want.Infohash[:]...)
	b = append(b, t.h.f.id[:]...)
	t.out = b
	if !encrypted {
		return t.flush()
	}
	t.out = nil
	in := &ending{Reader: t.r}
	rw, _, err := mse.InitiateHandshake(readWriter{in, t.w}, t.h.want.Infohash[:], b, mse.AllSupportedCrypto)
	if err != nil && in.err == nil && !cutOff(err) {
		return Malformed // it spoke, but not this
	}
	if err != nil {
		return err
	}
	t.over(rw)
	return nil
}

// cutOff reports whether an error is of the connection, not of what came over it.
func cutOff(err error) bool {
	var network net.Error
	return errors.As(err, &network) || errors.Is(err, net.ErrClosed)
}

// ending remembers that its reader ended. The handshake reads no more than some
// bytes, and its error is the same where those end and where the connection does.
type ending struct {
	io.Reader
	err error
}

func (e *ending) Read(b []byte) (int, error) {
	n, err := e.Reader.Read(b)
	if err != nil {
		e.err = err
	}
	return n, err
}

// flush sends what waits to be sent.
func (t *talk) flush() error {
	if len(t.out) == 0 {
		return nil
	}
	_, err := t.w.Write(t.out)
	t.out = t.out[:0]
	return err
}

type readWriter struct {
	io.Reader
	io.Writer
}

// message reads one message and acts on it.
func (t *talk) message(ctx context.Context) error {
	if t.r.Buffered() < 4 {
		if err := t.flush(); err != nil {
			return err
		}
	}
	head, err := t.r.Peek(4)
	if err != nil {
		return err
	}
	size := int(binary.BigEndian.Uint32(head))
	if _, err := t.r.Discard(4); err != nil {
		return err
	}
	if size == 0 {
		return t.chat(4)
	}
	kind, err := t.r.ReadByte()
	if err != nil {
		return err
	}
	if pp.MessageType(kind) == pp.Extended {
		return t.extended(ctx, size-1)
	}
	if size > maxMessage {
		return TooLarge
	}
	if pp.MessageType(kind) == pp.Piece {
		return Malformed // nobody asked for one
	}
	if err := t.chat(size + 4); err != nil {
		return err
	}
	_, err = t.r.Discard(size - 1)
	return err
}

// chat counts bytes that bring the info dictionary no nearer.
func (t *talk) chat(n int) error {
	if t.chatter += n; t.chatter > maxChatter {
		return Malformed
	}
	return nil
}

// extended reads a message of the extension protocol.
func (t *talk) extended(ctx context.Context, size int) error {
	if size < 1 {
		return Malformed
	}
	if size > maxExtended {
		return TooLarge
	}
	k, err := t.h.f.memory.take(ctx)
	if err != nil {
		return err
	}
	keep := false
	defer func() {
		if !keep {
			t.h.f.memory.give(k)
		}
	}()
	body := k[:size]
	if _, err := io.ReadFull(t.r, body); err != nil {
		return err
	}
	switch id, body := body[0], body[1:]; id {
	case 0:
		return t.greet(body)
	case ourMetadata:
		keep, err = t.metadata(k, body)
		return err
	case ourPex:
		return t.pex(body)
	}
	return t.chat(size)
}

// greet takes the peer's extension handshake. It may come again, but may not
// take back what it said.
func (t *talk) greet(body []byte) error {
	if err := t.chat(len(body)); err != nil {
		return err
	}
	g, why := readGreeting(body)
	if why != OK {
		return why
	}
	if t.greeted {
		if g.size != 0 && g.size != t.g.size {
			return Malformed
		}
		return nil
	}
	t.greeted, t.g = true, g
	switch {
	case g.size > int64(t.h.f.cfg.MaxInfo):
		return TooLarge
	case g.metadata == 0 || g.size == 0:
		return t.linger()
	}
	t.pieces.init(int(g.size))
	t.h.news <- news{kind: hopeful}
	return t.ask()
}

// linger hears a peer that has no info dictionary a little longer, if it may
// name peers that do: clients send their list within a second or two.
func (t *talk) linger() error {
	if !t.g.pex {
		return NoMetadata
	}
	t.barren = true
	t.h.news <- news{kind: trouble}
	return t.conn.SetDeadline(time.Now().Add(t.h.f.cfg.PexWait))
}

// ask requests pieces, as many as may be under way, once few are.
func (t *talk) ask() error {
	if t.pieces.underWay() > leastAsked {
		return nil
	}
	for t.pieces.underWay() < mostAsked {
		piece, ok := t.pieces.next()
		if !ok {
			break
		}
		t.out = appendRequest(t.out, t.g.metadata, piece)
	}
	return t.flush()
}

// metadata takes a message of ut_metadata. kept is true if the block that it is
// in was kept.
func (t *talk) metadata(k *block, body []byte) (kept bool, err error) {
	m, why := readMetadata(body)
	if why != OK {
		return false, why
	}
	switch m.kind {
	case metadataReject:
		return false, NoMetadata
	case metadataData:
	default: // a request, though we have told of nothing to give; or unknown, to be ignored
		return false, t.chat(len(body))
	}
	if m.total != -1 && m.total != t.g.size {
		return false, Malformed
	}
	if !t.pieces.put(m.piece, m.data, k) {
		return false, Malformed
	}
	return true, t.ask()
}

// pex hands on the addresses that a peer names.
func (t *talk) pex(body []byte) error {
	if err := t.chat(len(body)); err != nil {
		return err
	}
	peers, why := readPex(body)
	if why != OK {
		return why
	}
	if len(peers) == 0 {
		return nil
	}
	t.h.news <- news{kind: named, pex: peers}
	if t.barren {
		return NoMetadata
	}
	return nil
}
