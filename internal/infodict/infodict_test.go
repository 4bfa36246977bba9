package infodict

import (
	"crypto/sha1"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/boontorrent/boon/internal/rawlog"
)

// str, list and dict bencode; dict takes its pairs in the order given.
func str(s string) string { return fmt.Sprintf("%d:%s", len(s), s) }

func num(n int64) string { return fmt.Sprintf("i%de", n) }

func list(items ...string) string { return "l" + strings.Join(items, "") + "e" }

func dict(pairs ...string) string {
	var b strings.Builder
	b.WriteByte('d')
	for i := 0; i < len(pairs); i += 2 {
		b.WriteString(str(pairs[i]) + pairs[i+1])
	}
	return b.String() + "e"
}

func path(parts ...string) string {
	var items []string
	for _, p := range parts {
		items = append(items, str(p))
	}
	return list(items...)
}

func file(size int64, parts ...string) string {
	return dict("length", num(size), "path", path(parts...))
}

// one piece of 16 KiB at most
const piece = 16384

var onePiece = str(strings.Repeat("x", 20)) // constant: a hash that nobody checks

func multi(name string, files ...string) string {
	return dict("files", list(files...), "name", str(name), "piece length", num(piece), "pieces", onePiece)
}

func single(name string, size int64) string {
	return dict("length", num(size), "name", str(name), "piece length", num(piece), "pieces", onePiece)
}

func leaf(size int64) string {
	return dict("", dict("length", num(size), "pieces root", str(strings.Repeat("r", 32))))
}

func v2(name, tree string) string {
	return dict("file tree", tree, "meta version", num(2), "name", str(name), "piece length", num(piece))
}

func hybrid(name, tree, files string) string {
	return dict("file tree", tree, "files", files, "meta version", num(2), "name", str(name), "piece length", num(piece), "pieces", str(strings.Repeat("x", 40)))
}

