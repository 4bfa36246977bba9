package release

import (
	"bytes"

	"github.com/boontorrent/boon/etl/release/internal/lexicon"
	"github.com/boontorrent/boon/etl/release/internal/token"
)

// comicIssue reads the issue of a comic: Some Title 013 (2021) (Digital), Some Title #2 - A Story, Some Title Issue 7.
func (p *Parser) comicIssue() bool {
	sure := p.comic() || p.r.hints[hintComic] > 1
	if !sure && p.hashedYear() {
		p.r.hints.add("comic")
	}
	if !sure && p.r.hints[hintComic] == 0 {
		return false
	}
	for i := p.start + 1; i < p.tail; i++ {
		hash := p.sep(i).Has(token.Hash)
		n, digits := leading(p.fold(i))
		if digits == 0 || digits > 4 || digits < len(p.fold(i)) && !(hash && sure && p.short(i, digits)) {
			continue
		}
		if p.isYear(i) || p.region(i) > 0 || p.marks[i].kind != free || p.is(i-1, lexicon.VolumeWord) || string(p.fold(i-1)) == "book" {
			continue
		}
		a := i
		_, w := p.countOf(i-1, lexicon.IssueWord)
		named := w == 2 && i-1 > p.start
		if _, vol := p.countOf(i-3, lexicon.VolumeWord); named && vol == 2 {
			return false
		}
		if s := string(p.fold(i - 1)); named || s == "chapter" || s == "chapters" {
			a--
		}
		if !hash && !named && (!sure && a == i || !p.issueNumber(i)) {
			continue
		}
		p.takeIssue(n, a, i)
		return true
	}
	if i := p.start; sure && p.digits(i, 1, 3) && (p.fold(i)[0] == '0' || len(p.fold(i)) < 3) && i+1 < p.tail && p.toks[i+1].Spaced {
		p.start++ // 04 - Some Title (1964)
		p.takeIssue(int(p.toks[i].Num), i, i)
		return true
	}
	return false
}

// takeIssue takes n at token i, and what leads up to it from token a, for the issue.
func (p *Parser) takeIssue(n, a, i int) {
	if n > 0 {
		p.r.Issue = n
		p.span(FieldIssue, i, i+1)
	}
	p.addEpisodes(n, n)
	if end := i + 1; p.sep(end) == token.Dot && p.digits(end, 1, 1) && end < p.tail { // 015.5
		p.set(end, end+1, episode)
	}
	p.episodeEnd(a, i+1)
}

// short tells whether at most three letters follow the first from bytes of token i: 5AU.
func (p *Parser) short(i, from int) bool {
	rest := p.fold(i)[from:]
	for _, c := range rest {
		if c < 'a' || c > 'z' {
			return false
		}
	}
	return len(rest) <= 3
}

// issueNumber tells whether the bare number at token i is an issue's: at the end, before a bracket or, with a zero before it, a
// dash. The number of Title '89 and of IG-88 is the title's.
func (p *Parser) issueNumber(i int) bool {
	if !p.sep(i).Blank() && !p.toks[i].Spaced {
		return false
	}
	if i+1 >= p.tail || p.sep(i+1).Has(token.Open) || p.toks[i+1].Spaced && p.digits(i, 2, 4) && p.fold(i)[0] == '0' {
		return true
	}
	point := p.sep(i+1) == token.Dot && !p.sep(i).Has(token.Dot) && (p.digits(i+1, 1, 1) || p.short(i+1, 0)) // 015.5, 078.BEY
	return point && (i+2 >= p.tail || p.sep(i+2).Has(token.Open))
}

// dashedIssue tells whether an issue's number with a dash behind it stands before token end: Some Title 008 - A Story 03 (of 06).
func (p *Parser) dashedIssue(end int) bool {
	for i := p.start + 1; i+1 < end; i++ {
		if p.toks[i+1].Spaced && p.digits(i, 2, 4) && p.fold(i)[0] == '0' && p.sep(i).Blank() {
			return true
		}
	}
	return false
}

// hashedYear tells whether a name that is no file of another kind says the issue and behind it, in brackets, the year: Some
// Title #57 (2004).
func (p *Parser) hashedYear() bool {
	if p.r.Container != "" || p.r.Resolution > 0 || p.behindTag(p.tail) {
		return false
	}
	for i := p.start + 1; i+1 < p.tail; i++ {
		if p.sep(i).Has(token.Hash) && p.digits(i, 1, 4) && p.region(i) == 0 && p.sep(i+1).Has(token.Open) {
			return p.isYear(i+1) && p.alone(i+1) || month(p.fold(i+1)) > 0 && p.isYear(i+2) && p.sep(i+3).Has(token.Close)
		}
	}
	return false
}

