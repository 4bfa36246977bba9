// Package token cuts a torrent's name into words and numbers.
//
// It knows separators (what stood before a token decides a good deal), brackets of every script that uses them and
// where digits meet letters that do not join them: in 第12集 the number is a token, in x264 it is not. Beside the
// tokens it keeps the name folded: lower case, without accents, full-width forms made plain, tokens joined by one
// space, so that a phrase of several tokens is one slice of it.
package token

import (
	"strings"
	"unicode"
	"unicode/utf8"
)

// Sep is the set of separators that stand between a token and the one before it.
type Sep uint16

// The separators a rule asks about; everything else that is neither letter nor digit is Other.
const (
	Space Sep = 1 << iota
	Dot
	Under
	Dash
	Slash
	Comma
	Plus
	Amp
	Tilde
	Colon
	Pipe
	Hash
	Ordinal
	Other
	Open
	Close
)

// Blank tells whether the separators are only spaces, dots and underscores.
func (s Sep) Blank() bool { return s&^(Space|Dot|Under) == 0 }

// Has tells whether any of the separators of t is among s.
func (s Sep) Has(t Sep) bool { return s&t != 0 }

// Token is one word or number of a name.
type Token struct {
	Start, End         int32 // where it stands in the name
	FoldStart, FoldEnd int32 // where its folded form stands in List.Fold
	Sep                Sep   // what stands before it
	Spaced             bool  // a dash before it has a blank on both sides
	Script             Script
	Digits             uint8 // how many digits, where it has nothing else
	Num                int32 // and their value
	Region             int16 // the outermost bracket it stands in, 0 for none
	Depth              uint8 // how many brackets it stands in
}

// Region is an outermost pair of brackets; a bracket that never closes runs to the end of the name.
type Region struct {
	Start, End  int32 // from the opening bracket to behind the closing one
	First, Last int32 // its tokens, Last exclusive
	Open        byte  // '(' for round, '[' for square, '{' for curly and everything else
}

// List is a name's tokens. Its slices are used again by the next Split.
type List struct {
	Tokens  []Token
	Regions []Region // Regions[0] is the outside
	Fold    []byte
	Tail    Sep  // what stands behind the last token
	Plus    bool // the name has plus signs where others have blanks
	name    string
	depth   uint8
	sep     Sep
	dashPre bool // a blank stood before the last dash
	dash    bool // and one behind it
}

const maxDepth = 60

// Split cuts name into tokens.
func (l *List) Split(name string) {
	l.Tokens, l.Fold = l.Tokens[:0], l.Fold[:0]
	l.Regions = append(l.Regions[:0], Region{End: int32(len(name))})
	l.name, l.depth, l.sep, l.dash, l.dashPre = name, 0, 0, false, false
	l.Plus = strings.Count(name, "+") > 2 && strings.IndexByte(name, ' ') < 0
	for i := 0; i < len(name); {
		r, size, class := next(name, i)
		if class <= wordMark { // a mark that follows no letter is none
			if class == wordMark {
				class = sepOther
			}
			l.separate(i, size, class)
			i += size
			continue
		}
		i = l.word(i, r, size, class)
	}
	l.Tail = l.sep
	if l.depth > 0 {
		l.closeRegion(len(name))
	}
}

// next reads the rune at i and says what it is.
func next(name string, i int) (rune, int, class) {
	c := name[i]
	if c < utf8.RuneSelf {
		return rune(c), 1, ascii[c]
	}
	r, size := utf8.DecodeRuneInString(name[i:])
	if r == utf8.RuneError && size == 1 {
		return ' ', 1, sepOther
	}
	return r, size, classOf(r)
}

