package release

import (
	"strings"
	"unicode"
	"unicode/utf8"

	"github.com/boontorrent/boon/etl/release/internal/token"
)

// segment is a piece of the title's part: what stands between dashes, slashes and brackets.
type segment struct {
	a, b   int
	sep    token.Sep
	dash   bool // begins behind a dash with blanks
	inside bool // in brackets
	script token.Script
}

// titles chooses the title and the second title among the segments before the tags.
func (p *Parser) titles() {
	p.segments()
	if len(p.segs) == 0 {
		p.fallback()
		return
	}
	main, alt := p.choose()
	p.r.Title = p.clean(p.segs[main].a, p.segs[main].b)
	p.span(FieldTitle, p.segs[main].a, p.segs[main].b)
	if p.r.Title == "" {
		p.fallback()
		return
	}
	if alt >= 0 {
		a, b := p.segs[alt].a, p.segs[alt].b
		for n := alt + 1; n < len(p.segs) && n != main && p.segs[n].dash && p.segs[alt].dash; n++ {
			b = p.segs[n].b
		}
		p.r.AltTitle = p.clean(a, b)
		p.r.AltSubtitle = p.segs[alt].dash
		p.span(FieldAltTitle, a, b)
	}
	if p.r.AltTitle == "" && (p.second > 0 || p.second == 0 && p.start > 0 && len(p.toks) > 0 && p.toks[0].Script >= token.Cyrillic && p.region(0) == 0) {
		b := p.second + 1
		for b < p.start && p.region(b) == p.region(p.second) && p.marks[b].kind == free {
			b++
		}
		p.r.AltTitle = p.clean(p.second, b)
		p.span(FieldAltTitle, p.second, b)
	}
	if p.r.AltTitle == "" && p.bracketedAlt() {
		r := p.list.Regions[p.lead]
		p.r.AltTitle = p.clean(int(r.First), int(r.Last))
		p.span(FieldAltTitle, int(r.First), int(r.Last))
	}
	p.episodeTitle()
}

// bracketedAlt tells whether the bracket that leads the name holds a title in Han and not a group: [某剧].Some.Series.S01.
func (p *Parser) bracketedAlt() bool {
	if p.lead <= 0 {
		return false
	}
	r := p.list.Regions[p.lead]
	a, b := int(r.First), int(r.Last)
	if b != p.start || b >= p.tail || p.region(b) != 0 || !p.sep(b).Has(token.Dot) || p.toks[b].Script != token.Latin {
		return false
	}
	for i := a; i < b; i++ {
		if p.toks[i].Script != token.Han || p.marks[i].kind != free {
			return false
		}
		for _, word := range [...]string{"组", "組", "社", "字幕", "压制", "壓制", "论坛", "論壇", "家族", "搬运", "网"} {
			if strings.Contains(p.name[p.toks[i].Start:p.toks[i].End], word) {
				return false
			}
		}
	}
	return true
}

// segments cuts the tokens from start to end where a title may stop.
func (p *Parser) segments() {
	p.segs = p.segs[:0]
	cur := -1
	for i := p.start; i < p.end && i < p.tail; i++ {
		m := &p.marks[i]
		if m.kind == site {
			i += int(m.n) - 1
			cur = -1
			continue
		}
		if m.kind == number && p.region(i) > 0 || m.kind == partMark && p.region(i) > 0 {
			cur = -1
			continue
		}
		if n := p.aka(i); n > 0 && i > p.start && i+n < p.end {
			cur = -1
			i += n - 1
			continue
		}
		if cur < 0 || p.breaks(i, cur) {
			p.segs = append(p.segs, segment{
				a: i, b: i + 1, sep: p.sep(i), dash: p.dashed(i), inside: p.region(i) != 0 && p.region(i) != p.region(p.start),
				script: p.toks[i].Script,
			})
			cur = len(p.segs) - 1
			continue
		}
		sg := &p.segs[cur]
		if sg.b = i + 1; sg.script == token.NoScript || p.initials(i, sg) {
			sg.script = p.toks[i].Script
		}
	}
}

