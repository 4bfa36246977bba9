package release

import (
	"bytes"

	"github.com/boontorrent/boon/etl/release/internal/lexicon"
	"github.com/boontorrent/boon/etl/release/internal/token"
)

// findEnd finds where the title ends: at the first sure tag, marker or the year, with the weak tags that lead up to it.
func (p *Parser) findEnd() {
	end := p.firstHard(p.start)
	if end == p.start {
		end = p.firstHard(p.start + 1)
	}
	if p.year >= 0 && p.year > p.start && p.year < end {
		end = p.year
	}
	if p.year == p.start { // a year that leads the name
		p.start++
	}
	for i := p.start + 1; i < end; i++ {
		if p.closes(i) || p.numberedIssue(i) {
			end = i
			break
		}
	}
	if p.year >= end && end < p.tail || p.year == end {
		end = min(end, p.magazineMonth(p.year))
	}
	if v := p.programEnd(end); v > end {
		end = v
	}
	if end == p.tail {
		end = p.sceneEnd()
	}
	if k := p.latinBehind(end); k > 0 {
		p.second, p.start = p.start, k
		p.findEnd()
		return
	}
	if end == p.year && end+1 < p.tail && p.marks[end+1].kind == versionMark && p.marks[end+1].class == lexicon.Strong { // Adobe XD CC 2019 v21
		end++
	}
	p.byMarker = end < p.tail && (p.marks[end].kind == season || p.marks[end].kind == episode || p.marks[end].kind == date)
	p.end = p.backwards(end)
	if p.sequels(p.end-2) && (p.tagAt(p.end) || p.end == p.year && p.r.YearEnd > p.r.Year) { // Title 1-3 (1999-2003), Title I-III 1080p
		p.end -= 2
	}
	p.strong = p.firstStrong(p.end)
}

// programEnd returns the version that the title of a program runs to where the words at token end, which name a format or a
// disc, are part of it: Some.MP3.Converter.v4.1, Some DVD Ripper 3.2.1. It returns 0 for none.
func (p *Parser) programEnd(end int) int {
	if end >= p.tail || p.marks[end].kind != tag || p.r.Resolution > 0 || p.year >= 0 && p.year < end || p.region(end) > 0 {
		return 0
	}
	v := end + 1
	for v < p.tail && p.region(v) == 0 && (p.marks[v].kind == cont || (p.marks[v].kind == free || p.marks[v].kind == tag && !p.toks[v].Spaced) && p.sep(v) != token.Dash) {
		v++
	}
	if v >= p.tail || p.marks[v].kind != versionMark || p.marks[v].class != lexicon.Strong || p.marks[v-1].kind != free || p.region(v) > 0 {
		return 0
	}
	for i := end; i < v; i++ {
		p.marks[i] = mark{kind: free}
	}
	return v
}

// latinBehind returns the first token of a Latin title that stands outside brackets behind a title in another script and
// its bracketed tags, 0 for none: 某片[中字].Some.Film.2023.
func (p *Parser) latinBehind(end int) int {
	counted := end < p.tail && p.region(end) == 0 && (p.marks[end].kind == season || p.marks[end].kind == episode)
	if p.second > 0 || end >= p.tail || p.region(end) == 0 && !counted || p.region(p.start) != 0 {
		return 0
	}
	if p.toks[p.start].Script == token.Cyrillic {
		return p.behindSlash(end)
	}
	if p.toks[p.start].Script < token.Han {
		return 0
	}
	if counted {
		return p.latinCounted(end)
	}
	for i := end; i < p.tail && !(p.region(i) == 0 && p.hard(i)); i++ {
		if p.region(i) == 0 && p.marks[i].kind == free && p.toks[i].Script == token.Latin && p.long(i) {
			return i
		}
	}
	return 0
}

// latinCounted returns the first token of the Latin title behind the season or all the episodes of a title in another script, and
// behind brackets, at token i, 0 for none: 某剧 第三季 Some Series S03, 某剧 第三季[全9集][中字].Series.S03, 某剧.全46集.Some.Series.2009.
func (p *Parser) latinCounted(i int) int {
	sure := p.marks[i].kind == season
	if sure && p.toks[i].Script == token.Latin && len(p.r.Episodes) > 0 && p.r.Spans[FieldEpisode].Start < p.toks[i].End {
		return 0 // 某剧.S01E05.What.It.Is.Called
	}
	i++
	for i < p.tail && (p.region(i) > 0 || p.marks[i].kind == cont) {
		sure = sure && p.region(i) == 0
		i++
	}
	if i >= p.tail || !p.open(i) || p.toks[i].Script != token.Latin || !p.long(i) || p.marks[i].kind != free {
		return 0
	}
	end := p.firstHard(i)
	for k := i + 1; k < end; k++ {
		if p.marks[k].kind == yearLike {
			end = k
		}
	}
	if sure && end > i+1 || end < p.tail && p.region(end) == 0 && (p.marks[end].kind == season || p.marks[end].kind == yearLike) {
		return i
	}
	return 0
}