func TestKept(t *testing.T) {
	root := hex.EncodeToString([]byte(strings.Repeat("r", 32)))
	long := strings.Repeat("é", 200) + ".mkv"
	for name, c := range map[string]struct {
		info  string
		name  string // "" for the info-hash
		b64   string
		files []rawlog.File
	}{
		"single": {single("film.mkv", 5), "film.mkv", "", []rawlog.File{{Path: []string{"film.mkv"}, Length: 5}}},
		"folder": {multi("d", file(3, "a", "b"), file(0, "c")), "d", "", []rawlog.File{{Path: []string{"a", "b"}, Length: 3}, {Path: []string{"c"}}}},
		"the first of two keys counts": {
			dict("length", num(5), "length", num(6), "name", str("a"), "name", str("b"), "piece length", num(piece), "pieces", onePiece),
			"a", "", []rawlog.File{{Path: []string{"a"}, Length: 5}},
		},
		"keys in no order":  {dict("pieces", onePiece, "name", str("a"), "piece length", num(piece), "length", num(5)), "a", "", []rawlog.File{{Path: []string{"a"}, Length: 5}}},
		"out of the folder": {multi("d", file(1, "..", "..", "etc", "passwd")), "d", "", []rawlog.File{{Path: []string{"_", "_", "etc", "passwd"}, Length: 1}}},
		"absolute":          {multi("/", file(1, "/etc/passwd"), file(1, "", "")), "", "", []rawlog.File{{Path: []string{"etcpasswd"}, Length: 1}, {Path: []string{"_", "_"}, Length: 1}}},
		"windows":           {multi("d", file(1, "C:\\boot.ini"), file(1, "c:", "x:y")), "d", "", []rawlog.File{{Path: []string{"C_boot.ini"}, Length: 1}, {Path: []string{"c_", "x:y"}, Length: 1}}},
		"controls":          {multi("a\x00b\x07", file(1, "x\x00y\x1b[2J")), "ab\a", "", []rawlog.File{{Path: []string{"xy_[2J"}, Length: 1}}},
		"no name":           {single("..", 1), "", "", nil},
		"a long part":       {multi("d", file(1, long)), "d", "", []rawlog.File{{Path: []string{strings.Repeat("é", 120) + ".mkv"}, Length: 1}}},
		"bytes that are no text": {
			multi("a\xe4b", file(1, "\xff\xfe")), "a\ufffdb", "YeRi", []rawlog.File{{Path: []string{"\ufffd\ufffd"}, Length: 1}},
		},
		"names in UTF-8 beside others": {
			dict("files", list(dict("length", num(1), "path", path("\xe4"), "path.utf-8", path("ä"))), "name", str("\xd6"), "name.utf-8", str("Ö"), "piece length", num(piece), "pieces", onePiece),
			"Ö", "", []rawlog.File{{Path: []string{"ä"}, Length: 1}},
		},
		"names in UTF-8 that are not": {
			dict("files", list(dict("length", num(1), "path", path("x"), "path.utf-8", path("\xff"))), "name", str("n"), "name.utf-8", str("\xff"), "piece length", num(piece), "pieces", onePiece),
			"n", "", []rawlog.File{{Path: []string{"x"}, Length: 1}},
		},
		"padding, new and old": {
			multi("d", dict("attr", str("p"), "length", num(7)), dict("attr", str("pq"), "length", num(2), "path", path(".pad", "2")), file(1, "_____padding_file_0_if you see this")),
			"d", "", []rawlog.File{{Path: []string{".pad", "7"}, Length: 7, Attr: "p"}, {Path: []string{".pad", "2"}, Length: 2, Attr: "p"}, {Path: []string{"_____padding_file_0_if you see this"}, Length: 1, Attr: "p"}},
		},
		"a symlink has no size": {
			multi("d", dict("attr", str("l"), "length", num(9), "path", path("l"), "symlink path", path("a")), file(1, "a")),
			"d", "", []rawlog.File{{Path: []string{"l"}, Attr: "l"}, {Path: []string{"a"}, Length: 1}},
		},
		"version 2": {
			v2("d", dict("a", dict("b", leaf(4)), "c", leaf(0))),
			"d", "", []rawlog.File{{Path: []string{"a", "b"}, Length: 4, PiecesRoot: root}, {Path: []string{"c"}}},
		},
		"hybrid": {
			hybrid("d", dict("a", leaf(4), "b", leaf(5)), list(file(4, "a"), dict("attr", str("p"), "length", num(piece-4), "path", path(".pad", "16380")), file(5, "b"))),
			"d", "", []rawlog.File{{Path: []string{"a"}, Length: 4, PiecesRoot: root}, {Path: []string{".pad", "16380"}, Length: piece - 4, Attr: "p"}, {Path: []string{"b"}, Length: 5, PiecesRoot: root}},
		},
	} {
		ev, err := FromInfo([]byte(c.info), nil)
		if err != nil {
			t.Errorf("%s: %v", name, err)
			continue
		}
		if c.name == "" {
			c.name = ev.Infohash.String()
		}
		if ev.Name != c.name || ev.NameB64 != c.b64 {
			t.Errorf("%s: name %q, base64 %q; want %q, %q", name, ev.Name, ev.NameB64, c.name, c.b64)
		}
		if diff := cmp.Diff(c.files, ev.Files); c.files != nil && diff != "" {
			t.Errorf("%s: files (-want +got):\n%s", name, diff)
		}
	}
}