// aka is how many tokens at token i say "also known as".
func (p *Parser) aka(i int) int {
	switch {
	case string(p.fold(i)) == "aka":
		return 1
	case i+2 < p.end && string(p.fold(i)) == "a" && string(p.fold(i+1)) == "k" && string(p.fold(i+2)) == "a" && p.sep(i+1) == token.Dot && p.sep(i+2) == token.Dot:
		return 3
	}
	return 0
}

// breaks tells whether a new segment begins at token i.
func (p *Parser) breaks(i, cur int) bool {
	sg := &p.segs[cur]
	s := p.sep(i)
	if p.region(i) != p.region(sg.b-1) {
		return true
	}
	if p.toks[i].Spaced && (!s.Has(token.Other) || p.exclaims(i-1)) || s.Has(token.Pipe) || s == token.Space|token.Under || s.Has(token.Slash) && (s.Has(token.Space|token.Under) || other(sg.script, p.toks[i].Script) || p.region(i) > 0) {
		return true
	}
	return other(sg.script, p.toks[i].Script) && !p.initials(i, sg) && (p.long(i) || p.toks[i].Script == token.Latin && i+1 < p.end && p.toks[i+1].Script == token.Latin) && !p.hasDigit(i)
}

// initials tells whether token i is in Han and goes on behind up to four capitals that its segment begins with: X战警, IT狂人.
func (p *Parser) initials(i int, sg *segment) bool {
	if p.toks[i].Script != token.Han || i != sg.a+1 || p.toks[i-1].Script != token.Latin || p.toks[i-1].End != p.toks[i].Start {
		return false
	}
	word := p.name[p.toks[i-1].Start:p.toks[i-1].End]
	return len(word) <= 4 && word == strings.ToUpper(word)
}

// exclaims tells whether a mark that belongs to token i stands behind it: Some Title! - More.
func (p *Parser) exclaims(i int) bool {
	end := int(p.toks[i].End)
	return end < len(p.name) && (p.name[end] == '!' || p.name[end] == '?')
}

// other tells whether the scripts are those of two titles: one in Latin letters, one not.
func other(a, b token.Script) bool {
	return (a == token.Latin) != (b == token.Latin) && a > token.Cyrillic && b != token.NoScript && b != token.Cyrillic ||
		a == token.Latin && b > token.Cyrillic || a == token.Han && b == token.Cyrillic || a == token.Cyrillic && b == token.Han
}

// long tells whether the words in the script of token i go on for more than a letter or two.
func (p *Parser) long(i int) bool {
	return p.toks[i].End-p.toks[i].Start > 2
}

// rejoin makes one segment of a title that goes on behind a bracket of up to three words: You Can (Not) Return.
func (p *Parser) rejoin() {
	for n := 0; n+2 < len(p.segs); n++ {
		a, in, b := &p.segs[n], &p.segs[n+1], &p.segs[n+2]
		const parting = token.Slash | token.Pipe | token.Dash | token.Dot
		if p.region(a.a) > 0 || !in.inside || b.inside || in.dash || b.dash || in.b-in.a > 3 || a.script != in.script || a.script != b.script || (in.sep | b.sep).Has(parting) {
			continue
		}
		a.b = b.b
		p.segs = append(p.segs[:n+1], p.segs[n+3:]...)
	}
}

// choose returns the segments that are the title and the second title, -1 for none.
func (p *Parser) choose() (main, alt int) {
	p.rejoin()
	for n := range p.segs {
		if !p.segs[n].inside {
			main = n
			break
		}
	}
	if !p.hasLetter(p.segs[main].a, p.segs[main].b) { // 36.《某片》
		for n := main + 1; n < len(p.segs); n++ {
			if k := p.region(p.segs[n].a); k > 0 && p.quoted(p.list.Regions[k].Start) {
				return n, -1
			}
		}
	}
	if p.segs[main].script != token.Latin {
		if n := p.latinTitle(main); n > 0 {
			return n, p.altOf(n, main)
		}
		if n := main + 1; n < len(p.segs) && p.segs[n].sep.Has(token.Slash) && !p.segs[n].inside && p.segs[main].script == p.segs[n].script {
			return n, main
		}
	}
	if n := main + 1; n < len(p.segs) && !p.credits(n) {
		return main, n
	}
	return main, -1
}

