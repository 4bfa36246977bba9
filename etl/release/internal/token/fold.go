package token

import (
	"unicode"
	"unicode/utf8"
)

// Script is the writing a token is in.
type Script uint8

// The scripts that names are told apart by.
const (
	NoScript Script = iota
	Latin
	Greek
	Cyrillic
	Han
	Kana
	Hangul
	Thai
	Arabic
	Hebrew
	OtherScript
)

var scriptNames = [...]string{"", "Latin", "Greek", "Cyrillic", "Han", "Kana", "Hangul", "Thai", "Arabic", "Hebrew", "Other"}

// String is the script's name as Unicode writes it, empty for none.
func (s Script) String() string { return scriptNames[s] }

type class uint8

const (
	sepSpace class = iota // the order of the separators is that of Sep
	sepDot
	sepUnder
	sepDash
	sepSlash
	sepComma
	sepPlus
	sepAmp
	sepTilde
	sepColon
	sepPipe
	sepHash
	sepOrdinal
	sepOther
	openRound
	openSquare
	openOther
	closeBracket
	sepApostrophe
	wordMark
	wordDigit
	wordLatin
	wordGreek
	wordCyrillic
	wordHan
	wordKana
	wordHangul
	wordThai
	wordArabic
	wordHebrew
	wordOther
)

const firstWord = wordMark

// ascii is the class of each ASCII character, written out by rows of sixteen.
var ascii = [128]class{
	sepSpace, sepSpace, sepSpace, sepSpace, sepSpace, sepSpace, sepSpace, sepSpace, sepSpace, sepSpace, sepSpace, sepSpace, sepSpace, sepSpace, sepSpace, sepSpace,
	sepSpace, sepSpace, sepSpace, sepSpace, sepSpace, sepSpace, sepSpace, sepSpace, sepSpace, sepSpace, sepSpace, sepSpace, sepSpace, sepSpace, sepSpace, sepSpace,
	' ': sepSpace, '!': sepOther, '"': sepOther, '#': sepHash, '$': sepOther, '%': sepOther, '&': sepAmp, '\'': sepApostrophe,
	'(': openRound, ')': closeBracket, '*': sepOther, '+': sepPlus, ',': sepComma, '-': sepDash, '.': sepDot, '/': sepSlash,
	'0': wordDigit, '1': wordDigit, '2': wordDigit, '3': wordDigit, '4': wordDigit, '5': wordDigit, '6': wordDigit, '7': wordDigit, '8': wordDigit, '9': wordDigit,
	':': sepColon, ';': sepComma, '<': sepOther, '=': sepOther, '>': sepOther, '?': sepOther, '@': sepOther,
	'A': wordLatin, 'B': wordLatin, 'C': wordLatin, 'D': wordLatin, 'E': wordLatin, 'F': wordLatin, 'G': wordLatin, 'H': wordLatin, 'I': wordLatin,
	'J': wordLatin, 'K': wordLatin, 'L': wordLatin, 'M': wordLatin, 'N': wordLatin, 'O': wordLatin, 'P': wordLatin, 'Q': wordLatin, 'R': wordLatin,
	'S': wordLatin, 'T': wordLatin, 'U': wordLatin, 'V': wordLatin, 'W': wordLatin, 'X': wordLatin, 'Y': wordLatin, 'Z': wordLatin,
	'[': openSquare, '\\': sepSlash, ']': closeBracket, '^': sepOther, '_': sepUnder, '`': sepApostrophe,
	'a': wordLatin, 'b': wordLatin, 'c': wordLatin, 'd': wordLatin, 'e': wordLatin, 'f': wordLatin, 'g': wordLatin, 'h': wordLatin, 'i': wordLatin,
	'j': wordLatin, 'k': wordLatin, 'l': wordLatin, 'm': wordLatin, 'n': wordLatin, 'o': wordLatin, 'p': wordLatin, 'q': wordLatin, 'r': wordLatin,
	's': wordLatin, 't': wordLatin, 'u': wordLatin, 'v': wordLatin, 'w': wordLatin, 'x': wordLatin, 'y': wordLatin, 'z': wordLatin,
	'{': openOther, '|': sepPipe, '}': closeBracket, '~': sepTilde, 127: sepSpace,
}

