package release

import (
	"github.com/boontorrent/boon/etl/release/internal/lexicon"
	"github.com/boontorrent/boon/etl/release/internal/token"
)

// findBareEpisodes marks episode numbers that stand without a word: " - 12", "[08]", "Dead.Set.02", "FooBar.307.HDTV".
func (p *Parser) findBareEpisodes() {
	if len(p.r.Episodes) > 0 {
		return
	}
	if p.broadcasts() || len(p.r.Seasons) == 0 && p.r.Date == "" && (p.leadingPair() || p.trailingPair() || p.dottedPair() || p.fileRange()) {
		return
	}
	if y, _, _ := p.musicYear(); y >= 0 && p.sep(y) == token.Dash || p.audioOnly() {
		return
	}
	if p.comicIssue() || p.r.hints[hintBook] > 0 && p.r.Resolution == 0 {
		return
	}
	if p.hashNumber() || len(p.r.Seasons) == 0 && p.spelledRange() {
		return
	}
	for _, inside := range [...]bool{false, true} {
		for i := p.tail - 1; i > p.start; i-- {
			n, w, _ := p.episodeNumber(i)
			if w == 0 || w == 4 && plausible(n) && (!p.dashed(i) || p.lead == 0) || p.region(i) > 0 != inside || p.nestedTotal(i) {
				continue
			}
			if p.numbered(i, n, w) {
				p.takeBare(p.firstDashed(i))
				return
			}
		}
	}
	if len(p.r.Seasons) > 0 || p.r.Date != "" {
		return
	}
	for i := p.start + 1; i < p.tail; i++ {
		if p.threeDigits(i) {
			return
		}
	}
	p.leadingNumber()
}

// broadcasts reads a bracket that tells a series from its films: [TV 04], [TV 01-26 Fin].
func (p *Parser) broadcasts() bool {
	for i := 1; i < p.tail; i++ {
		n, w, _ := p.episodeNumber(i)
		if w < 2 || w > 3 || p.region(i) == 0 || !p.sep(i).Blank() || string(p.fold(i-1)) != "tv" || !p.sep(i-1).Has(token.Open) {
			continue
		}
		last, end := n, i+1
		if p.rangeFollows(i) {
			last, end = int(p.toks[end].Num), end+1
		}
		if s := string(p.foldAt(end)); !p.sep(end).Has(token.Close) && (s == "fin" || s == "end") {
			end++
		}
		if !p.sep(end).Has(token.Close) {
			continue
		}
		p.addEpisodes(n, last)
		p.episodeEnd(i-1, end)
		return true
	}
	return false
}

// hashNumber reads the episode of a video: Some Show #650.
func (p *Parser) hashNumber() bool {
	if MediaOf(p.r.Container) != MediaVideo && p.r.Resolution == 0 {
		return false
	}
	for i := p.start + 1; i < p.tail; i++ {
		if n, w, _ := p.episodeNumber(i); w > 0 && p.sep(i).Has(token.Hash) {
			if p.rangeFollows(i) { // #1-4
				p.addEpisodes(n, int(p.toks[i+1].Num))
				p.episodeEnd(i, i+2)
				return true
			}
			p.takeBare(i, n)
			return true
		}
	}
	return false
}

// spelledRange reads 01 to 12 and 001 à 500 before a tag or the end.
func (p *Parser) spelledRange() bool {
	for i := p.start + 1; i+2 < p.tail; i++ {
		if !p.is(i+1, lexicon.ToWord) || !p.digits(i, 2, 4) || !p.digits(i+2, 2, 4) || p.fold(i)[0] != '0' || p.toks[i].Num >= p.toks[i+2].Num {
			continue
		}
		if p.open(i) && p.open(i+2) && p.sep(i).Blank() && p.sep(i+1) == p.sep(i+2) && p.sep(i+1).Blank() && p.tagOrEnd(i+3) {
			p.addEpisodes(int(p.toks[i].Num), int(p.toks[i+2].Num))
			p.episodeEnd(i, i+3)
			return true
		}
	}
	return false
}