// magazineMonth returns where the month of a magazine, or its issue, begins, else the year at token end: Some Magazine May 2021,
// Some Title - May 2021, Some Title Issue 5, May-June 2021. Without a word of books, the name must say nothing of sound and picture.
func (p *Parser) magazineMonth(end int) int {
	i := end
	for i > p.start+1 && month(p.fold(i-1)) > 0 && p.region(i-1) == 0 {
		i--
	}
	if i == end || p.r.hints[hintBook] > 0 {
		return i
	}
	for k := range p.tail {
		if p.marks[k].kind != free && k != p.year && !p.is(k, lexicon.Country) && !p.is(k, lexicon.IssueWord) && (k < i || p.marks[k].class != lexicon.Language) {
			return end
		}
	}
	if p.r.Container != "" {
		return end
	}
	for w := 1; w <= 2; w++ {
		if n, more := p.countOf(i-w, lexicon.IssueWord); n > 0 && more == w && i-w > p.start {
			p.r.hints.add("book")
			p.r.Issue = n
			p.span(FieldIssue, i-w, i)
			return i - w
		}
	}
	if !p.sep(i).Has(token.Dash) {
		return end
	}
	p.r.hints.add("book")
	return i
}

// volume reads Vol. 3, Tome 2, Issue 14, #14.
func (p *Parser) volume() {
	for i := 0; i < p.tail; i++ {
		if n, w := p.countOf(i, lexicon.VolumeWord); n > 0 && p.r.Volume == 0 {
			p.r.Volume = n
			p.span(FieldVolume, i, i+w)
			if no, more := p.countOf(i+w, lexicon.IssueWord); more > 0 && p.r.Issue == 0 && len(p.r.Seasons)+len(p.r.Episodes) == 0 { // Vol. 1 No. 26
				p.addSeasons(n, n)
				p.span(FieldSeason, i, i+w)
				p.addEpisodes(no, no)
				p.span(FieldEpisode, i+w, i+w+more)
			}
		}
		if n, w := p.countOf(i, lexicon.IssueWord); n > 0 && p.r.Issue == 0 && (p.is(i, lexicon.IssueWord) || p.r.Volume > 0) {
			p.r.Issue = n
			p.span(FieldIssue, i, i+w)
		}
		if p.sep(i).Has(token.Hash) && p.digits(i, 1, 4) && p.toks[i].Num > 0 && p.r.Issue == 0 && len(p.r.Episodes) == 0 {
			p.r.Issue = int(p.toks[i].Num)
			p.span(FieldIssue, i, i+1)
		}
	}
}

// countOf returns the number that a word for volume or issue at token i counts, and how many tokens say so: Vol. 3, vol3, No. 26.
func (p *Parser) countOf(i int, f lexicon.Field) (n, tokens int) {
	if i < 0 || i >= p.tail {
		return 0, 0
	}
	word := p.fold(i)
	if p.is(i, f) || f == lexicon.IssueWord && string(word) == "no" {
		if p.digits(i+1, 1, 4) && i+1 < p.tail {
			return int(p.toks[i+1].Num), 2
		}
		return 0, 0
	}
	k := len(word)
	for k > 0 && word[k-1] >= '0' && word[k-1] <= '9' {
		k--
	}
	if k < 2 || k == len(word) || len(word)-k > 3 || !(means(string(word[:k]), f) || f == lexicon.IssueWord && string(word[:k]) == "no") {
		return 0, 0
	}
	n, _ = leading(word[k:])
	return n, 1
}

// comic tells whether the container is that of comics.
func (p *Parser) comic() bool {
	switch p.r.Container {
	case "cbr", "cbz", "cb7":
		return true
	}
	return false
}

// numberedIssue tells whether Vol. 1 No. 26, " - Issue 12" or, in a comic's file, Vol. 1 begins at token i.
func (p *Parser) numberedIssue(i int) bool {
	_, w := p.countOf(i, lexicon.VolumeWord)
	_, more := p.countOf(i+w, lexicon.IssueWord)
	if w > 0 && p.sep(i+w).Has(token.Hash) && p.digits(i+w, 1, 4) { // Vol. 2 #26
		return true
	}
	return more > 0 && (w > 0 || p.dashed(i) && p.is(i, lexicon.IssueWord)) || w > 0 && p.comic()
}

// volumes reads the volumes of a comic: v03 before a bracket, v01-v12, and in a comic's file v2 #3, v03 - Some Story.
func (p *Parser) volumes(i int) bool {
	end := i + 1
	if w := len(p.fold(i)); w < 2 || w > 4 || w == 2 && !p.comic() {
		return false
	}
	if f := bytes.TrimPrefix(p.foldAt(end), []byte("v")); len(f) == len(p.fold(i))-1 && allDigits(f) && p.sep(end) == token.Dash {
		end++
	} else if !(p.sep(end).Has(token.Open) && p.r.hints[hintComic] > 0 || p.comic() && (p.sep(end).Has(token.Open|token.Hash) || end >= p.tail || p.toks[end].Spaced || p.digits(end, 2, 4))) {
		return false
	}
	p.set(i, end, versionMark)
	if n, _ := leading(p.fold(i)[1:]); n > 0 {
		p.r.Volume = n
		p.span(FieldVolume, i, end)
	}
	return true
}
