package release

import (
	"strings"
	"unicode/utf8"

	"github.com/boontorrent/boon/etl/release/internal/lexicon"
	"github.com/boontorrent/boon/etl/release/internal/token"
)

// findStart skips what stands before a title: a site, brackets with a group or tags, a marker.
func (p *Parser) findStart() {
	i := 0
	if n := p.school(); n > 0 && p.tail > n+1 && p.marks[n].kind != season && p.marks[n].kind != lines && (p.marks[n].kind == free || p.marks[n].class > lexicon.Strong) {
		i = n
	}
	if i == 0 && p.tail > 1 && p.digits(0, 1, 3) && p.toks[1].Script >= token.Han && strings.HasPrefix(p.name[p.toks[0].End:], "、") { // 14、某片: its place in a list
		i = 1
	}
	if i == 0 && p.indexLetter() {
		i = 1
	}
	for i < p.tail {
		next := p.skipHead(i)
		if next == i {
			break
		}
		i = next
	}
	if i >= p.tail || !p.textAfter(i) {
		i = 0
		p.lead = 0
		if p.tail > 0 && p.skipHead(0) > 0 && p.region(0) > 0 { // a name of nothing but brackets
			i = p.bracketTitle()
		}
	}
	for j := i; j < i+2 && j < p.tail; j++ { // a site's name and address
		if n := j + int(p.marks[j].n); p.marks[j].kind == site && p.toks[i].Script >= token.Han && p.textAfter(n) {
			i = n
			break
		}
	}
	if i > 0 && p.lead > 0 && p.region(i) > 0 && p.list.Regions[p.region(i)].Open == '[' {
		i = p.bracketTitle()
	}
	p.start = i
}

// indexLetter tells whether a capital by which lists are sorted leads a Han title: J-某片, Y 某片.
func (p *Parser) indexLetter() bool {
	return p.tail > 1 && p.toks[0].Start == 0 && p.toks[0].End == 1 && p.name[0] >= 'A' && p.name[0] <= 'Z' &&
		p.toks[1].Script == token.Han && p.sep(1).Has(token.Space|token.Dash|token.Close) && p.marks[1].kind == free
}

// school is how many tokens at the head name a maker of courses.
func (p *Parser) school() int {
	for n := min(2, len(p.toks)); n > 0; n-- {
		e := lexicon.Find(p.list.Fold[:p.toks[n-1].FoldEnd])
		if e != nil && e.Hints && e.Meanings[0].Value == "school" && n < len(p.toks) && string(p.fold(n)) == "com" {
			return n + 1
		}
		if e != nil && e.Hints && e.Meanings[0].Value == "school" && (p.sep(n) == token.Dot || p.toks[min(n, len(p.toks)-1)].Spaced) {
			return n
		}
	}
	return 0
}

// skipHead returns the token behind what stands at token i, if that comes before a title.
func (p *Parser) skipHead(i int) int {
	switch m := &p.marks[i]; m.kind {
	case site, season, episode, date, number:
		return i + int(m.n)
	}
	k := p.region(i)
	if k == 0 {
		return p.skipTags(i)
	}
	r := &p.list.Regions[k]
	if int(r.First) != i || int(r.Last) >= p.tail {
		return i
	}
	if p.regionOf(i, site) || p.allTagged(i, int(r.Last)) && !(r.Open == '[' && p.lead == 0 && i+1 == int(r.Last) && p.is(i, lexicon.Network)) {
		return int(r.Last)
	}
	if r.Open == '(' {
		if p.audioOnly() && p.toks[i].Digits == 0 && int(r.Last)-i < 5 {
			return int(r.Last)
		}
		if p.digits(i, 1, 4) || int(r.Last)-i > 3 || p.lead > 0 || p.region(int(r.Last)) != 0 || p.sep(int(r.Last)).Has(token.Space) && int(r.Last)-i > 1 {
			return i
		}
		return int(r.Last)
	}
	if p.numeric(i, int(r.Last)) && p.freeOutside(int(r.Last)) {
		return int(r.Last)
	}
	if p.lead > 0 {
		if p.freeOutside(int(r.Last)) && int(r.Last)-i < 3 {
			return int(r.Last)
		}
		return i
	}
	if p.bracketedTitle(int(r.Last), i) || p.quoted(r.Start) {
		return i
	}
	p.lead = k
	return int(r.Last)
}

// quoted tells whether the bracket at byte at is a quotation mark of Japanese or Chinese: it holds a title, not a group.
func (p *Parser) quoted(at int32) bool {
	r, _ := utf8.DecodeRuneInString(p.name[at:])
	return r == '「' || r == '『' || r == '《' || r == '〈'
}

// bracketedTitle tells whether the lone word in brackets at token i is the title itself, for nothing else is left to be one:
// [REC] 2007, [REC] 2 (2009).
func (p *Parser) bracketedTitle(next, i int) bool {
	if next != i+1 || p.toks[i].Script != token.Latin || i > 0 {
		return false
	}
	if p.digits(next, 1, 1) && next < p.tail && p.region(next) == 0 {
		next++
	}
	if next >= p.tail || !p.isYear(next) {
		return false
	}
	for j := next + 1; j < p.tail; j++ {
		if p.hard(j) {
			break
		}
		if p.marks[j].kind == free && p.toks[j].Digits == 0 {
			return false
		}
	}
	return true
}