// behindSlash returns the first token of the Latin title that a slash parts from a Cyrillic title's seasons and episodes,
// 0 for none: Название (1-8 серии из 8) / Title / 2019, Название - сезон 2 / Title.
func (p *Parser) behindSlash(i int) int {
	for i++; i < p.tail; i++ {
		if k := p.region(i); k > 0 && p.list.Regions[k].Open == '[' || k == 0 && p.hard(i) && p.tagAt(i) {
			return 0
		}
		if p.region(i) == 0 && p.sep(i).Has(token.Slash) && p.sep(i).Has(token.Space) {
			if p.open(i) && p.toks[i].Script == token.Latin {
				return i
			}
			return 0
		}
	}
	return 0
}

// sequels tells whether the tokens i and i+1 count the parts of a series of films: 1-3, I-III.
func (p *Parser) sequels(i int) bool {
	if i <= p.start || p.sep(i+1)&^token.Space != token.Dash || p.region(i) > 0 || p.marks[i].kind != free || p.marks[i+1].kind != free {
		return false
	}
	a, b := roman(p.fold(i)), roman(p.fold(i+1))
	if p.digits(i, 1, 1) && p.digits(i+1, 1, 2) {
		a, b = int(p.toks[i].Num), int(p.toks[i+1].Num)
	}
	return a == 1 && b > 1
}

// sceneEnd is where a dotted name without a sure tag stops: before the group behind its last dash.
func (p *Parser) sceneEnd() int {
	i := p.tail - 1
	foreign := p.start < p.tail && p.toks[p.start].Script > token.Cyrillic
	if i <= p.start || i == p.start+1 && !foreign || p.sep(i) != token.Dash || p.region(i) > 0 || p.marks[i].kind != free || !p.stylised(i) {
		return p.tail
	}
	joined := 0
	for j := 1; j < i; j++ {
		if p.sep(j).Has(token.Space | token.Slash) {
			return p.tail
		}
		if p.sep(j).Has(token.Dot | token.Under) {
			joined++
		}
	}
	if joined < 2 && !foreign && !(joined == 1 && i == p.start+2 && p.shouts(i) && !p.capital(p.start, 2)) {
		return p.tail
	}
	p.takeGroup(i, p.tail)
	return i
}

// firstStrong returns the first token from i that is a tag beyond doubt, markers and years aside.
func (p *Parser) firstStrong(i int) int {
	for ; i < p.tail; i++ {
		if m := &p.marks[i]; m.kind == lines || m.kind == tag && m.class == lexicon.Strong {
			return i
		}
	}
	return p.tail
}

// closes tells whether a bracket that holds only tags begins at token i, or a number that belongs to files.
func (p *Parser) closes(i int) bool {
	m := &p.marks[i]
	if m.kind == versionMark || m.kind == number && m.class != lexicon.Zone && p.region(i) > 0 {
		return true
	}
	k := p.region(i)
	if k == 0 || k == p.region(p.start) || int(p.list.Regions[k].First) != i {
		return m.kind == site && p.toks[i].Spaced
	}
	r := &p.list.Regions[k]
	if r.Open == '[' && p.is(int(r.Last)-1, lexicon.Repack) { // [SOMEONE Repack]
		return true
	}
	return p.allTagged(i, int(r.Last)) && !p.bareNumber(i)
}

// bareNumber tells whether token i is a bare number that the title may hold in brackets.
func (p *Parser) bareNumber(i int) bool { return p.toks[i].Digits > 0 && p.marks[i].kind == free }