func TestRefused(t *testing.T) {
	many := strings.Repeat(file(1, "f"), MaxFiles+1)
	for name, c := range map[string]struct {
		info string
		want Reason
	}{
		"nothing":                 {"", Malformed},
		"cut":                     {single("a", 5)[:40], Malformed},
		"more after the end":      {single("a", 5) + "e", Malformed},
		"a string beyond the end": {"d4:name999999999:ae", Malformed},
		"a length out of range":   {"d4:name99999999999999999999:ae", Malformed},
		"a number without digits": {"d6:lengthi-ee", Malformed},
		"a number of a megabyte":  {"d6:lengthi" + strings.Repeat("9", 1<<20) + "ee", Malformed},
		"a key that is a number":  {"di1ei2ee", Malformed},
		"a key without a value":   {"d4:namee", Malformed},
		"a million lists":         {strings.Repeat("l", 1<<20), TooDeep},
		"a million dictionaries":  {strings.Repeat("d1:a", 1<<20), TooDeep},
		"not a dictionary":        {"le", NoInfo},
		"empty":                   {"de", NoName},
		"a name that is a number": {dict("length", num(1), "name", num(5), "piece length", num(piece), "pieces", onePiece), NoName},
		"no piece length":         {dict("length", num(1), "name", str("a"), "pieces", onePiece), BadPieceLength},
		"a piece length of zero":  {dict("length", num(1), "name", str("a"), "piece length", num(0), "pieces", onePiece), BadPieceLength},
		"no pieces":               {dict("length", num(1), "name", str("a"), "piece length", num(piece)), BadPieces},
		"a piece too few":         {single("a", piece+1), BadPieces},
		"half a hash":             {dict("length", num(1), "name", str("a"), "piece length", num(piece), "pieces", str("0123456789")), BadPieces},
		"no length":               {dict("name", str("a"), "piece length", num(piece), "pieces", onePiece), BadSize},
		"a negative length":       {single("a", -1), BadSize},
		"a length that overflows": {"d6:lengthi99999999999999999999e" + single("a", 1)[1:], BadSize},
		"sizes that overflow":     {multi("a", strings.Repeat(file(maxFileSize, "f"), 1<<10)), BadSize},
		"nothing in it":           {single("a", 0), NoContent},
		"no files":                {multi("a"), NoContent},
		"files in a dictionary":   {dict("files", "de", "name", str("a"), "piece length", num(piece), "pieces", onePiece), BadFiles},
		"a file without a path":   {multi("a", dict("length", num(1))), BadPath},
		"a file of an empty path": {multi("a", file(1)), BadPath},
		"a path of numbers":       {multi("a", dict("length", num(1), "path", list(num(1)))), BadPath},
		"a path of 101 parts":     {multi("a", dict("length", num(1), "path", "l"+strings.Repeat("1:x", 101)+"e")), TooLarge},
		"too many files":          {multi("a", many), TooLarge},
		"more than a line holds":  {multi("a", file(1, "f")+strings.Repeat(file(0, strings.Repeat("\"", 240), strings.Repeat("q", 240)), 90_000)), TooLarge},
		"version 3":               {dict("length", num(1), "meta version", num(3), "name", str("a"), "piece length", num(piece), "pieces", onePiece), BadVersion},
		"version 2, unsorted":     {v2("d", dict("b", leaf(1), "a", leaf(1))), NotCanonical},
		"version 2, no tree":      {dict("meta version", num(2), "name", str("a"), "piece length", num(piece)), BadFiles},
		"version 2, no root":      {v2("d", dict("a", dict("", dict("length", num(1))))), BadRoot},
		"version 2, a short root": {v2("d", dict("a", dict("", dict("length", num(1), "pieces root", str("r"))))), BadRoot},
		"version 2, a nameless":   {v2("d", leaf(1)), BadPath},
		"version 2, file, folder": {v2("d", dict("a", leaf(1)[:len(leaf(1))-1]+"1:b"+leaf(1)+"e")), BadFiles},
		"version 2, padding":      {v2("d", dict("a", dict("", dict("attr", str("p"), "length", num(1))))), BadFiles},
		"version 2, odd pieces":   {dict("file tree", dict("a", leaf(1)), "meta version", num(2), "name", str("a"), "piece length", num(20000)), BadPieceLength},
		"version 2, deep":         {v2("d", strings.Repeat("d1:a", 100)+leaf(1)+strings.Repeat("e", 100)), TooDeep},
		"hybrid, other sizes":     {hybrid("d", dict("a", leaf(20000)), list(file(20001, "a"))), V1V2Mismatch},
		"hybrid, one more":        {hybrid("d", dict("a", leaf(20000), "b", leaf(0)), list(file(20000, "a"))), V1V2Mismatch},
		"hybrid, no padding":      {hybrid("d", dict("a", leaf(20000), "b", leaf(5)), list(file(20000, "a"), file(5, "b"))), V1V2Mismatch},
	} {
		_, err := FromInfo([]byte(c.info), nil)
		var why *Error
		if !errors.As(err, &why) || why.Reason != c.want {
			t.Errorf("%s: %v, want %s", name, err, c.want)
		}
		if err != nil && len(err.Error()) > 300 {
			t.Errorf("%s: a message of %d bytes", name, len(err.Error()))
		}
	}
}

