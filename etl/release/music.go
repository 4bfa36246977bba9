package release

import (
	"bytes"

	"github.com/boontorrent/boon/etl/release/internal/lexicon"
	"github.com/boontorrent/boon/etl/release/internal/token"
)

// music reads names of the form Artist-Title-SOURCE-YEAR-GROUP, and makes an artist or author of what stands before the
// dash of music and books.
func (p *Parser) music() {
	if p.sceneMusic() {
		return
	}
	r := p.r
	if r.Adult != "" && r.Date != "" && r.AltTitle == "" && r.EpisodeTitle != "" { // Site.19.05.03.Somebody.XXX
		r.AltTitle, r.AltSubtitle, r.Spans[FieldAltTitle] = r.EpisodeTitle, true, r.Spans[FieldEpisodeTitle]
		return
	}
	if r.AltSubtitle && r.hints[hintCourse] > 0 && len(r.Seasons)+len(r.Episodes) == 0 && r.Resolution == 0 && len(p.segs) > 0 && p.segs[0].b-p.segs[0].a <= 2 {
		p.artist()
		return
	}
	if p.bookish() && (p.byAuthor() || p.ofSeries()) {
		return
	}
	if p.audioOnly() && p.year > p.start && p.year == p.end && p.dashed(p.year) && p.year+1 < p.tail && p.marks[p.year+1].kind == free && p.region(p.year+1) == 0 {
		p.datedAlbum()
		return
	}
	if r.AltSubtitle && p.bookish() && p.months(r.Spans[FieldAltTitle]) { // Some Magazine - May June 2024
		r.AltTitle, r.AltSubtitle, r.Spans[FieldAltTitle] = "", false, Span{}
		return
	}
	if r.AltSubtitle && (p.audioOnly() || p.bookish()) && len(r.Seasons) == 0 {
		p.artist()
	}
}

// months tells whether the tokens in a span are months' names and nothing else.
func (p *Parser) months(s Span) bool {
	n := 0
	for i := range p.toks {
		if p.toks[i].Start < s.Start || p.toks[i].End > s.End {
			continue
		}
		if month(p.fold(i)) == 0 {
			return false
		}
		n++
	}
	return n > 0
}

// artist makes an artist of the title and a title of what its dash leads to.
func (p *Parser) artist() {
	r := p.r
	r.Artist, r.Title, r.AltTitle, r.AltSubtitle = r.Title, r.AltTitle, "", false
	r.Spans[FieldArtist], r.Spans[FieldTitle], r.Spans[FieldAltTitle] = r.Spans[FieldTitle], r.Spans[FieldAltTitle], Span{}
}

// byAuthor reads The Title by Some Author.
func (p *Parser) byAuthor() bool {
	i := p.end - 2
	for i > p.start && string(p.fold(i)) != "by" {
		i--
	}
	if n := p.end - i - 1; i <= p.start || n < 1 || n > 4 || p.region(i) != p.region(p.start) || p.r.AltTitle != "" {
		return false
	}
	p.r.Spans[FieldTitle] = Span{}
	p.r.Title, p.r.Artist = p.clean(p.start, i), p.clean(i+1, p.end)
	p.span(FieldTitle, p.start, i)
	p.span(FieldArtist, i+1, p.end)
	return true
}

// ofSeries reads Some Author - [The Series 02] - The Title.
func (p *Parser) ofSeries() bool {
	if len(p.segs) != 3 || p.segs[0].inside || !p.segs[1].inside || !p.toks[p.segs[1].a].Spaced || p.segs[2].inside || !p.segs[2].dash || p.toks[p.segs[1].b-1].Digits == 0 {
		return false
	}
	r, title := p.r, p.segs[2]
	r.Artist, r.Spans[FieldArtist] = r.Title, r.Spans[FieldTitle]
	r.Title, r.AltTitle, r.AltSubtitle = p.clean(title.a, title.b), "", false
	r.Spans[FieldTitle], r.Spans[FieldAltTitle] = Span{}, Span{}
	p.span(FieldTitle, title.a, title.b)
	return true
}

