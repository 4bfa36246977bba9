package release

import (
	"slices"

	"github.com/boontorrent/boon/etl/release/internal/lexicon"
	"github.com/boontorrent/boon/etl/release/internal/token"
)

// collect writes what the accepted tags say into the release.
func (p *Parser) collect() {
	for i := 0; i < p.tail; i++ {
		m := &p.marks[i]
		switch {
		case m.kind == tag && m.ok:
			p.apply(i)
		case m.kind == tag && m.class == lexicon.Language && p.region(i) > 0 && i > p.end:
			p.apply(i)
		}
	}
	p.part()
	p.volume()
	p.isbn()
}

// apply writes one tag's meanings.
func (p *Parser) apply(i int) {
	end := i + int(p.marks[i].n)
	for _, m := range p.marks[i].entry.Meanings {
		if m.Class == lexicon.Hinting || m.Class == lexicon.Capital && !p.capital(i, end-i) {
			continue
		}
		if !p.media(i, end, m) {
			p.other(i, end, m)
		}
	}
}

// put sets a field that the first tag to speak of it decides.
func (p *Parser) put(dst *string, value string, f Field, a, b int) {
	if *dst == "" {
		*dst = value
		p.span(f, a, b)
	}
}

// media writes the meanings that tell of picture and sound; it reports whether m was one.
func (p *Parser) media(a, b int, m lexicon.Meaning) bool {
	r := p.r
	switch m.Field {
	case lexicon.Resolution:
		n, _ := leading([]byte(m.Value))
		if r.Resolution == 0 {
			r.Resolution = n
			p.span(FieldResolution, a, b)
		}
	case lexicon.Source:
		if r.Source == "ppv" && m.Value != "ppv" {
			r.Source, r.Spans[FieldSource] = "", Span{}
		}
		p.put(&r.Source, m.Value, FieldSource, a, b)
	case lexicon.VideoCodec:
		p.put(&r.VideoCodec, m.Value, FieldVideoCodec, a, b)
	case lexicon.AudioCodec:
		p.put(&r.AudioCodec, m.Value, FieldAudioCodec, a, b)
	case lexicon.Channels:
		p.put(&r.Channels, m.Value, FieldChannels, a, b)
	case lexicon.BitDepth:
		if n, _ := leading([]byte(m.Value)); r.BitDepth == 0 {
			r.BitDepth = n
			p.span(FieldBitDepth, a, b)
		}
	case lexicon.HDR:
		value := m.Value
		if end := int(p.toks[b-1].End); value == "HDR10" && end < len(p.name) && p.name[end] == '+' {
			value = "HDR10+"
		}
		r.HDR = addOnce(r.HDR, value)
		p.span(FieldHDR, a, b)
	default:
		return false
	}
	return true
}

// other writes the meanings that tell of the rest.
func (p *Parser) other(a, b int, m lexicon.Meaning) {
	r := p.r
	switch m.Field {
	case lexicon.Edition:
		p.put(&r.Edition, m.Value, FieldEdition, a, b)
	case lexicon.Lang:
		p.language(a, b, m.Value)
	case lexicon.Subs:
		if m.Value != "yes" {
			r.Subtitles = addOnce(r.Subtitles, m.Value)
		} else if len(r.Subtitles) == 0 {
			r.Subtitles = append(r.Subtitles, "yes")
		}
		p.span(FieldSubtitles, a, b)
	case lexicon.Dub:
		p.flag(&r.Dubbed, FieldDubbed, a, b)
		if m.Value != "yes" {
			r.Languages = addOnce(r.Languages, m.Value)
			p.span(FieldLanguage, a, b)
		}
	case lexicon.Container:
		p.put(&r.Container, m.Value, FieldContainer, a, b)
	case lexicon.Network:
		p.network(a, b, m.Value)
	case lexicon.Platform:
		if m.Class == lexicon.Strong && r.Platform == "Windows" { // x64 macOS
			r.Platform, r.Spans[FieldPlatform] = "", Span{}
		}
		p.put(&r.Platform, m.Value, FieldPlatform, a, b)
	case lexicon.Format:
		p.put(&r.Format, m.Value, FieldFormat, a, b)
	case lexicon.Adult:
		p.put(&r.Adult, m.Value, FieldAdult, a, b)
	case lexicon.Country:
		p.put(&r.Country, m.Value, FieldCountry, a, b)
	default:
		p.flags(a, b, m.Field)
	}
}

// flags writes the meanings that are true or absent.
func (p *Parser) flags(a, b int, f lexicon.Field) {
	r := p.r
	for _, is := range [...]struct {
		field lexicon.Field
		dst   *bool
		place Field
	}{
		{lexicon.ThreeD, &r.ThreeD, FieldThreeD}, {lexicon.Remux, &r.Remux, FieldRemux}, {lexicon.Proper, &r.Proper, FieldProper},
		{lexicon.Repack, &r.Repack, FieldRepack}, {lexicon.Complete, &r.Complete, FieldComplete}, {lexicon.Pack, &r.Pack, FieldPack},
		{lexicon.Sample, &r.Sample, FieldSample}, {lexicon.App, &r.App, FieldApp},
	} {
		if is.field == f {
			p.flag(is.dst, is.place, a, b)
		}
	}
}

