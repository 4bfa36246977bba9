// Package rawlog is the raw log: what a collector heard, line by line, before
// anything is made of it. It is the only reader and writer of the format.
//
// A raw log is a sequence of segments. A segment is newline-delimited JSON in
// many small zstd frames: first a header line, then one line an event, last a
// footer line that says how many events there should have been. A frame ends
// on a line's end, at most a second or 1 MiB after it began, so a file that was
// cut loses at most its last frame, and one with a damaged frame loses that
// frame alone.
//
// The reader trusts nothing: lines, frames and segments are bounded, every
// line is either an Event or a Reject with a reason, and what could not be
// read is counted. Lines as this package writes them are scanned by hand
// (scan.go), without allocation; any other line goes through encoding/json
// (decode.go). A fuzz test holds that the two agree.
package rawlog

import (
	"encoding/hex"
	"errors"
	"net/netip"
)

// Version is the version of the format that this package writes.
const Version = 5

// Bounds of what is read and written.
const (
	MaxQueryLine   = 64 << 10  // bytes of a line that is not a resolve event
	MaxResolveLine = 64 << 20  // bytes of a resolve event: a million files fit
	FrameBytes     = 1 << 20   // a frame ends when its lines reach this many bytes
	SegmentBytes   = 64 << 20  // a segment closes when its lines reach this many bytes
	MaxSegment     = 256 << 20 // a reader gives up after this many bytes of lines
)

// Times outside these bounds are not believed: the Mainline DHT began in 2005.
const (
	MinTime = 1104537600_000000 // 2005-01-01, µs since 1970 UTC
	MaxTime = 4102444800_000000 // 2100-01-01
)

// ID is a node id or info-hash: a place in the DHT's 160-bit keyspace (BEP 5).
type ID [20]byte

// ParseID reads forty hex digits of either case.
func ParseID(s string) (ID, error) {
	var id ID
	if len(s) != 40 {
		return id, errors.New("an info-hash or node id has 40 hex digits")
	}
	if _, err := hex.Decode(id[:], []byte(s)); err != nil {
		return ID{}, errors.New("an info-hash or node id has only the digits 0-9 and a-f")
	}
	return id, nil
}

func (id ID) String() string { return hex.EncodeToString(id[:]) }

// Kind is the type of an event.
type Kind uint8

// The kinds of events. The first four are queries heard from others.
const (
	NoKind Kind = iota
	GetPeers
	AnnouncePeer
	SampleInfohashes
	FindNode // only where target and asker share 32 bits: a node looking for itself
	Probe
	Stats
	Resolve
	ResolveFailed
)

var kindNames = [...]string{"", "get_peers", "announce_peer", "sample_infohashes", "find_node", "probe", "stats", "resolve", "resolve_failed"}

func (k Kind) String() string { return kindNames[k] }

// IsQuery reports whether events of the kind have a Query.
func (k Kind) IsQuery() bool { return k >= GetPeers && k <= FindNode }

// Tri is a boolean that may be unknown.
type Tri uint8

// The values of a Tri.
const (
	Unknown Tri = iota
	False
	True
)

// TriOf is True or False.
func TriOf(b bool) Tri {
	if b {
		return True
	}
	return False
}

// Event is one record of a raw log. Which of the pointers is set follows from
// Kind; queries are held by value so that reading them allocates nothing.
type Event struct {
	Kind Kind
	T    int64 // µs since 1970 UTC
	N    int64 // number of the record within its run, from 1; 0 where there is none

	Query   Query
	Probe   *ProbeEvent
	Stats   *StatsEvent
	Resolve *ResolveEvent
	Failed  *FailedEvent
}

// Query is a query heard from another node. Slices point into the reader's
// memory and hold until its next call.
type Query struct {
	OurID      ID
	Infohash   ID // the target, for sample_infohashes and find_node
	TheirID    ID // zero unless HasTheirID
	HasTheirID bool

	Addr netip.Addr // invalid where the collector left it out (privacy "edge")
	Port uint16     // the source port, 0 where unknown

	Version  []byte // the bytes of "v", nil where the asker sent none
	ReadOnly Tri    // ro, BEP 43
	NoSeed   bool   // BEP 33
	Scrape   bool   // BEP 33

	// Of announce_peer only.
	AnnouncePort uint16 // "port", 0 where unknown
	ImpliedPort  Tri
	TokenValid   Tri
	Seed         Tri
	Name         []byte // nil where none was sent; may be any bytes

	// Where the collector or the import made them: pseudonyms instead of the
	// address, and the place of the address at the time.
	HasPseudonym bool
	Requester    int64
	Network      int64
	Geo          *Place

	// In place of TheirID, where the collector left it out (privacy "edge"): its
	// pseudonym, and what can only be told of the id itself.
	HasNode  bool
	Node     int64
	TheirCpl uint8 // leading bits that Infohash and the id share, 0 to 160
	IDSecure Tri   // the id fits the address (BEP 42)
}

