package release

import (
	"bytes"
	"strings"

	"github.com/boontorrent/boon/etl/release/internal/lexicon"
	"github.com/boontorrent/boon/etl/release/internal/token"
)

// numbers marks what numbers are by their own shape or their unit: resolutions, sizes, rates, channels, checksums.
func (p *Parser) numbers() {
	for i := 0; i < p.tail; i++ {
		if k := p.marks[i].kind; k != free && k != tag {
			continue
		}
		t := &p.toks[i]
		f := p.fold(i)
		switch {
		case t.Digits > 0 && p.dotted(i):
		case t.Digits > 0:
			p.plainNumber(i)
		case f[0] >= '0' && f[0] <= '9':
			p.mixedNumber(i, f)
		case f[0] == 'v' && len(f) > 1 && allDigits(f[1:]):
			p.version(i)
		case p.qualityMark(i, f):
			p.set(i, i+1, number)
			p.marks[i].class = lexicon.Zone
		case i > 0 && i+1 < p.tail && (string(f) == "version" || string(f) == "ver" || string(f) == "build") && p.startsDigit(i+1) && p.tight(i, i+2) && !scanned(p.fold(i+1)):
			p.version(i)
		}
		if len(f) == 8 && p.marks[i].kind != lines && (p.alone(i) || i == p.tail-1 && p.toks[0].Depth > 0 && p.hasDigit(i) && t.Digits == 0) && isHex(f) {
			p.set(i, i+1, number)
			p.r.CRC = p.text(i)
			p.span(FieldCRC, i, i+1)
		}
	}
}

// extras marks what comes with a series and is no episode of it: NCOP, NCED 2, - Creditless Opening, [PV4].
func (p *Parser) extras() {
	for i := 1; i < p.tail; i++ {
		f := p.fold(i)
		if p.marks[i].kind != free && p.marks[i].kind != tag || len(f) < 2 || len(f) > 7 {
			continue
		}
		word := bytes.TrimRight(f, "0123456789abcd")
		if len(word) < 4 || len(word) == len(f) {
			word = f
		}
		if k := string(f[:min(2, len(f))]); (k == "pv" || k == "cm") && allDigits(f[2:]) && (p.alone(i) || p.lead0() && p.region(i) == 0 && (i+1 >= p.tail || p.sep(i+1).Has(token.Open))) {
			word = f[:2]
		}
		switch string(word) {
		case "ncop", "nced", "pv", "cm":
		default:
			continue
		}
		if len(word) == 2 && len(f) == 2 && !(p.lead0() && p.toks[i].Spaced) {
			continue
		}
		n := i + 1
		if _, w, _ := p.episodeNumber(n); len(word) == len(f) && w > 0 && w < 3 && p.sep(n).Blank() {
			n++
		}
		if p.toks[i].Spaced { // a second title, whose number is no episode's
			if n > i+1 {
				p.set(i+1, n, number)
				p.marks[i+1].class = lexicon.Zone
			}
			continue
		}
		p.set(i, n, tag)
		p.marks[i].class, p.marks[i].entry = lexicon.Weak, lexicon.Find([]byte("ncop"))
	}
}

// special reads the number of a special or of an episode for video behind the title of a fansub: SP03, OVA01.
func (p *Parser) special() {
	for i := 1; i < p.tail && p.lead0(); i++ {
		f := p.fold(i)
		k := len(f)
		for k > 0 && f[k-1] >= '0' && f[k-1] <= '9' {
			k--
		}
		word := string(f[:k])
		if len(f)-k != 2 && len(f)-k != 1 || word != "sp" && word != "ova" && word != "oad" || p.marks[i].kind != free || !p.stop(i+1) {
			continue
		}
		n, _ := leading(f[k:])
		p.addEpisodes(n, n)
		p.episodeEnd(i, i+1)
		return
	}
}

// lead0 tells whether the name begins with a bracket, as fansubs' names do.
func (p *Parser) lead0() bool { return len(p.toks) > 0 && p.toks[0].Depth > 0 }

