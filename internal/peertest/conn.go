package peertest

import (
	"bufio"
	"encoding/binary"
	"fmt"
	"io"
	"net"
	"strings"
	"time"

	"github.com/anacrolix/torrent/bencode"
)

const protocol = "\x13BitTorrent protocol"

// Conn is a connection that a Behaviour has. Its methods end a Behaviour that
// ignores errors soon enough: once the other side is gone, all of them fail.
type Conn struct {
	net  net.Conn
	r    *bufio.Reader
	w    io.Writer
	Hash [20]byte // that the other side asked for; after ReadHandshake
	// Metadata and Pex are the other side's numbers for the extensions; after
	// ReadGreeting.
	Metadata, Pex byte
}

func newConn(c net.Conn) *Conn { return &Conn{net: c, r: bufio.NewReader(c), w: c} }

// stream is what encryption goes over.
type stream struct {
	io.Reader
	io.Writer
}

// over goes on over an encrypted stream.
func (c *Conn) over(rw io.ReadWriter) {
	c.r, c.w = bufio.NewReader(rw), rw
}

func (c *Conn) Read(b []byte) (int, error)  { return c.r.Read(b) }
func (c *Conn) Write(b []byte) (int, error) { return c.w.Write(b) }

// Reset ends a TCP connection with a reset.
func (c *Conn) Reset() {
	if tcp, ok := c.net.(*net.TCPConn); ok {
		_ = tcp.SetLinger(0)
	}
	c.net.Close()
}

// Wait waits until the other side hangs up.
func (c *Conn) Wait() { _, _ = io.Copy(io.Discard, c.r) }

// Sleep waits for d, or until the other side hangs up. What it sends is lost.
func (c *Conn) Sleep(d time.Duration) {
	_ = c.net.SetReadDeadline(time.Now().Add(d))
	c.Wait()
	_ = c.net.SetReadDeadline(time.Now().Add(patience))
}

// ReadHandshake reads the other side's handshake.
func (c *Conn) ReadHandshake() error {
	var b [68]byte
	if _, err := io.ReadFull(c, b[:]); err != nil {
		return err
	}
	if string(b[:20]) != protocol || b[25]&0x10 == 0 {
		return fmt.Errorf("not a handshake with extensions: %q", b[:28])
	}
	c.Hash = [20]byte(b[28:48])
	return nil
}

// SendHandshake sends one for an info-hash.
func (c *Conn) SendHandshake(hash [20]byte) error {
	b := append([]byte(protocol), 0, 0, 0, 0, 0, 0x10, 0, 0)
	b = append(b, hash[:]...)
	b = append(b, "-PT0000-peertestpeer"...)
	_, err := c.Write(b)
	return err
}

// Send sends a message.
func (c *Conn) Send(kind byte, body []byte) error {
	b := binary.BigEndian.AppendUint32(nil, uint32(len(body)+1))
	b = append(b, kind)
	_, err := c.Write(append(b, body...))
	return err
}

// SendExtended sends a message of an extension.
func (c *Conn) SendExtended(id byte, body string) error {
	return c.Send(20, append([]byte{id}, body...))
}

// Our numbers for the extensions, unlike those of most clients.
const (
	ourMetadata = 7
	ourPex      = 9
)

// Greet sends an extension handshake with that metadata_size, in bencoding.
func (c *Conn) Greet(size string) error {
	return c.SendExtended(0, fmt.Sprintf("d1:md11:ut_metadatai%de6:ut_pexi%dee13:metadata_size%se", ourMetadata, ourPex, size))
}

// Message is one that was read.
type Message struct {
	Kind byte // 20: extended
	ID   byte // of an extended message
	Body []byte
}

// ReadMessage reads the next message that is not a keep-alive.
func (c *Conn) ReadMessage() (Message, error) {
	for {
		var head [4]byte
		if _, err := io.ReadFull(c, head[:]); err != nil {
			return Message{}, err
		}
		size := binary.BigEndian.Uint32(head[:])
		if size == 0 {
			continue
		}
		if size > 1<<20 {
			return Message{}, fmt.Errorf("a message of %d bytes", size)
		}
		body := make([]byte, size)
		if _, err := io.ReadFull(c, body); err != nil {
			return Message{}, err
		}
		if body[0] != 20 {
			return Message{Kind: body[0], Body: body[1:]}, nil
		}
		if size < 2 {
			return Message{}, fmt.Errorf("an extended message without a number")
		}
		return Message{Kind: 20, ID: body[1], Body: body[2:]}, nil
	}
}

