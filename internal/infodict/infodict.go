// Package infodict turns an info dictionary, the part of a torrent that its
// info-hash is the digest of, into a checked resolve event.
//
// It reads the bytes of an info dictionary as a peer sent them, or a whole
// .torrent file, of version 1, version 2 (BEP 52) or both. What it returns is
// safe to store: names and paths are valid UTF-8, no path leads out of its
// folder, no size is negative, sums do not overflow, and the event fits into a
// line of the raw log. What it refuses has a Reason.
//
// Which torrents are refused follows what BitTorrent clients do: one that no
// client could load (no pieces, a wrong number of them, no name, a size of
// nothing) says nothing about what people share. Names that are merely odd are
// kept and made safe. Everything outside the info dictionary, such as trackers
// or version 2's piece layers, plays no part.
//
// The bytes come from strangers. They are walked once without recursion or
// allocation, with depth and lengths bounded (package bencode), before anything is
// made of them, and afterwards read in place. The decoder of anacrolix/torrent
// is not used for it, but is what the tests compare with: it panics on a pieces
// root of another length, drops the attributes of files in version 2's tree,
// takes time quadratic in the tree's depth, and refuses torrents for faults in
// keys that nobody reads.
package infodict

import (
	"crypto/sha1"
	"crypto/sha256"
	"encoding/base64"
	"encoding/hex"
	"errors"
	"fmt"
	"strings"
	"unicode/utf8"

	"github.com/boontorrent/boon/internal/bencode"
	"github.com/boontorrent/boon/internal/rawlog"
)

// Bounds of what is accepted. Those of sizes and pieces are libtorrent's.
const (
	MaxBytes       = 64 << 20            // of an info dictionary or .torrent file
	MaxFiles       = 1_000_000           // of a torrent
	maxParts       = 100                 // of a path
	maxName        = 4096                // bytes of a recorded name; the rest is cut
	maxFileSize    = (1<<30 - 2) * 16384 // block numbers have thirty bits
	maxPieces      = 1 << 21             // pieces of a torrent
	maxTotal       = 1 << 50             // bytes of a torrent
	maxPieceLength = (1<<15 - 1) * 16384 // bytes
	minPieceV2     = 16 << 10            // BEP 52
)

// Reason says, in a word for counting by, why bytes were refused.
type Reason string

// The reasons.
const (
	TooLarge       Reason = "too_large"        // more bytes, files, parts or pieces than the bounds
	TooDeep        Reason = "too_deep"         // lists in lists in lists
	Malformed      Reason = "malformed"        // not bencoding
	NoInfo         Reason = "no_info"          // bencoding, but no info dictionary in it
	HashMismatch   Reason = "hash_mismatch"    // not what the info-hash stands for
	BadVersion     Reason = "bad_version"      // a meta version that is not known
	NotCanonical   Reason = "not_canonical"    // version 2 asks for sorted keys and plain numbers
	NoName         Reason = "no_name"          // no name, or it is not a string
	BadPieceLength Reason = "bad_piece_length" // missing, or outside what is allowed
	BadPieces      Reason = "bad_pieces"       // piece hashes missing, or not as many as there are pieces
	BadFiles       Reason = "bad_files"        // no list or tree of files where one should be
	BadPath        Reason = "bad_path"         // a file's path missing, or not a list of strings
	BadSize        Reason = "bad_size"         // a file's size missing, negative or too large
	NoContent      Reason = "no_content"       // no files, or nothing in them
	BadRoot        Reason = "bad_root"         // a file of version 2 without its root hash
	V1V2Mismatch   Reason = "v1_v2_mismatch"   // a hybrid's two lists of files differ
)

// Error is why bytes were refused.
type Error struct {
	Reason Reason
	Detail string
}

func (e *Error) Error() string { return string(e.Reason) + ": " + e.Detail }

func refuse(r Reason, format string, args ...any) error {
	return &Error{Reason: r, Detail: fmt.Sprintf(format, args...)}
}

