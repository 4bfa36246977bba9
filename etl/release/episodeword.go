package release

import (
	"bytes"
	"strings"
	"unicode/utf8"

	"github.com/boontorrent/boon/etl/release/internal/lexicon"
	"github.com/boontorrent/boon/etl/release/internal/token"
)

// episodeWord reads the numbers beside a word for episode.
func (p *Parser) episodeWord(i int) {
	j := i + int(p.marks[i].n)
	known := len(p.r.Episodes) > 0
	after, w, _ := p.episodeNumber(j)
	s := p.sep(j)
	if p.filmEpisode(i, j) {
		return
	}
	isYear := w == 4 && plausible(after) && p.toks[i].Script == token.Latin && !p.habit(i, lexicon.EpisodeWord, "chapter")
	hasAfter := w > 0 && !isYear && j < p.tail && !p.toks[j].Spaced && !s.Has(token.Slash|token.Close|token.Comma) && (!s.Has(token.Open) || p.rangeFollows(j))
	if !hasAfter || p.numberOwned(j) || p.habit(i, lexicon.EpisodeWord, "before") {
		if p.episodeBefore(i, j, known) || !hasAfter {
			return
		}
	}
	if known {
		p.r.Absolute, p.r.Spans[FieldAbsolute] = p.r.Absolute[:0], Span{}
		if after > p.r.Episodes[0] {
			p.r.Absolute = append(p.r.Absolute, after)
			p.span(FieldAbsolute, i, j+1)
		}
		p.set(i, j+1, episode)
		return
	}
	if k := j + 1; w <= 2 && p.digits(k, 2, 3) && k < p.tail && p.sep(k) == token.Dot && len(p.r.Seasons) == 0 { // Episode 1.22
		p.addSeasons(after, after)
		p.span(FieldSeason, i, j+1)
		p.addEpisodes(int(p.toks[k].Num), int(p.toks[k].Num))
		p.episodeEnd(i, k+1)
		return
	}
	first, last := after, after
	if w >= 3 && len(p.r.Seasons) == 1 && p.habit(i, lexicon.EpisodeWord, "chapter") && after/100 == p.r.Seasons[0] {
		first, last = after%100, after%100
		if p.digits(j+1, 3, 4) && p.sep(j+1)&^(token.Under|token.Dash) == 0 && int(p.toks[j+1].Num)/100 == p.r.Seasons[0] {
			last = int(p.toks[j+1].Num) % 100
			j++
		}
		p.addEpisodes(first, max(first, last))
		p.episodeEnd(i, j+1)
		return
	}
	if k := j + 1; p.is(k, lexicon.OfWord) && p.digits(k+1, 1, 4) && p.habit(i, lexicon.EpisodeWord, "many") && after > 0 { // Серии: 5 из 20
		first = 1
	}
	p.addEpisodes(first, last)
	p.episodeEnd(i, p.episodeList(j+1, last))
}

// filmEpisode tells whether Episode 4 at tokens i and j is a film's, its subtitle and year following: Saga Episode 4 A New Start 1977.
func (p *Parser) filmEpisode(i, j int) bool {
	if string(p.fold(i)) != "episode" || !p.digits(j, 1, 1) || p.toks[j].Num == 0 || len(p.r.Seasons)+len(p.r.Episodes) > 0 || p.lead > 0 {
		return false
	}
	for k := j + 1; k < p.tail; k++ {
		if p.isYear(k) {
			return k > j+2
		}
		if p.marks[k].kind != free && (p.marks[k].kind != tag || p.marks[k].class == lexicon.Strong) {
			return false
		}
	}
	return false
}

