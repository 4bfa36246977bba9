package release

import (
	"strings"
	"unicode"
	"unicode/utf8"

	"github.com/boontorrent/boon/etl/release/internal/lexicon"
	"github.com/boontorrent/boon/etl/release/internal/token"
)

// clean writes the tokens from a to before b as a title: dots and underscores are blanks, but initials keep their dots.
func (p *Parser) clean(a, b int) string {
	for a < b && p.marks[a].kind == partMark {
		a++
	}
	if a >= b {
		return ""
	}
	for i := a + 1; i < b-1; i++ {
		if m := p.says(i, lexicon.Source); m != nil && m.Value == "ppv" && p.marks[i].kind == tag && p.sep(i).Blank() { // UFC 239 PPV Jones vs Santos
			return p.clean(a, i) + " " + p.clean(i+1, b)
		}
	}
	end := int(p.toks[b-1].End)
	raw := p.name[p.toks[a].Start:end]
	stop := len(p.name)
	if b < len(p.toks) {
		stop = int(p.toks[b].Start)
	}
	if strings.IndexByte(raw, '.') < 0 && strings.IndexByte(raw, '_') < 0 && !p.list.Plus && !wide(raw) && utf8.ValidString(raw) && !strings.ContainsFunc(raw, hidden) {
		return raw + p.closing(end, stop)
	}
	p.buf = p.buf[:0]
	blank, spaced := false, strings.ContainsAny(raw, " _")
	for i, r := range raw {
		switch {
		case r == utf8.RuneError || hidden(r):
			blank = true
			continue
		case r == '.' && spaced && !blank && i > 0: // between blanks a dot is a dot
		case r == '+' && p.list.Plus || r == '_' || unicode.IsSpace(r) || r == '.' && !initial(raw, i):
			blank = true
			continue
		}
		if blank && len(p.buf) > 0 {
			p.buf = append(p.buf, ' ')
		}
		blank = false
		p.buf = utf8.AppendRune(p.buf, r)
	}
	return string(p.buf) + p.closing(end, stop)
}

// wide tells whether s has two blanks in a row.
func wide(s string) bool { return strings.Contains(s, "  ") }

// initial tells whether the dot at byte i stands between single letters, as in S.W.A.T.
func initial(s string, i int) bool {
	single := func(j int) bool {
		return j >= 0 && j < len(s) && (s[j] >= 'A' && s[j] <= 'Z' || s[j] >= 'a' && s[j] <= 'z')
	}
	edge := func(j int) bool { return j < 0 || j >= len(s) || s[j] == '.' || s[j] == '_' || s[j] == ' ' }
	return single(i-1) && edge(i-2) && single(i+1) && edge(i+2)
}

// closing returns the marks that end a title and belong to it: ! and ?, a fraction or a power.
func (p *Parser) closing(end, stop int) string {
	n := end
	for n < stop && n < len(p.name) {
		switch r, w := utf8.DecodeRuneInString(p.name[n:]); r {
		case '!', '?', '½', '¼', '¾', '²', '³':
			n += w
			continue
		}
		break
	}
	return p.name[end:n]
}

// finish fills what follows from the rest.
func (p *Parser) finish() {
	r := p.r
	r.Script = p.script()
	if r.Source == "" && r.Remux {
		r.Source, r.Spans[FieldSource] = "bluray", r.Spans[FieldRemux]
	}
	if r.Year == 0 && len(r.Seasons) == 1 && r.Seasons[0] >= firstYear {
		r.Year, r.Spans[FieldYear] = r.Seasons[0], r.Spans[FieldSeason]
	}
	if r.Country == "" {
		p.countryInTitle()
	}
}

// countryInTitle reads the country in brackets behind a title: The Office (US).
func (p *Parser) countryInTitle() {
	for i := p.start + 1; i < p.tail; i++ {
		if p.is(i, lexicon.Country) && p.alone(i) && p.capital(i, 1) {
			p.r.Country = p.says(i, lexicon.Country).Value
			p.span(FieldCountry, i, i+1)
			return
		}
	}
}

// script is the script that most of the title's letters are in.
func (p *Parser) script() string {
	sp := p.r.Spans[FieldTitle]
	var count [token.OtherScript + 1]int
	for i := range p.toks {
		t := &p.toks[i]
		if t.Start >= sp.Start && t.End <= sp.End {
			count[t.Script] += utf8.RuneCountInString(p.name[t.Start:t.End])
		}
	}
	best := token.NoScript
	for s := token.Latin; s <= token.OtherScript; s++ {
		if count[s] > count[best] || best == token.NoScript && count[s] > 0 {
			best = s
		}
	}
	return best.String()
}
