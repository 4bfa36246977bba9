package release

import (
	"bytes"

	"github.com/boontorrent/boon/etl/release/internal/lexicon"
	"github.com/boontorrent/boon/etl/release/internal/token"
)

// extension marks a file extension at the name's end.
func (p *Parser) extension() {
	i := p.tail - 1
	if i < 1 || p.toks[i].Depth > 0 || p.tail == len(p.toks) && p.list.Tail&^token.Space != 0 {
		return
	}
	if s := p.toks[i].Sep &^ (token.Close | token.Other); s != token.Dot && s != token.Space || p.toks[i].Script > token.Latin {
		return
	}
	f := p.fold(i)
	if !fileEnding(string(f)) || p.toks[i].Sep.Has(token.Space) && !spacedExtension(f) {
		return
	}
	p.set(i, i+1, ext)
	p.tail = i
	if s := string(f); s == "torrent" || s == "nzb" { // of the file that tells of the files
		p.extension()
		if p.r.Container != "" {
			return
		}
	}
	p.r.Container = string(f)
	p.span(FieldContainer, i, i+1)
}

// fileEnding tells whether s, behind a name's last dot, is a file's extension and no word.
func fileEnding(s string) bool {
	switch s {
	case "nzb", "nfo", "torrent", "txt", "exe", "apk", "dmg", "msi", "nsp", "xci", "doc", "docx", "html", "rtf", "m3u":
		return true
	case "it", "rm", "au", "mod", "ra", "br", "z", "ai", "raw", "hdr", "dts", "ac3", "dv", "hevc", "h264", "xvid", "divx", "evo", "vro", "sit":
		return false
	}
	if s == "" || s[0] >= '0' && s[0] <= '9' && s != "3gp" && s != "7z" {
		return false
	}
	switch MediaOf(s) {
	case MediaVideo, MediaAudio, MediaImage, MediaBook, MediaComic, MediaArchive, MediaSubtitle:
		return true
	}
	return s == "iso" || s == "bin" || s == "cue" || s == "img"
}

// spacedExtension tells whether f is an extension even where a blank took its dot's place.
func spacedExtension(f []byte) bool {
	switch string(f) {
	case "mkv", "mp4", "avi", "m4v", "wmv", "torrent":
		return true
	}
	return false
}

// lookup finds the lexicon's words and phrases, the longest first.
func (p *Parser) lookup() {
	for i := 0; i < p.tail; i++ {
		if p.marks[i].kind != free {
			continue
		}
		e := lexicon.Find(p.fold(i))
		if e == nil && p.toks[i].Script == token.Han && (bytes.HasSuffix(p.fold(i), []byte("字")) || bytes.HasSuffix(p.fold(i), []byte("字幕"))) {
			e = lexicon.Find([]byte("中字")) // 中英双字, 繁中字幕: subtitles in two languages
		}
		if e == nil {
			p.split(i)
			continue
		}
		n := 1
		for w := int(e.First); w > 1; w-- {
			if i+w <= p.tail && p.tight(i, i+w) {
				key := p.list.Fold[p.toks[i].FoldStart:p.toks[i+w-1].FoldEnd]
				if long := lexicon.Find(key); long != nil && len(long.Meanings) > 0 && p.tagged(i, w, long) {
					n = 0
					break
				}
			}
		}
		if n > 0 && len(e.Meanings) > 0 {
			p.tagged(i, n, e)
		}
	}
}

// hint counts what a word says about the kind of content. A code for a Japanese film wants its number.
func (p *Parser) hint(i, n int, value string) {
	if value == "jav" {
		j := i + n
		if !p.digits(j, 3, 4) || j >= p.tail || p.sep(j)&^(token.Dash|token.Space) != 0 || !p.digits(j, 3, 3) && p.sep(j) != token.Dash || p.behindText(i) {
			return
		}
	}
	if value == "explicit" { // "big tits" is one word of its kind, not two
		if i < p.hinted {
			return
		}
		p.hinted = i + n
	}
	p.r.hints.add(value)
}