func (l *List) separate(i, size int, c class) {
	switch c {
	case openRound, openSquare, openOther:
		l.sep |= Open
		l.open(i, c)
	case closeBracket:
		l.sep |= Close
		if l.depth > 0 {
			if l.depth--; l.depth == 0 {
				l.closeRegion(i + size)
			}
		}
	case sepDash:
		l.dashPre = l.sep&(Space|Under|Dot) != 0 && l.sep&Dash == 0
		l.dash = false
		l.sep |= Dash
	case sepApostrophe:
		l.sep |= Other
	default:
		if c == sepPlus && l.Plus {
			c = sepSpace
		}
		s := Sep(1) << (c - sepSpace)
		if s&(Space|Under|Dot) != 0 && l.dashPre {
			l.dash = true
		}
		l.sep |= s
	}
}

func (l *List) open(i int, c class) {
	if l.depth == 0 {
		b := byte('{')
		if c == openRound {
			b = '('
		} else if c == openSquare {
			b = '['
		}
		n := int32(len(l.Tokens))
		l.Regions = append(l.Regions, Region{Start: int32(i), First: n, Last: n, Open: b})
	}
	if l.depth < maxDepth {
		l.depth++
	}
}

func (l *List) closeRegion(end int) {
	r := &l.Regions[len(l.Regions)-1]
	r.End, r.Last, l.depth = int32(end), int32(len(l.Tokens)), 0
}

// word reads the token at i and returns where it ends.
func (l *List) word(i int, r rune, size int, c class) int {
	t := Token{Start: int32(i), FoldStart: int32(len(l.Fold)), Sep: l.sep, Spaced: l.sep&Dash != 0 && l.dash, Depth: l.depth}
	if len(l.Tokens) > 0 {
		l.Fold = append(l.Fold, ' ')
		t.FoldStart++
	}
	if l.depth > 0 {
		t.Region = int16(min(len(l.Regions)-1, 1<<15-1))
	}
	l.sep, l.dash, l.dashPre = 0, false, false
	onlyDigits, num := true, int32(0)
	first := c
	for {
		if c == wordDigit {
			d := digitOf(r)
			if num < 1e8 {
				num = num*10 + d
			}
			l.Fold = append(l.Fold, byte('0'+d))
			t.Digits = min(t.Digits+1, 200)
		} else if c != wordMark && c != sepApostrophe {
			onlyDigits = false
			t.Script = scriptOf(c, t.Script)
			l.Fold = appendFold(l.Fold, r)
		} else if c == wordMark {
			l.Fold = appendMark(l.Fold, r)
		}
		i += size
		if i >= len(l.name) {
			break
		}
		prev := c
		r, size, c = next(l.name, i)
		if prev == wordDigit && c == wordCyrillic && (r == 'х' || r == 'Х') && i+size < len(l.name) && ascii[l.name[i+size]&0x7f] == wordDigit {
			r, c = 'x', wordLatin // 06х01, typed on a Russian keyboard
		}
		if c == sepApostrophe {
			if !l.joins(i+size, prev) {
				break
			}
			continue
		}
		if c < firstWord || splits(prev, c, first) || c == wordHan && l.counter(int(t.Start), i, r) {
			break
		}
		if c != wordMark && c != wordDigit {
			first = c
		}
	}
	t.End, t.FoldEnd = int32(i), int32(len(l.Fold))
	if onlyDigits {
		t.Num = num
	} else {
		t.Digits = 0
	}
	l.Tokens = append(l.Tokens, t)
	if t.Script == Han {
		l.cutCollection()
	}
	if !onlyDigits && t.Script == Latin && t.FoldEnd-t.FoldStart == t.End-t.Start {
		l.cutMarker()
	}
	return i
}

// cutCollection cuts the word for all of a series off the Han title that it is written with: 某剧全集.
func (l *List) cutCollection() {
	const word = len("全集")
	t := &l.Tokens[len(l.Tokens)-1]
	f := l.Fold[t.FoldStart:t.FoldEnd]
	if k := len(f) - word; k <= word/2 || string(f[k:]) != "全集" && string(f[k:]) != "合集" || l.name[t.End-int32(word):t.End] != string(f[k:]) {
		return
	}
	l.cut(int32(len(f)-word), t.End-int32(word), Han)
}