// qualityMark tells whether f is how an encoder graded a picture, behind other tags in brackets: S82, Q22. No series has as
// many seasons.
func (p *Parser) qualityMark(i int, f []byte) bool {
	if len(f) != 3 || f[0] != 's' && f[0] != 'q' || p.region(i) == 0 || !allDigits(f[1:]) || !p.behindTag(i) {
		return false
	}
	v, _ := leading(f[1:])
	return f[0] == 'q' || v > maxSeason
}

// dotted marks a version without a letter: three numbers or more joined by dots, that are no date.
func (p *Parser) dotted(i int) bool {
	end := i + 1
	for end < p.tail && p.digits(end, 1, 8) && p.sep(end) == token.Dot {
		end++
	}
	if end-i < 3 || i == 0 || p.digits(i+1, 4, 4) && plausible(int(p.toks[i+1].Num)) || p.is(i-1, lexicon.SeasonWord) || p.is(i-1, lexicon.EpisodeWord) || p.sep(i).Has(token.Open) || end-i == 3 && (p.digits(i, 4, 4) || p.digits(i, 2, 2) && p.digits(i+1, 2, 2) && p.digits(i+2, 2, 4)) || p.digits(i-1, 1, 2) && p.sep(i) == token.Dot {
		return false
	}
	if p.digits(end-1, 4, 4) && plausible(int(p.toks[end-1].Num)) && end < p.tail && (p.marks[end].kind == tag || scanned(p.fold(end))) { // Title.1.2.3.1974.1080p
		return false
	}
	if p.digits(end-1, 3, 4) && lineCount(int(p.toks[end-1].Num)) || p.is(i-1, lexicon.AudioCodec) || p.digits(i, 4, 4) {
		return false
	}
	p.set(i, end, versionMark)
	p.put(&p.r.Version, p.slice(i, end), FieldVersion, i, end)
	return true
}

func lineCount(n int) bool {
	return n == 480 || n == 540 || n == 576 || n == 720 || n == 1080 || n == 2160
}

// alone tells whether token i fills a bracket.
func (p *Parser) alone(i int) bool {
	return p.region(i) > 0 && p.sep(i).Has(token.Open) && p.sep(i+1).Has(token.Close)
}

func isHex(f []byte) bool {
	digit := false
	for _, c := range f {
		if c >= '0' && c <= '9' {
			digit = true
		} else if c < 'a' || c > 'f' {
			return false
		}
	}
	return digit
}

func allDigits(f []byte) bool {
	for _, c := range f {
		if c < '0' || c > '9' {
			return false
		}
	}
	return len(f) > 0
}

// leading reads the digits at f's head.
func leading(f []byte) (n, width int) {
	for width < len(f) && width < 9 && f[width] >= '0' && f[width] <= '9' {
		n = n*10 + int(f[width]-'0')
		width++
	}
	return n, width
}

// plainNumber reads a token of digits only, with the unit behind it.
func (p *Parser) plainNumber(i int) {
	t := &p.toks[i]
	if i+1 < p.tail && p.toks[i+1].Digits > 0 && p.sep(i+1) == token.Other && p.name[t.End] == '*' {
		p.dimensions(i, i+2, int(t.Num), int(p.toks[i+1].Num)) // 1280*720
		return
	}
	if i+1 < p.tail && unit(string(p.fold(i+1))) && p.sep(i+1).Blank() {
		a := i
		if p.digits(i-1, 1, 4) && p.sep(i) == token.Dot && p.marks[i-1].kind == free {
			a--
		}
		p.set(a, i+2, number)
		p.marks[a].class = lexicon.Zone
		return
	}
	if lineCount(int(t.Num)) && t.Digits < 4 && i > 0 && i+1 < p.tail && p.marks[i+1].kind == tag && p.marks[i+1].class == lexicon.Strong {
		p.lines(i, i+1, int(t.Num))
		return
	}
	if lineCount(int(t.Num)) && p.alone(i) && p.digits(i-1, 1, 3) && p.marks[i-1].kind == free { // - 02 [720]
		p.lines(i, i+1, int(t.Num))
		return
	}
	if i+1 < p.tail && t.Digits <= 2 && p.toks[i+1].Script == token.Han && p.is(i+1, lexicon.Misc) { // 01月新番
		p.set(i, i+2, number)
		return
	}
	if t.Digits == 1 && i > 0 && (p.sep(i) == token.Dot || p.sep(i) == token.Space) && t.Num <= 2 {
		p.channels(i)
	}
}

