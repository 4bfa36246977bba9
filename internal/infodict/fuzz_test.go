package infodict

import (
	"bytes"
	"errors"
	"strings"
	"testing"
	"unicode/utf8"

	"github.com/anacrolix/torrent/bencode"
	"github.com/anacrolix/torrent/metainfo"

	"github.com/boontorrent/boon/internal/rawlog"
)

// FuzzInfo holds what the package promises of any bytes at all, and that
// another implementation reads the same where it reads.
func FuzzInfo(f *testing.F) {
	f.Add([]byte(single("film.mkv", 5)))
	f.Add([]byte(multi("d", file(3, "a", "b"), dict("attr", str("p"), "length", num(7)))))
	f.Add([]byte(v2("d", dict("a", dict("b", leaf(4)), "c", leaf(0)))))
	f.Add([]byte(hybrid("d", dict("a", leaf(20000)), list(file(20000, "a")))))
	f.Fuzz(func(t *testing.T, info []byte) {
		ev, err := FromInfo(info, nil)
		if err != nil {
			var why *Error
			if !errors.As(err, &why) || why.Reason == "" {
				t.Fatalf("an error without a reason: %v", err)
			}
			return
		}
		checkEvent(t, ev)
		compareWithMetainfo(t, info, ev)
	})
}

func checkEvent(t *testing.T, ev *rawlog.ResolveEvent) {
	t.Helper()
	total := int64(0)
	for _, f := range ev.Files {
		if f.Length < 0 || len(f.Path) == 0 {
			t.Errorf("file %q of %d bytes", f.Path, f.Length)
		}
		total += f.Length
		for _, part := range f.Path {
			if namesNothing(part) || strings.ContainsAny(part, "/\\\x00") || len(part) > 255 || !utf8.ValidString(part) {
				t.Errorf("part %q of a path", part)
			}
		}
	}
	if total <= 0 || ev.Name == "" || !utf8.ValidString(ev.Name) || ev.PieceLength <= 0 {
		t.Errorf("%q: %d bytes in pieces of %d", ev.Name, total, ev.PieceLength)
	}
	line, err := rawlog.AppendEvent(nil, &rawlog.Event{Kind: rawlog.Resolve, T: rawlog.MinTime, Resolve: ev})
	if err != nil || len(line) > rawlog.MaxResolveLine || bytes.IndexByte(line, '\n') != len(line)-1 {
		t.Errorf("a line of %d bytes: %v", len(line), err)
	}
}

// compareWithMetainfo decodes with anacrolix/torrent and compares what both
// read: sizes, and the names that need no cleaning.
func compareWithMetainfo(t *testing.T, raw []byte, ev *rawlog.ResolveEvent) {
	t.Helper()
	if _, canonical, _ := check(raw); !canonical {
		return // it takes the last of a key that comes twice
	}
	var info metainfo.Info
	if err := bencode.Unmarshal(raw, &info); err != nil {
		return
	}
	if id := rawlog.ID(metainfo.HashBytes(raw)); info.HasV1() && id != ev.Infohash {
		t.Errorf("info-hash %s, metainfo says %s", ev.Infohash, id)
	}
	if info.PieceLength != ev.PieceLength {
		t.Errorf("piece length %d, metainfo says %d", ev.PieceLength, info.PieceLength)
	}
	if info.Name != ev.Name && plain(info.Name) && info.NameUtf8 == "" {
		t.Errorf("name %q, metainfo says %q", ev.Name, info.Name)
	}
	if !info.HasV1() || info.Files == nil {
		return
	}
	if len(info.Files) != len(ev.Files) {
		t.Fatalf("%d files, metainfo says %d", len(ev.Files), len(info.Files))
	}
	for i, f := range info.Files {
		got := ev.Files[i]
		if f.Length != got.Length && !strings.Contains(f.Attr, "l") {
			t.Errorf("file %d has %d bytes, metainfo says %d", i, got.Length, f.Length)
		}
		want := strings.Join(f.Path, "/")
		if len(f.Path) > 0 && f.PathUtf8 == nil && plain(strings.Join(f.Path, "")) && want != strings.Join(got.Path, "/") && !strings.Contains("/"+want+"/", "//") {
			t.Errorf("file %d is %q, metainfo says %q", i, got.Path, f.Path)
		}
	}
}

// plain reports whether a name needs no cleaning, whatever the rules are.
func plain(s string) bool {
	for _, r := range s {
		if r < '0' || r > 'z' || r == '\\' || r == ':' {
			return false
		}
	}
	return s != "" && len(s) < 200
}