// backwards moves the title's end before the weak tags that stand right before it.
func (p *Parser) backwards(end int) int {
	byYear, start := end == p.year || end+1 == p.year, end
	for i := end; i > p.start+1; {
		j := i - 1
		for j > p.start && p.marks[j].kind == cont {
			j--
		}
		m := &p.marks[j]
		switch {
		case j <= p.start:
			return i
		case m.kind == yearLike && end < p.tail && p.marks[end].kind == versionMark:
			return i
		case m.kind == yearLike:
		case m.kind == number && (i < start || p.tagAt(start)):
		case m.kind == versionMark:
		case m.kind != tag:
			if t := &p.toks[j]; t.Script == token.Han && j > p.start && p.region(j) == p.region(p.start) && p.sep(j).Blank() && p.sep(j) != 0 && bytes.HasSuffix(p.fold(j), []byte("版")) { // 某片.无字幕版.4K
				i, end = j, j
				continue
			}
			if p.is(i, lexicon.Edition) && p.ordinalToken(j) || p.is(i, lexicon.Pack) && p.marks[i].n > 1 && p.digits(j, 1, 2) {
				i = j
				continue
			}
			return i
		case m.class == lexicon.Strong:
		case j == p.start+1 && article(string(p.fold(p.start))) && (m.class != lexicon.Weak || p.is(j, lexicon.SeasonWord)): // The English, The Series
			return i
		case p.sep(i).Has(token.Comma) || p.sep(j).Has(token.Amp) && m.class != lexicon.Language || j > 0 && p.is(j-1, lexicon.AndWord):
			return i
		case m.class == lexicon.Weak && !p.wordlike(j, end):
		case m.class == lexicon.Language && p.lead > 0 && end < p.tail && p.marks[end].kind == episode && p.toks[end].Digits > 0 && !p.capital(j, 1): // [Group] bokura ga ita 01
			return i
		case m.class == lexicon.Zone && end == p.group[0] && end > 0 && p.says(j, lexicon.AudioCodec) != nil && p.capital(j, 1): // Some.Samples.WAV-GRP
		case m.class == lexicon.Zone && p.forVideo(j) && end < p.tail && p.marks[end].kind == episode && p.toks[end].Digits > 0 && !p.toks[end].Spaced && p.region(end) == 0: // Some Show OAD 02
		case m.class == lexicon.Zone && string(p.fold(j)) == "tv" && end < p.tail && p.marks[end].kind == episode && p.region(end) > 0 && p.region(j) == 0: // Some Show TV [20 of 25]
		case m.class == lexicon.Language && (!byYear || p.spoken(j, end) || i < start && p.marks[i].kind == tag && p.marks[i].class == lexicon.Language && p.sep(i).Has(token.Amp|token.Plus)) && (end < p.tail || p.loud(j)):
		case m.class == lexicon.Zone && (p.region(j) > 0 || p.country(j, end) || p.loud(j) && (p.tagAt(end) || byYear && (p.is(j, lexicon.Edition) || i < start))):
		default:
			return i
		}
		i = j
		end = i
	}
	return end
}

// wordlike tells whether a weak tag before the title's end reads as a word of the title: at the end of a name without
// tags, or a season's or part's word without its number.
func (p *Parser) wordlike(j, end int) bool {
	if end >= p.tail && !p.capital(j, 1) && !p.closesPack(j) && p.says(j, lexicon.Resolution) == nil && !p.multi(j) {
		return true
	}
	for _, m := range p.marks[j].entry.Meanings {
		switch m.Field {
		case lexicon.EpisodeWord, lexicon.PartWord, lexicon.VolumeWord, lexicon.IssueWord, lexicon.SeasonWord:
			return true
		case lexicon.Pack:
			return !p.loud(j) && !p.namesPack(j, end)
		case lexicon.App:
			return end == p.year || end < p.tail && (p.marks[end].kind == season || p.marks[end].kind == episode)
		case lexicon.ThreeD:
			return end == p.year || end < p.tail && p.marks[end].kind == versionMark
		case lexicon.Format:
			return p.toks[j].Spaced
		}
	}
	return false
}

// multi tells whether token j says that a film speaks several languages: no title ends so.
func (p *Parser) multi(j int) bool {
	m := p.says(j, lexicon.Lang)
	return m != nil && m.Value == "multi" && MediaOf(p.r.Container) == MediaVideo
}

// forVideo tells whether token j says that an episode was made for video.
func (p *Parser) forVideo(j int) bool {
	s := string(p.fold(j))
	return s == "ova" || s == "oad" || s == "oav" || s == "ona"
}

// closesPack tells whether the words at token j, which end the name, say that this is all there is of something: Complete
// Series, Trilogy, 1-9 Complete.
func (p *Parser) closesPack(j int) bool {
	if p.says(j, lexicon.Complete) != nil {
		return p.marks[j].n > 1 || p.sequels(j-2)
	}
	return p.says(j, lexicon.Pack) != nil && (bytes.HasSuffix(p.fold(j), []byte("logy")) || p.sequels(j-2))
}