// channels reads the second half of 5.1, the first being a number or the end of a tag: DD5.1.
func (p *Parser) channels(i int) {
	f := p.fold(i - 1)
	d := f[len(f)-1]
	if d < '1' || d > '9' || d == '3' || p.marks[i].kind != free { // the 3 of AC3 2.0 counts no channels
		return
	}
	whole := p.toks[i-1].Digits == 1
	if i > 1 && string(f[:len(f)-1]) == "hdma" && p.is(i-2, lexicon.AudioCodec) && p.sep(i-1) == token.Dash { // DTS-HDMA5.1
		p.tagged(i-2, 2, lexicon.Find([]byte("dts hdma")))
		p.marks[i] = mark{kind: cont}
		p.marks[i-2].n = 3
		p.put(&p.r.Channels, string([]byte{d, '.', byte('0' + p.toks[i].Num)}), FieldChannels, i-1, i+1)
		return
	}
	if !whole && !p.is(i-1, lexicon.AudioCodec) {
		e := lexicon.Find(f[:len(f)-1])
		if e == nil || len(e.Meanings) == 0 || e.Meanings[0].Field != lexicon.AudioCodec && string(f[:len(f)-1]) != "ma" {
			return
		}
		p.tagged(i-1, 1, e)
	}
	if whole && p.marks[i-1].kind != free {
		return
	}
	if whole && (p.is(i-2, lexicon.SeasonWord) || p.is(i-2, lexicon.EpisodeWord) || p.is(i-2, lexicon.PartWord)) { // Season.1.2
		return
	}
	near := whole && (p.is(i-2, lexicon.AudioCodec) || p.audioCont(i-2))
	if whole && p.sep(i) == token.Space && !near {
		return
	}
	if p.r.Channels == "" && (!whole || near || p.region(i) > 0 || p.behindTag(i)) {
		p.r.Channels = string([]byte{d, '.', byte('0' + p.toks[i].Num)})
		p.span(FieldChannels, i-1, i+1)
	}
	if !whole {
		p.marks[i] = mark{kind: cont}
		p.marks[i-1].n++
		return
	}
	p.set(i-1, i+1, number)
	if !near {
		p.marks[i-1].class = lexicon.Zone
	}
}

// audioCont tells whether token i is a later word of an audio tag: the MA of DTS-HD MA.
func (p *Parser) audioCont(i int) bool {
	for i > 0 && p.marks[i].kind == cont {
		i--
	}
	return i >= 0 && p.is(i, lexicon.AudioCodec)
}

// behindTag tells whether some strong tag stands before token i.
func (p *Parser) behindTag(i int) bool {
	for j := i - 1; j >= 0; j-- {
		if m := &p.marks[j]; m.kind == lines || m.kind == tag && m.class == lexicon.Strong {
			return true
		}
	}
	return false
}

func unit(s string) bool {
	switch s {
	case "mb", "gb", "tb", "mib", "gib", "kbps", "mbps", "kbit", "fps", "khz", "hz", "mhz", "kb", "gib3", "bits", "мб", "гб", "go", "gig", "kbs":
		return true
	}
	return false
}