// FromInfo reads an info dictionary. If want is not nil, the dictionary must be
// what that info-hash stands for: the SHA-1 of its bytes, or the first twenty
// bytes of their SHA-256 if it is of version 2. The event's info-hash is want,
// or else the SHA-1, or the cut SHA-256 of a torrent of version 2 alone. Every
// error is an *Error.
//
// The event holds no time, and no peers: Peers, Seeders and Leechers are -1.
func FromInfo(info []byte, want *rawlog.ID) (*rawlog.ResolveEvent, error) {
	if len(info) > MaxBytes {
		return nil, refuse(TooLarge, "an info dictionary of %d bytes; %d are allowed", len(info), MaxBytes)
	}
	size, canonical, err := check(info)
	if err != nil {
		return nil, err
	}
	if size != len(info) {
		return nil, refuse(Malformed, "%d bytes after the end of the info dictionary", len(info)-size)
	}
	return fromChecked(bencode.Value(info), canonical, want)
}

// FromTorrent reads a .torrent file. Bytes after its end are ignored, as
// clients do. Every error is an *Error.
func FromTorrent(file []byte) (*rawlog.ResolveEvent, error) {
	if len(file) > MaxBytes {
		return nil, refuse(TooLarge, "a file of %d bytes; %d are allowed", len(file), MaxBytes)
	}
	size, _, err := check(file)
	if err != nil {
		return nil, err
	}
	torrent := bencode.Value(file[:size])
	if !torrent.IsDict() {
		return nil, refuse(NoInfo, "the file is not a dictionary")
	}
	var got [1]bencode.Value
	torrent.Pick(got[:], "info")
	if !got[0].IsDict() {
		return nil, refuse(NoInfo, "the file has no dictionary named info")
	}
	_, canonical, err := check(got[0])
	if err != nil {
		return nil, err
	}
	return fromChecked(got[0], canonical, nil)
}

// check measures the value at the beginning of b.
func check(b []byte) (size int, canonical bool, err error) {
	size, canonical, err = bencode.Check(b)
	var why *bencode.Error
	switch {
	case errors.As(err, &why) && why.TooDeep:
		err = refuse(TooDeep, "%v", err)
	case err != nil:
		err = refuse(Malformed, "%v", err)
	}
	return size, canonical, err
}

// dictionary is an info dictionary being read: its values, nil where absent.
type dictionary struct {
	name, nameUTF8, pieceLength, pieces, length, files, tree, version, private, attr bencode.Value

	pieceBytes int64
	least      int64 // the bytes that the paths take in an event's line, at least
}

func fromChecked(info bencode.Value, canonical bool, want *rawlog.ID) (*rawlog.ResolveEvent, error) {
	if !info.IsDict() {
		return nil, refuse(NoInfo, "the info is not a dictionary")
	}
	var got [10]bencode.Value
	info.Pick(got[:], "name", "name.utf-8", "piece length", "pieces", "length", "files", "file tree", "meta version", "private", "attr")
	d := &dictionary{
		name: got[0], nameUTF8: got[1], pieceLength: got[2], pieces: got[3], length: got[4],
		files: got[5], tree: got[6], version: got[7], private: got[8], attr: got[9],
	}
	v1, v2, err := d.versions(canonical)
	if err != nil {
		return nil, err
	}
	ev := &rawlog.ResolveEvent{Peers: -1, Seeders: -1, Leechers: -1}
	if err := identify(ev, info, v1, v2, want); err != nil {
		return nil, err
	}
	ev.Private = rawlog.TriOf(d.isPrivate())
	raw, err := d.nameBytes()
	if err != nil {
		return nil, err
	}
	setName(ev, raw)
	if ev.PieceLength, err = d.checkPieceLength(v2); err != nil {
		return nil, err
	}
	d.pieceBytes = ev.PieceLength
	part := cleanPart([]byte(ev.Name))
	if ev.Files, err = d.allFiles(part, v1, v2); err != nil {
		return nil, err
	}
	return ev, d.fits(ev)
}

