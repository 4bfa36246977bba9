package release

import (
	"github.com/boontorrent/boon/etl/release/internal/lexicon"
	"github.com/boontorrent/boon/etl/release/internal/token"
)

// maxRange bounds how many numbers "1-1071" stands for.
const maxRange = 2000

// maxSeason bounds the number before a word for season: 72 Seasons is a title.
const maxSeason = 50

// findSeasons marks what names seasons and episodes: S01E02, 1x02, season 2, 第12集, 3 of 6. The surest notation wins.
func (p *Parser) findSeasons() {
	for i := 0; i < p.tail; {
		i = max(p.seasonToken(i), i+1)
	}
	if len(p.r.Episodes) == 0 {
		for i := 0; i < p.tail; {
			i = max(p.cross(i), i+1)
		}
	}
	for i := 0; i < p.tail; i++ {
		p.gluedWord(i)
		p.hanNumber(i)
		p.completeRange(i)
		if p.is(i, lexicon.SeasonWord) && (!p.habit(i, lexicon.SeasonWord, "part") || p.namesEpisode()) {
			p.seasonWord(i)
		}
	}
	for i := 0; i < p.tail; i++ {
		if p.is(i, lexicon.EpisodeWord) {
			p.episodeWord(i)
		}
	}
	for i := 0; i < p.tail; i++ {
		p.episodeToken(i)
		p.outOf(i)
		p.counted(i)
	}
	if len(p.r.Episodes) == 0 && p.r.Date == "" {
		p.special()
	}
}

// namesEpisode tells whether a word for episode stands anywhere.
func (p *Parser) namesEpisode() bool {
	for i := range p.tail {
		if p.is(i, lexicon.EpisodeWord) {
			return true
		}
	}
	return false
}

// open tells whether token i may still become a marker.
func (p *Parser) open(i int) bool {
	if i < 0 || i >= p.tail {
		return false
	}
	k := p.marks[i].kind
	return k == free || k == yearLike || k == tag && p.marks[i].class >= lexicon.Weak
}

func (p *Parser) addSeasons(lo, hi int) { p.r.Seasons = addRange(p.r.Seasons, lo, hi) }

func (p *Parser) addEpisodes(lo, hi int) { p.r.Episodes = addRange(p.r.Episodes, lo, hi) }

// seasonToken reads S01… at token i with all that goes on behind it and returns where that ends.
func (p *Parser) seasonToken(i int) int {
	if !p.open(i) && p.marks[i].kind != tag {
		return i
	}
	c, ok := parseCompact(p.fold(i))
	if !ok && p.seasonLetter(i, c) {
		ok = true
	}
	if !ok {
		if end := p.spacedMarker(i); end > i {
			return end
		}
	}
	if !ok || len(p.r.Seasons) > 0 && (len(p.r.Episodes) > 0 || c.n == 0) {
		return i
	}
	if c.n == 0 && p.sep(i) == token.Dash && p.behindTag(i) { // a group: DD5.1-S56
		return i
	}
	p.r.Seasons = p.r.Seasons[:0]
	p.addSeasons(c.season, max(c.season, c.season2))
	end := i + 1
	if c.n == 0 {
		end = p.moreSeasons(end, c.season)
		p.set(i, end, season)
		p.span(FieldSeason, i, end)
		if len(p.r.Seasons) == 1 && !c.disc {
			end = p.seasonThenEpisode(end)
		}
		return end
	}
	for _, e := range c.eps[:c.n] {
		p.addEpisodes(e, e)
	}
	end = p.moreEpisodes(end, c.season, c.eps[c.n-1])
	p.set(i, end, season)
	if p.digits(i-1, 3, 4) && p.digits(i-2, 3, 4) && p.rangeBefore(i-1) && !p.isYear(i-2) { // 313-315 S16E03-05
		p.r.Absolute = addRange(p.r.Absolute, int(p.toks[i-2].Num), int(p.toks[i-1].Num))
		p.span(FieldAbsolute, i-2, i)
		p.set(i-2, i, number)
	}
	p.span(FieldSeason, i, i+1)
	p.span(FieldEpisode, i, end)
	return p.absoluteBehind(end)
}