// firstDashed is the number that comes first where several stand behind dashes, the others belonging to an episode's title.
func (p *Parser) firstDashed(i int) (int, int) {
	if p.dashed(i) && !p.rangeBefore(i) {
		for j := p.start + 1; j < i; j++ {
			if n, w, _ := p.episodeNumber(j); w > 1 && p.dashed(j) && !p.isYear(j) && p.toks[j+1].Spaced && p.numbered(j, n, w) {
				return j, n
			}
		}
	}
	n, _, _ := p.episodeNumber(i)
	return i, n
}

// dashed tells whether token i stands behind a dash with blanks.
func (p *Parser) dashed(i int) bool { return p.toks[i].Spaced && !p.sep(i).Has(token.Open) }

// stop tells whether what stands before token i can end an episode number: a bracket, a dash, a tag, the end.
func (p *Parser) stop(i int) bool {
	if i >= p.tail || p.sep(i).Has(token.Open|token.Close) || p.toks[i].Spaced {
		return true
	}
	m := &p.marks[i]
	return m.kind != free && m.kind != cont && (m.class == lexicon.Strong || m.kind == tag && m.class == lexicon.Zone && p.dashed(i-1)) || m.kind == lines
}

// numbered tells whether the number n of w digits at token i is an episode's.
func (p *Parser) numbered(i, n, w int) bool {
	end := i + 1
	first := i
	if p.rangeBefore(i) && p.open(i-1) && w >= 2 && !p.isYear(i) {
		first = i - 1
	} else if p.paired(i, n) {
		first = i - 1
	}
	if first <= p.start && first < i || p.is(first-1, lexicon.PartWord) || p.is(first-1, lexicon.VolumeWord) || p.decimals(i) {
		return false
	}
	if p.region(i) > 0 {
		return p.numberRegion(first, i, w)
	}
	if w > 1 && w < 4 && end >= p.tail && first == i && p.sep(i).Blank() && p.toks[i-1].Script >= token.Han && MediaOf(p.r.Container) == MediaVideo { // 某剧 12.mkv
		return true
	}
	zero := p.fold(i)[0] == '0' && w >= 2 && (w < 4 || p.sep(i) == token.Space) && (p.sep(i).Blank() || p.lead > 0 && (p.sep(i)&^token.Tilde).Blank() && first == i) && n > 0
	if end < p.tail && p.sep(end) == token.Dot && p.digits(end, 1, 1) && (p.dashed(i) || zero && p.lead > 0) { // 14.5
		return w >= 2
	}
	stops := p.stop(end) || p.is(end, lexicon.Complete) || p.sep(end).Has(token.Tilde)
	switch {
	case p.dashed(first):
		if string(p.foldAt(first-1)) == "movie" || w < 2 && p.lead == 0 {
			return false
		}
		return stops && !(w == 4 && p.isYear(first-1)) || p.fold(first)[0] == '0' && w == 2 || p.lead > 0 && w >= 2
	case first < i && p.toks[first].Num == 1 && (p.toks[first].Digits == 1 && n >= 12 || p.fold(first)[0] == '0') && w <= 3 && p.sep(first)&^(token.Space|token.Under) == 0 && !p.toks[i].Spaced && (stops || p.tagOrEnd(end)): // 1-220, 01-24
		return true
	case p.lead > 0 && p.sep(i) == token.Dash && first == i && w == 2 && p.fold(i)[0] == '0' && p.sep(end).Has(token.Under|token.Dot) && p.tagOrEnd(end): // [Group]Some_Show-03_DVD
		return true
	case p.lead > 0:
		return w >= 2 && (stops || w == 2 && zero && p.noYear() || end < p.tail && p.marks[end].kind == versionMark) && !p.sep(i).Has(token.Comma|token.Slash) && !p.seasonBehind(end)
	case first < i:
		return w >= 2 && (end >= p.tail || p.sep(end).Has(token.Open)) && p.year < 0 && p.sep(first)&^(token.Space|token.Under|token.Close) == 0 && !p.sep(end).Has(token.Dash) && p.toks[first].Digits == p.toks[i].Digits && (p.toks[first-1].Digits == 0 || w > 2)
	}
	if w == 3 && p.sep(i).Blank() && p.voiced(end) && p.noYear() && p.toks[i-1].Digits == 0 { // Some Show 366 [Eng Sub]
		return true
	}
	if w > 1 && w < 4 && p.r.CRC != "" && p.sep(i).Blank() && p.sep(end).Has(token.Open) && p.noYear() && p.toks[i-1].Digits == 0 { // Some Show 63 [560D3414]
		return true
	}
	return zero && !p.is(end, lexicon.Complete) && !p.is(end, lexicon.Pack) && p.marks[i-1].kind != versionMark && (p.sep(end).Blank() || p.sep(end)&^token.Space == token.Open) && p.noYear() && !p.is(i-1, lexicon.AudioCodec) && p.toks[i-1].Digits == 0
}