// versions tells which versions of the protocol the torrent is for.
func (d *dictionary) versions(canonical bool) (v1, v2 bool, err error) {
	version := int64(1)
	if d.version != nil {
		var ok bool
		if version, ok = d.version.Integer(); !ok || version < 0 || version > 2 {
			return false, false, refuse(BadVersion, "meta version is %s; 1 and 2 are known", d.version.Brief())
		}
	}
	if version != 2 {
		return true, false, nil
	}
	if !canonical {
		return false, false, refuse(NotCanonical, "unsorted keys or numbers with leading zeros, which version 2 forbids")
	}
	return d.pieces != nil, true, nil
}

// identify sets the hashes.
func identify(ev *rawlog.ResolveEvent, info bencode.Value, v1, v2 bool, want *rawlog.ID) error {
	sum1, sum2 := rawlog.ID(sha1.Sum(info)), sha256.Sum256(info)
	cut := rawlog.ID(sum2[:20])
	ev.Infohash = sum1
	if v2 {
		ev.InfohashV2 = hex.EncodeToString(sum2[:])
	}
	if !v1 {
		ev.Infohash = cut
	}
	if want == nil || *want == ev.Infohash {
		return nil
	}
	if v2 && *want == cut {
		ev.Infohash = cut
		return nil
	}
	return refuse(HashMismatch, "%s was asked for, and these are the bytes of %s", want, ev.Infohash)
}

func (d *dictionary) isPrivate() bool {
	n, ok := d.private.Integer()
	return ok && n != 0
}

func (d *dictionary) nameBytes() ([]byte, error) {
	if name, ok := d.nameUTF8.Text(); ok && len(name) > 0 && utf8.Valid(name) {
		return name, nil
	}
	name, ok := d.name.Text()
	if !ok {
		return nil, refuse(NoName, "name is %s", d.name.Brief())
	}
	return name, nil
}

// setName records a name as it is, but for NULs, and with the info-hash in its
// place where it names nothing.
func setName(ev *rawlog.ResolveEvent, raw []byte) {
	if len(raw) > maxName {
		raw = cutText(raw, maxName)
	}
	if !utf8.Valid(raw) {
		ev.NameB64 = base64.StdEncoding.EncodeToString(raw)
	}
	ev.Name = strings.ReplaceAll(validText(raw), "\x00", "")
	if namesNothing(strip(ev.Name)) {
		ev.Name = ev.Infohash.String()
	}
}

func (d *dictionary) checkPieceLength(v2 bool) (int64, error) {
	n, ok := d.pieceLength.Integer()
	if !ok || n <= 0 || n > maxPieceLength {
		return 0, refuse(BadPieceLength, "piece length is %s", d.pieceLength.Brief())
	}
	if v2 && (n < minPieceV2 || n&(n-1) != 0) {
		return 0, refuse(BadPieceLength, "piece length is %d; version 2 asks for a power of two from %d up", n, minPieceV2)
	}
	return n, nil
}

// fileLine bounds what a file takes in an event's line besides its path.
const fileLine = 160

// fits makes sure that the event can be written to a raw log.
func (d *dictionary) fits(ev *rawlog.ResolveEvent) error {
	if most := 4*maxName + 2*d.least + fileLine*int64(len(ev.Files)); most < rawlog.MaxResolveLine {
		return nil // even if every character needs an escape
	}
	line, err := rawlog.AppendEvent(nil, &rawlog.Event{Kind: rawlog.Resolve, T: rawlog.MaxTime, N: 1<<63 - 1, Resolve: ev})
	if err != nil {
		return refuse(Malformed, "%v", err)
	}
	if spare := 256; len(line)+spare > rawlog.MaxResolveLine { // for what the caller sets
		return refuse(TooLarge, "the paths of %d files take %d bytes; %d fit into a line of the log", len(ev.Files), len(line), rawlog.MaxResolveLine)
	}
	return nil
}
