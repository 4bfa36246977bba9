package rawlog

import (
	"bytes"
	"math"
	"unicode/utf8"
)

// Resolve events are few but long: a torrent of a thousand files is a line of
// 60 KB, and encoding/json takes a hundred times as long for it as for a query.

// resolve reads a line as AppendEvent writes resolve events, unless a text in
// it needs unescaping; false if it is not one. All texts share one copy of the
// line.
func (s *scanner) resolve(line []byte, ev *Event) bool {
	if bytes.IndexByte(line, '\\') >= 0 || !utf8.Valid(line) {
		return false
	}
	c := textCursor{cursor: cursor{b: line, ok: true}, whole: string(line), size: len(line)}
	c.take(`{"type":"resolve","t":`)
	t := c.number()
	var n int64
	if c.has(`,"n":`) {
		n = c.number()
	}
	r := &ResolveEvent{Peers: -1, Seeders: -1, Leechers: -1}
	c.take(`,"infohash":"`)
	c.id(&r.Infohash)
	if c.has(`,"infohash_v2":"`) {
		r.InfohashV2 = c.hash32()
	}
	c.take(`,"name":"`)
	r.Name = c.string()
	if c.has(`,"name_b64":"`) {
		r.NameB64 = c.string()
	}
	if c.has(`,"piece_length":`) {
		r.PieceLength = c.number()
	}
	if c.has(`,"private":`) {
		r.Private = c.tri()
	}
	if c.has(`,"files":[`) {
		r.Files = c.files()
	}
	for _, f := range [...]struct {
		key string
		to  *int64
	}{
		{`,"size":`, &r.Size}, {`,"file_count":`, &r.FileCount},
		{`,"peers":`, &r.Peers}, {`,"seeders":`, &r.Seeders}, {`,"leechers":`, &r.Leechers},
	} {
		if c.ok && c.has(f.key) {
			*f.to = c.number()
		}
	}
	if c.has(`,"found_by":"`) {
		r.FoundBy = c.string()
	}
	if !c.ok || string(c.b) != "}" {
		return false
	}
	*ev = Event{Kind: Resolve, T: t, N: n, Resolve: r}
	return true
}

// textCursor is a cursor whose texts are parts of one string.
type textCursor struct {
	cursor
	whole string
	size  int
}

// string reads text up to the closing quote.
func (c *textCursor) string() string {
	start := c.size - len(c.b)
	n := len(c.text())
	if !c.ok {
		return ""
	}
	return c.whole[start : start+n]
}

// hash32 reads 64 lower-case hex digits.
func (c *textCursor) hash32() string {
	s := c.string()
	for i := range len(s) {
		if unhex[s[i]] > 15 {
			c.ok = false
		}
	}
	if len(s) != 64 {
		c.ok = false
	}
	return s
}

// files reads the files behind the opening bracket.
func (c *textCursor) files() []File {
	files := make([]File, 0, 1+len(c.b)/64)
	var parts []string
	var sum int64
	for c.ok {
		var f File
		c.take(`{"path":[`)
		first := len(parts)
		for c.ok && c.has(`"`) {
			parts = append(parts, c.string())
			if !c.has(`,`) {
				break
			}
		}
		f.Path = parts[first:len(parts):len(parts)]
		c.take(`],"length":`)
		f.Length = c.number()
		if c.has(`,"attr":"`) {
			f.Attr = c.string()
		}
		if c.has(`,"pieces_root":"`) {
			f.PiecesRoot = c.string()
		}
		c.take(`}`)
		if sum > math.MaxInt64-f.Length {
			c.ok = false
			return nil
		}
		sum += f.Length
		files = append(files, f)
		if c.has(`]`) {
			return files
		}
		c.take(`,`)
	}
	return nil
}

// failed reads a line as AppendEvent writes resolve_failed events.
func (s *scanner) failed(line []byte, ev *Event) bool {
	c := cursor{b: line, ok: true}
	c.take(`{"type":"resolve_failed","t":`)
	t := c.number()
	var n int64
	if c.has(`,"n":`) {
		n = c.number()
	}
	f := &FailedEvent{}
	c.take(`,"infohash":"`)
	c.id(&f.Infohash)
	c.take(`,"reason":"`)
	reason := c.text()
	c.take(`,"peers":`)
	f.Peers = c.number()
	if !c.ok || string(c.b) != "}" || len(reason) == 0 || len(reason) > 64 || !utf8.Valid(reason) {
		return false
	}
	f.Reason = string(reason)
	*ev = Event{Kind: ResolveFailed, T: t, N: n, Failed: f}
	return true
}

// known reads a line of one of the kinds that are scanned by hand.
func (s *scanner) known(line []byte, ev *Event) bool {
	if len(line) > 17 && line[9] == 'r' { // {"type":"resolve
		if line[16] == '_' {
			return s.failed(line, ev)
		}
		return s.resolve(line, ev)
	}
	return s.query(line, ev)
}
