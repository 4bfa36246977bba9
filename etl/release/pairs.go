package release

import "github.com/boontorrent/boon/etl/release/internal/token"

// leadingNumber reads the number of a file in a folder: "02 The Invitation", "611-612 - Desperate".
func (p *Parser) leadingNumber() {
	i := p.start
	n, w, _ := p.episodeNumber(i)
	if w < 2 || w > 3 || p.region(i) > 0 || (i != 0 || !p.noYear() || p.behindTag(p.tail)) && p.lead == 0 {
		return
	}
	end, hi := i+1, n
	if p.rangeFollows(i) && !p.toks[i+1].Spaced && p.digits(i+1, 2, 3) {
		end, hi = i+2, int(p.toks[i+1].Num)
	}
	if end >= p.tail || p.toks[end].Digits > 0 || p.marks[end].kind != free && p.marks[end].kind != tag {
		return
	}
	s := p.sep(end)
	list := s.Has(token.Dot) && s.Has(token.Space) // "04. Title"
	zero := p.fold(i)[0] == '0'
	if !zero && !p.toks[end].Spaced && !list || !s.Blank() && !p.toks[end].Spaced && !(zero && s == token.Dash) || string(p.fold(end)) == "movie" {
		return
	}
	p.addEpisodes(n, hi)
	p.episodeEnd(i, end)
	p.start = end
}

// leadingPair reads 2-06. and [5.01] at the head: season and episode.
func (p *Parser) leadingPair() bool {
	if p.tail < 3 || !p.digits(0, 1, 2) || !p.digits(1, 2, 2) || p.toks[1].Spaced {
		return false
	}
	inside := p.alonePair() && p.sep(1) == token.Dot
	listed := p.toks[0].Depth == 0 && p.sep(1) == token.Dash && p.sep(2).Has(token.Space) && (p.sep(2).Has(token.Dot) || p.sep(2) == token.Space && !p.behindTag(p.tail) && p.noYear() && p.digits(0, 1, 1))
	if !inside && !listed {
		return false
	}
	p.pair(0)
	p.start = max(p.start, 2)
	return true
}

func (p *Parser) alonePair() bool {
	return p.alonePairAt(0)
}

func (p *Parser) alonePairAt(i int) bool {
	return p.region(i) > 0 && p.region(i+1) == p.region(i) && p.sep(i).Has(token.Open) && p.sep(i+2).Has(token.Close)
}

// dottedPair reads season and episode joined by a dot: " - 6.01 - ", [5.134].
func (p *Parser) dottedPair() bool {
	for i := 1; i+1 < p.tail; i++ {
		if !p.digits(i, 1, 2) || !p.digits(i+1, 2, 3) || p.sep(i+1) != token.Dot || p.marks[i].kind != free || p.marks[i+1].kind != free {
			continue
		}
		inside := p.alonePairAt(i) && p.list.Regions[p.region(i)].Open == '['
		if inside || p.dashed(i) && i+2 < p.tail && p.toks[i+2].Spaced {
			p.pair(i)
			return true
		}
	}
	return false
}

// fileRange reads 03-20 in the name of a single file, which cannot hold a range: season and episode.
func (p *Parser) fileRange() bool {
	i := p.tail - 1
	if p.tail == len(p.toks) || MediaOf(p.r.Container) != MediaVideo || p.lead > 0 || i < p.start+2 || !p.digits(i, 2, 2) || !p.digits(i-1, 2, 2) {
		return false
	}
	if p.sep(i) != token.Dash || p.sep(i-1) != token.Space || p.marks[i].kind != free || p.marks[i-1].kind != free {
		return false
	}
	p.pair(i - 1)
	return true
}

// trailingPair reads the short names of files: office_03_19.avi, Ozk.02.10.F.avi.
func (p *Parser) trailingPair() bool {
	for i := p.tail - 2; i > p.start && i >= p.tail-3; i-- {
		if !p.digits(i, 2, 2) || !p.digits(i+1, 2, 2) || p.digits(i-1, 1, 3) || p.lead > 0 || p.behindTag(p.tail) {
			continue
		}
		s := p.sep(i + 1)
		if s != token.Under && s != token.Dot || i+2 < p.tail && (len(p.fold(i+2)) > 1 || p.toks[i+2].Digits > 0) || p.tail == len(p.toks) {
			continue
		}
		if p.marks[i].kind != free || p.marks[i+1].kind != free || p.toks[i].Num > 40 {
			continue
		}
		p.pair(i)
		return true
	}
	return false
}

func (p *Parser) pair(i int) {
	p.addSeasons(int(p.toks[i].Num), int(p.toks[i].Num))
	p.addEpisodes(int(p.toks[i+1].Num), int(p.toks[i+1].Num))
	p.set(i, i+2, season)
	p.span(FieldSeason, i, i+1)
	p.span(FieldEpisode, i+1, i+2)
}
