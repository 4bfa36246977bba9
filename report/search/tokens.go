package search

import (
	"fmt"
	"sort"
	"unicode"
	"unicode/utf8"

	"golang.org/x/text/unicode/norm"
)

// class is what a character is to the tokeniser.
type class byte

// The classes, by the letters that the table has for them.
const (
	separator class = 'S'
	word      class = 'W'
	mark      class = 'M' // combining: left out
	ideograph class = 'I' // of a script that writes no spaces: Han, kana
	nothing   class = 'N' // control, zero-width and direction marks: left out
)

// LongestTerm bounds a term, in characters; the rest of a longer word is not looked at.
const LongestTerm = 32

// Tokeniser finds the terms of texts. Its zero value is ready; it is not for several
// goroutines at once.
type Tokeniser struct {
	table   classes
	folded  map[rune][]rune
	pending []byte   // the word or ideograph that is being read
	length  int      // characters of pending
	state   class    // of pending: word, ideograph, or separator where there is none
	units   []Unit   // of the text
	text    []byte   // of the units
	ends    []int    // of the units in text
	pair    [32]byte // room for two ideographs
}

// Unit is a word or a single ideograph.
type Unit struct {
	Text              string
	Ideograph, Joined bool // Joined to the ideograph before it
}

// classes is the frozen table: starts of runs, and what they hold.
type classes struct {
	from []rune
	is   []class
}

func newClasses() classes {
	c := classes{from: []rune{0x80}, is: []class{separator}}
	at, n := rune(0x80), rune(0)
	for i := range len(classRuns) {
		switch b := classRuns[i]; {
		case b >= '0' && b <= '9':
			n = n*36 + rune(b-'0')
		case b >= 'a':
			n = n*36 + rune(b-'a') + 10
		default:
			c.from, c.is = append(c.from, at), append(c.is, class(b))
			at, n = at+n, 0
		}
	}
	c.from, c.is = append(c.from, at), append(c.is, separator)
	return c
}

func (c *classes) of(r rune) class {
	switch {
	case r >= 0x80:
		return c.is[sort.Search(len(c.from), func(i int) bool { return c.from[i] > r })-1]
	case r >= 'a' && r <= 'z' || r >= '0' && r <= '9' || r >= 'A' && r <= 'Z':
		return word
	case r < 0x20 && (r < 9 || r > 13) || r == 0x7f:
		return nothing
	}
	return separator
}

// fold is a character as it is compared: decomposed, without marks, in lower case.
// What is a separator comes back as a space.
func (t *Tokeniser) fold(r rune) []rune {
	if f, ok := t.folded[r]; ok {
		return f
	}
	if t.folded == nil {
		t.folded, t.table = map[rune][]rune{}, newClasses()
	}
	f := []rune{}
	if t.table.of(r) == separator {
		f = append(f, ' ')
	} else {
		for _, d := range norm.NFKD.String(string(r)) {
			if d = unicode.ToLower(d); d == 'ς' {
				d = 'σ'
			}
			switch t.table.of(d) {
			case separator:
				f = append(f, ' ')
			case word, ideograph:
				f = append(f, d)
			}
		}
	}
	if len(t.folded) < 1<<16 { // a hostile text cannot make it grow further
		t.folded[r] = f
	}
	return f
}

// Units reads a text into words and ideographs. The result holds until the next call.
func (t *Tokeniser) Units(text string) []Unit {
	t.read(text)
	whole, from := string(t.text), 0
	for i, end := range t.ends {
		t.units[i].Text = whole[from:end]
		from = end
	}
	return t.units
}

// Terms gives the terms that a text is found by to emit, in the order of the text, with
// repeats: its words, and of ideographs each pair of neighbours and the last of a run
// alone. A term holds until emit returns.
func (t *Tokeniser) Terms(text string, emit func(term []byte)) {
	t.read(text)
	from := 0
	for i, end := range t.ends {
		if next := i + 1; next < len(t.ends) && t.units[next].Joined {
			emit(append(t.pair[:0], t.text[from:t.ends[next]]...))
		} else {
			emit(t.text[from:end])
		}
		from = end
	}
}

func (t *Tokeniser) read(text string) {
	t.units, t.text, t.ends = t.units[:0], t.text[:0], t.ends[:0]
	t.state = separator
	for i := 0; i < len(text); {
		if b := text[i]; b < utf8.RuneSelf {
			i++
			switch {
			case b >= 'a' && b <= 'z' || b >= '0' && b <= '9':
				t.letter(rune(b))
			case b >= 'A' && b <= 'Z':
				t.letter(rune(b) + 'a' - 'A')
			case b < 0x20 && (b < 9 || b > 13) || b == 0x7f:
			default:
				t.end()
				t.state = separator
			}
			continue
		}
		r, n := utf8.DecodeRuneInString(text[i:])
		i += n
		for _, f := range t.fold(r) {
			switch {
			case f == ' ':
				t.end()
				t.state = separator
			case f >= 0x80 && t.table.of(f) == ideograph:
				t.end()
				t.ideograph(f)
			default:
				t.letter(f)
			}
		}
	}
	t.end()
}

// letter adds to the word that is being read.
func (t *Tokeniser) letter(r rune) {
	t.state = word
	if t.length++; t.length <= LongestTerm {
		t.pending = utf8.AppendRune(t.pending, r)
	}
}

func (t *Tokeniser) ideograph(r rune) {
	t.unit(Unit{Ideograph: true, Joined: t.state == ideograph}, utf8.AppendRune(t.pending[:0], r))
	t.state = ideograph
}

// end finishes a word.
func (t *Tokeniser) end() {
	if t.length > 0 {
		t.unit(Unit{}, t.pending)
	}
}

func (t *Tokeniser) unit(u Unit, text []byte) {
	t.units, t.text = append(t.units, u), append(t.text, text...)
	t.ends = append(t.ends, len(t.text))
	t.pending, t.length = t.pending[:0], 0
}

// String writes a unit as the shared vectors do: = before an ideograph, + before one
// that is joined to the last.
func (u Unit) String() string {
	switch {
	case u.Joined:
		return "+" + u.Text
	case u.Ideograph:
		return "=" + u.Text
	}
	return fmt.Sprint(u.Text)
}
