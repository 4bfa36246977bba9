package rawlog

import (
	"bytes"
	"encoding/base64"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"net/netip"
	"strconv"
	"unicode/utf8"
)

// AppendEvent appends the event's line, with its newline, to dst. The order of
// a query's fields is fixed: the scanner counts on it.
func AppendEvent(dst []byte, ev *Event) ([]byte, error) {
	if ev.Kind.IsQuery() {
		return append(appendQuery(dst, ev), "}\n"...), nil
	}
	wire, err := wireOf(ev)
	if err != nil {
		return dst, err
	}
	buf := bytes.NewBuffer(dst)
	enc := json.NewEncoder(buf)
	enc.SetEscapeHTML(false)
	if err := enc.Encode(wire); err != nil {
		return dst, fmt.Errorf("encode %s event: %w", ev.Kind, err)
	}
	return buf.Bytes(), nil
}

func appendQuery(dst []byte, ev *Event) []byte {
	q := &ev.Query
	dst = append(dst, `{"type":"`...)
	dst = append(dst, ev.Kind.String()...)
	dst = append(dst, `","t":`...)
	dst = strconv.AppendInt(dst, ev.T, 10)
	if ev.N != 0 {
		dst = append(dst, `,"n":`...)
		dst = strconv.AppendInt(dst, ev.N, 10)
	}
	dst = appendID(dst, `,"our_id":"`, q.OurID)
	if q.HasTheirID {
		dst = appendID(dst, `,"their_id":"`, q.TheirID)
	}
	if q.Addr.IsValid() {
		dst = appendAddr(dst, q.Addr)
	}
	if q.Port != 0 {
		dst = append(dst, `,"their_port":`...)
		dst = strconv.AppendUint(dst, uint64(q.Port), 10)
	}
	if ev.Kind == GetPeers || ev.Kind == AnnouncePeer {
		dst = appendID(dst, `,"infohash":"`, q.Infohash)
	} else {
		dst = appendID(dst, `,"target":"`, q.Infohash)
	}
	if q.Version != nil {
		dst = append(dst, `,"version_hex":"`...)
		dst = hex.AppendEncode(dst, q.Version)
		dst = append(dst, '"')
	}
	dst = appendTri(dst, `,"ro":`, q.ReadOnly)
	if ev.Kind == AnnouncePeer {
		dst = appendAnnounce(dst, q)
	}
	if q.NoSeed {
		dst = append(dst, `,"noseed":true`...)
	}
	if q.Scrape {
		dst = append(dst, `,"scrape":true`...)
	}
	if q.HasPseudonym {
		dst = appendPseudonyms(dst, q)
	}
	if q.Geo != nil {
		dst = appendPlace(dst, q.Geo)
	}
	return dst
}

func appendAnnounce(dst []byte, q *Query) []byte {
	if q.AnnouncePort != 0 {
		dst = append(dst, `,"port":`...)
		dst = strconv.AppendUint(dst, uint64(q.AnnouncePort), 10)
	}
	dst = appendTri(dst, `,"implied_port":`, q.ImpliedPort)
	dst = appendTri(dst, `,"token_valid":`, q.TokenValid)
	dst = appendTri(dst, `,"seed":`, q.Seed)
	if q.Name == nil {
		return dst
	}
	dst = append(dst, `,"name":`...)
	dst = appendString(dst, q.Name)
	if !utf8.Valid(q.Name) {
		dst = append(dst, `,"name_b64":"`...)
		dst = base64.StdEncoding.AppendEncode(dst, q.Name)
		dst = append(dst, '"')
	}
	return dst
}

func appendPseudonyms(dst []byte, q *Query) []byte {
	dst = append(dst, `,"requester":`...)
	dst = strconv.AppendInt(dst, q.Requester, 10)
	dst = append(dst, `,"network":`...)
	dst = strconv.AppendInt(dst, q.Network, 10)
	if !q.HasNode {
		return dst
	}
	dst = append(dst, `,"node":`...)
	dst = strconv.AppendInt(dst, q.Node, 10)
	dst = append(dst, `,"their_cpl":`...)
	dst = strconv.AppendUint(dst, uint64(q.TheirCpl), 10)
	return appendTri(dst, `,"id_secure":`, q.IDSecure)
}

func appendPlace(dst []byte, p *Place) []byte {
	dst = append(dst, `,"geo":{`...)
	comma := false
	field := func(name, value string) {
		if value == "" {
			return
		}
		if comma {
			dst = append(dst, ',')
		}
		dst = append(append(append(dst, '"'), name...), `":`...)
		dst = appendString(dst, []byte(value))
		comma = true
	}
	field("country", p.Country)
	field("region", p.Region)
	field("city", p.City)
	number := func(name string, value []byte) {
		if comma {
			dst = append(dst, ',')
		}
		dst = append(append(append(append(dst, '"'), name...), `":`...), value...)
		comma = true
	}
	if p.HasPoint {
		number("lat", strconv.AppendFloat(nil, p.Lat, 'f', -1, 64))
		number("lon", strconv.AppendFloat(nil, p.Lon, 'f', -1, 64))
	}
	if p.ASN != 0 {
		number("asn", strconv.AppendUint(nil, uint64(p.ASN), 10))
	}
	field("as_name", p.ASName)
	return append(dst, '}')
}

func appendID(dst []byte, key string, id ID) []byte {
	dst = append(dst, key...)
	dst = hex.AppendEncode(dst, id[:])
	return append(dst, '"')
}

func appendAddr(dst []byte, a netip.Addr) []byte {
	dst = append(dst, `,"their_ip":"`...)
	dst = a.AppendTo(dst)
	return append(dst, '"')
}

func appendTri(dst []byte, key string, v Tri) []byte {
	switch v {
	case True:
		return append(append(dst, key...), "true"...)
	case False:
		return append(append(dst, key...), "false"...)
	}
	return dst
}

const hexDigits = "0123456789abcdef"

// appendString appends s as a JSON string (RFC 8259); bytes that are not UTF-8
// become U+FFFD.
func appendString(dst, s []byte) []byte {
	dst = append(dst, '"')
	for i := 0; i < len(s); {
		c := s[i]
		switch {
		case c == '"' || c == '\\':
			dst = append(dst, '\\', c)
			i++
		case c < 0x20 || c == 0x7f:
			dst = append(dst, '\\', 'u', '0', '0', hexDigits[c>>4], hexDigits[c&15])
			i++
		case c < utf8.RuneSelf:
			dst = append(dst, c)
			i++
		default:
			r, n := utf8.DecodeRune(s[i:])
			if r == utf8.RuneError && n == 1 {
				dst = append(dst, "\ufffd"...)
			} else {
				dst = append(dst, s[i:i+n]...)
			}
			i += n
		}
	}
	return append(dst, '"')
}
