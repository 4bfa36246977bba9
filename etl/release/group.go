package release

import (
	"github.com/boontorrent/boon/etl/release/internal/lexicon"
	"github.com/boontorrent/boon/etl/release/internal/token"
)

// findGroup finds who made the release: behind the last dash, at the end of the tags, in the first or last brackets.
func (p *Parser) findGroup() {
	if p.r.ReleaseGroup != "" {
		return
	}
	end := p.groupEnd()
	if p.byName(end) {
		return
	}
	if a, b, ok := p.afterDash(end); ok {
		p.takeGroup(a, b)
		return
	}
	if k := p.beforeTags(end); k < end {
		if a, b, ok := p.afterDash(k); ok && p.tagBefore(a) && p.sep(a) == token.Dash && p.marks[a].kind == free {
			p.takeGroup(a, b)
			return
		}
	}
	if p.lead > 0 {
		r := p.list.Regions[p.lead]
		if !p.regionOf(int(r.First), site) && !p.bracketedAlt() {
			p.takeGroup(int(r.First), int(r.Last))
			return
		}
	}
	if a, b, ok := p.lastWords(end); ok {
		p.takeGroup(a, b)
		return
	}
	p.lastBracket(end)
}

func (p *Parser) takeGroup(a, b int) {
	if a >= b {
		return
	}
	p.group = [2]int{a, b}
	p.r.ReleaseGroup = p.slice(a, b)
	p.span(FieldGroup, a, b)
	if a >= p.end {
		for i := a; i < b; i++ {
			p.marks[i] = mark{kind: free}
		}
		if p.strong >= a && p.strong < b {
			p.strong = p.firstStrong(b)
		}
	}
}

// groupEnd is the token behind which nothing but a tracker's name, tags of reposting and brackets stand.
func (p *Parser) groupEnd() int {
	i := p.tail
	for i > p.end+1 {
		j := i - 1
		for j > p.end && p.marks[j].kind == cont {
			j--
		}
		k := p.region(j)
		switch {
		case p.is(j, lexicon.Junk) && (p.marks[j].class == lexicon.Strong || k > 0 || p.sep(j) != token.Dash) || p.marks[j].kind == site || p.is(j, lexicon.Sample) && p.sep(j)&^(token.Dot|token.Dash) == 0:
		case k > 0 && p.list.Regions[k].Open == '{' && int(p.list.Regions[k].First) > p.end:
			j = int(p.list.Regions[k].First)
		case p.sep(j) == token.Under && string(p.fold(j)) == "int":
		case string(p.fold(j)) == "tpb" && p.digits(j-1, 6, 8) && p.sep(j) == token.Dot && j-1 > p.end: // .5190458.TPB.torrent
			j--
		case k > 0 && int(p.list.Regions[k].First) > p.end && p.trackerBracket(int(p.list.Regions[k].First), j):
			j = int(p.list.Regions[k].First)
		default:
			return i
		}
		i = j
	}
	return i
}

// trackerBracket tells whether the bracket from token a to j hangs on a word before it, as [eztv] on -LOL.
func (p *Parser) trackerBracket(a, j int) bool {
	if a == 0 || p.sep(a)&^(token.Open|token.Space|token.Dash|token.Dot) != 0 || p.region(a-1) > 0 || p.sep(a).Has(token.Dot) && !p.dashBefore(a-1) {
		return false
	}
	if p.sep(a).Has(token.Space|token.Dash) && !p.allTagged(a, j+1) && !(a == j && p.dashBefore(a-1) && (p.list.Regions[p.region(a)].Open == '(' || p.sep(a-1) == token.Dash && p.is(a-2, lexicon.VideoCodec))) && !p.translated(a) {
		return false
	}
	return p.marks[a-1].kind == free || p.dashBefore(a-1)
}

// translated tells whether the bracket that begins at token a holds the title in another language, behind -GROUP.
func (p *Parser) translated(a int) bool {
	return a > 1 && p.sep(a) == token.Space|token.Open && p.list.Regions[p.region(a)].Open == '(' && p.sep(a-1) == token.Dash && p.marks[a-1].kind == free && p.tagBefore(a-1)
}

// beforeTags is where the languages and subtitles that trail a group begin: x264-AFG.HebSubs.
func (p *Parser) beforeTags(end int) int {
	for end > p.end+1 {
		j := end - 1
		for j > p.end && p.marks[j].kind == cont {
			j--
		}
		if p.sep(j) == token.Dash || !p.is(j, lexicon.Subs) && !p.is(j, lexicon.Lang) && !p.is(j, lexicon.Dub) && !p.is(j, lexicon.Sample) {
			return end
		}
		end = j
	}
	return end
}