// datedAlbum reads Artist - 2003 - Album.
func (p *Parser) datedAlbum() {
	a := p.year + 1
	b := a
	for b < p.tail && p.region(b) == 0 && !p.hard(b) && (b == a || !p.sep(b).Has(token.Open|token.Close)) {
		b++
	}
	p.r.Artist, p.r.Spans[FieldArtist] = p.r.Title, p.r.Spans[FieldTitle]
	p.r.Spans[FieldTitle], p.r.Spans[FieldAltTitle] = Span{}, Span{}
	p.r.Title, p.r.AltTitle, p.r.AltSubtitle = p.clean(a, b), "", false
	p.span(FieldTitle, a, b)
}

// bookish tells whether the name speaks of a book.
func (p *Parser) bookish() bool {
	switch p.r.Format {
	case "EPUB", "PDF", "MOBI", "DJVU", "FB2", "eBook", "Audiobook":
		return true
	}
	switch MediaOf(p.r.Container) {
	case MediaBook, MediaAudio:
		return true
	}
	return false
}

// sceneMusic reads Artist-Title_With_Words-(CAT01)-WEB-2017-GROUP: the year stands between dashes before the group.
func (p *Parser) sceneMusic() bool {
	y, g, end := p.musicYear()
	if y < 0 {
		return false
	}
	d := p.nextDash(p.start+1, y)
	if d < 0 {
		return false
	}
	for b := d; b <= y; b++ { // an episode or a film's picture is no song; a music video has no more than a codec
		if k := p.marks[b].kind; k == season || k == episode {
			return false
		}
	}
	p.r.ReleaseGroup, p.r.Spans[FieldGroup] = "", Span{}
	p.takeGroup(g, end)
	p.gluedYear(y)
	a, b := d, d+1
	for b < y && !(p.sep(b).Has(token.Dash) && p.region(b) == 0 && !(p.digits(b-1, 1, 4) && p.digits(b, 1, 4))) && !(p.region(b) > 0 && p.region(b) != p.region(a) && p.sep(b).Has(token.Dash|token.Under)) && p.nextField(a, b) {
		b++
	}
	for b > a+1 {
		k := b - 1
		for k > a && p.marks[k].kind == cont {
			k--
		}
		if k == a || !p.is(k, lexicon.Format) && !p.is(k, lexicon.Edition) {
			break
		}
		b = k
	}
	p.r.Spans[FieldArtist], p.r.Spans[FieldTitle], p.r.Spans[FieldAltTitle] = Span{}, Span{}, Span{}
	p.r.Artist = p.clean(p.start, d)
	p.span(FieldArtist, p.start, d)
	p.r.Title = p.clean(a, b)
	p.span(FieldTitle, a, b)
	p.r.AltTitle, p.r.AltSubtitle, p.r.EpisodeTitle = "", false, ""
	for i := b; i < y; i++ {
		if p.marks[i].kind == tag && !p.marks[i].ok {
			p.apply(i)
		}
	}
	p.end = b
	return true
}

// nextField tells whether token b still belongs to the title that begins at token a: a bracket that follows ends it.
func (p *Parser) nextField(a, b int) bool {
	return p.region(b) == p.region(a) || p.region(b) == 0
}

// nextDash returns the first token from a that stands behind a dash outside brackets.
func (p *Parser) nextDash(a, b int) int {
	for i := a; i < b; i++ {
		if p.sep(i).Has(token.Dash) && (p.region(i) == 0 || p.sep(i).Has(token.Open)) && p.region(i-1) != p.region(i) || p.sep(i).Has(token.Dash) && p.region(i) == 0 {
			if p.toks[i-1].End-p.toks[i-1].Start > 1 || p.toks[i].Spaced || p.sep(i-1).Has(token.Dot) || p.sep(i).Has(token.Dot|token.Under) { // not T-Pain
				return i
			}
		}
	}
	return -1
}