// cut makes two tokens of the last one: of its folded form from byte at, of the name from byte name.
func (l *List) cut(at, name int32, script Script) {
	t := &l.Tokens[len(l.Tokens)-1]
	second := Token{Start: name, End: t.End, Script: script, Region: t.Region, Depth: t.Depth}
	t.End, t.FoldEnd = name, t.FoldStart+at
	l.Fold = append(l.Fold, 0)
	copy(l.Fold[t.FoldEnd+1:], l.Fold[t.FoldEnd:])
	l.Fold[t.FoldEnd] = ' '
	second.FoldStart, second.FoldEnd = t.FoldEnd+1, int32(len(l.Fold))
	l.Tokens = append(l.Tokens, second)
}

// cutMarker cuts a season and episode off the word that they are glued to: Castle1x01, CastleS01E01.
func (l *List) cutMarker() {
	t := &l.Tokens[len(l.Tokens)-1]
	f := l.Fold[t.FoldStart:t.FoldEnd]
	k := gluedMarker(f)
	if k == 0 {
		return
	}
	l.cut(int32(k), t.Start+int32(k), Latin)
}

// gluedMarker returns where 1x01 or S01E01 begins at the end of a word of three letters or more, 0 for nowhere.
func gluedMarker(f []byte) int {
	i := len(f)
	back := func(lo, hi int) bool {
		n := 0
		for i > 0 && f[i-1] >= '0' && f[i-1] <= '9' {
			i, n = i-1, n+1
		}
		return n >= lo && n <= hi
	}
	if !back(2, 3) || i < 5 {
		return 0
	}
	codec := len(f)-i == 3 && f[i] == '2' && f[i+1] == '6' // eac3x265
	i--
	switch f[i] {
	case 'x':
		if codec || !back(1, 2) {
			return 0
		}
	case 'e':
		if !back(1, 2) || i < 1 || f[i-1] != 's' {
			return 0
		}
		i--
	default:
		return 0
	}
	for _, c := range f[:i] {
		if c < 'a' || c > 'z' {
			return 0
		}
	}
	if i < 3 {
		return 0
	}
	return i
}

// counter tells whether a Han word ends before byte i because 第 begins a number there, or because a number begun with 第
// ended: 节目第二季第三集 is a title, a season and an episode.
func (l *List) counter(start, i int, r rune) bool {
	if r == '第' {
		return true
	}
	if !strings.HasPrefix(l.name[start:], "第") {
		return false
	}
	last, _ := utf8.DecodeLastRuneInString(l.name[start:i])
	return last == '季' || last == '集' || last == '話' || last == '话' || last == '回' || last == '期'
}

// joins tells whether an apostrophe before byte i stands inside a word.
func (l *List) joins(i int, prev class) bool {
	if i >= len(l.name) || prev == sepApostrophe {
		return false
	}
	_, _, c := next(l.name, i)
	return c > wordMark
}

// splits tells whether a token ends between two word runes.
func splits(prev, c, letter class) bool {
	if c == wordMark || prev == wordMark && c == letter {
		return false
	}
	if prev == sepApostrophe {
		prev = letter
	}
	if (prev == wordDigit) != (c == wordDigit) {
		return prev > wordLatin || c > wordLatin
	}
	if prev == c || prev == wordDigit {
		return false
	}
	return glued(prev) != glued(c)
}

// glued groups the scripts that share words: alphabets mix in a word by mistake, Han and Kana by design.
func glued(c class) int {
	switch c {
	case wordHan, wordKana:
		return 1
	case wordHangul, wordThai, wordArabic, wordHebrew:
		return int(c)
	default:
		return 0
	}
}

func digitOf(r rune) int32 {
	if r < utf8.RuneSelf {
		return r - '0'
	}
	// Every run of decimal digits in Unicode begins at its zero, and the runs hold ten.
	zero := r
	for unicode.IsDigit(zero-1) && r-zero < 9 {
		zero--
	}
	return (r - zero) % 10
}