// numeric tells whether all tokens from a to before b are numbers: a year, a sampling rate.
func (p *Parser) numeric(a, b int) bool {
	for i := a; i < b; i++ {
		if p.toks[i].Digits == 0 {
			return false
		}
	}
	return true
}

// skipTags returns the token behind sure tags that stand at the head before a dash or colon: "IMAX - Title".
func (p *Parser) skipTags(i int) int {
	j := i
	for j < p.tail && j < i+4 && (j == i || p.sep(j)&^(token.Space|token.Dash|token.Dot) == 0) && (p.marks[j].kind == tag && p.marks[j].class != lexicon.Language || p.marks[j].kind == lines) {
		j += max(int(p.marks[j].n), 1)
	}
	if j > i && j < p.tail && p.marks[j].kind == free && p.picture(i, j) && p.toks[j].Depth == 0 {
		return j
	}
	if j > i+1 && j < p.tail && p.marks[j].kind == free && p.marks[i].class == lexicon.Strong && p.marks[i+1].class == lexicon.Strong && p.marks[i+1].kind == tag {
		return j
	}
	if j == i || j >= p.tail || !p.toks[j].Spaced && p.sep(j)&^token.Space != token.Colon {
		return i
	}
	for k := i; k < j; k++ {
		if p.marks[k].kind == lines || p.marks[k].kind == tag && (p.marks[k].class <= lexicon.Weak && p.says(k, lexicon.Format) == nil || p.says(k, lexicon.Network) != nil && p.sep(j).Has(token.Space)) {
			return j
		}
	}
	return i
}

// picture tells whether the tokens from i to before j are sure tags of picture and source.
func (p *Parser) picture(i, j int) bool {
	for k := i; k < j; k++ {
		m := &p.marks[k]
		sure := m.kind == tag && m.class == lexicon.Strong && (p.is(k, lexicon.Source) || p.is(k, lexicon.VideoCodec) || p.is(k, lexicon.Resolution))
		if m.kind != lines && m.kind != cont && !sure {
			return false
		}
	}
	return true
}

// regionOf tells whether a bracket's text from token i on holds a mark of kind k.
func (p *Parser) regionOf(i int, k kind) bool {
	for j := i; j < p.tail && p.region(j) == p.region(i); j++ {
		if p.marks[j].kind == k {
			return true
		}
	}
	return false
}

// allTagged tells whether all tokens from a to before b are tags of some kind.
func (p *Parser) allTagged(a, b int) bool {
	for i := a; i < b && i < p.tail; i++ {
		if p.marks[i].kind == free {
			return false
		}
	}
	return true
}

// freeOutside tells whether a free word outside brackets stands between token i and the first sure tag.
func (p *Parser) freeOutside(i int) bool {
	for ; i < p.tail && !(p.hard(i) && p.region(i) == 0); i++ {
		if p.marks[i].kind == free && p.region(i) == 0 && p.toks[i].Digits == 0 {
			return true
		}
	}
	return false
}

// textAfter tells whether a word that may be a title's stands at or behind token i.
func (p *Parser) textAfter(i int) bool {
	for ; i < p.tail; i++ {
		if m := &p.marks[i]; m.kind == free || m.kind == tag && m.class >= lexicon.Weak && p.region(i) == 0 {
			return true
		}
	}
	return false
}

// bracketTitle returns the first token of the bracket that holds a title: the second with free words, the first being a
// group's, or else the first. Of several titles the Latin one is taken and the one before it kept as the second title.
func (p *Parser) bracketTitle() int {
	first, title, last := -1, -1, token.NoScript
	for k := 1; k < len(p.list.Regions); k++ {
		r := &p.list.Regions[k]
		if r.First == r.Last || int(r.First) >= p.tail {
			continue
		}
		if first >= 0 && title < 0 && r.First+1 == r.Last && p.isYear(int(r.First)) && p.toks[p.list.Regions[first].First].Script > token.Latin {
			break
		}
		if p.hard(int(r.First)) || title >= 0 && (p.startsDigit(int(r.First)) || p.marks[r.First].kind != free) {
			if title >= 0 {
				break
			}
			continue
		}
		if p.allTagged(int(r.First), int(r.Last)) || p.regionOf(int(r.First), site) || r.Open != '[' {
			continue
		}
		switch {
		case first < 0:
			first = k
		case title < 0 || p.toks[r.First].Script == token.Latin && last != token.Latin:
			if title >= 0 {
				p.second = int(p.list.Regions[title].First)
			}
			title = k
		case p.toks[p.list.Regions[title].First].Script != token.Latin:
			title = k
		}
		last = p.toks[r.First].Script
	}
	if title >= 0 {
		p.lead = int16(first)
		return int(p.list.Regions[title].First)
	}
	if first >= 0 {
		p.lead = 0
		return int(p.list.Regions[first].First)
	}
	return 0
}
