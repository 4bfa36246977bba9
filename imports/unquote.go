package imports

import (
	"encoding/json"
	"strconv"
	"unicode/utf16"
	"unicode/utf8"

	"github.com/boontorrent/boon/internal/rawlog"
)

// unquote is the content of a JSON string, byte for byte: encoding/json would
// put other characters for bytes that are not UTF-8, and these are names in
// encodings of their own. nil for null or nothing. raw is valid JSON but for that.
func unquote(raw json.RawMessage) ([]byte, error) {
	if len(raw) == 0 || string(raw) == "null" {
		return nil, nil
	}
	if raw[0] != '"' {
		return nil, rejected(rawlog.WrongType, "name is no string")
	}
	if utf8.Valid(raw) {
		var s string
		if err := json.Unmarshal(raw, &s); err != nil {
			return nil, rejected(rawlog.NotJSON, "%v", err)
		}
		return []byte(s), nil
	}
	out := make([]byte, 0, len(raw))
	for s := raw[1 : len(raw)-1]; len(s) > 0; {
		if s[0] != '\\' {
			out = append(out, s[0])
			s = s[1:]
			continue
		}
		if len(s) >= 6 && s[1] == 'u' {
			var n int
			out, n = appendEscape(out, s)
			s = s[n:]
			continue
		}
		out = append(out, unescape(s[1]))
		s = s[2:]
	}
	return out, nil
}

// appendEscape appends the character of a \u escape, or of two that stand for
// one, and tells how long they are.
func appendEscape(out, s []byte) ([]byte, int) {
	r := hexRune(s[2:6])
	if utf16.IsSurrogate(r) && len(s) >= 12 && s[6] == '\\' && s[7] == 'u' {
		if both := utf16.DecodeRune(r, hexRune(s[8:12])); both != utf8.RuneError {
			return utf8.AppendRune(out, both), 12
		}
	}
	return utf8.AppendRune(out, r), 6
}

func hexRune(digits []byte) rune {
	n, err := strconv.ParseUint(string(digits), 16, 16)
	if err != nil {
		return utf8.RuneError
	}
	return rune(n)
}

func unescape(c byte) byte {
	switch c {
	case 'b':
		return '\b'
	case 'f':
		return '\f'
	case 'n':
		return '\n'
	case 'r':
		return '\r'
	case 't':
		return '\t'
	}
	return c
}
