// Package fetch gets the info dictionary of a torrent from its peers.
//
// It takes an info-hash and a channel of addresses, and returns the exact bytes
// of the info dictionary, checked against the info-hash, or why there are none.
//
// The way of a peer (peer.go): its address must be one that can be on the
// internet and rest for a second since it was last connected to (gate.go); TCP
// has a head start over uTP, the first to connect is used (dial.go); the
// BitTorrent handshake goes in the clear and, where the peer hangs up on that,
// a second time encrypted (or the other way round); then the extension
// handshake (BEP 10) and the pieces of the info dictionary (BEP 9), many asked
// for at once. Fetch (hash.go) starts few peers, and more as those fail or keep
// it waiting; the first whose bytes are right ends the others.
//
// What it promises:
//
//   - It asks for nothing but the info dictionary: no piece of a file is ever
//     requested, none is announced to be had, nothing is uploaded.
//   - Every peer is on its own: what one sends is never mixed with what another
//     does, so that a wrong byte has one sender. A peer that lies, stalls or
//     floods is dropped with a Reason, and takes nobody along.
//   - Whatever peers send, memory stays within Config.MaxMemory and a few KiB for
//     each connection: every message is bounded before it is read, and walked
//     before anything is made of it (talk.go, extended.go).
//   - No address leaves it: results and figures are counts.
package fetch

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"io"
	"net/netip"
	"time"
)

// Encryption says which handshakes to try, and in which order.
type Encryption uint8

// The policies. An encrypted handshake costs each side two exponentiations, and
// peers that insist on it are few, so it comes second unless told otherwise.
const (
	PlainFirst Encryption = iota
	EncryptedFirst
	PlainOnly
	EncryptedOnly
)

// Transport is what carries the bytes.
type Transport uint8

// The transports.
const (
	TCP Transport = iota
	UTP
)

// Config bounds what a Fetcher does. The zero value has the defaults.
type Config struct {
	ConnectTimeout time.Duration // for a connection; 3 s
	PeerTimeout    time.Duration // for all that is done with a peer; 6 s
	AddressRest    time.Duration // between two connections to an address; 1 s. A race of TCP and uTP is one
	RestWait       time.Duration // of a hash for addresses to rest, when it has no others; 5 s. Some have peers for thousands
	HeadStart      time.Duration // of TCP over uTP; 250 ms
	PexWait        time.Duration // for a peer without the info dictionary to name others; 2 s
	Stagger        time.Duration // a hash that still waits gets another peer this often; 250 ms

	PerHash   int   // peers at once for a hash; 8
	MaxConns  int   // peers at once in all; 4096
	MaxInfo   int   // bytes of an info dictionary; 10 MiB
	MaxMemory int64 // bytes of what was received and is not yet checked, of all peers together; 256 MiB

	Encryption    Encryption
	NoTCP, NoUTP  bool
	AllowLoopback bool   // for tests: loopback addresses are connected to
	Client        string // what peers are told we are; may be empty

	// Dial opens a connection; nil: the system's TCP, and uTP from a socket of
	// the Fetcher's own for IPv4 and one for IPv6.
	Dial func(ctx context.Context, over Transport, to netip.AddrPort) (Stream, error)
	// Random and Now are crypto/rand and the clock unless given.
	Random io.Reader
	Now    func() time.Time
}

// Bounds of a Config's values.
const (
	leastInfo   = 1 << 10
	mostInfo    = 64 << 20 // what package infodict reads
	leastMemory = 1 << 20
)

func (c *Config) check() error {
	fill(&c.ConnectTimeout, 3*time.Second)
	fill(&c.PeerTimeout, 6*time.Second)
	fill(&c.AddressRest, time.Second)
	fill(&c.RestWait, 5*time.Second)
	fill(&c.HeadStart, 250*time.Millisecond)
	fill(&c.PexWait, 2*time.Second)
	fill(&c.Stagger, 250*time.Millisecond)
	fill(&c.PerHash, 8)
	fill(&c.MaxConns, 4096)
	fill(&c.MaxInfo, 10<<20)
	fill(&c.MaxMemory, 256<<20)
	if c.Random == nil {
		c.Random = rand.Reader
	}
	if c.Now == nil {
		c.Now = time.Now
	}
	switch {
	case c.ConnectTimeout < 0 || c.PeerTimeout < 0 || c.AddressRest < 0 || c.RestWait < 0 || c.HeadStart < 0 || c.PexWait < 0 || c.Stagger < 0:
		return errors.New("a time to wait for peers cannot be negative")
	case c.PerHash < 1 || c.MaxConns < 1:
		return errors.New("at least one peer at once is needed")
	case c.MaxInfo < leastInfo || c.MaxInfo > mostInfo:
		return fmt.Errorf("info dictionaries of at most %d bytes: choose a bound from %d to %d", c.MaxInfo, leastInfo, mostInfo)
	case c.MaxMemory < leastMemory || c.MaxMemory < int64(c.MaxInfo):
		return fmt.Errorf("%d bytes of memory are not enough for an info dictionary of %d", c.MaxMemory, c.MaxInfo)
	case c.NoTCP && c.NoUTP:
		return errors.New("without TCP and uTP there is nothing to connect with")
	case c.Encryption > EncryptedOnly:
		return fmt.Errorf("policy %d of encryption is not known", c.Encryption)
	}
	return nil
}

func fill[T comparable](to *T, value T) {
	var zero T
	if *to == zero {
		*to = value
	}
}

// Peer is an address to try.
type Peer struct {
	Addr   netip.AddrPort
	Source string // who named it, for Result.Source; "pex" is used by peers that peers name
}

// Want is what to look for.
type Want struct {
	// Infohash is the SHA-1 of an info dictionary, or the first twenty bytes of
	// the SHA-256 of one of version 2.
	Infohash [20]byte
	// Patient is for one that waits for addresses to rest as long as it takes,
	// whatever RestWait is.
	Patient bool
}

// Result is what became of an info-hash.
type Result struct {
	Info   []byte // the exact bytes; nil if there are none
	V2     bool   // Infohash is the cut SHA-256 of them, not the SHA-1
	Source string // of the peer that had them
	Reason Reason // why Info is nil

	Peers    int    // distinct addresses that were named, those of Pex among them
	Pex      int    // by other peers
	Skipped  int    // of Peers, not connected to: impossible addresses, more than are kept, not reached in time
	Tried    int    // of Peers, connected to or attempted
	Failed   Counts // of Tried, by reason
	Sent     int64  // bytes
	Received int64  // bytes
}

// Stats are a Fetcher's figures.
type Stats struct {
	Hashes   int64  // being fetched
	Conns    int64  // peers being tried
	Memory   int64  // bytes of Config.MaxMemory in use
	Most     int64  // that Memory has been
	Fetched  int64  // info dictionaries, since New
	Failed   Counts // info-hashes, by reason, since New
	Tried    int64  // peers, since New
	Dropped  Counts // peers, by reason, since New
	Sent     int64  // bytes, since New
	Received int64
}