func (p *Parser) flag(dst *bool, f Field, a, b int) {
	*dst = true
	p.span(f, a, b)
}

// network keeps the name as written for the many codes that the lexicon only lists.
func (p *Parser) network(a, b int, value string) {
	if value == "misc" {
		value = p.slice(a, b)
	}
	p.put(&p.r.Network, value, FieldNetwork, a, b)
}

// language writes a language as spoken or, next to a word for subtitles, as written.
func (p *Parser) language(a, b int, code string) {
	r := p.r
	if p.besideSubs(a, b) {
		if len(r.Subtitles) == 1 && r.Subtitles[0] == "yes" {
			r.Subtitles = r.Subtitles[:0]
		}
		r.Subtitles = addOnce(r.Subtitles, code)
		p.span(FieldSubtitles, a, b)
		return
	}
	r.Languages = addOnce(r.Languages, code)
	p.span(FieldLanguage, a, b)
}

// besideSubs tells whether a word for subtitles stands behind or before the tokens, languages between them aside.
func (p *Parser) besideSubs(a, b int) bool {
	k := p.region(a)
	if b < p.tail && p.region(b) == k && p.is(b, lexicon.Subs) && !p.sep(b).Has(token.Comma|token.Slash|token.Pipe) {
		return p.says(b, lexicon.Subs).Value == "yes" && !(p.is(b+1, lexicon.Lang) && p.region(b+1) == k && b+1 < p.tail) // ITA Sub ENG
	}
	for j := a - 1; j >= 0 && j > a-6 && p.region(j) == k; j-- {
		if p.is(j, lexicon.Subs) {
			return p.says(j, lexicon.Subs).Value == "yes" && p.marks[j].ok
		}
		if !p.is(j, lexicon.Lang) || p.sep(j+1).Has(token.Pipe) {
			return false
		}
	}
	return false
}

func addOnce(list []string, s string) []string {
	if slices.Contains(list, s) {
		return list
	}
	return append(list, s)
}

// part reads Part 3, Teil II, Pt. 1; the title stops before it, unless the number is spelt out.
func (p *Parser) part() {
	for i := p.start + 1; i < p.tail; i++ {
		if !p.is(i, lexicon.PartWord) || i > p.end && p.r.Part > 0 {
			continue
		}
		j := i + int(p.marks[i].n)
		if j >= p.tail || p.region(j) != p.region(i) || p.toks[j].Spaced {
			continue
		}
		n := roman(p.fold(j))
		if p.digits(j, 1, 2) {
			n = int(p.toks[j].Num)
		}
		if word := max(spelt(p.fold(j), lexicon.Cardinal), spelt(p.fold(j), lexicon.Ordinal)); n == 0 && word > 0 && p.marks[j].kind == free { // Part Two stays in the title
			p.r.Part = word
			p.span(FieldPart, i, j+1)
			return
		}
		if n == 0 || p.marks[j].kind != free && p.marks[j].kind != tag {
			continue
		}
		p.r.Part = n
		p.span(FieldPart, i, j+1)
		if i < p.end {
			p.set(i, j+1, partMark)
			p.end = i
		}
		return
	}
}

// isbn reads ISBN numbers whose check digit is right.
func (p *Parser) isbn() {
	for i := 0; i < p.tail; i++ {
		var d []byte
		for j := i; j < p.tail && j < i+5; j++ {
			if j > i && p.sep(j) != token.Dash || p.toks[j].Digits == 0 && string(p.fold(j)) != "x" && !isbnTail(p.fold(j)) {
				break
			}
			d = append(d, p.fold(j)...)
			if len(d) > 13 {
				break
			}
			if validISBN(d) && (len(d) == 13 || j > i || p.isbnWord(i)) {
				p.r.ISBN = string(d)
				p.span(FieldISBN, i, j+1)
				return
			}
		}
	}
}

func isbnTail(f []byte) bool {
	return len(f) == 10 && f[9] == 'x' && allDigits(f[:9])
}

func (p *Parser) isbnWord(i int) bool {
	return i > 0 && (string(p.fold(i-1)) == "isbn" || string(p.fold(i-1)) == "isbn10")
}

func validISBN(d []byte) bool {
	sum := 0
	switch len(d) {
	case 13:
		if d[0] != '9' || d[1] != '7' || d[2] != '8' && d[2] != '9' {
			return false
		}
		for i, c := range d {
			sum += int(c-'0') * (1 + i%2*2)
		}
		return sum%10 == 0
	case 10:
		for i, c := range d {
			v := int(c - '0')
			if c == 'x' && i == 9 {
				v = 10
			}
			sum += v * (10 - i)
		}
		return sum%11 == 0
	}
	return false
}