// latinTitle returns the Latin title behind one in another script, 0 for none: one behind a slash rather than one that a
// title in Han begins or ends with.
func (p *Parser) latinTitle(main int) int {
	best := 0
	for n := main + 1; n < len(p.segs); n++ {
		sg := &p.segs[n]
		apart := sg.sep.Has(token.Slash | token.Pipe)
		if sg.script != token.Latin || !p.worded(sg.a, sg.b) || p.credits(n) || !apart && !(sg.inside && p.end == p.year) && p.segs[main].script <= token.Cyrillic {
			continue
		}
		if apart {
			return n
		}
		if best == 0 {
			best = n
		}
	}
	return best
}

// altOf returns the second title where the Latin title n was chosen before the one at first.
func (p *Parser) altOf(n, first int) int {
	if n+1 < len(p.segs) && (p.segs[n+1].sep.Has(token.Slash) || p.segs[n+1].dash) && !p.segs[n+1].inside {
		return n + 1
	}
	return first
}

// credits tells whether segment n is a director in brackets, as between a Russian title and [2003, drama].
func (p *Parser) credits(n int) bool {
	sg := &p.segs[n]
	if sg.sep.Has(token.Slash) && p.region(sg.a) > 0 && p.region(sg.a) != p.region(p.start) {
		return true
	}
	return sg.inside && p.end < p.tail && p.region(p.end) > 0 && p.list.Regions[p.region(p.end)].Open == '['
}

// worded tells whether a word of two letters or more, without a digit, stands among the tokens: 剧场版 M26 has no Latin title.
func (p *Parser) worded(a, b int) bool {
	for i := a; i < b; i++ {
		if t := &p.toks[i]; t.Digits == 0 && t.End-t.Start > 1 && !p.hasDigit(i) {
			return true
		}
	}
	return false
}

// fallback finds a title where none stands before the tags: behind the marker, or else all of the name.
func (p *Parser) fallback() {
	a, b := -1, 0
	for i := p.start; i < p.tail; i++ {
		if p.marks[i].kind == free && (i < p.group[0] || i >= p.group[1]) {
			if a < 0 {
				a = i
			} else if p.region(i) != p.region(a) || p.toks[i].Spaced && p.hasLetter(a, b) {
				break
			}
			b = i + 1
		} else if a >= 0 && p.hasLetter(a, b) {
			break
		}
	}
	if a < 0 || !p.hasLetter(a, b) {
		a, b = 0, p.tail
	}
	if b > a {
		p.r.Title = p.clean(a, b)
		p.span(FieldTitle, a, b)
	}
	if p.r.Title == "" && len(p.toks) > 0 {
		p.r.Title = p.clean(0, len(p.toks))
		p.span(FieldTitle, 0, len(p.toks))
	}
	if a := strings.IndexFunc(p.name, unicode.IsLetter); len(p.toks) == 0 && a >= 0 { // a lone ʻ is a letter and no word
		_, w := utf8.DecodeRuneInString(p.name[a:])
		p.r.Title = p.name[a : a+w]
		p.r.Spans[FieldTitle] = Span{int32(a), int32(a + w)}
	}
}

func (p *Parser) hasLetter(a, b int) bool {
	for i := a; i < b; i++ {
		if p.toks[i].Digits == 0 {
			return true
		}
	}
	return false
}

// episodeTitle reads what stands between the marker and the first sure tag.
func (p *Parser) episodeTitle() {
	if !p.byMarker || p.end >= p.tail || p.r.Spans[FieldTitle].Start > p.toks[p.end].Start {
		return
	}
	i := p.end
	for i < p.tail && (p.marks[i].ok || p.marks[i].kind > tag) {
		i++
	}
	a := i
	for i < p.tail && i < p.strong && !p.marks[i].ok && p.marks[i].kind <= cont && p.region(i) == 0 && (i < p.group[0] || i >= p.group[1]) {
		i++
	}
	if a < i && a > p.end {
		p.r.EpisodeTitle = p.clean(a, i)
		p.span(FieldEpisodeTitle, a, i)
	}
}
