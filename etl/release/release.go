// Package release reads what a torrent's name says: title, season, year, source, language and the rest, then what kind of
// thing it is and which work it belongs to.
//
// A name goes through one pass of four steps. The tokeniser (internal/token) cuts it at separators, brackets and changes
// of script. The lexicon (internal/lexicon) and the rules for numbers say what each token may be: 1080p is always a tag,
// "limited" is one only among other tags. Then the title's end is found, the first thing that cannot be part of a title,
// and what lies behind it is read as tags; what lies before it is the title. Nothing is decided by a regular expression,
// and a parser that is used again allocates only the strings it returns.
//
// Parse promises: it never panics; the same name gives the same answer; every string is valid UTF-8; every span lies in
// the name; the title is never empty where the name has a letter. A name over MaxName bytes is cut and marked.
package release

import (
	"strings"
	"unicode"
	"unicode/utf8"

	"github.com/boontorrent/boon/etl/release/internal/lexicon"
	"github.com/boontorrent/boon/etl/release/internal/token"
)

// MaxName is how many bytes of a name are read.
const MaxName = 1024

// Field names a part of a release, for its place in the name.
type Field uint8

// The fields that have a place in the name.
const (
	FieldTitle Field = iota
	FieldAltTitle
	FieldArtist
	FieldEpisodeTitle
	FieldYear
	FieldSeason
	FieldEpisode
	FieldDate
	FieldPart
	FieldResolution
	FieldSource
	FieldVideoCodec
	FieldAudioCodec
	FieldChannels
	FieldBitDepth
	FieldHDR
	FieldEdition
	FieldLanguage
	FieldSubtitles
	FieldGroup
	FieldVersion
	FieldContainer
	FieldNetwork
	FieldPlatform
	FieldFormat
	FieldVolume
	FieldIssue
	FieldISBN
	FieldAdult
	FieldSite
	FieldCRC
	FieldCountry
	FieldAbsolute
	FieldDubbed
	FieldProper
	FieldRepack
	FieldRemux
	FieldThreeD
	FieldSample
	FieldApp
	FieldComplete
	FieldPack
	numFields
)

var fieldNames = [numFields]string{
	"title", "alt_title", "artist", "episode_title", "year", "seasons", "episodes", "date", "part", "resolution", "source",
	"video_codec", "audio_codec", "channels", "bit_depth", "hdr", "edition", "languages", "subtitles", "release_group",
	"version", "container", "network", "platform", "format", "volume", "issue", "isbn", "adult", "site", "crc", "country",
	"absolute", "dubbed", "proper", "repack", "remux", "three_d", "sample", "app", "complete", "pack",
}

// String is the field's name in JSON.
func (f Field) String() string { return fieldNames[f] }

// Span is where a field stands: name[Start:End]. Both are 0 where the field is absent.
type Span struct{ Start, End int32 }

// Release is what a name says. A zero value means that the name does not say it.
type Release struct {
	Title        string // the title; of "Ru / En" the Latin one
	AltTitle     string // a second title, or what follows the title's dash
	AltSubtitle  bool   // AltTitle goes on where Title stops ("Title - Subtitle"): together they are the title
	Artist       string // of music, the author of a book
	EpisodeTitle string
	Year         int
	YearEnd      int // of a range of years, the last
	Seasons      []int
	Episodes     []int
	Absolute     []int  // episode numbers counted over all seasons
	Date         string // of a daily show: 2014-10-31
	Part         int
	Volume       int
	Issue        int
	ISBN         string

	Resolution   int    // lines: 1080
	Source       string // cam telesync telecine hddvd bluray web workprint vhs ppv tv dvd master
	VideoCodec   string
	AudioCodec   string
	Channels     string
	BitDepth     int
	HDR          []string
	Edition      string
	Languages    []string // ISO 639-1, or multi, dual, nordic
	Subtitles    []string
	Dubbed       bool
	ReleaseGroup string
	Version      string
	Proper       bool
	Repack       bool
	Remux        bool
	ThreeD       bool
	Sample       bool
	Container    string
	Network      string
	Platform     string
	Format       string
	App          bool // words of programs: keygen, portable, update
	Adult        string
	Complete     bool
	Pack         bool // several works in one
	Country      string
	Site         string
	CRC          string
	Script       string // the title's dominant script
	Cut          bool   // the name was longer than MaxName

	Spans [numFields]Span

	hints hints // what the name's words say about the kind of content
}

// FullTitle is the title with what its dash leads to.
func (r *Release) FullTitle() string {
	if r.AltSubtitle && r.AltTitle != "" {
		return r.Title + " - " + r.AltTitle
	}
	return r.Title
}

// reset empties r and keeps its slices.
func (r *Release) reset() {
	*r = Release{
		Seasons: r.Seasons[:0], Episodes: r.Episodes[:0], Absolute: r.Absolute[:0], HDR: r.HDR[:0],
		Languages: r.Languages[:0], Subtitles: r.Subtitles[:0],
	}
}

// Parse reads one name. To read many, keep a Parser.
func Parse(name string) Release {
	var p Parser
	var r Release
	p.Parse(name, &r)
	return r
}

// Parser holds what parsing needs between names. The zero value is ready; it is not safe for concurrent use.
type Parser struct {
	list    token.List
	toks    []token.Token
	marks   []mark
	name    string
	buf     []byte
	segs    []segment
	escapes []escape
	r       *Release

	start    int // the title's first token
	end      int // the token behind the title: where the tags begin
	strong   int // the first sure tag at or behind end
	tail     int // the token behind the last one that counts
	year     int // the token that is the year, -1 for none
	hinted   int // the token behind the last explicit word or phrase
	second   int // the first token of a second title's bracket, 0 for none
	group    [2]int
	lead     int16 // the region at the name's head that may be a group, 0 for none
	byMarker bool  // the title ends at a season, episode or date
}

