package resolve

import (
	"bufio"
	"context"
	"encoding/base32"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"net/netip"
	"net/url"
	"strings"

	"github.com/boontorrent/boon/internal/rawlog"
)

// Target is a line of a list: an info-hash, and peers where a magnet link has them.
type Target struct {
	Infohash rawlog.ID
	Other    rawlog.ID // of version 2, where a magnet link has both; else zero
	Peers    []netip.AddrPort
}

const (
	maxListLine  = 64 << 10
	maxLinkPeers = 50
)

// ParseLine reads an info-hash of 40 hex digits, 32 of base32, or 64 hex digits
// (BEP 52, of which the DHT knows the first 40), or a magnet link that has one
// (BEP 9): btih of version 1, or else btmh of version 2.
func ParseLine(line string) (Target, error) {
	if len(line) > 7 && strings.EqualFold(line[:7], "magnet:") {
		return parseMagnet(line)
	}
	h, err := parseHash(line)
	return Target{Infohash: h}, err
}

func parseHash(s string) (rawlog.ID, error) {
	switch len(s) {
	case 40:
		return rawlog.ParseID(s)
	case 32:
		b, err := base32.StdEncoding.DecodeString(strings.ToUpper(s))
		if err != nil {
			return rawlog.ID{}, errors.New("an info-hash of 32 characters has only A-Z and 2-7")
		}
		return rawlog.ID(b), nil
	case 64:
		b, err := hex.DecodeString(s)
		if err != nil {
			return rawlog.ID{}, errors.New("an info-hash of version 2 has only the digits 0-9 and a-f")
		}
		return rawlog.ID(b[:20]), nil
	}
	return rawlog.ID{}, errors.New("neither an info-hash (40 hex digits, 32 of base32, or 64 of version 2) nor a magnet link")
}

func parseMagnet(link string) (Target, error) {
	u, err := url.Parse(link)
	if err != nil {
		return Target{}, errors.New("a magnet link that cannot be read")
	}
	q, err := url.ParseQuery(strings.ReplaceAll(u.RawQuery, ";", "%3B")) // titles have it, and it separates nothing
	if err != nil {
		return Target{}, errors.New("a magnet link that cannot be read")
	}
	v1, v2 := magnetHashes(q)
	t := Target{}
	switch {
	case v1 == "" && v2 == "":
		return Target{}, errors.New("a magnet link without xt=urn:btih: or xt=urn:btmh:1220")
	case v1 == "":
		v1 = v2
	case v2 != "":
		if t.Other, err = parseHash(v2); err != nil {
			return Target{}, err
		}
	}
	if t.Infohash, err = parseHash(v1); err != nil {
		return Target{}, err
	}
	for _, p := range q["x.pe"] {
		if at, err := netip.ParseAddrPort(p); err == nil && len(t.Peers) < maxLinkPeers {
			t.Peers = append(t.Peers, at)
		}
	}
	return t, nil
}

// magnetHashes returns the info-hashes of a magnet link; "" where it has none.
func magnetHashes(q url.Values) (v1, v2 string) {
	for key, values := range q {
		if key != "xt" && !strings.HasPrefix(key, "xt.") {
			continue
		}
		for _, v := range values {
			if h, ok := cutURN(v, "urn:btih:"); ok {
				v1 = h
			} else if h, ok := cutURN(v, "urn:btmh:1220"); ok && len(h) == 64 { // multihash: SHA-256, 32 bytes
				v2 = h
			}
		}
	}
	return v1, v2
}

// cutURN cuts off the beginning of a URN, whose case does not matter.
func cutURN(s, prefix string) (string, bool) {
	if len(s) < len(prefix) || !strings.EqualFold(s[:len(prefix)], prefix) {
		return "", false
	}
	return s[len(prefix):], true
}

// byteOrderMark is what some editors put before a text, which means nothing.
const byteOrderMark = "\ufeff"

// readList hands on what a list holds. Empty lines and those that begin with #
// are no targets; bad ones are reported with their number.
func readList(ctx context.Context, r io.Reader, target func(Target) error, bad func(line int, why error)) error {
	in := bufio.NewReaderSize(r, maxListLine)
	for n := 1; ctx.Err() == nil; n++ {
		line, err := in.ReadSlice('\n')
		long := errors.Is(err, bufio.ErrBufferFull)
		for errors.Is(err, bufio.ErrBufferFull) {
			_, err = in.ReadSlice('\n')
		}
		if err != nil && !errors.Is(err, io.EOF) {
			return fmt.Errorf("read the list: %w", err)
		}
		text := string(line)
		if n == 1 {
			text = strings.TrimPrefix(text, byteOrderMark)
		}
		text = strings.TrimSpace(text)
		switch {
		case ctx.Err() != nil:
			return ctx.Err()
		case long:
			bad(n, fmt.Errorf("a line of more than %d bytes", maxListLine))
		case text != "" && !strings.HasPrefix(text, "#"):
			t, why := ParseLine(text)
			if why != nil {
				bad(n, why)
			} else if err := target(t); err != nil {
				return err
			}
		}
		if errors.Is(err, io.EOF) {
			return nil
		}
	}
	return ctx.Err()
}