// mixedNumber reads a token that begins with digits: 1080p, 1920x1080, 700mb, 60fps.
func (p *Parser) mixedNumber(i int, f []byte) {
	n, w := leading(f)
	rest := f[w:]
	if unit(string(rest)) || bytes.Equal(rest, []byte("mo")) && n > 100 {
		a := i
		if p.digits(i-1, 1, 4) && p.sep(i) == token.Dot && p.marks[i-1].kind == free {
			a--
		}
		p.set(a, i+1, number)
		p.marks[a].class = lexicon.Zone
		return
	}
	if w == 2 && len(rest) == 2 && rest[0] == 'h' && (rest[1] == '1' || rest[1] == '2') && i > 0 { // Windows 11 23H2
		p.set(i, i+1, versionMark)
		p.put(&p.r.Version, p.text(i), FieldVersion, i, i+1)
		return
	}
	if rest[0] == 'p' || rest[0] == 'i' {
		p.scanLines(i, n, w, rest)
		return
	}
	if rest[0] == 'x' && w >= 3 {
		if h, hw := leading(rest[1:]); hw >= 3 && n >= 160 {
			p.dimensions(i, i+1, n, h)
		}
	}
}

// scanned tells whether f is a resolution: 1080p.
func scanned(f []byte) bool {
	_, w := leading(f)
	return w > 2 && w == len(f)-1 && (f[w] == 'p' || f[w] == 'i')
}

func (p *Parser) scanLines(i, n, w int, rest []byte) {
	if w > 3 && n%10 == 0 && lineCount(n/10) { // 7200p: a zero too many
		n, w = n/10, 4
	}
	if w < 3 || w > 4 || n < 144 || n > 4320 {
		return
	}
	if len(rest) > 1 && !allDigits(rest[1:]) && string(rest) != "px" {
		if e := lexicon.Find(rest[1:]); e == nil {
			return
		}
	}
	p.lines(i, i+1, n)
}

// dimensions reads width x height. A letterboxed picture counts as what it was cut from.
func (p *Parser) dimensions(a, b, w, h int) {
	if w < 100 || h < 100 {
		return
	}
	switch w {
	case 3840:
		h = max(h, 2160)
	case 1920:
		h = max(h, 1080)
	case 1280:
		h = max(h, 720)
	}
	p.lines(a, b, h)
}

func (p *Parser) lines(a, b, n int) {
	p.set(a, b, lines)
	if a > 0 && n > p.r.Resolution && p.marks[a-1].kind == lines && p.sep(a) == token.Dash { // 720p-1080p
		p.r.Resolution, p.r.Spans[FieldResolution] = 0, Span{}
	}
	if p.r.Resolution == 0 {
		p.r.Resolution = n
		p.span(FieldResolution, a, b)
	}
}

// version reads v2, v1.0.3 and v 1 2 0; its first number says whether it is a repaired release or a program's version.
func (p *Parser) version(i int) {
	end := i + 1
	if !p.hasDigit(i) {
		end++
	}
	for end < p.tail && p.toks[end].Digits > 0 && p.toks[end].Digits < 9 && p.sep(end) == token.Dot && end < i+6 {
		end++
	}
	if end < p.tail && p.sep(end) == token.Dot && end > i+1 && versionTail(p.fold(end)) {
		end++
	}
	if end == i+1 && p.volumes(i) {
		return
	}
	p.set(i, end, versionMark)
	if end == i+1 && len(p.fold(i)) == 2 {
		p.marks[i].class = lexicon.Weak
	}
	if p.r.Version == "" {
		a := i
		if !p.hasDigit(i) {
			a++
		}
		p.r.Version = strings.TrimLeft(p.slice(a, end), "vV")
		p.span(FieldVersion, a, end)
	}
}

// startsDigit tells whether token i begins with a digit, or with v and a digit.
func (p *Parser) startsDigit(i int) bool {
	f := p.fold(i)
	return f[0] >= '0' && f[0] <= '9' || f[0] == 'v' && len(f) > 1 && f[1] >= '0' && f[1] <= '9'
}

func (p *Parser) hasDigit(i int) bool {
	for _, c := range p.fold(i) {
		if c >= '0' && c <= '9' {
			return true
		}
	}
	return false
}

func versionTail(f []byte) bool {
	_, w := leading(f)
	return w > 0 && w < len(f) && len(f) < 6 && f[w] != 'p' && f[w] != 'x'
}
