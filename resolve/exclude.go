package resolve

import (
	"bufio"
	"crypto/sha1"
	"fmt"
	"io"
	"strings"

	"github.com/boontorrent/boon/internal/rawlog"
	"github.com/boontorrent/boon/internal/words"
)

// Exclusions are what nobody is asked for, and what is not kept: info-hashes and
// words of titles. The zero value excludes nothing.
type Exclusions struct {
	hashes map[rawlog.ID]struct{}
	titles words.Phrases
}

const maxExclusionLine = 4096

// ParseExclusion reads a line of a list of exclusions: an info-hash, in any form
// that ParseLine knows, two where a magnet link has both; or a title, or words of
// one. It is neither where the line is empty or, beginning with #, a comment. A
// line that was meant to be an info-hash and is none is an error: taken for words,
// it would exclude nothing.
func ParseExclusion(line string) (hashes []rawlog.ID, title string, err error) {
	line = strings.TrimSpace(line)
	if line == "" || strings.HasPrefix(line, "#") {
		return nil, "", nil
	}
	t, err := ParseLine(line)
	if err == nil {
		hashes = append(hashes, t.Infohash)
		if t.Other != (rawlog.ID{}) {
			hashes = append(hashes, t.Other)
		}
		return hashes, "", nil
	}
	if !meantAsHash(line) {
		title, err = line, nil
	}
	return nil, title, err
}

// ReadExclusions reads a list, a line as ParseExclusion does. Words stand in a title
// one after the other; case and accents do not matter.
func ReadExclusions(r io.Reader) (*Exclusions, error) {
	x := &Exclusions{hashes: map[rawlog.ID]struct{}{}}
	lines := bufio.NewScanner(r)
	lines.Buffer(nil, maxExclusionLine)
	for n := 1; lines.Scan(); n++ {
		line := lines.Text()
		if n == 1 {
			line = strings.TrimPrefix(line, byteOrderMark)
		}
		hashes, title, err := ParseExclusion(line)
		if err != nil {
			return nil, fmt.Errorf("line %d of the exclusions: %w", n, err)
		}
		for _, h := range hashes {
			x.hashes[h] = struct{}{}
		}
		if title == "" {
			continue
		}
		if !x.titles.Add(title) {
			return nil, fmt.Errorf("line %d of the exclusions has neither an info-hash nor a word", n)
		}
	}
	if err := lines.Err(); err != nil {
		return nil, fmt.Errorf("read the exclusions: %w", err)
	}
	return x, nil
}

// meantAsHash reports whether a line was to be an info-hash: a magnet link, or so
// many hex digits in a row as no title has.
func meantAsHash(line string) bool {
	const enough = 20
	inRow := 0
	for _, c := range line {
		if inRow++; !strings.ContainsRune("0123456789abcdefABCDEF", c) {
			inRow = 0
		}
		if inRow == enough {
			return true
		}
	}
	return strings.Contains(strings.ToLower(line), "magnet:") || strings.Contains(strings.ToLower(line), "urn:bt")
}

// Len is how many info-hashes and phrases there are.
func (x *Exclusions) Len() (hashes, phrases int) {
	return len(x.hashes), x.titles.Len()
}

func (x *Exclusions) hash(h rawlog.ID) bool {
	_, ok := x.hashes[h]
	return ok
}

// torrent reports whether a dictionary is excluded: by its title, or by the
// info-hash that a torrent of two versions has besides the one that was asked for.
func (x *Exclusions) torrent(ev *rawlog.ResolveEvent, info []byte) bool {
	if len(x.hashes) > 0 && ev.InfohashV2 != "" {
		v2, err := parseHash(ev.InfohashV2)
		if err == nil && (x.hash(v2) || x.hash(sha1.Sum(info))) {
			return true
		}
	}
	return x.titles.In(ev.Name)
}