// paired tells whether the number n at token i is the second of two episodes behind a dash: - 01, 02 and - 01+02.
func (p *Parser) paired(i, n int) bool {
	m, w, _ := p.episodeNumber(i - 1)
	return w > 1 && p.toks[i-1].Digits > 0 && p.dashed(i-1) && (m == n-1 && p.sep(i).Has(token.Comma) || m < n && p.sep(i) == token.Plus)
}

// decimals tells whether the number at token i stands behind a point in a title: Some Film 1.11 - More.
func (p *Parser) decimals(i int) bool {
	return p.sep(i) == token.Dot && p.digits(i-1, 1, 1) && p.toks[i-1].Sep.Has(token.Space|token.Under)
}

// seasonBehind tells whether a bracket that begins at token i names the season: the number before it is the title's.
func (p *Parser) seasonBehind(i int) bool {
	return i < p.tail && p.sep(i).Has(token.Open) && p.marks[i].kind == season
}

// voiced tells whether a bracket that speaks of subtitles or dubbing begins at token i.
func (p *Parser) voiced(i int) bool {
	if i >= p.tail || !p.sep(i).Has(token.Open) {
		return false
	}
	for j := i; j < p.tail && p.region(j) == p.region(i); j++ {
		if p.is(j, lexicon.Subs) || p.is(j, lexicon.Dub) {
			return true
		}
	}
	return false
}

// numberRegion tells whether the number or range from first to last fills a bracket as episode numbers do.
func (p *Parser) numberRegion(first, last, w int) bool {
	if first == last && w == 2 && p.lead > 0 && p.region(first) != p.lead && p.sep(first).Has(token.Open) && p.list.Regions[p.region(first)].Open == '[' && p.region(last+1) == p.region(first) && p.sep(last+1) == token.Space && p.tagAt(last+1) && p.marks[last+1].kind != number { // [01 1080p HEVC]
		return true
	}
	if !p.sep(first).Has(token.Open) || !p.sep(last+1).Has(token.Close) && !p.is(last+1, lexicon.Complete) && !p.sep(last+1).Has(token.Plus) && !p.nestedTotal(last+1) {
		return false
	}
	if first < last {
		return w >= 2
	}
	r := p.list.Regions[p.region(first)]
	if r.Open == '(' && p.lead > 0 && last == p.tail-1 && w < 4 { // [Group] Some Show (9).mkv
		return true
	}
	return r.Open == '[' && w >= 2 && w <= 4 && (p.toks[0].Depth > 0 && p.region(first) != 1 || w == 2 && p.fold(first)[0] == '0')
}

// nestedTotal tells whether a number of its own bracket, over all seasons, stands at token i within another's: [08(63)].
func (p *Parser) nestedTotal(i int) bool {
	return i < p.tail && p.sep(i) == token.Open && p.digits(i, 2, 4) && p.toks[i].Depth > 1 && p.sep(i+1).Has(token.Close)
}

// noYear tells whether no year stands in the name.
func (p *Parser) noYear() bool {
	for i := p.start; i < p.tail; i++ {
		if p.isYear(i) {
			return false
		}
	}
	return true
}

