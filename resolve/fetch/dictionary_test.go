package fetch_test

import (
	"bytes"
	"errors"
	"fmt"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/boontorrent/boon/internal/infodict"
	"github.com/boontorrent/boon/internal/peertest"
	"github.com/boontorrent/boon/internal/rawlog"
	"github.com/boontorrent/boon/resolve/fetch"
)

// str and dict bencode; dict takes its pairs in the order given.
func str(s string) string { return fmt.Sprintf("%d:%s", len(s), s) }

func dict(pairs ...string) string {
	var b strings.Builder
	for i := 0; i < len(pairs); i += 2 {
		b.WriteString(str(pairs[i]) + pairs[i+1])
	}
	return "d" + b.String() + "e"
}

func file(size string, parts ...string) string {
	var path strings.Builder
	for _, p := range parts {
		path.WriteString(str(p))
	}
	return dict("length", "i"+size+"e", "path", "l"+path.String()+"e")
}

var hashes = str(strings.Repeat("x", 20)) // constant: a piece's hash, that nobody checks

func of(files ...string) string {
	return dict("files", "l"+strings.Join(files, "")+"e", "name", str("n"), "piece length", "i16384e", "pieces", hashes)
}

// deep is a tree of version 2 with a file under so many folders.
func deep(folders int) string {
	leaf := dict("", dict("length", "i1e", "pieces root", str(strings.Repeat("r", 32))))
	tree := strings.Repeat("d1:a", folders) + leaf + strings.Repeat("e", folders)
	return dict("file tree", tree, "meta version", "i2e", "name", str("n"), "piece length", "i16384e")
}

// TestHostileDictionaries: info dictionaries that their hash stands for, and
// that are hostile all the same, come through as they are; what reads them
// afterwards refuses them, or makes them safe.
func TestHostileDictionaries(t *testing.T) {
	long := strings.Repeat("p", 4096)
	for name, c := range map[string]struct {
		info   string
		reason infodict.Reason
		paths  [][]string
	}{
		"300,000 files":       {of(strings.Repeat(file("0", "a"), 299_999) + file("1", "a")), "", nil},
		"paths that lead out": {of(file("1", "..", "..", "etc"), file("1", "/etc", "passwd"), file("1", ""), file("1", "a\x00b")), "", [][]string{{"_", "_", "etc"}, {"etc", "passwd"}, {"_"}, {"ab"}}},
		"a path of 4 KB":      {of(file("1", long)), "", [][]string{{long[:240]}}},
		"a path of no UTF-8":  {of(file("1", "\xff\xfe")), "", [][]string{{"\ufffd\ufffd"}}},
		"an empty path":       {of(file("1")), infodict.BadPath, nil},
		"a negative size":     {of(file("-1", "a")), infodict.BadSize, nil},
		"a size of 70 bits":   {of(file("999999999999999999999", "a")), infodict.BadSize, nil},
		"sizes that overflow": {of(strings.Repeat(file("9000000000000", "a"), 2000)), infodict.BadSize, nil},
		"no name":             {dict("length", "i1e", "piece length", "i16384e", "pieces", hashes), infodict.NoName, nil},
		"a tree 10,000 deep":  {deep(10_000), infodict.TooDeep, nil},
		"no dictionary":       {"li1ee", infodict.NoInfo, nil},
		"no bencoding":        {"hello", infodict.Malformed, nil},
	} {
		t.Run(name, func(t *testing.T) {
			info := []byte(c.info)
			peer := peertest.Start(t, peertest.Good(0, info), peertest.Options{})
			f := newFetcher(t, fetch.Config{})
			res := among(t, f, peertest.Hash(info), peer.Addr)
			if !bytes.Equal(res.Info, info) {
				t.Fatalf("%d bytes of %d, %+v", len(res.Info), len(info), res.Reason)
			}
			want := rawlog.ID(peertest.Hash(info))
			ev, err := infodict.FromInfo(res.Info, &want)
			var why *infodict.Error
			if c.reason != "" {
				if !errors.As(err, &why) || why.Reason != c.reason {
					t.Errorf("%v, want %s", err, c.reason)
				}
				return
			}
			if err != nil {
				t.Fatal(err)
			}
			var paths [][]string
			for _, f := range ev.Files {
				paths = append(paths, f.Path)
			}
			if diff := cmp.Diff(c.paths, paths); c.paths != nil && diff != "" {
				t.Error(diff)
			}
		})
	}
}

// TestMillionFiles: an info dictionary of a million files is larger than any
// that is asked for.
func TestMillionFiles(t *testing.T) {
	info := []byte(of(strings.Repeat(file("1", "a"), 1_000_000)))
	peer := peertest.Start(t, peertest.Good(0, info), peertest.Options{})
	f := newFetcher(t, fetch.Config{})
	if res := among(t, f, peertest.Hash(info), peer.Addr); res.Reason != fetch.TooLarge || res.Received > 1000 {
		t.Errorf("%s, %d bytes received", res.Reason, res.Received)
	}
}

// TestVersions: an info dictionary of version 2 is found under its cut SHA-256,
// a hybrid's under both of its hashes, each told from the other.
func TestVersions(t *testing.T) {
	info := []byte(deep(1))
	peer := peertest.Start(t, peertest.Good(0, info), peertest.Options{})
	f := newFetcher(t, fetch.Config{AddressRest: 1})
	for v2, hash := range map[bool][20]byte{false: peertest.Hash(info), true: peertest.HashV2(info)} {
		if res := among(t, f, hash, peer.Addr); !bytes.Equal(res.Info, info) || res.V2 != v2 {
			t.Errorf("%v: %+v", v2, res)
		}
	}
}