// seasonLetter tells whether T1 or Se2 at token i is a season, its episode standing right behind: T1 E5, T13.Cap.1305, Se2.Ep5.
func (p *Parser) seasonLetter(i int, c compact) bool {
	f, next := p.fold(i), p.foldAt(i+1)
	if c.season == 0 || c.n > 0 || len(f) > 4 || i+1 >= p.tail || p.toks[i+1].Spaced {
		return false
	}
	if f[0] == 't' && len(f) < 4 && p.is(i+1, lexicon.EpisodeWord) && p.digits(i+2, 1, 4) {
		return true
	}
	if f[0] == 't' && len(f) == 3 && f[1] < '2' && i > 0 && p.sep(i).Blank() && p.sep(i+1).Has(token.Open) && p.tagAt(i+1) { // T04 [720p]
		return true
	}
	_, n, ok := parseEpisodes(next)
	return ok && n > 0 && next[0] == 'e'
}

// spacedMarker reads S 02 E 05 from token i.
func (p *Parser) spacedMarker(i int) int {
	if len(p.fold(i)) != 1 || p.fold(i)[0] != 's' || !p.digits(i+1, 1, 2) || i+3 >= p.tail || len(p.r.Seasons) > 0 {
		return i
	}
	for j := i + 1; j < i+4; j++ {
		if !p.sep(j).Blank() {
			return i
		}
	}
	f := p.fold(i + 2)
	var end, n int
	switch {
	case (string(f) == "e" || string(f) == "ep") && p.digits(i+3, 1, 3):
		end, n = i+4, int(p.toks[i+3].Num)
	case len(f) > 1 && f[0] == 'e' && allDigits(f[1:]):
		end = i + 3
		n, _ = leading(f[1:])
	case p.digits(i+1, 2, 2) && p.marks[i+2].kind == lines && i > 0:
		p.addSeasons(int(p.toks[i+1].Num), int(p.toks[i+1].Num))
		p.set(i, i+2, season)
		p.span(FieldSeason, i, i+2)
		return i + 2
	default:
		return i
	}
	p.addSeasons(int(p.toks[i+1].Num), int(p.toks[i+1].Num))
	p.addEpisodes(n, n)
	p.set(i, end, season)
	p.span(FieldSeason, i, i+2)
	p.span(FieldEpisode, i+2, end)
	return end
}

// moreSeasons reads what continues S01: -S05, -05, S02, to S05, & S02.
func (p *Parser) moreSeasons(j, last int) int {
	for ; j < p.tail; j++ {
		s := p.sep(j)
		if s.Has(token.Open | token.Close) {
			return j
		}
		n, ok := 0, false
		if c, is := parseCompact(p.foldAt(j + 1)); j+1 < p.tail && is && c.n == 0 && !c.disc && (p.is(j, lexicon.ToWord) || p.is(j, lexicon.AndWord)) {
			n, ok = c.season, true
			if p.is(j, lexicon.ToWord) {
				s = token.Dash
			}
			j++
		} else if c, is := parseCompact(p.fold(j)); is && c.n == 0 && !c.disc {
			n, ok = c.season, true
		} else if p.digits(j, 1, 2) && s.Has(token.Dash|token.Tilde) && !p.toks[j].Spaced && p.seasonRange(j) {
			n, ok = int(p.toks[j].Num), true
		}
		if !ok || n <= last {
			return j
		}
		if s.Has(token.Dash | token.Tilde) {
			p.addSeasons(last+1, n)
		}
		p.addSeasons(n, n)
		last = n
	}
	return j
}

// seasonRange tells whether the number behind a season's dash is a season too: S01-05, S1-11, but not S2-05.
func (p *Parser) seasonRange(j int) bool {
	w := p.seasonWidth(j - 1)
	return len(p.fold(j)) == w || w == 1 && p.fold(j)[0] != '0' && p.toks[0].Depth == 0
}

// seasonWidth is how many digits the season marker at token j has.
func (p *Parser) seasonWidth(j int) int {
	f := p.fold(j)
	for len(f) > 0 && (f[0] < '0' || f[0] > '9') {
		f = f[1:]
	}
	_, w := leading(f)
	return w
}