// episodeBefore reads the number before an episode word: 12 серия, 1-6 серии, 第12集.
func (p *Parser) episodeBefore(i, j int, known bool) bool {
	if i == 0 || p.region(i-1) != p.region(i) || p.sep(i)&^(token.Space|token.Dot|token.Under|token.Ordinal) != 0 {
		return false
	}
	last := i - 1
	if ordinalTail(string(p.fold(last))) && p.sep(last) == token.Dash && p.digits(last-1, 1, 3) { // 09-я серия
		last--
	}
	n, w, _ := p.episodeNumber(last)
	if w == 0 || p.toks[i].Script == token.Latin && !p.habit(i, lexicon.EpisodeWord, "before") {
		return false
	}
	a, lo := last, n
	if m, mw, _ := p.episodeNumber(last - 1); mw > 0 && m < n && p.sep(last).Has(token.Dash|token.Tilde) && !(p.toks[last].Spaced && m > 1 && w > mw+1) {
		a, lo = last-1, m
	}
	if s := string(p.foldAt(a - 1)); s == "第" || s == "제" {
		a--
	} else if s := string(p.foldAt(a - 1)); s == "全" || s == "共" { // 全24集: all of them
		a, lo = a-1, min(1, n)
		p.flag(&p.r.Complete, FieldComplete, a, j)
	}
	if p.habit(i, lexicon.EpisodeWord, "total") && a == last || p.habit(i, lexicon.EpisodeWord, "many") && a == last && p.is(j, lexicon.OfWord) && p.digits(j+1, 1, 4) { // 14 серий
		lo = min(1, n)
	}
	if bytes.HasSuffix(p.fold(i), []byte("全")) { // 24集全
		lo = min(1, n)
		p.flag(&p.r.Complete, FieldComplete, a, j)
	}
	if !known {
		p.addEpisodes(lo, n)
	}
	p.episodeEnd(a, j)
	return true
}

// episodeList reads what goes on behind Episode 1: -12, to 12, , 2, & 3.
func (p *Parser) episodeList(j, last int) int {
	for j < p.tail {
		s, step := p.sep(j), 0
		if p.is(j, lexicon.ToWord) {
			s, step = token.Dash, 1
		} else if p.is(j, lexicon.AndWord) {
			s, step = token.Amp, 1
		}
		n, w, _ := p.episodeNumber(j + step)
		if eps, k, ok := parseEpisodes(p.foldAt(j + step)); ok && k == 1 && p.foldAt(j + step)[0] == 'e' {
			n, w = eps[0], 2
		}
		if w == 0 || n <= last || n-last > maxRange || s.Has(token.Open|token.Close|token.Slash) || s == token.Space|token.Dash && !p.toks[j].Spaced && p.sep(j+1).Has(token.Dash) {
			return j
		}
		if s.Has(token.Dash) && step == 0 && p.toks[j].Spaced && !p.sep(j+1).Has(token.Close|token.Open) && j+1 < p.tail && w < 2 {
			return j
		}
		switch {
		case s.Has(token.Dash | token.Tilde):
			p.addEpisodes(last+1, n)
		case s.Has(token.Comma | token.Amp | token.Plus):
			p.addEpisodes(n, n)
		default:
			return j
		}
		last, j = n, j+step+1
	}
	return j
}

func (p *Parser) foldAt(i int) []byte {
	if i < 0 || i >= len(p.toks) {
		return nil
	}
	return p.fold(i)
}

// episodeToken reads E12, EP107, E1-200 where no season stands before.
func (p *Parser) episodeToken(i int) {
	if len(p.r.Episodes) > 0 || !p.open(i) {
		return
	}
	f := p.fold(i)
	if len(f) < 2 || f[0] != 'e' {
		return
	}
	eps, n, ok := parseEpisodes(f)
	_, w := leading(f[1:])
	if !ok || f[1] != 'p' && w < 2 && !p.rangeAfter(i, eps[0]) {
		return
	}
	for _, e := range eps[:n] {
		p.addEpisodes(e, e)
	}
	p.episodeEnd(i, max(p.moreEpisodes(i+1, -1, eps[n-1]), p.episodeList(i+1, eps[n-1])))
}

// rangeAfter tells whether a number above n follows with a dash.
func (p *Parser) rangeAfter(i, n int) bool {
	return i+1 < p.tail && p.digits(i+1, 1, 4) && p.sep(i+1).Has(token.Dash|token.Tilde) && int(p.toks[i+1].Num) > n
}

