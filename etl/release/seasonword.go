package release

import (
	"strconv"
	"strings"

	"github.com/boontorrent/boon/etl/release/internal/lexicon"
	"github.com/boontorrent/boon/etl/release/internal/token"
)

// gluedWord marks a word for season or episode and its number written as one: Temporada1, Episode12.
func (p *Parser) gluedWord(i int) {
	f := p.fold(i)
	n := len(f)
	for n > 0 && f[n-1] >= '0' && f[n-1] <= '9' {
		n--
	}
	if n < 4 || n == len(f) || len(f)-n > 4 || !p.open(i) {
		return
	}
	e := lexicon.Find(f[:n])
	if e == nil || len(e.Meanings) == 0 {
		return
	}
	v, _ := leading(f[n:])
	switch e.Meanings[0].Field {
	case lexicon.SeasonWord:
		if len(p.r.Seasons) == 0 && v < 100 {
			p.addSeasons(v, v)
			p.set(i, i+1, season)
			p.span(FieldSeason, i, i+1)
		}
	case lexicon.EpisodeWord:
		if len(p.r.Episodes) == 0 {
			p.addEpisodes(v, v)
			p.episodeEnd(i, i+1)
		}
	}
}

// seasonWord reads the numbers beside a word for season.
func (p *Parser) seasonWord(i int) {
	j := i + int(p.marks[i].n)
	if j < p.tail && p.marks[j].kind == season && len(p.r.Episodes) == 0 && !(i == 1 && article(string(p.fold(0)))) { // Season S01-S07, but The Series S01
		p.marks[i] = mark{kind: season, class: lexicon.Strong, n: 1}
		return
	}
	if p.allSeasons(i, j) || p.r.hints[hintBook] > 0 && string(p.fold(i)) == "series" { // the books of a series are no seasons
		return
	}
	known := len(p.r.Seasons) > 0
	before := p.numberBefore(i)
	after := p.seasonAfter(i, j)
	if p.is(j+1, lexicon.EpisodeWord) && p.sep(j+1) == 0 { // 시즌 12화: the number is the episode's
		after = -1
	}
	if before > 0 && string(p.fold(before-1)) == "第" { // 第1季02: the number behind is the episode's
		after = -1
	}
	if before >= 0 && (after < 0 || p.numberOwned(j) || p.toks[before].Digits == 0) {
		n := p.ordinal(before)
		a := before
		if to := before - 1; p.is(to, lexicon.ToWord) && p.digits(to-1, 1, 2) && p.open(to-1) && !known { // 1ª a 8ª Temporada
			a = to - 1
			p.addSeasons(int(p.toks[a].Num), n)
		} else if lo := before - 1; p.digits(lo, 1, 2) && p.open(lo) && p.sep(before) == token.Dash && int(p.toks[lo].Num) < n {
			a = lo
			if !known {
				p.addSeasons(int(p.toks[lo].Num), n)
			}
		} else if !known {
			p.addSeasons(n, n)
		}
		if w := string(p.foldAt(a - 1)); w == "第" || w == "the" && a > p.start+1 && p.toks[before].Digits == 0 {
			a--
		}
		p.set(a, j, season)
		p.span(FieldSeason, a, j)
		p.seasonThenEpisode(j)
		return
	}
	if after < 0 {
		return
	}
	if known {
		p.set(i, after, season)
		return
	}
	end := p.seasonNumbers(j)
	p.set(i, end, season)
	p.span(FieldSeason, i, end)
	if len(p.r.Seasons) == 1 {
		p.seasonThenEpisode(end)
	}
}

