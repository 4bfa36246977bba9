// Package lexicon knows the words that release names use for something other than a title: sources, codecs, languages,
// the words for season and episode. lexicon.txt is written by people; table.go, generated from it, is a hash table laid
// out by the compiler, so that nothing has to be built when a program starts and a look-up costs one hash.
package lexicon

//go:generate go run ./gen -in lexicon.txt -out table.go

// Class says how sure it is that a word is a tag and not part of a title.
type Class uint8

// The classes, explained at the head of lexicon.txt.
const (
	None Class = iota
	Strong
	Weak
	Language
	Zone
	Capital
	Hinting
)

// Field is what a word tells about.
type Field uint8

// The fields of lexicon.txt.
const (
	NoField Field = iota
	Resolution
	Source
	VideoCodec
	AudioCodec
	Channels
	BitDepth
	HDR
	Edition
	Lang
	Subs
	Dub
	Proper
	Repack
	Container
	Network
	Platform
	Format
	Adult
	Complete
	Pack
	Sample
	ThreeD
	Remux
	Hybrid
	Misc
	Junk
	Country
	App
	SeasonWord
	EpisodeWord
	PartWord
	VolumeWord
	IssueWord
	DiscWord
	OfWord
	AndWord
	ToWord
	Hint
	Ordinal
	Cardinal
	Month
	numFields
)

// Names are the fields as lexicon.txt writes them.
var Names = [numFields]string{
	"", "resolution", "source", "video_codec", "audio_codec", "channels", "bit_depth", "hdr", "edition", "lang", "subs",
	"dub", "proper", "repack", "container", "network", "platform", "format", "adult", "complete", "pack", "sample",
	"three_d", "remux", "hybrid", "misc", "junk", "country", "app", "season", "episode", "part", "volume", "issue", "disc",
	"of", "and", "to", "hint", "ordinal", "cardinal", "month",
}

// Meaning is one thing a word says.
type Meaning struct {
	Field Field
	Class Class
	Value string
}

// Entry is a word or phrase. First is set where some phrase begins with it: the number of words of the longest. A word
// that only begins phrases has no meanings.
type Entry struct {
	Key      string
	First    uint8
	Hints    bool // all its meanings are hints
	Meanings []Meaning
}

// Find returns the entry of a folded word or phrase, nil where there is none.
func Find(key []byte) *Entry {
	for i := Hash(key) & tableMask; ; i = (i + 1) & tableMask {
		n := index[i]
		if n == 0 {
			return nil
		}
		if e := &table[n-1]; e.Key == string(key) {
			return e
		}
	}
}

// Hash is FNV-1a.
func Hash(key []byte) uint32 {
	h := uint32(2166136261)
	for _, c := range key {
		h = (h ^ uint32(c)) * 16777619
	}
	return h
}
