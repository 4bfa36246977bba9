package release

import (
	"github.com/boontorrent/boon/etl/release/internal/lexicon"
	"github.com/boontorrent/boon/etl/release/internal/token"
)

// A number from firstYear to lastYear may be a year. The last is fixed, so that a name means the same in any year it is read.
const (
	firstYear = 1890
	lastYear  = 2035
)

// findDates marks days: 2014.10.31, 31.10.2014, 14.10.31, October 31, 2014, 20141031.
func (p *Parser) findDates() {
	for i := 0; i < p.tail && p.r.Date == ""; i++ {
		switch {
		case p.digits(i, 8, 8) && p.marks[i].kind == free:
			n := int(p.toks[i].Num)
			p.day(i, i+1, n/10000, n/100%100, n%100)
		case p.digits(i, 6, 6) && i > 0 && p.marks[i].kind == free && (p.asian(i) || p.tagAt(i+1) && p.sep(i).Blank()):
			if n := int(p.toks[i].Num); n/10000 <= lastYear%100 {
				p.day(i, i+1, 2000+n/10000, n/100%100, n%100)
			}
		case p.digits(i, 1, 4) && p.threeNumbers(i):
			p.numericDate(i)
		case p.digits(i, 1, 4) && i+2 < p.tail:
			p.namedDate(i)
		case p.toks[i].Digits == 0 && i+2 < p.tail && p.digits(i+2, 4, 4) && p.ordinalToken(i):
			d, _ := leading(p.fold(i))
			p.day(i, i+3, int(p.toks[i+2].Num), month(p.fold(i+1)), d)
		case p.toks[i].Digits == 0 && i+2 < p.tail && p.digits(i+2, 4, 4) && month(p.fold(i)) > 0:
			if d, w := leading(p.fold(i + 1)); w > 0 {
				p.day(i, i+3, int(p.toks[i+2].Num), month(p.fold(i)), d)
			}
		}
	}
}

// asian tells whether a word in Han, Kana or Hangul stands before token i.
func (p *Parser) asian(i int) bool {
	for j := range i {
		if s := p.toks[j].Script; s >= token.Han && s <= token.Hangul {
			return true
		}
	}
	return false
}

// threeNumbers tells whether token i begins three numbers with one and the same separator, and no fourth.
func (p *Parser) threeNumbers(i int) bool {
	if i+2 >= p.tail || !p.digits(i+1, 1, 4) || !p.digits(i+2, 1, 4) {
		return false
	}
	s := p.sep(i + 1)
	if s != p.sep(i+2) || s&(s-1) != 0 || !s.Has(token.Dot|token.Space|token.Dash|token.Under|token.Slash) || p.toks[i+1].Spaced {
		return false
	}
	if i > 0 && p.digits(i-1, 1, 2) && p.sep(i) == s && s != token.Space && p.marks[i-1].kind == free {
		return false
	}
	return p.marks[i].kind == free && p.marks[i+1].kind == free && p.marks[i+2].kind == free
}

func (p *Parser) numericDate(i int) {
	a, b, c := int(p.toks[i].Num), int(p.toks[i+1].Num), int(p.toks[i+2].Num)
	switch {
	case p.digits(i, 4, 4):
		p.anyDay(i, [...][3]int{{a, b, c}, {a, c, b}})
	case p.digits(i+2, 4, 4):
		p.anyDay(i, [...][3]int{{c, b, a}, {c, a, b}})
	case p.digits(i, 2, 2) && p.digits(i+1, 2, 2) && p.digits(i+2, 2, 2) && i > 0:
		if p.region(i) > 0 && p.region(i-1) != p.region(i) && !p.sep(i+3).Has(token.Close) {
			return
		}
		century := 2000
		if a >= 60 {
			century = 1900
		}
		if (a <= lastYear%100 || a >= 60 && p.sep(i+1) == token.Dot) && p.sep(i+1) != token.Dash && p.day(i, i+3, century+a, b, c) {
			return
		}
		p.anyDay(i, [...][3]int{{2000 + c, a, b}, {2000 + c, b, a}})
	}
}

// anyDay takes the first of two readings, each year, month and day, that is a day.
func (p *Parser) anyDay(i int, readings [2][3]int) {
	for _, r := range readings {
		if p.day(i, i+3, r[0], r[1], r[2]) {
			return
		}
	}
}

// namedDate reads 31 October 2014 and 2014 October 31.
func (p *Parser) namedDate(i int) {
	m := month(p.fold(i + 1))
	if m == 0 || !p.digits(i+2, 1, 4) || p.marks[i].kind != free || p.toks[i+1].Spaced || p.issued(i-1) {
		return
	}
	a, c := int(p.toks[i].Num), int(p.toks[i+2].Num)
	if p.digits(i+2, 4, 4) {
		p.day(i, i+3, c, m, a)
	} else if p.digits(i, 4, 4) {
		p.day(i, i+3, a, m, c)
	}
}

// issued tells whether token i is a word for an issue, whose number is no day: No. 26 May 2013.
func (p *Parser) issued(i int) bool {
	_, w := p.countOf(i, lexicon.IssueWord)
	return w == 2
}

func (p *Parser) day(a, b, y, m, d int) bool {
	if y < 1950 || y > lastYear || m < 1 || m > 12 || d < 1 || d > 31 {
		return false
	}
	p.set(a, b, date)
	p.span(FieldDate, a, b)
	p.r.Date = string([]byte{
		byte('0' + y/1000), byte('0' + y/100%10), byte('0' + y/10%10), byte('0' + y%10), '-',
		byte('0' + m/10), byte('0' + m%10), '-', byte('0' + d/10), byte('0' + d%10),
	})
	p.r.Year = y
	p.span(FieldYear, a, b)
	return true
}