// behindText tells whether a word outside brackets stands before token i.
func (p *Parser) behindText(i int) bool {
	for j := range i {
		if p.region(j) == 0 && p.marks[j].kind == free {
			return true
		}
	}
	return false
}

// split reads the words that were written without a blank between them: HDTVx264, 9xDVD.
func (p *Parser) split(i int) {
	f := p.fold(i)
	if _, w := leading(f); w > 0 && w < 3 && len(f) > w+1 {
		if e := lexicon.Find(f[w:]); w == 1 && p.sep(i) == token.Dot && i > 0 && e != nil && len(e.Meanings) > 0 && e.Meanings[0].Field == lexicon.VideoCodec { // DDP5.1x265
			p.tagged(i, 1, e)
			return
		}
		rest := bytes.TrimPrefix(f[w:], []byte("x"))
		switch string(rest) {
		case "dvd", "dvd5", "dvd9", "dvdr", "cd", "lp", "vinyl", "bd", "bd25", "bd50", "bluray", "dvda", "cds", "dvds", "audio", "audios":
			p.tagged(i, 1, lexicon.Find(rest))
			p.marks[i].class = lexicon.Strong
		}
		return
	}
	for _, n := range [...]string{"1080p", "720p", "2160p", "480p"} { // TC1080P, m720p
		if rest, ok := bytes.CutSuffix(f, []byte(n)); ok && len(rest) > 0 && rest[len(rest)-1] > '9' {
			v, _ := leading([]byte(n))
			e := lexicon.Find(rest)
			if len(rest) > 1 && (e == nil || len(e.Meanings) == 0 || e.Meanings[0].Field != lexicon.Source) {
				return
			}
			p.lines(i, i+1, v)
			p.marks[i].entry = e
			if e != nil && len(rest) > 1 {
				p.put(&p.r.Source, e.Meanings[0].Value, FieldSource, i, i+1)
			}
			return
		}
	}
	for _, codec := range [...]string{"x264", "h264", "x265", "h265", "hevc", "xvid"} {
		if rest, ok := bytes.CutSuffix(f, []byte(codec)); ok && len(rest) > 2 {
			if e := lexicon.Find(rest); e != nil && len(e.Meanings) > 0 && e.Meanings[0].Class == lexicon.Strong {
				p.marks[i] = mark{kind: tag, class: lexicon.Strong, n: 1, entry: e}
				if p.r.VideoCodec == "" {
					p.r.VideoCodec = lexicon.Find([]byte(codec)).Meanings[0].Value
					p.span(FieldVideoCodec, i, i+1)
				}
				return
			}
		}
	}
}

// tight tells whether nothing but blanks and plain dashes stands between the tokens from a to before b.
func (p *Parser) tight(a, b int) bool {
	for i := a + 1; i < b; i++ {
		t := &p.toks[i]
		if t.Spaced || t.Sep.Has(token.Open|token.Close|token.Comma|token.Slash|token.Pipe|token.Colon|token.Amp|token.Tilde) {
			return false
		}
	}
	return true
}

// tagged marks n tokens from i as the word e, if it is more than a hint. The class is the surest of its meanings that holds
// here.
func (p *Parser) tagged(i, n int, e *lexicon.Entry) bool {
	class := lexicon.None
	for _, m := range e.Meanings {
		c := m.Class
		if c == lexicon.Hinting {
			if m.Field == lexicon.Hint {
				p.hint(i, n, m.Value)
			}
			continue
		}
		if c == lexicon.Capital {
			if !p.capital(i, n) {
				continue
			}
			c = lexicon.Zone
		}
		if class == lexicon.None || c < class {
			class = c
		}
	}
	if class == lexicon.None {
		return false
	}
	p.marks[i] = mark{kind: tag, class: class, n: int16(n), entry: e}
	for j := i + 1; j < i+n; j++ {
		p.marks[j] = mark{kind: cont}
	}
	return true
}