func classOf(r rune) class {
	switch {
	case r >= 0xFF01 && r <= 0xFF5E: // full-width forms
		return ascii[r-0xFEE0]
	case r >= 0x0400 && r < 0x0530:
		if r >= 0x0483 && r <= 0x0489 {
			return wordMark
		}
		return wordCyrillic
	case r >= 0x4E00 && r <= 0x9FFF, r == '々':
		return wordHan
	case r >= 0x3041 && r <= 0x30FF:
		if r == '・' {
			return sepOther
		}
		return wordKana
	}
	if c, ok := punctuation(r); ok {
		return c
	}
	return classByTable(r)
}

func punctuation(r rune) (class, bool) {
	switch r {
	case '’', '‘', 'ʼ', '´', '′', '׳', 'ʻ':
		return sepApostrophe, true
	case '–', '—', '−', '‐', '‑', '―':
		return sepDash, true
	case '～', '〜', '∼':
		return sepTilde, true
	case '：', '∶':
		return sepColon, true
	case '、', '，', '،', '；':
		return sepComma, true
	case '／', '⁄', '∕':
		return sepSlash, true
	case '｜', '│', '┃':
		return sepPipe, true
	case 'º', 'ª', '°', '№':
		return sepOrdinal, true
	case '×':
		return wordLatin, true
	case '【', '「', '『', '《', '〈', '〔', '〖', '［', '｛', '«', '⟨':
		return openSquare, true
	case '】', '」', '』', '》', '〉', '〕', '〗', '］', '｝', '»', '⟩':
		return closeBracket, true
	case '\u200b', '\u200c', '\u200d', '\ufeff', '\u00ad':
		return sepApostrophe, true // joined where it stands inside a word, dropped elsewhere
	}
	return 0, false
}

func classByTable(r rune) class {
	switch {
	case unicode.IsSpace(r):
		return sepSpace
	case unicode.IsDigit(r):
		return wordDigit
	case unicode.Is(unicode.Mn, r) || unicode.Is(unicode.Mc, r):
		if unicode.Is(unicode.Thai, r) {
			return wordThai
		}
		return wordMark
	case r >= 0x2160 && r <= 0x216B: // Roman numbers
		return wordLatin
	case !unicode.IsLetter(r):
		return sepOther
	case r < 0x0250 || r >= 0x1E00 && r < 0x1F00:
		return wordLatin
	case unicode.Is(unicode.Greek, r):
		return wordGreek
	case unicode.Is(unicode.Han, r):
		return wordHan
	case unicode.Is(unicode.Hangul, r):
		return wordHangul
	case unicode.Is(unicode.Thai, r):
		return wordThai
	case unicode.Is(unicode.Arabic, r):
		return wordArabic
	case unicode.Is(unicode.Hebrew, r):
		return wordHebrew
	case unicode.Is(unicode.Hiragana, r) || unicode.Is(unicode.Katakana, r):
		return wordKana
	}
	return wordOther
}

func scriptOf(c class, was Script) Script {
	var s Script
	switch c {
	case wordLatin:
		s = Latin
	case wordGreek:
		s = Greek
	case wordCyrillic:
		s = Cyrillic
	case wordHan:
		s = Han
	case wordKana:
		s = Kana
	case wordHangul:
		s = Hangul
	case wordThai:
		s = Thai
	case wordArabic:
		s = Arabic
	case wordHebrew:
		s = Hebrew
	default:
		s = OtherScript
	}
	// Kana among Han makes the word Japanese, whatever comes first.
	if was == NoScript || s == Kana {
		return s
	}
	return was
}