func month(word []byte) int {
	if len(word) < 3 {
		return 0
	}
	return spelt(word, lexicon.Month)
}

// findYear chooses the token that is the year. In brackets it stands alone or first; elsewhere it is the last number of
// its kind before the tags, since titles hold years too (2001 A Space Odyssey 1968).
func (p *Parser) findYear() {
	if p.r.Date != "" {
		return
	}
	hard := p.firstHard(p.start)
	best, lone := -1, 0
	for i := 0; i < p.tail; i++ {
		if !p.isYear(i) {
			continue
		}
		if p.region(i) > 0 && i >= p.start && p.yearRegion(i) {
			best, lone = i, 1
			break
		}
		if p.region(i) > 0 && p.region(i) != p.region(p.start) {
			continue
		}
		switch {
		case i < p.start || i > p.start && p.isYear(i-1) && p.sep(i).Has(token.Dash) && p.toks[i].Num >= p.toks[i-1].Num:
			continue
		case i < hard || best < 0 || best == p.start && !p.textBetween(best+1, hard):
			if i <= hard || p.behindMarker(i) || p.r.Issue > 0 {
				best = i
			}
		}
	}
	if best < 0 && p.start > 0 && p.start < 3 && p.isYear(0) && p.alone(0) { // [2019] The Film
		best, lone = 0, 1
	}
	if best < 0 || lone == 0 && best == p.start && !p.yearLeads(best, hard) {
		return
	}
	p.takeYear(best)
}

func (p *Parser) takeYear(i int) {
	p.year = i
	p.r.Year = int(p.toks[i].Num)
	if p.toks[i].Digits == 0 {
		p.r.Year, _ = leading(p.fold(i))
	}
	end := i + 1
	if end < p.tail && p.sep(end).Has(token.Dash) && p.sep(end)&^(token.Dash|token.Space) == 0 && p.marks[end].kind == free {
		n := int(p.toks[end].Num)
		if p.digits(end, 2, 2) && !p.toks[end].Spaced || p.digits(end, 2, 2) && p.sep(end+1).Has(token.Close) {
			n += p.r.Year / 100 * 100
		}
		if p.digits(end, 2, 4) && plausible(n) && n >= p.r.Year {
			p.r.YearEnd = n
			end++
		}
	}
	p.set(i, end, yearLike)
	p.span(FieldYear, i, end)
}

// isYear tells whether token i may be a year: 1999, 2006г.
func (p *Parser) isYear(i int) bool {
	if i >= p.tail || p.marks[i].kind != free {
		return false
	}
	if p.digits(i, 4, 4) {
		return plausible(int(p.toks[i].Num))
	}
	n, w := leading(p.fold(i))
	return w == 4 && string(p.fold(i)[4:]) == "г" && plausible(n)
}

// yearRegion tells whether the year at token i stands in its bracket as years do: first, last, or among tags.
func (p *Parser) yearRegion(i int) bool {
	r := p.list.Regions[p.region(i)]
	if int(r.First) == i {
		return r.Open != '[' || p.sep(i+1).Has(token.Close|token.Comma|token.Dash) || p.tagOrEnd(i+1)
	}
	if i == int(r.Last)-1 && p.sep(i).Has(token.Dash) && p.is(int(r.First), lexicon.Format) && !p.toks[i].Spaced { // [mp3-256-2011]
		return true
	}
	if i == int(r.Last)-1 && r.Open == '(' && r.Last-r.First <= 4 && len(p.r.Seasons) == 0 { // (Director 2003)
		return true
	}
	s := p.sep(i)
	return s.Has(token.Comma|token.Slash|token.Pipe) || p.toks[i].Spaced && p.sep(i+1).Has(token.Close)
}

func (p *Parser) tagOrEnd(i int) bool { return i >= p.tail || p.marks[i].kind != free }

// yearLeads tells whether the year that begins a name is its year and not its title: other words follow it at once.
func (p *Parser) yearLeads(i, hard int) bool {
	return p.textBetween(i+1, hard) && !p.sep(i+1).Has(token.Colon|token.Comma|token.Dash)
}

// textBetween tells whether a free word stands between the tokens.
func (p *Parser) textBetween(a, b int) bool {
	for i := a; i < b && i < p.tail; i++ {
		if p.marks[i].kind == free || p.marks[i].kind == tag && p.marks[i].class >= lexicon.Weak && p.toks[i].Depth == 0 {
			return true
		}
	}
	return false
}

// behindMarker tells whether the year at token i, which stands behind the first tag, may count: next to a tag or marker.
func (p *Parser) behindMarker(i int) bool {
	near := func(j int) bool {
		return j < 0 || j >= p.tail || p.marks[j].kind != free && !p.isYear(j)
	}
	return near(i-1) || near(i+1)
}

// firstHard returns the first token from i that surely ends a title.
func (p *Parser) firstHard(i int) int {
	for ; i < p.tail; i++ {
		if p.hard(i) {
			return i
		}
	}
	return p.tail
}

// hard tells whether token i surely ends a title.
func (p *Parser) hard(i int) bool {
	switch m := &p.marks[i]; m.kind {
	case season, episode, date, lines:
		return true
	case tag, versionMark, number:
		return m.class == lexicon.Strong
	}
	return false
}