// musicYear returns the token that holds the year of a scene's music release, -1 where the name is none. It stands second
// to last between dashes; an unknown digit may be an x, and a source may hang on its front.
func (p *Parser) musicYear() (year, group, end int) {
	end = p.tail
	if end > 2 && p.sep(end-1) == token.Under && string(p.fold(end-1)) == "int" {
		end--
	}
	g := end - 1
	for g > p.tail-3 && g > 1 && p.sep(g) == token.Under {
		g--
	}
	y := g - 1
	if y < p.start+2 || MediaOf(p.r.Container) == MediaVideo || p.marks[g].kind == lines || p.sep(g) != token.Dash || p.region(g) > 0 || p.region(y) > 0 || !p.sep(y).Has(token.Dash) && p.marks[y].kind != date && p.marks[y].kind != cont {
		return -1, 0, 0
	}
	for p.marks[y].kind == cont && y > p.start+2 {
		y--
	}
	f := p.fold(y)
	n, w := leading(f)
	switch {
	case p.marks[y].kind == date || p.marks[y].kind == yearLike || w == 4 && w == len(f) && plausible(n):
	case w >= 2 && len(f) == 4 && (f[3] == 'x') && (f[2] == 'x' || w == 3):
	case len(f) > 4 && allDigits(f[len(f)-4:]) && yearTail(f):
	default:
		return -1, 0, 0
	}
	if p.sep(y).Has(token.Dot) && !p.sep(y).Has(token.Dash) {
		return -1, 0, 0
	}
	return y, g, end
}

func yearTail(f []byte) bool {
	n, _ := leading(f[len(f)-4:])
	return plausible(n) && (f[len(f)-5] < '0' || f[len(f)-5] > '9')
}

// gluedYear takes the year off a source that it hangs on: CD2003, 2VLS1998.
func (p *Parser) gluedYear(y int) {
	f := p.fold(y)
	if len(f) < 5 || !yearTail(f) || p.r.Year > 0 {
		return
	}
	p.r.Year, _ = leading(f[len(f)-4:])
	p.span(FieldYear, y, y+1)
	if e := lexicon.Find(f[:len(f)-4]); e != nil && len(e.Meanings) > 0 {
		p.tagged(y, 1, e)
		if p.marks[y].entry != nil {
			p.apply(y)
		}
	}
}

// audioOnly tells whether the name speaks of music and not of pictures: its numbers are titles or years.
func (p *Parser) audioOnly() bool {
	audio := false
	for i := range p.marks {
		m := &p.marks[i]
		if m.kind == lines {
			return false
		}
		if m.kind == number && p.bitrate(i) || m.kind == free && p.bareBitrate(i) {
			audio = true
		}
		if m.kind != tag {
			continue
		}
		if p.says(i, lexicon.VideoCodec) != nil {
			return false
		}
		if s := p.says(i, lexicon.Source); s != nil && s.Value != "web" && m.class == lexicon.Strong {
			return false
		}
		if f := p.says(i, lexicon.Format); f != nil && m.class == lexicon.Strong && (f.Value == "FLAC" || f.Value == "MP3" || f.Value == "ALAC" || f.Value == "Vinyl") {
			audio = true
		}
	}
	return audio
}

// bareBitrate tells whether token i is a bit rate without its unit: Artist - Album (2017) 320, (320)(2016).
func (p *Parser) bareBitrate(i int) bool {
	if !p.digits(i, 3, 3) || i <= p.start+1 {
		return false
	}
	n := p.toks[i].Num
	year := func(j int) bool {
		return j > 0 && j < p.tail && p.region(j) > 0 && (p.isYear(j) || p.marks[j].kind == yearLike)
	}
	return (n == 320 || n == 256 || n == 192) && (p.alone(i) || i == p.tail-1) && (year(i-1) || year(i+1))
}

// bitrate tells whether the number at token i is one of sound: 320 kbps, 320kbps.
func (p *Parser) bitrate(i int) bool {
	last := p.fold(i + int(p.marks[i].n) - 1)
	return bytes.HasSuffix(last, []byte("kbps")) || bytes.HasSuffix(last, []byte("kbs"))
}