// takeBare marks the number at token i, with the range it ends or begins.
func (p *Parser) takeBare(i, n int) {
	first, lo := i, n
	if p.rangeBefore(i) && i-1 > p.start {
		first, lo = i-1, int(p.toks[i-1].Num)
	}
	if n-lo > maxRange {
		lo = n
	}
	if first == i && first-1 > p.start && p.paired(i, n) {
		first--
		p.addEpisodes(int(p.toks[first].Num), int(p.toks[first].Num))
	}
	// 493-498 & 500-507
	if k := first - 1; p.sep(first).Has(token.Amp|token.Comma) && k > p.start && p.rangeBefore(k) && k-1 > p.start {
		p.addEpisodes(int(p.toks[k-1].Num), int(p.toks[k].Num))
		first = k - 1
	}
	p.addEpisodes(lo, n)
	end := i + 1
	if p.digits(end, 1, 1) && end < p.tail && p.sep(end) == token.Dot {
		end++
	}
	p.episodeEnd(first, end)
	if end < p.tail && p.marks[end].kind == free && (p.alone(end) || p.nestedTotal(end)) && p.digits(end, 2, 4) && int(p.toks[end].Num) > n && !p.isYear(end) {
		p.r.Absolute = append(p.r.Absolute, int(p.toks[end].Num))
		p.span(FieldAbsolute, end, end+1)
		p.set(end, end+1, number)
	}
}

// threeDigits reads 307 as season 3, episode 7 where a broadcast's tag or a year stands beside it.
func (p *Parser) threeDigits(i int) bool {
	if !p.digits(i, 1, 4) || p.marks[i].kind != free || p.region(i) > 0 || !p.sep(i).Blank() {
		return false
	}
	if p.digits(i, 1, 2) {
		if p.sep(i) == token.Dot && p.broadcast(i+1) && p.noYear() && p.toks[i].Num > 0 {
			if p.is(i-1, lexicon.PartWord) {
				return false
			}
			p.addEpisodes(int(p.toks[i].Num), int(p.toks[i].Num))
			p.episodeEnd(i, i+1)
			return true
		}
		return false
	}
	n := int(p.toks[i].Num)
	if n == 480 || n == 540 || n == 576 || n == 720 {
		if m := p.says(min(i+1, p.tail-1), lexicon.Source); m != nil {
			p.lines(i, i+1, n)
		}
		return false
	}
	if plausible(n) || n < 101 {
		return false
	}
	if i+1 < p.tail && p.is(i+1, lexicon.Subs) && p.marks[i+1].class == lexicon.Strong && p.noYear() { // Show Name 445 VOSTFR
		p.addEpisodes(n, n)
		p.episodeEnd(i, i+1)
		return true
	}
	if n%100 == 0 || n%100 > 50 {
		return false
	}
	near := p.fold(i)[0] == '0' && p.noYear() && (i+1 >= p.tail && MediaOf(p.r.Container) == MediaVideo || p.tagAt(i+1)) || p.broadcast(i+1) || i+2 < p.tail && p.marks[i+1].kind == lines && p.broadcast(i+2) && p.noYear()
	if !near && !(p.isYear(i-1) && i-1 > p.start && p.sep(i+1) == token.Dot) {
		return false
	}
	first := n
	if a := i - 1; a > p.start && p.digits(a, 3, 4) && p.sep(i) == p.sep(a) && int(p.toks[a].Num) == n-1 && n%100 > 1 { // 103.104
		first, i = n-1, a
	}
	p.addSeasons(n/100, n/100)
	p.addEpisodes(first%100, n%100)
	end := i + 1 + n - first
	p.set(i, end, season)
	p.span(FieldSeason, i, end)
	p.span(FieldEpisode, i, end)
	return true
}

// broadcast tells whether token i is the tag of a broadcast.
func (p *Parser) broadcast(i int) bool {
	return p.is(i, lexicon.Source) && p.says(i, lexicon.Source).Value == "tv" && p.marks[i].class == lexicon.Strong
}