// outOf reads 5of6, 2 of 4, [26 из 26].
func (p *Parser) outOf(i int) {
	if !p.open(i) {
		return
	}
	f := p.fold(i)
	if n, w := leading(f); w > 0 && w < 4 && len(f) > w+2 && (string(f[w:w+2]) == "of" || string(f[w:w+2]) == "iz") && allDigits(f[w+2:]) {
		if len(p.r.Episodes) == 0 && !p.is(i-1, lexicon.DiscWord) {
			p.addEpisodes(n, n)
			p.span(FieldEpisode, i, i+1)
		}
		p.set(i, i+1, episode)
		return
	}
	if !p.digits(i, 1, 4) || !p.is(i+1, lexicon.OfWord) || !p.digits(i+2, 1, 4) || i+2 >= p.tail || p.toks[i+2].Spaced {
		if p.is(i, lexicon.OfWord) && p.digits(i+1, 1, 4) && i > 0 && (p.marks[i-1].kind == episode || p.marks[i-1].kind == cont) && len(p.r.Episodes) > 0 {
			p.set(i, i+2, episode) // the total behind a range: 1-24 из 24
		}
		return
	}
	n, total := int(p.toks[i].Num), int(p.toks[i+2].Num)
	if n > total || p.is(i-1, lexicon.DiscWord) || p.comic() && p.dashedIssue(i) {
		return
	}
	a := i
	if p.is(i-1, lexicon.PartWord) && p.sep(i).Blank() && !p.toks[i].Spaced {
		p.r.Part = n
		p.span(FieldPart, i-1, i+1)
		a--
	}
	ranged := p.rangeBefore(i)
	if ranged {
		a = i - 1
	}
	if n > 0 && (p.comic() || p.sep(i).Has(token.Hash) && p.r.Container == "" && p.r.Resolution == 0) { // #02 (of 08)
		p.r.hints.add("comic")
		p.r.Issue = n
		p.span(FieldIssue, i, i+1)
	}
	if len(p.r.Episodes) == 0 {
		lo := n
		if ranged {
			lo = int(p.toks[a].Num)
		} else if n > 1 && p.toks[i+1].Script == token.Cyrillic {
			lo = 1
		}
		p.addEpisodes(lo, n)
	}
	p.episodeEnd(a, i+3)
}

// counted reads a range with its total or its word: [01-12/12], 01-30TV全集, 01-24集全.
func (p *Parser) counted(i int) {
	if len(p.r.Episodes) > 0 || i == 0 || !p.digits(i-1, 1, 4) || !p.open(i-1) || p.toks[i].Spaced || !p.sep(i).Has(token.Dash|token.Tilde) {
		return
	}
	n, w, _ := p.episodeNumber(i)
	lo := int(p.toks[i-1].Num)
	if w < 2 || n <= lo {
		return
	}
	switch end := i + 1; {
	case p.region(i) > 0 && p.sep(i-1).Has(token.Open) && end < p.tail && p.sep(end) == token.Slash && p.digits(end, 1, 4) && int(p.toks[end].Num) >= n && p.sep(end+1).Has(token.Close):
		p.addEpisodes(lo, n)
		p.episodeEnd(i-1, end+1)
	case p.toks[i].Digits == 0 && w == len(p.fold(i))-2 && i > p.start+1: // 30tv
		p.addEpisodes(lo, n)
		p.episodeEnd(i-1, end)
	}
}

// rangeBefore tells whether token i ends a range: 01-08 of 16.
func (p *Parser) rangeBefore(i int) bool {
	s := p.sep(i)
	return p.digits(i-1, 1, 4) && p.open(i-1) && p.region(i) == p.region(i-1) && p.toks[i-1].Num < p.toks[i].Num &&
		(s.Has(token.Tilde) || s.Has(token.Dash) && (!p.toks[i].Spaced || p.region(i) > 0 || i > 1 && p.dashed(i-1) && (i+1 >= p.tail || p.sep(i+1).Has(token.Open)) || p.lead > 0 && p.toks[i-1].Num < 2 && p.digits(i-1, 2, 4) && p.fold(i - 1)[0] == '0' && p.sep(i+1).Has(token.Open)))
}

// hanNumber reads 第二季 and 第十二集, numbers written in Han.
func (p *Parser) hanNumber(i int) {
	if p.toks[i].Script != token.Han || p.marks[i].kind != free {
		return
	}
	s, ok := strings.CutPrefix(string(p.fold(i)), "第")
	if !ok {
		return
	}
	unit, size := utf8.DecodeLastRuneInString(s)
	n := hanDigits(s[:len(s)-size])
	switch {
	case n == 0:
	case unit == '季' || unit == '期':
		if len(p.r.Seasons) == 0 {
			p.addSeasons(n, n)
		}
		p.set(i, i+1, season)
		p.span(FieldSeason, i, i+1)
	case unit == '集' || unit == '話' || unit == '话' || unit == '回':
		if len(p.r.Episodes) == 0 {
			p.addEpisodes(n, n)
		}
		p.episodeEnd(i, i+1)
	}
}

// hanDigits reads a Han number below a hundred; 0 where s is none.
func hanDigits(s string) int {
	n, unit := 0, 0
	for _, r := range s {
		if r == '十' {
			n, unit = n+max(unit, 1)*10, 0
			continue
		}
		d := strings.IndexRune("一二三四五六七八九", r)
		if d < 0 {
			return 0
		}
		unit = d/3 + 1
	}
	return n + unit
}