// Parse reads name into r, whose slices it uses again.
func (p *Parser) Parse(name string, r *Release) {
	r.reset()
	p.r = r
	short := cut(name)
	r.Cut = len(short) < len(name)
	p.name = p.unescape(short)
	p.list.Split(p.name)
	p.toks = p.list.Tokens
	p.marks = append(p.marks[:0], make([]mark, len(p.toks))...)
	p.tail, p.year, p.lead, p.second, p.hinted, p.group = len(p.toks), -1, 0, 0, 0, [2]int{}
	p.extension()
	p.lookup()
	p.sites()
	p.numbers()
	p.extras()
	p.findDates()
	p.findSeasons()
	p.findStart()
	p.findBareEpisodes()
	p.findYear()
	p.findEnd()
	p.findGroup()
	p.accept()
	p.collect()
	p.titles()
	p.music()
	p.finish()
	if len(p.escapes) > 0 {
		p.escaped(short)
	}
	p.r, p.name = nil, ""
}

// cut shortens name to MaxName bytes: at a blank or another mark of ASCII, so that no word is halved, or where none is near
// at a rune's end.
func cut(name string) string {
	if len(name) <= MaxName {
		return name
	}
	for n := MaxName; n > MaxName-maxWord; n-- {
		if c := name[n]; c < utf8.RuneSelf && !alphanumeric(c) {
			return name[:n]
		}
	}
	n := MaxName
	for n > MaxName-utf8.UTFMax && !utf8.RuneStart(name[n]) {
		n--
	}
	return name[:n]
}

// maxWord is how far back cut looks for the word's beginning.
const maxWord = 128

func alphanumeric(c byte) bool {
	return c >= '0' && c <= '9' || c >= 'A' && c <= 'Z' || c >= 'a' && c <= 'z' || c == '\''
}

func (p *Parser) fold(i int) []byte {
	t := &p.toks[i]
	return p.list.Fold[t.FoldStart:t.FoldEnd]
}

// text is token i as the name writes it.
func (p *Parser) text(i int) string { return p.name[p.toks[i].Start:p.toks[i].End] }

// slice is the name from token a to before token b, made valid and without control characters.
func (p *Parser) slice(a, b int) string {
	s := strings.ToValidUTF8(p.name[p.toks[a].Start:p.toks[b-1].End], "")
	if strings.ContainsFunc(s, hidden) {
		s = strings.Map(func(r rune) rune {
			if hidden(r) {
				return -1
			}
			return r
		}, s)
	}
	return s
}

// hidden tells whether r shows nothing and would only spoil a line: control characters, marks of direction. Those that join
// letters in Persian and Indian words stay.
func hidden(r rune) bool {
	if r < utf8.RuneSelf {
		return r < ' ' || r == 0x7F
	}
	return unicode.IsControl(r) || unicode.Is(unicode.Cf, r) && r != '\u200c' && r != '\u200d'
}

func (p *Parser) span(f Field, a, b int) {
	if s := &p.r.Spans[f]; s.End == 0 {
		*s = Span{p.toks[a].Start, p.toks[b-1].End}
	}
}

// kind is what a token was found to be.
type kind uint8

const (
	free     kind = iota
	tag           // of the lexicon
	cont          // a later word of the tag, number or marker before it
	season        // a season marker
	episode       // an episode marker
	date          // a day
	yearLike      // four digits that may be a year
	number        // a number with a unit, channels, a checksum: never a title's end by itself
	lines         // a resolution
	site          // a web address
	ext           // the file extension
	partMark      // Part 2, Vol. 3
	versionMark
)

// mark is what is known of a token.
type mark struct {
	kind  kind
	class lexicon.Class
	ok    bool // accepted as a tag
	n     int16
	entry *lexicon.Entry
}

// is tells whether token i is a tag of field f, whatever its class.
func (p *Parser) is(i int, f lexicon.Field) bool {
	return i >= 0 && i < len(p.marks) && p.marks[i].kind == tag && p.says(i, f) != nil
}

// says returns what token i's word says about field f.
func (p *Parser) says(i int, f lexicon.Field) *lexicon.Meaning {
	e := p.marks[i].entry
	if e == nil {
		return nil
	}
	for m := range e.Meanings {
		if e.Meanings[m].Field == f {
			return &e.Meanings[m]
		}
	}
	return nil
}

// set marks the tokens from a to before b as one thing.
func (p *Parser) set(a, b int, k kind) {
	for i := a; i < b && i < len(p.marks); i++ {
		p.marks[i] = mark{kind: cont}
	}
	p.marks[a] = mark{kind: k, class: lexicon.Strong, n: int16(b - a)}
}

// digits tells whether token i is a number of lo to hi digits.
func (p *Parser) digits(i, lo, hi int) bool {
	return i >= 0 && i < len(p.toks) && int(p.toks[i].Digits) >= lo && int(p.toks[i].Digits) <= hi
}

// sep is what stands before token i, or behind the last one.
func (p *Parser) sep(i int) token.Sep {
	if i >= len(p.toks) {
		return p.list.Tail
	}
	return p.toks[i].Sep
}

// region is the region of token i, -1 beyond the ends.
func (p *Parser) region(i int) int16 {
	if i < 0 || i >= len(p.toks) {
		return -1
	}
	return p.toks[i].Region
}