// Place is a place as recorded with an event. Empty strings are unknown.
type Place struct {
	Country  string  `json:"country,omitempty"` // ISO 3166-1 alpha-2
	Region   string  `json:"region,omitempty"`  // ISO 3166-2, as US-PA
	City     string  `json:"city,omitempty"`
	Lat      float64 `json:"lat"` // degrees
	Lon      float64 `json:"lon"`
	HasPoint bool    `json:"-"`
	ASN      uint32  `json:"asn,omitempty"`
	ASName   string  `json:"as_name,omitempty"`
}

// ProbeEvent is one of our own lookups, made to learn how far a lookup is heard.
type ProbeEvent struct {
	Target  ID
	Family  string // the client family whose manner was followed
	Queried []Queried
}

// Queried is one node that a probe asked.
type Queried struct {
	ID ID
	OK bool // it answered
}

// StatsEvent is a minute's counts of one of our nodes.
type StatsEvent struct {
	OurID    ID               // zero where the counts are of all nodes together
	Received map[string]int64 // packets, by type
	Logged   map[string]int64 // events written, by type
	Sent     map[string]int64
	Dropped  map[string]int64 // by reason
	Nodes    int64            // in the routing table
	Gauges   map[string]int64 // what is measured at the end of the minute, by name
}

// ResolveEvent is an info dictionary, found and verified.
type ResolveEvent struct {
	Infohash    ID
	InfohashV2  string // 64 hex digits (BEP 52), "" for a v1 torrent
	Name        string
	NameB64     string // the name's bytes where they are not UTF-8
	PieceLength int64
	Private     Tri
	Files       []File // nil where the source kept no list (2018 logs)
	Size        int64  // bytes, where Files is nil
	FileCount   int64  // where Files is nil
	Peers       int64  // -1 where unknown, as are the next two
	Seeders     int64
	Leechers    int64
	FoundBy     string
}

// File is one file of a torrent.
type File struct {
	Path       []string `json:"path"`
	Length     int64    `json:"length"`
	Attr       string   `json:"attr,omitempty"` // "p" marks padding (BEP 47)
	PiecesRoot string   `json:"pieces_root,omitempty"`
}

// FailedEvent says that an info-hash was tried and not resolved.
type FailedEvent struct {
	Infohash ID
	Reason   string
	Peers    int64
}

// Header is a segment's first line.
type Header struct {
	Collector string
	Run       string
	Seq       uint64
	Start     int64 // µs
	Software  string
	Privacy   string // "plain" or "edge"
	KeyEpoch  string // of the key that pseudonyms were made with, "" where there are none
	KeyPrint  string // tells this key from others of the epoch
	Imported  string // what an import read, "" for a collector's own log
}

// Footer is a segment's last line.
type Footer struct {
	Seq       uint64
	Records   int64
	Dropped   map[string]int64
	End       int64 // µs
	Recovered bool  // sealed after a crash
}

// The reasons of a Reject. A consumer may add its own.
const (
	NotJSON      = "not_json"
	TooLong      = "too_long"
	UnknownType  = "unknown_type"
	MissingField = "missing_field"
	WrongType    = "wrong_type"
	BadHash      = "bad_hash"
	BadAddress   = "bad_address"
	BadTime      = "bad_time"
	BadNumber    = "bad_number"
	BadHeader    = "bad_header"
	BadUTF8      = "bad_utf8"
)

// Reject is a line that is not an event, and why. It is an error, but not the
// end: the reader goes on with the next line.
type Reject struct {
	Reason string
	Detail string
	Line   []byte // the line, or its beginning; holds until the reader's next call
	At     int64  // the line's number in the segment, from 1
}

func (r *Reject) Error() string {
	if r.Detail == "" {
		return r.Reason
	}
	return r.Reason + ": " + r.Detail
}