// capital tells whether the tokens are written without a lower-case letter.
func (p *Parser) capital(i, n int) bool {
	for _, c := range []byte(p.name[p.toks[i].Start:p.toks[i+n-1].End]) {
		if c >= 'a' && c <= 'z' {
			return false
		}
	}
	return true
}

// sites marks web addresses: www.example.org anywhere, example.org in brackets or at either end.
func (p *Parser) sites() {
	for i := 0; i < p.tail; i++ {
		f := string(p.fold(i))
		if f == "www" || f == "ww" {
			i = p.address(i)
			continue
		}
		if p.toks[i].Sep == token.Dot && i > 0 && topLevel(f) {
			p.bareAddress(i)
		}
	}
}

// address marks the tokens of www.…, up to a top-level domain.
func (p *Parser) address(i int) int {
	end := i + 1
	for j := i + 1; j < p.tail && j < i+6; j++ {
		if p.toks[j].Sep&^(token.Dot|token.Dash|token.Space|token.Comma) != 0 || p.toks[j].Spaced {
			break
		}
		if topLevel(string(p.fold(j))) && j > i+1 {
			end = j + 1
			break
		}
	}
	if k := i + 3; end == i+1 && k < p.tail && p.toks[k].Spaced && (p.sep(i+1)|p.sep(i+2))&^token.Comma == token.Dot {
		end = k
	}
	if end == i+1 {
		return i
	}
	p.markSite(i, end)
	return end - 1
}

// bareAddress marks word.tld where it stands alone: in brackets, or at the name's head before a blank.
func (p *Parser) bareAddress(i int) {
	a := i - 1
	for a > 0 && p.toks[a].Sep == token.Dot && p.region(a) == p.region(i) && i-a < 3 && len(p.fold(a)) < 5 {
		a--
	}
	t := &p.toks[a]
	next := p.sep(i + 1)
	inside := p.region(i) > 0 && p.region(a) == p.region(i) && t.Sep.Has(token.Open) && next.Has(token.Close)
	spaced := (i+1 >= p.tail || !next.Has(token.Dot)) && (a == 0 || t.Sep.Has(token.Space|token.Open)) && (generic(string(p.fold(i))) || a == 0 && i+1 < p.tail && p.toks[i+1].Spaced && !next.Has(token.Open|token.Close))
	grouped := i+1 >= p.tail && t.Sep == token.Dash && a > 1 && p.sep(a-1) == token.Dash // x264-GRP-site.com
	if !inside && !spaced && !grouped || p.marks[i].kind > cont {
		return
	}
	p.markSite(a, i+1)
}

func (p *Parser) markSite(a, b int) {
	p.set(a, b, site)
	p.marks[a].class = lexicon.None
	if p.r.Site == "" {
		p.r.Site = p.slice(a, b)
		p.span(FieldSite, a, b)
	}
}

func generic(s string) bool { return s == "com" || s == "org" || s == "net" }

// topLevel tells whether s is a domain that the sites in names live under.
func topLevel(s string) bool {
	switch s {
	case "com", "org", "net", "to", "cc", "tv", "me", "info", "ru", "se", "cz", "eu", "in", "co", "io", "ws", "bz", "pl", "es", "fr",
		"it", "de", "nl", "is", "la", "li", "st", "su", "ua", "site", "xyz", "club", "online", "world", "link", "sbs", "mx", "am", "lt",
		"re", "pw", "vip", "top", "live", "lol", "one", "life", "my", "blog", "space", "website", "ag", "tel", "best", "gs", "fun",
		"bid", "biz", "cat", "ch", "cloud", "cx", "dev", "ninja", "nu", "ph", "pro", "rs", "tw", "uk", "us", "wtf", "im", "yt", "mobi", "win":
		return true
	}
	return false
}