// allSeasons reads how many seasons a series has where the name says that these are all: All 7 Seasons, (6 Seasons),
// 5 Seasons Complete.
func (p *Parser) allSeasons(i, j int) bool {
	n := i - 1
	if len(p.r.Seasons) > 0 || n <= 0 || !p.digits(n, 1, 2) || !p.open(n) || p.toks[n].Num < 2 || p.toks[n].Num > maxSeason || !p.sep(i).Blank() || !p.habit(i, lexicon.SeasonWord, "after,many") {
		return false
	}
	a := n
	switch w := string(p.fold(n - 1)); {
	case p.region(n) != p.region(n-1) && p.sep(n).Has(token.Open) && p.sep(j).Has(token.Close):
	case p.toks[n].Spaced || p.region(n) != p.region(n-1):
		return false
	case w == "all" || p.is(n-1, lexicon.Complete) && p.marks[n-1].kind == tag:
		a--
	case p.is(j, lexicon.Complete) && n > 1 && p.sep(j).Blank():
	default:
		return false
	}
	p.addSeasons(1, int(p.toks[n].Num))
	p.set(a, j, season)
	p.span(FieldSeason, n, j)
	p.flag(&p.r.Complete, FieldComplete, a, j)
	return true
}

// numberBefore returns the number or ordinal right before a season word, -1 for none.
func (p *Parser) numberBefore(i int) int {
	if i == 0 || !p.open(i-1) || p.region(i-1) != p.region(i) || p.sep(i)&^(token.Space|token.Dot|token.Under|token.Ordinal) != 0 {
		return -1
	}
	f := p.fold(i - 1)
	if p.digits(i-2, 1, 2) && p.sep(i-1)&^(token.Dash|token.Space) == 0 && ordinalTail(string(f)) && p.open(i-2) && len(f) > 1 || p.digits(i-2, 1, 2) && p.sep(i-1) == token.Dash && ordinalTail(string(f)) && p.open(i-2) { // 5-й сезон
		return i - 2
	}
	if p.digits(i-1, 1, 2) {
		again := len(p.r.Seasons) == 1 && p.r.Seasons[0] == int(p.toks[i-1].Num) // 3 сезон / Title, 3 Season
		if p.toks[i].Script == token.Latin && !again && !p.sep(i).Has(token.Ordinal|token.Dot|token.Under) && p.habit(i, lexicon.SeasonWord, "after") || p.toks[i-1].Num > maxSeason {
			return -1
		}
		return i - 1
	}
	if n, w := leading(f); w > 0 && w < 3 && n > 0 && ordinalTail(string(f[w:])) {
		return i - 1
	}
	if spelt(f, lexicon.Ordinal) > 0 {
		return i - 1
	}
	return -1
}

// habit tells whether the season or episode word at token i is marked so in the lexicon: after, before, many, chapter, part.
func (p *Parser) habit(i int, f lexicon.Field, what string) bool {
	if i < 0 || i >= p.tail {
		return false
	}
	m := p.says(i, f)
	return m != nil && strings.Contains(m.Value, what)
}

func ordinalTail(s string) bool {
	switch s {
	case "st", "nd", "rd", "th", "o", "a", "e", "er", "eme", "й", "ый", "ой", "ая", "я", "ª", "º", "do":
		return true
	}
	return false
}

// spelt returns the number that a word of field f says, 0 for none: ordinals, cardinals and months.
func spelt(word []byte, f lexicon.Field) int {
	e := lexicon.Find(word)
	if e == nil {
		return 0
	}
	for m := range e.Meanings {
		if e.Meanings[m].Field == f {
			n, _ := strconv.Atoi(e.Meanings[m].Value)
			return n
		}
	}
	return 0
}

func (p *Parser) ordinal(i int) int {
	f := p.fold(i)
	if n, w := leading(f); w > 0 {
		return n
	}
	return spelt(f, lexicon.Ordinal)
}