// ReadGreeting reads messages up to the other side's extension handshake.
func (c *Conn) ReadGreeting() error {
	for {
		m, err := c.ReadMessage()
		if err != nil {
			return err
		}
		if m.Kind != 20 || m.ID != 0 {
			continue
		}
		var g struct {
			M map[string]int `bencode:"m"`
		}
		if err := bencode.Unmarshal(m.Body, &g); err != nil {
			return err
		}
		c.Metadata, c.Pex = byte(g.M["ut_metadata"]), byte(g.M["ut_pex"])
		return nil
	}
}

// ReadRequest reads messages up to a request for a piece of the info dictionary.
func (c *Conn) ReadRequest() (piece int, err error) {
	for {
		m, err := c.ReadMessage()
		if err != nil {
			return 0, err
		}
		if m.Kind != 20 || m.ID != ourMetadata {
			continue
		}
		var r struct {
			Type  int `bencode:"msg_type"`
			Piece int `bencode:"piece"`
		}
		if err := bencode.Unmarshal(m.Body, &r); err != nil {
			return 0, err
		}
		if r.Type == 0 {
			return r.Piece, nil
		}
	}
}

// PieceBytes is what a piece of an info dictionary has, but for the last.
const PieceBytes = 16384

// SendPiece sends a piece of an info dictionary.
func (c *Conn) SendPiece(info []byte, piece int) error {
	if piece < 0 || piece*PieceBytes >= len(info) {
		return c.SendMetadata(fmt.Sprintf("d8:msg_typei2e5:piecei%dee", piece))
	}
	data := info[piece*PieceBytes : min(len(info), (piece+1)*PieceBytes)]
	return c.SendMetadata(fmt.Sprintf("d8:msg_typei1e5:piecei%de10:total_sizei%dee%s", piece, len(info), data))
}

// SendMetadata sends any message of ut_metadata.
func (c *Conn) SendMetadata(body string) error { return c.SendExtended(c.Metadata, body) }

// SendPex names peers, each 6 bytes (or 18 for IPv6) in compact form.
func (c *Conn) SendPex(v4, v6 []string) error {
	a, b := strings.Join(v4, ""), strings.Join(v6, "")
	flags := strings.Repeat("\x00", len(v4))
	return c.SendExtended(c.Pex, fmt.Sprintf("d5:added%d:%s7:added.f%d:%s6:added6%d:%se", len(a), a, len(flags), flags, len(b), b))
}

// Open does what comes first with any peer: handshakes of both kinds, with a
// metadata_size in bencoding. It returns once the other side's are read.
func (c *Conn) Open(size string) error {
	if err := c.ReadHandshake(); err != nil {
		return err
	}
	if err := c.SendHandshake(c.Hash); err != nil {
		return err
	}
	if err := c.Greet(size); err != nil {
		return err
	}
	return c.ReadGreeting()
}

// Good is a peer that has info dictionaries and hands them out, after a delay. It
// is as strict as some clients are: it hangs up on a handshake that anything
// comes with.
func Good(delay time.Duration, infos ...[]byte) Behaviour {
	have := make(map[[20]byte][]byte)
	for _, info := range infos {
		have[Hash(info)], have[HashV2(info)] = info, info
	}
	return func(c *Conn) {
		if c.ReadHandshake() != nil || c.r.Buffered() > 0 {
			return
		}
		info, ok := have[c.Hash]
		if !ok {
			return
		}
		time.Sleep(delay)
		if c.SendHandshake(c.Hash) != nil || c.Greet(fmt.Sprintf("i%de", len(info))) != nil || c.ReadGreeting() != nil {
			return
		}
		for {
			piece, err := c.ReadRequest()
			if err != nil || c.SendPiece(info, piece) != nil {
				return
			}
		}
	}
}

// Ticking is a peer that answers ten requests of those that come together, and
// the others once a tick, as libtorrent does.
func Ticking(info []byte, tick time.Duration) Behaviour {
	const atOnce = 10
	return func(c *Conn) {
		if c.Open(fmt.Sprintf("i%de", len(info))) != nil {
			return
		}
		for together := 1; ; together++ {
			piece, err := c.ReadRequest()
			if err != nil {
				return
			}
			if together > atOnce {
				time.Sleep(tick)
				together = 1
			}
			if c.SendPiece(info, piece) != nil {
				return
			}
			if c.r.Buffered() == 0 {
				together = 0
			}
		}
	}
}