// namesPack tells whether the word for a pack at token j stands apart from the title: a Duology, a Movie Collection and a
// Collection with a range of years or of parts do, another Collection has it in its name.
func (p *Parser) namesPack(j, end int) bool {
	return bytes.HasSuffix(p.fold(j), []byte("logy")) || p.marks[j].n > 1 || end == p.year && p.r.YearEnd > p.r.Year || p.sequels(j-2)
}

// loud tells whether token j is in capitals while the title is not, be it that its script has none.
func (p *Parser) loud(j int) bool {
	for _, f := range [...]lexicon.Field{lexicon.OfWord, lexicon.AndWord, lexicon.ToWord, lexicon.DiscWord} {
		if p.says(j, f) != nil {
			return false
		}
	}
	return p.capital(j, max(1, int(p.marks[j].n))) && (!p.capital(p.start, j-p.start) || p.toks[p.start].Script > token.Latin && p.toks[j].Script == token.Latin)
}

// tagAt tells whether token i is a tag and no marker or year.
func (p *Parser) tagAt(i int) bool {
	return i < p.tail && (p.marks[i].kind == tag || p.marks[i].kind == lines || p.marks[i].kind == number || p.marks[i].kind == versionMark)
}

// spoken tells whether the language before the year at end is the release's and not the title's: none is named behind it.
// English is never named there (Johnny English 2003).
func (p *Parser) spoken(j, end int) bool {
	if p.says(j, lexicon.Lang).Value == "en" {
		return false
	}
	for i := end; i < p.tail; i++ {
		if p.is(i, lexicon.Lang) && len(p.says(i, lexicon.Lang).Value) == 2 {
			return false
		}
	}
	return true
}

// country tells whether token j is a country's code between a title and its season: The.Office.UK.S01.
func (p *Parser) country(j, end int) bool {
	return p.byMarkerAt(end) && p.is(j, lexicon.Country) && p.capital(j, 1)
}

func (p *Parser) byMarkerAt(i int) bool {
	return i < p.tail && (p.marks[i].kind == season || p.marks[i].kind == episode || p.marks[i].kind == yearLike && i+1 < p.tail && p.marks[i+1].kind == season)
}

func (p *Parser) ordinalToken(i int) bool {
	n, w := leading(p.fold(i))
	return n > 0 && w < 3 && ordinalTail(string(p.fold(i)[w:]))
}

// accept says which tags count. Behind the first sure tag all do. Before it, between a marker and the tags, stands an
// episode's title: there only those count that lead up to a sure tag or the end without a gap, and those in brackets.
func (p *Parser) accept() {
	for i := p.end; i < p.tail; i++ {
		m := &p.marks[i]
		if m.kind == tag && (m.class == lexicon.Strong || i > p.strong) {
			m.ok = true
		}
	}
	for i := p.end; i < p.year && p.marks[i].kind != free; i++ { // Title.4K.2023
		p.marks[i].ok = p.marks[i].ok || p.marks[i].kind == tag
	}
	chain := true
	for i := min(p.strong, p.tail) - 1; i >= p.end; i-- {
		m := &p.marks[i]
		switch m.kind {
		case free:
			if i < p.group[0] || i >= p.group[1] {
				chain = false
			}
		case tag:
			if p.grammar(i) {
				chain = false
				continue
			}
			k := p.region(i)
			m.ok = m.ok || chain || k > 0 && int(p.list.Regions[k].First) == i && p.is(i, lexicon.Source) || k > 0 && p.allTagged(int(p.list.Regions[k].First), int(p.list.Regions[k].Last))
		}
	}
	p.acceptBrackets()
}

// grammar tells whether token i is a word that only joins others, and ends a run of tags.
func (p *Parser) grammar(i int) bool {
	for _, f := range [...]lexicon.Field{lexicon.OfWord, lexicon.AndWord, lexicon.ToWord, lexicon.EpisodeWord, lexicon.PartWord} {
		if p.says(i, f) != nil && p.toks[i].Depth == 0 && !p.capital(i, 1) {
			return true
		}
	}
	return false
}

// acceptBrackets accepts the tags in brackets before the title, and strong tags and channels wherever they stand.
func (p *Parser) acceptBrackets() {
	for i := 0; i < p.start && i < p.tail; i++ {
		m := &p.marks[i]
		if m.kind == tag && (p.region(i) != p.lead && (m.class == lexicon.Strong || p.region(i) > 0) || p.region(i) == 0 && p.says(i, lexicon.Network) != nil) {
			m.ok = true
		}
	}
}