// seasonAfter returns the token behind the first number after a season word, -1 for none.
func (p *Parser) seasonAfter(i, j int) int {
	if j >= p.tail || !p.open(j) || p.toks[j].Spaced || p.sep(j).Has(token.Open|token.Close|token.Slash|token.Comma) && !p.sep(j).Has(token.Colon) && !p.rangeFollows(j) {
		return -1
	}
	if p.digits(j, 1, 2) || p.digits(j, 4, 4) && plausible(int(p.toks[j].Num)) && p.toks[i].Script == token.Latin && len(p.fold(i)) > 5 && p.sep(j+1).Has(token.Close) {
		return j + 1
	}
	f := p.fold(j)
	if n, w := leading(f); w > 0 && n > 0 && len(f) > w+2 && f[w] == 'o' && f[w+1] == 'f' && allDigits(f[w+2:]) {
		return j + 1
	}
	if spelt(f, lexicon.Cardinal) > 0 && p.habit(i, lexicon.SeasonWord, "after") || p.toks[j].Script == token.Arabic && spelt(f, lexicon.Ordinal) > 0 {
		return j + 1
	}
	if p.toks[i].Script == token.Latin && len(p.fold(i)) > 5 || p.habit(i, lexicon.SeasonWord, "after") {
		if roman(f) > 0 {
			return j + 1
		}
	}
	return -1
}

// numberOwned tells whether the numbers from token j belong to an episode word behind them: 2 сезон 24 серия.
func (p *Parser) numberOwned(j int) bool {
	for k := j; k < p.tail && k < j+4; k++ {
		if p.is(k, lexicon.EpisodeWord) {
			return k > j
		}
		if p.toks[k].Digits == 0 && !ordinalTail(string(p.fold(k))) {
			return false
		}
	}
	return false
}

// seasonNumbers reads 1, 1-5, 1 to 5, 1 2 3, 1, 2 & 3, VII from token j.
func (p *Parser) seasonNumbers(j int) int {
	many := p.habit(j-1, lexicon.SeasonWord, "many")
	n, w := leading(p.fold(j))
	if w == 0 {
		n = max(roman(p.fold(j)), spelt(p.fold(j), lexicon.Cardinal), spelt(p.fold(j), lexicon.Ordinal))
	}
	p.addSeasons(n, n)
	for j++; j < p.tail; {
		s := p.sep(j)
		step := 0
		if p.is(j, lexicon.ToWord) || p.is(j, lexicon.AndWord) {
			step = 1
			if p.is(j, lexicon.ToWord) {
				s = token.Dash
			} else {
				s = token.Amp
			}
		}
		m := roman(p.foldAt(j + step))
		if p.digits(j+step, 1, 2) {
			m = int(p.toks[j+step].Num)
		} else if w > 0 || m <= n { // Series I to XII
			return j
		}
		if !p.open(j+step) || p.sep(j).Has(token.Open|token.Close|token.Slash) {
			return j
		}
		isRange := s.Has(token.Dash|token.Tilde|token.Colon) && m > n
		if isRange && p.toks[j].Spaced && int(p.toks[j].Digits) > w && !many {
			return j
		}
		listed := s.Has(token.Comma|token.Amp|token.Plus) && m > n || s.Blank() && m == n+1 && int(p.toks[j+step].Digits) >= w ||
			s == token.Dot && m > n && w == 1 && p.digits(j, 1, 1)
		switch {
		case isRange:
			p.addSeasons(n+1, m)
		case listed:
			p.addSeasons(m, m)
		default:
			return j
		}
		n, j = m, j+step+1
	}
	return j
}

// completeRange reads Complete 1-9: the seasons of a series.
func (p *Parser) completeRange(i int) {
	j := i + int(p.marks[i].n)
	if len(p.r.Seasons) > 0 || !p.is(i, lexicon.Complete) || !p.digits(j, 1, 2) || !p.digits(j+1, 1, 2) || !p.rangeFollows(j) || p.sep(j) != token.Space {
		return
	}
	p.addSeasons(int(p.toks[j].Num), int(p.toks[j+1].Num))
	p.set(i, j+2, season)
	p.span(FieldSeason, i, j+2)
	p.flag(&p.r.Complete, FieldComplete, i, j+2)
}

// roman reads a Roman number up to 20; 0 where f is none.
func roman(f []byte) int {
	switch string(f) {
	case "i", "ii", "iii":
		return len(f)
	case "iv":
		return 4
	case "v", "vi", "vii", "viii":
		return 4 + len(f)
	case "ix":
		return 9
	case "x", "xi", "xii", "xiii":
		return 9 + len(f)
	case "xiv":
		return 14
	case "xv":
		return 15
	case "xvi":
		return 16
	}
	return 0
}
