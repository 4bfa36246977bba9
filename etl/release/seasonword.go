package release

import (
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
	if j < p.tail && p.marks[j].kind == season && len(p.r.Episodes) == 0 { // Season S01-S07
		p.marks[i] = mark{kind: season, class: lexicon.Strong, n: 1}
		return
	}
	known := len(p.r.Seasons) > 0
	before := p.numberBefore(i)
	after := p.seasonAfter(i, j)
	if before >= 0 && (after < 0 || p.numberOwned(j)) {
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
		if p.toks[i].Script == token.Latin && !p.sep(i).Has(token.Ordinal|token.Dot|token.Under) && english(p.fold(i)) {
			return -1
		}
		return i - 1
	}
	if n, w := leading(f); w > 0 && w < 3 && n > 0 && ordinalTail(string(f[w:])) {
		return i - 1
	}
	if ordinalWord(string(f)) > 0 {
		return i - 1
	}
	return -1
}

// english tells whether a season word has its number behind it.
func english(f []byte) bool {
	switch string(f) {
	case "season", "seasons", "series", "saison", "saisons", "serie", "seizoen":
		return true
	}
	return false
}

func ordinalTail(s string) bool {
	switch s {
	case "st", "nd", "rd", "th", "o", "a", "e", "er", "eme", "й", "ый", "ой", "ая", "я", "ª", "º", "do":
		return true
	}
	return false
}

func ordinalWord(s string) int {
	switch s {
	case "first", "первый", "primera", "premiere", "prima", "erste", "primeira":
		return 1
	case "second", "второй", "segunda", "seconda", "zweite", "deuxieme":
		return 2
	case "third", "третий", "tercera", "terza", "dritte", "terceira", "troisieme":
		return 3
	case "fourth", "четвертый", "cuarta", "quarta", "vierte":
		return 4
	case "fifth", "пятый":
		return 5
	case "الاول", "الأول":
		return 1
	case "الثاني":
		return 2
	case "الثالث":
		return 3
	case "الرابع":
		return 4
	case "الخامس":
		return 5
	case "السادس":
		return 6
	case "السابع":
		return 7
	case "一":
		return 1
	case "二":
		return 2
	case "三":
		return 3
	case "四":
		return 4
	case "五":
		return 5
	}
	return 0
}

func (p *Parser) ordinal(i int) int {
	f := p.fold(i)
	if n, w := leading(f); w > 0 {
		return n
	}
	return ordinalWord(string(f))
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
	if wordNumber(string(f)) > 0 && english(p.fold(i)) || p.toks[j].Script == token.Arabic && ordinalWord(string(f)) > 0 {
		return j + 1
	}
	if english(p.fold(i)) || string(p.fold(i)) == "staffel" || string(p.fold(i)) == "temporada" {
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
	many := j > 0 && pluralSeason(string(p.fold(j-1)))
	n, w := leading(p.fold(j))
	if w == 0 {
		n = max(roman(p.fold(j)), wordNumber(string(p.fold(j))), ordinalWord(string(p.fold(j))))
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
		if !p.digits(j+step, 1, 2) || !p.open(j+step) || p.sep(j).Has(token.Open|token.Close|token.Slash) {
			return j
		}
		m := int(p.toks[j+step].Num)
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

func pluralSeason(s string) bool {
	switch s {
	case "seasons", "saisons", "temporadas", "staffeln", "stagioni", "сезоны":
		return true
	}
	return false
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
	p.r.Complete = true
}

// wordNumber reads a season's number spelt out in English or French.
func wordNumber(s string) int {
	for n, words := range [...][2]string{
		{"one", "un"}, {"two", "deux"}, {"three", "trois"}, {"four", "quatre"}, {"five", "cinq"}, {"six", "six"}, {"seven", "sept"},
		{"eight", "huit"}, {"nine", "neuf"}, {"ten", "dix"},
	} {
		if s == words[0] || s == words[1] {
			return n + 1
		}
	}
	return 0
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