// An info dictionary has one info-hash for each version it is of, and is
// refused under any other.
func TestHashes(t *testing.T) {
	for name, c := range map[string]struct {
		info   string
		v1, v2 bool
	}{
		"v1":     {single("a", 5), true, false},
		"v2":     {v2("d", dict("a", leaf(4))), false, true},
		"hybrid": {hybrid("d", dict("a", leaf(20000)), list(file(20000, "a"))), true, true},
	} {
		sum1, sum2 := rawlog.ID(sha1.Sum([]byte(c.info))), sha256.Sum256([]byte(c.info))
		cut, full := rawlog.ID(sum2[:20]), hex.EncodeToString(sum2[:])
		ev, err := FromInfo([]byte(c.info), nil)
		if err != nil {
			t.Fatalf("%s: %v", name, err)
		}
		if want := map[bool]rawlog.ID{true: sum1, false: cut}[c.v1]; ev.Infohash != want {
			t.Errorf("%s: info-hash %s, want %s", name, ev.Infohash, want)
		}
		if (ev.InfohashV2 == full) != c.v2 || !c.v2 && ev.InfohashV2 != "" {
			t.Errorf("%s: version 2's info-hash is %q", name, ev.InfohashV2)
		}
		for _, try := range []struct {
			id rawlog.ID
			ok bool
		}{{sum1, c.v1}, {cut, c.v2}, {rawlog.ID{1}, false}} {
			ev, err := FromInfo([]byte(c.info), &try.id)
			if (err == nil) != try.ok || err == nil && ev.Infohash != try.id {
				t.Errorf("%s, asked for as %s: %v", name, try.id, err)
			}
		}
	}
}

func TestPrivate(t *testing.T) {
	for private, want := range map[string]rawlog.Tri{"": rawlog.False, num(0): rawlog.False, num(1): rawlog.True, str("1"): rawlog.False} {
		info := single("a", 5)
		if private != "" {
			info = info[:len(info)-1] + str("private") + private + "e"
		}
		ev, err := FromInfo([]byte(info), nil)
		if err != nil || ev.Private != want {
			t.Errorf("private %q: %v, %v", private, ev, err)
		}
	}
}

// What stands around the info dictionary in a file does not matter.
func TestTorrentFile(t *testing.T) {
	info := single("a", 5)
	want, err := FromInfo([]byte(info), nil)
	if err != nil {
		t.Fatal(err)
	}
	for _, file := range []string{
		dict("info", info),
		dict("info", info) + "\n",
		dict("announce", num(4), "creation date", "i99999999999999999999999e", "info", info, "a", str("unsorted")),
	} {
		got, err := FromTorrent([]byte(file))
		if err != nil {
			t.Errorf("%q: %v", file, err)
		}
		if diff := cmp.Diff(want, got); diff != "" {
			t.Errorf("%q: %s", file, diff)
		}
	}
	for file, want := range map[string]Reason{"": Malformed, "hello": Malformed, "5:hello": NoInfo, "de": NoInfo, dict("info", str("x")): NoInfo} {
		var why *Error
		if _, err := FromTorrent([]byte(file)); !errors.As(err, &why) || why.Reason != want {
			t.Errorf("%q: %v, want %s", file, err, want)
		}
	}
	var why *Error
	if _, err := FromTorrent(make([]byte, MaxBytes+1)); !errors.As(err, &why) || why.Reason != TooLarge {
		t.Errorf("a file over the bound: %v", err)
	}
}
