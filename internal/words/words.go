// Package words takes names apart, so that a list of titles that people wrote
// finds them however they are written.
package words

import (
	"slices"
	"strings"
	"unicode"

	"golang.org/x/text/cases"
	"golang.org/x/text/unicode/norm"
)

// Of are the runs of letters and digits in s, without case and accents: NFKD,
// Unicode's full case folding, combining marks off.
func Of(s string) []string {
	folded := strings.Map(func(r rune) rune {
		if unicode.Is(unicode.Mn, r) {
			return -1
		}
		return r
	}, norm.NFKD.String(cases.Fold().String(norm.NFKD.String(s))))
	return strings.FieldsFunc(folded, func(r rune) bool { return !unicode.IsLetter(r) && !unicode.IsNumber(r) })
}

// Phrases are titles, or words of titles, to be found in names.
type Phrases struct {
	byFirst map[string][][]string
	n       int
}

// Add adds the words of a title. It says whether there are any.
func (p *Phrases) Add(title string) bool {
	phrase := Of(title)
	if len(phrase) == 0 {
		return false
	}
	if p.byFirst == nil {
		p.byFirst = map[string][][]string{}
	}
	p.byFirst[phrase[0]] = append(p.byFirst[phrase[0]], phrase)
	p.n++
	return true
}

// Len is how many were added.
func (p *Phrases) Len() int { return p.n }

// In says whether a name holds the words of one of them, one after the other.
func (p *Phrases) In(name string) bool {
	if p.n == 0 {
		return false
	}
	words := Of(name)
	for i, w := range words {
		for _, phrase := range p.byFirst[w] {
			if len(phrase) <= len(words)-i && slices.Equal(phrase, words[i:i+len(phrase)]) {
				return true
			}
		}
	}
	return false
}