// dashBefore tells whether token i hangs on a plain dash.
func (p *Parser) dashBefore(i int) bool {
	return i > 0 && p.sep(i).Has(token.Dash) && p.region(i) == 0
}

// afterDash finds the last dash behind which only words stand, and before which a tag stands.
func (p *Parser) afterDash(end int) (int, int, bool) {
	best := -1
	for i := end - 1; i > p.end && i > end-7; i-- {
		if p.region(i) > 0 {
			if i < end-1 || !p.sep(i).Has(token.Dash) {
				break
			}
		}
		if k := p.marks[i].kind; k == season || k == episode || k == date || k == lines || k == yearLike || k == cont || p.isYear(i) || p.toks[i].Digits > 0 && i == end-1 && p.strong >= i {
			break
		}
		if p.sep(i).Has(token.Dash) && p.groupWord(i, end) && !(p.toks[i].Spaced && p.strong >= i) {
			if p.tagBefore(i) || p.toks[i].Spaced {
				best = i
				break
			}
			if best < 0 {
				best = i
			}
		}
		if m := &p.marks[i]; m.kind == tag && m.class == lexicon.Strong && i < end-1 {
			break
		}
	}
	if best < 0 {
		return 0, 0, false
	}
	if !p.tagBefore(best) && !p.plainScene(best, end) {
		return 0, 0, false
	}
	// A group may hold a dash itself: x264.D-Z0N3.
	a := best
	for a-1 > p.strong && end-a < 3 && p.marks[a-1].kind == free && p.region(a-1) == 0 && !p.toks[a].Spaced && p.sep(a)&^(token.Dash|token.Dot) == 0 {
		a--
	}
	if a < best && p.tagBefore(a) && p.marks[a].kind == free {
		best = a
	}
	for end > best+1 && p.sep(end-1) == token.Dot && p.tagBefore(best) && (p.is(end-1, lexicon.Subs) || p.is(end-1, lexicon.Lang) || p.is(end-1, lexicon.Repack) || p.is(end-1, lexicon.Proper)) { // xvid-grp.eng.srt, x264-GRP.Repack
		end--
	}
	return best, end, true
}

// groupWord tells whether the words from token i may be a group: few, and not all of them tags.
func (p *Parser) groupWord(i, end int) bool {
	if end-i > 3 || end-i == 1 && p.toks[i].Digits > 0 && p.region(i) > 0 || end-i > 1 && !p.hasLetter(i, end) {
		return false
	}
	for j := i; j < end; j++ {
		if m := &p.marks[j]; m.kind == tag && m.class == lexicon.Strong && !(end-i == 1 && p.unsure(j)) || m.kind == lines || m.kind == number {
			return false
		}
		if j > i && p.sep(j).Has(token.Space) {
			return false
		}
	}
	m := &p.marks[i]
	if end-i == 1 && m.kind == tag && m.class > lexicon.Weak {
		return !p.toks[i].Spaced && p.sep(i) == token.Dash && (!p.is(i, lexicon.Lang) || len(p.fold(i)) == 2 && p.toks[i-1].Depth == 0 && p.is(i-1, lexicon.VideoCodec)) && !p.is(i, lexicon.Source) && !p.is(i, lexicon.AudioCodec)
	}
	return m.kind != tag || end-i > 1 || p.sep(i) == token.Dash && m.class > lexicon.Strong && !p.is(i, lexicon.Source)
}

// unsure tells whether the source at token i is a group's name, standing behind the codec while another source is named.
func (p *Parser) unsure(i int) bool {
	if !p.is(i, lexicon.Source) || p.sep(i) != token.Dash || !p.is(i-1, lexicon.VideoCodec) && !p.is(i-1, lexicon.Lang) {
		return false
	}
	for j := p.end; j < i-1; j++ {
		if p.is(j, lexicon.Source) {
			return true
		}
	}
	return false
}

// tagBefore tells whether a tag, marker or bracket stands right before token i.
func (p *Parser) tagBefore(i int) bool {
	j := i - 1
	for j > 0 && p.marks[j].kind == cont {
		j--
	}
	if j < p.end {
		return false
	}
	return p.marks[j].kind != free
}

// plainScene tells whether the name is dotted throughout and ends in a group though it has few tags: A.Name-GROUP.
func (p *Parser) plainScene(i, end int) bool {
	if p.toks[i].Spaced || p.sep(i) != token.Dash {
		return false
	}
	joined, blanks := 0, 0
	for j := 1; j < i; j++ {
		if p.sep(j).Has(token.Dot | token.Under) {
			joined++
		}
		if p.sep(j).Has(token.Space) {
			blanks++
		}
	}
	if p.strong < i && blanks <= joined || p.strong < i && end-i == 1 {
		return true
	}
	return joined >= 2 && blanks == 0 && end-i == 1 && p.stylised(i)
}