// seasonThenEpisode reads an episode that stands apart from its season: S01 - E03, S01.07, Season 3 - 11, S01 (01 - 12).
func (p *Parser) seasonThenEpisode(j int) int {
	if j >= p.tail || len(p.r.Episodes) > 0 {
		return j
	}
	t := &p.toks[j]
	s := t.Sep
	if eps, n, ok := parseEpisodes(p.fold(j)); ok && p.fold(j)[0] == 'e' && !s.Has(token.Slash|token.Comma) {
		for _, e := range eps[:n] {
			p.addEpisodes(e, e)
		}
		return p.episodeEnd(j, p.moreEpisodes(j+1, -1, eps[n-1]))
	}
	if string(p.fold(j)) == "e" && s.Blank() && p.digits(j+1, 1, 3) && j+1 < p.tail && p.sep(j+1).Blank() && (j+2 >= p.tail || p.toks[j+2].Spaced || p.tagAt(j+2)) { // S2 E 02
		p.addEpisodes(int(p.toks[j+1].Num), int(p.toks[j+1].Num))
		return p.episodeEnd(j, j+2)
	}
	n, w, version := p.episodeNumber(j)
	if w < 2 || w > 4 || w == 4 && plausible(n) || p.unitFollows(j) {
		return j
	}
	opened := s.Has(token.Open) && !s.Has(token.Slash) && !version
	joined := s == token.Dash && p.region(j) == p.region(j-1)
	if opened && p.alone(j) && p.toks[j].Digits > 1 && s.Has(token.Open) && p.list.Regions[p.region(j)].Open == '[' && p.region(j-1) == 0 && MediaOf(p.r.Container) == MediaVideo { // Series.S03.[34].mkv
		p.addEpisodes(n, n)
		return p.episodeEnd(j, j+1)
	}
	if opened && !p.rangeFollows(j) || !opened && !t.Spaced && !s.Blank() && !joined || s.Has(token.Close) {
		return j
	}
	if !t.Spaced && !opened && w != 2 && !(j+1 >= p.tail && s == token.Space) {
		return j
	}
	p.addEpisodes(n, n)
	return p.episodeEnd(j, p.moreEpisodes(j+1, -1, n))
}

func (p *Parser) unitFollows(j int) bool {
	return j+1 < p.tail && (unit(string(p.fold(j+1))) || p.sep(j+1) == token.Dot && p.digits(j+1, 1, 4) && p.digits(j, 1, 1))
}

// rangeFollows tells whether token j begins 01-12 or 01 ~ 12.
func (p *Parser) rangeFollows(j int) bool {
	return p.digits(j+1, 1, 4) && j+1 < p.tail && p.sep(j+1).Has(token.Dash|token.Tilde) && p.toks[j+1].Num > p.toks[j].Num
}

func (p *Parser) episodeEnd(a, b int) int {
	p.set(a, b, episode)
	p.span(FieldEpisode, a, b)
	return b
}

// episodeNumber reads 12, 12v2, 107b.
func (p *Parser) episodeNumber(j int) (n, width int, version bool) {
	if j < 0 || j >= p.tail || !p.open(j) && p.marks[j].kind != number {
		return 0, 0, false
	}
	f := p.fold(j)
	n, width = leading(f)
	switch rest := f[width:]; {
	case width == 0 || width > 4 || p.marks[j].kind == number:
		return 0, 0, false
	case len(rest) == 0 || width > 1 && (string(rest) == "tv" || string(rest) == "end" || string(rest) == "fin"):
		return n, width, false
	case len(rest) == 2 && rest[0] == 'v' && rest[1] >= '0' && rest[1] <= '9':
		return n, width, true
	case len(rest) == 1 && width > 1 && rest[0] >= 'a' && rest[0] <= 'c':
		return n, width, false
	}
	return 0, 0, false
}

// moreEpisodes reads what continues an episode: E03, -03, -E03, +04, S01E03, 1x03. season is -1 where it is not known.
func (p *Parser) moreEpisodes(j, season, last int) int {
	for ; j < p.tail; j++ {
		s := p.sep(j)
		if s.Has(token.Open | token.Close | token.Slash) {
			return j
		}
		if to := p.is(j, lexicon.ToWord); j+1 < p.tail && (to || p.is(j, lexicon.AndWord)) {
			n, w, _ := p.episodeNumber(j + 1)
			if m, ok := p.nextEpisode(j+1, season, last, token.Dash); ok && w == 0 {
				n, w = m, 2
			}
			if w > 1 && n > last && n-last < maxRange && (to || n == last+1) {
				p.addEpisodes(last+1, n)
				return j + 2
			}
		}
		n, ok := p.nextEpisode(j, season, last, s)
		if !ok {
			return j
		}
		if n-last > maxRange {
			return j
		}
		if s.Has(token.Dash|token.Tilde) && n > last && !(p.toks[j].Spaced && p.crossLike(j)) {
			p.addEpisodes(last+1, n)
		}
		p.addEpisodes(n, n)
		last = n
	}
	return j
}