// Latin letters from U+00C0 to U+024F and from U+1E00 without their accents; '?' stands for those written as two letters, or
// that have no accent to lose.
const (
	latin1 = "aaaaaa?ceeeeiiiidnooooo?ouuuuy??aaaaaa?ceeeeiiiidnooooo?ouuuuy?y"
	latinA = "aaaaaaccccccccddddeeeeeeeeeegggggggghhhhiiiiiiiiiiiijjkkkllllllllll" +
		"nnnnnnnnnoooooo??rrrrrrssssssssttttttuuuuuuuuuuuuwwyyyzzzzzzs"
	latinB = "????????????????????????????????oo?????????????uu????????????????????????????aaiioouuuuuuuuuu?aaaa????ggkk" +
		"oooo??j???gg??nnaa????aaaaeeeeiiiioooorrrruuuusstt??hh??????aaeeooooooooyy????????????????????????????"
	latinExtra = "aabbbbbbccddddddddddeeeeeeeeeeffgghhhhhhhhhhiiiikkkkkkllllllllmmmmmmnnnnnnnnoooooooopppprrrrrrrrssssssssss" +
		"ttttttttuuuuuuuuuuvvvvwwwwwwwwwwxxxxyyzzzzzzhtwy??????aaaaaaaaaaaaaaaaaaaaaaaaeeeeeeeeeeeeeeeeiiiioooooooooooooo" +
		"oooooooooouuuuuuuuuuuuuuyyyyyyyy??????"
)

// romans are the letters of the numbers from U+2160.
var romans = [...]string{"i", "ii", "iii", "iv", "v", "vi", "vii", "viii", "ix", "x", "xi", "xii"}

// appendFold appends r in lower case, without accent, in plain width.
func appendFold(b []byte, r rune) []byte {
	if r < utf8.RuneSelf {
		if r >= 'A' && r <= 'Z' {
			r += 'a' - 'A'
		}
		return append(b, byte(r))
	}
	switch {
	case r >= 0xFF01 && r <= 0xFF5E:
		return appendFold(b, r-0xFEE0)
	case r >= 0x00C0 && r < 0x0250 || r >= 0x1E00 && r < 0x1F00:
		return appendLatin(b, r)
	case r >= 0x0386 && r <= 0x03CE:
		r = foldGreek(r)
	case r == '×':
		return append(b, 'x')
	case r >= 0x2160 && r <= 0x216B:
		return append(b, romans[r-0x2160]...)
	case r >= 0x0410 && r <= 0x042F:
		r += 0x20
	case r == 'Ё' || r == 'ё':
		r = 'е'
	default:
		r = unicode.ToLower(r)
	}
	return utf8.AppendRune(b, r)
}

func appendLatin(b []byte, r rune) []byte {
	switch r {
	case 'ß':
		return append(b, "ss"...)
	case 'Æ', 'æ':
		return append(b, "ae"...)
	case 'Œ', 'œ':
		return append(b, "oe"...)
	case 'Þ', 'þ':
		return append(b, "th"...)
	case '×':
		return append(b, 'x')
	case '÷':
		return b
	case 'Ĳ', 'ĳ':
		return append(b, "ij"...)
	}
	var c byte
	switch {
	case r < 0x0100:
		c = latin1[r-0x00C0]
	case r < 0x0180:
		c = latinA[r-0x0100]
	case r < 0x0250:
		c = latinB[r-0x0180]
	default:
		c = latinExtra[r-0x1E00]
	}
	if c == '?' {
		return utf8.AppendRune(b, unicode.ToLower(r))
	}
	return append(b, c)
}

// foldGreek lowers a letter, without its accent, and a final sigma to a plain one.
func foldGreek(r rune) rune {
	switch r = unicode.ToLower(r); r {
	case 'ά':
		return 'α'
	case 'έ':
		return 'ε'
	case 'ή':
		return 'η'
	case 'ί', 'ϊ', 'ΐ':
		return 'ι'
	case 'ό':
		return 'ο'
	case 'ύ', 'ϋ', 'ΰ':
		return 'υ'
	case 'ώ':
		return 'ω'
	case 'ς':
		return 'σ'
	}
	return r
}

// appendMark keeps the marks that are vowels and drops those that are accents.
func appendMark(b []byte, r rune) []byte {
	if r >= 0x0300 && r < 0x0370 || r >= 0x0591 && r < 0x05D0 || r >= 0x064B && r <= 0x0652 {
		return b
	}
	return utf8.AppendRune(b, r)
}

// Fold returns s as a name's tokens are folded, joined by one space.
func Fold(s string) string {
	var l List
	l.Split(s)
	return string(l.Fold)
}