// stylised tells whether token i is written as groups write themselves: in capitals or with capitals inside.
func (p *Parser) stylised(i int) bool {
	upper, lower, digit := 0, 0, 0
	for n, c := range []byte(p.text(i)) {
		switch {
		case c >= 'A' && c <= 'Z':
			if n > 0 {
				upper++
			}
		case c >= 'a' && c <= 'z':
			lower++
		case c >= '0' && c <= '9':
			digit++
		}
	}
	return upper > 0 || digit > 0 && lower > 0
}

// shouts tells whether token i is four letters or more, nearly all of them capitals: RELOADED, RELiC.
func (p *Parser) shouts(i int) bool {
	upper := 0
	text := p.text(i)
	for _, c := range []byte(text) {
		if c >= 'A' && c <= 'Z' {
			upper++
		}
	}
	return len(text) > 3 && upper >= len(text)-1
}

// byName reads "by Someone" at the end.
func (p *Parser) byName(end int) bool {
	if i := end - 1; i > p.end && i+1 < p.tail && string(p.fold(i)) == "от" {
		end = i + 2
	}
	for i := end - 2; i > p.end && i > end-8; i-- {
		if s := string(p.fold(i)); (s == "by" && i > end-5 || s == "от") && p.toks[i+1].Digits == 0 {
			for j := i + 2; j < end; j++ {
				if p.sep(j).Has(token.Pipe | token.Slash | token.Comma) {
					end = j
				}
			}
			p.takeGroup(i+1, end)
			return true
		}
	}
	return false
}

// lastWords reads the one or two words that end the tags without a dash: "x264 DTS WiKi".
func (p *Parser) lastWords(end int) (int, int, bool) {
	a := end
	for a > p.end && p.marks[a-1].kind == free && p.region(a-1) == 0 && !p.sep(a).Has(token.Open|token.Close) || a == end && a > p.end && p.marks[a-1].kind == free && p.region(a-1) == 0 {
		a--
	}
	if a == end-1 && a == p.year+1 && p.region(p.year) > 0 && p.sep(a).Has(token.Dot) && p.stylised(a) { // Title.(2011).GRoUP
		return a, end, true
	}
	if a == end || a <= p.strong || end-a > 2 || p.strong >= p.tail || !p.tagBefore(a) {
		return 0, 0, false
	}
	if end-a == 2 && (p.sep(a+1).Has(token.Comma|token.Slash|token.Plus) || p.toks[a].Digits > 0 && p.sep(a+1) == token.Dot) {
		return 0, 0, false
	}
	if end-a == 1 && (p.toks[a].Digits > 0 || len(p.fold(a)) == 1) { // | D: how a release was dubbed
		return 0, 0, false
	}
	return a, end, true
}

// lastBracket reads a group from the last brackets: a lone word, or the last word behind tags.
func (p *Parser) lastBracket(end int) {
	if end < p.tail && !(p.region(end) > 0 && p.is(end, lexicon.Junk)) {
		end = p.tail
	}
	i := end - 1
	if i > p.end && p.marks[i].kind == number && p.alone(i) && p.r.CRC != "" {
		end, i = i, i-1
	}
	if i <= p.end || p.region(i) == 0 || p.strong >= p.tail && p.r.CRC == "" && !p.is(i, lexicon.Repack) && p.r.hints[hintComic] == 0 && !p.program() || p.list.Regions[p.region(i)].Open == '(' && p.audioOnly() {
		return
	}
	r := p.list.Regions[p.region(i)]
	a := int(r.First)
	if a <= p.end && a+1 >= int(r.Last) {
		return
	}
	if p.marks[i].kind != free && !p.is(i, lexicon.Repack) || p.toks[i].Digits > 0 || string(p.fold(i)) == "digital" {
		return
	}
	if end-a == 2 && p.is(i, lexicon.Repack) && p.marks[a].kind == free { // [SOMEONE Repack]
		p.takeGroup(a, i)
		return
	}
	if a == i || p.r.hints[hintComic] > 0 && end-a <= 3 {
		p.takeGroup(a, end)
		return
	}
	if p.tagBefore(i) && i > p.strong && !p.sep(i).Has(token.Comma|token.Plus|token.Slash) {
		p.takeGroup(i, end)
	} else if p.strong < a && end-a <= 3 && p.allTagged(a, a) {
		p.takeGroup(a, end)
	}
}

// program tells whether the name is a program's: it speaks of one and says its version.
func (p *Parser) program() bool {
	return p.r.Version != "" && p.r.hints[hintSoftware]+p.r.hints[hintGame] > 0
}
