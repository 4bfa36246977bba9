package infodict

import (
	"bytes"
	"strings"
	"unicode/utf8"

	"github.com/boontorrent/boon/internal/bencode"
)

// maxPart is what a part of a path is cut to, in bytes; an extension of up to
// maxExtension more, dot and all, is kept.
const (
	maxPart      = 240
	maxExtension = 10
)

// cleanPart makes one part of a path safe: a name within its folder and nothing
// else, on every system that paths are joined on. What is left of "", "." or
// ".." is "_", as in libtorrent: a part never vanishes.
func cleanPart(raw []byte) string {
	if len(raw) > 4*maxPart { // the rest could only matter for its extension
		raw = append(bytes.Clone(cutText(raw, 3*maxPart)), raw[len(raw)-maxExtension:]...)
	}
	text := strip(validText(raw))
	if namesNothing(text) {
		return "_"
	}
	if len(text) <= maxPart {
		return text
	}
	short := string(cutText([]byte(text), maxPart))
	tail := text[max(len(short), len(text)-maxExtension):]
	if dot := strings.IndexByte(tail, '.'); dot >= 0 {
		short += tail[dot:]
	}
	return short
}

// strip takes slashes of both kinds and NULs from a text; other control
// characters become "_".
func strip(text string) string {
	return strings.Map(func(r rune) rune {
		switch {
		case r == '/' || r == '\\' || r == 0:
			return -1
		case r < 0x20 || r == 0x7f:
			return '_'
		}
		return r
	}, text)
}

func namesNothing(text string) bool { return text == "" || text == "." || text == ".." }

// cleanDrive takes the colon from a part that would name a drive.
func cleanDrive(part string) string {
	if len(part) >= 2 && part[1] == ':' && (part[0]|0x20) >= 'a' && (part[0]|0x20) <= 'z' {
		return part[:1] + "_" + part[2:]
	}
	return part
}

// cleanAttr keeps the letters of BEP 47's attributes.
func cleanAttr(v bencode.Value) string {
	text, _ := v.Text()
	var kept []byte
	for _, c := range text {
		if bytes.IndexByte([]byte("xhpl"), c) >= 0 && bytes.IndexByte(kept, c) < 0 {
			kept = append(kept, c)
		}
	}
	return string(kept)
}

// validText puts U+FFFD for every byte that is not UTF-8.
func validText(raw []byte) string {
	if utf8.Valid(raw) {
		return string(raw)
	}
	return string([]rune(string(raw)))
}

// cutText cuts text to at most n bytes, not within a character.
func cutText(text []byte, n int) []byte {
	if len(text) <= n {
		return text
	}
	for i := 0; i < utf8.UTFMax && n-i > 0; i++ {
		if utf8.RuneStart(text[n-i]) {
			return text[:n-i]
		}
	}
	return text[:n]
}

// CleanPath makes the parts of a path safe that another program wrote down:
// none of them leads out of the torrent's own folder, on any system.
func CleanPath(parts []string) []string {
	out := parts
	for i, p := range parts {
		c := cleanPart([]byte(p))
		if i == 0 {
			c = cleanDrive(c)
		}
		if c == p {
			continue
		}
		if &out[0] == &parts[0] {
			out = append([]string{}, parts...)
		}
		out[i] = c
	}
	return out
}