func (p *Parser) crossLike(j int) bool {
	_, _, n, ok := parseCross(p.fold(j))
	return ok && n > 0
}

func (p *Parser) nextEpisode(j, season, last int, s token.Sep) (int, bool) {
	f := p.fold(j)
	if c, is := parseCompact(f); is && c.n > 0 {
		return c.eps[c.n-1], c.season == season
	}
	if eps, n, is := parseEpisodes(f); is && f[0] == 'e' {
		return eps[n-1], true
	}
	if sea, eps, n, is := parseCross(f); is && sea == season {
		return eps[n-1], true
	}
	n, w, _ := p.episodeNumber(j)
	if w == 1 && last < 10 && s == token.Dash && (p.sep(j+1).Has(token.Close) || p.is(j+1, lexicon.OfWord) || p.tagOrEnd(j+1)) { // S1E1-8 of 8, S1E1-4
		w = 2
	}
	if s == token.Dot && w == 2 && n == last+1 && p.tagAt(j+1) { // S03E21.22.HDTV
		return n, true
	}
	if s == token.Under && w == 2 && n == last+1 && p.toks[j+1].Spaced { // 8x01_02 - Title
		return n, true
	}
	if w < 2 || n <= last || n-last > maxRange || !s.Has(token.Dash|token.Plus|token.Amp|token.Tilde|token.Comma) {
		return 0, false
	}
	if p.toks[j].Spaced && !p.sep(j+1).Has(token.Close) && j+1 < p.tail && s.Has(token.Dash) {
		return 0, false
	}
	if s.Has(token.Comma) && n != last+1 {
		return 0, false
	}
	return n, w <= 3 || !plausible(n) || last > 1000
}

// absoluteBehind reads the number over all seasons behind a marker: s16e03-04.313-314, s10e15(233).
func (p *Parser) absoluteBehind(j int) int {
	if !p.digits(j, 3, 4) || j >= p.tail || p.marks[j].kind != free {
		return j
	}
	n := int(p.toks[j].Num)
	last := p.r.Episodes[len(p.r.Episodes)-1]
	if n <= last || plausible(n) || n == 480 || n == 576 || n == 720 {
		return j
	}
	isRange := p.rangeFollows(j)
	if !isRange && !p.alone(j) {
		return j
	}
	end := j + 1
	if isRange {
		p.r.Absolute = addRange(p.r.Absolute, n, int(p.toks[j+1].Num))
		end++
	} else {
		p.r.Absolute = addRange(p.r.Absolute, n, n)
	}
	p.span(FieldAbsolute, j, end)
	p.set(j, end, number)
	return end
}

// cross reads 1x02 at token i with all that goes on behind it.
func (p *Parser) cross(i int) int {
	if !p.open(i) {
		return i
	}
	if n, w := leading(p.fold(i)); w > 0 && w < 3 && string(p.fold(i)[w:]) == "xall" && len(p.r.Seasons) == 0 { // 1xAll
		p.addSeasons(n, n)
		p.set(i, i+1, season)
		p.span(FieldSeason, i, i+1)
		p.flag(&p.r.Complete, FieldComplete, i, i+1)
		return i + 1
	}
	sea, eps, n, ok := parseCross(p.fold(i))
	if !ok || p.sep(i) == token.Dot && p.digits(i-1, 1, 1) && sea < 60 || p.is(i-1, lexicon.AudioCodec) || sea > 60 && p.digits(i+1, 2, 2) {
		return i
	}
	if len(p.r.Seasons) == 1 && p.r.Seasons[0] != sea || len(p.r.Episodes) > 0 {
		return i
	}
	p.addSeasons(sea, sea)
	for _, e := range eps[:n] {
		p.addEpisodes(e, e)
	}
	end := p.moreEpisodes(i+1, sea, eps[n-1])
	p.span(FieldSeason, i, i+1)
	p.span(FieldEpisode, i, end)
	if i > 0 && p.is(i-1, lexicon.EpisodeWord) { // Ep 2x03
		i--
	}
	p.set(i, end, season)
	return end
}
