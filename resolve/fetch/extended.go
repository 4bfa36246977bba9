package fetch

import (
	"encoding/binary"
	"net/netip"
	"strconv"

	pp "github.com/anacrolix/torrent/peer_protocol"

	"github.com/boontorrent/boon/internal/bencode"
)

// Our numbers for the extensions that we speak.
const (
	ourMetadata = 1
	ourPex      = 2
)

// pieceBytes is what a piece of an info dictionary has, but for the last.
const pieceBytes = 16 << 10

// maxExtended bounds a message of the extension protocol: a piece of an info
// dictionary and what stands before it, with room to spare.
const maxExtended = pieceBytes + 512

// appendHello appends our extension handshake. It has no metadata_size, and so
// nobody asks us for an info dictionary.
func appendHello(b []byte, client string) []byte {
	body := "d1:md11:ut_metadatai" + strconv.Itoa(ourMetadata) + "e6:ut_pexi" + strconv.Itoa(ourPex) + "ee"
	if client != "" {
		body += "1:v" + strconv.Itoa(len(client)) + ":" + client
	}
	return appendExtended(b, 0, body+"e")
}

// appendRequest appends a request for a piece of the info dictionary.
func appendRequest(b []byte, id byte, piece int) []byte {
	return appendExtended(b, id, "d8:msg_typei0e5:piecei"+strconv.Itoa(piece)+"ee")
}

func appendExtended(b []byte, id byte, body string) []byte {
	b = binary.BigEndian.AppendUint32(b, uint32(len(body)+2))
	b = append(b, byte(pp.Extended), id)
	return append(b, body...)
}

// greeting is what matters of a peer's extension handshake.
type greeting struct {
	metadata byte  // its number for ut_metadata; 0: it does not speak it
	size     int64 // of the info dictionary; 0: it has none
	pex      bool  // it speaks ut_pex
}

// readGreeting reads an extension handshake.
func readGreeting(body []byte) (greeting, Reason) {
	var g greeting
	if _, _, err := bencode.Check(body); err != nil || body[0] != 'd' {
		return g, Malformed
	}
	var got [2]bencode.Value
	bencode.Value(body).Pick(got[:], "m", "metadata_size")
	if got[0] != nil && !got[0].IsDict() {
		return g, Malformed
	}
	if got[1] != nil {
		size, ok := got[1].Integer()
		if !ok || size < 0 {
			return g, Malformed
		}
		g.size = size
	}
	if got[0] == nil {
		return g, OK
	}
	var ids [2]bencode.Value
	got[0].Pick(ids[:], pp.ExtensionNameMetadata, string(pp.ExtensionNamePex))
	metadata, ok1 := extensionNumber(ids[0])
	pex, ok2 := extensionNumber(ids[1])
	if !ok1 || !ok2 {
		return g, Malformed
	}
	g.metadata, g.pex = metadata, pex != 0
	return g, OK
}

// extensionNumber reads a peer's number for an extension; 0 where it has none.
func extensionNumber(v bencode.Value) (n byte, ok bool) {
	if v == nil {
		return 0, true
	}
	i, ok := v.Integer()
	return byte(i), ok && i >= 0 && i <= 255
}

// Kinds of ut_metadata messages.
const (
	metadataRequest = 0
	metadataData    = 1
	metadataReject  = 2
)

// metadata is a message of ut_metadata.
type metadata struct {
	kind  int64
	piece int64
	total int64 // -1 where it is not said
	data  []byte
}

// readMetadata reads a message of ut_metadata: a dictionary, and what follows it.
func readMetadata(body []byte) (metadata, Reason) {
	size, _, err := bencode.Check(body)
	if err != nil || body[0] != 'd' {
		return metadata{}, Malformed
	}
	var got [3]bencode.Value
	bencode.Value(body[:size]).Pick(got[:], "msg_type", "piece", "total_size")
	m := metadata{total: -1, data: body[size:]}
	var ok1, ok2 bool
	m.kind, ok1 = got[0].Integer()
	m.piece, ok2 = got[1].Integer()
	if !ok1 || !ok2 {
		return metadata{}, Malformed
	}
	if got[2] != nil {
		if m.total, ok1 = got[2].Integer(); !ok1 || m.total < 0 {
			return metadata{}, Malformed
		}
	}
	return m, OK
}

// maxPex bounds the peers taken from one message, as BEP 11 does.
const maxPex = 100

// readPex reads the addresses that a message of ut_pex adds.
func readPex(body []byte) ([]netip.AddrPort, Reason) {
	if _, _, err := bencode.Check(body); err != nil || body[0] != 'd' {
		return nil, Malformed
	}
	var got [2]bencode.Value
	bencode.Value(body).Pick(got[:], "added", "added6")
	var all []netip.AddrPort
	for i, size := range []int{6, 18} {
		if got[i] == nil {
			continue
		}
		text, ok := got[i].Text()
		if !ok || len(text)%size != 0 {
			return nil, Malformed
		}
		for ; len(text) > 0 && len(all) < maxPex; text = text[size:] {
			a, _ := netip.AddrFromSlice(text[:size-2])
			all = append(all, netip.AddrPortFrom(a.Unmap(), binary.BigEndian.Uint16(text[size-2:])))
		}
	}
	return all, OK
}
