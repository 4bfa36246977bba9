package release

import (
	"slices"
	"strings"
)

// Content is what kind of thing a torrent holds.
type Content struct {
	Type       string  // movie tv anime music audiobook book comic game software course adult other
	Newznab    int32   // the category's number
	Adult      bool    // true for the type adult only
	Confidence float32 // 0 to 1
	Evidence   string  // what spoke for it
}

// The types of content.
const (
	TypeMovie     = "movie"
	TypeTV        = "tv"
	TypeAnime     = "anime"
	TypeMusic     = "music"
	TypeAudiobook = "audiobook"
	TypeBook      = "book"
	TypeComic     = "comic"
	TypeGame      = "game"
	TypeSoftware  = "software"
	TypeCourse    = "course"
	TypeAdult     = "adult"
	TypeOther     = "other"
)

// newznab is a type's category; a game's depends on where it runs.
func newznab(contentType string, console bool) int32 {
	if contentType == TypeGame && console {
		return 1000
	}
	for _, c := range [...]struct {
		contentType string
		category    int32
	}{
		{TypeMovie, 2000}, {TypeTV, 5000}, {TypeAnime, 5070}, {TypeMusic, 3000}, {TypeAudiobook, 3030}, {TypeBook, 7000}, {TypeComic, 7030},
		{TypeGame, 4050}, {TypeSoftware, 4000}, {TypeCourse, 7040}, {TypeAdult, 6000},
	} {
		if c.contentType == contentType {
			return c.category
		}
	}
	return 8000
}

// hints counts the words of a name that hint at a kind of content, by kind.
type hints [numHints]uint8

const (
	hintCourse = iota
	hintGame
	hintSoftware
	hintAnime
	hintMusic
	hintAudiobook
	hintBook
	hintComic
	hintTV
	hintExplicit
	hintSoft
	hintStudio
	hintJav
	numHints
)

// hintNames are the kinds as the lexicon writes them.
var hintNames = [numHints]string{
	"course", "game", "software", "anime", "music", "audiobook", "book", "comic", "tv", "explicit", "soft", "studio", "jav",
}

func (h *hints) add(value string) {
	switch value {
	case "school":
		value = "course"
	case "discography": // counts twice
		h.add("music")
		value = "music"
	}
	for n, name := range hintNames {
		if name == value && h[n] < 255 {
			h[n]++
		}
	}
}

// Classify tells what a torrent holds from its name, parsed into r, and its files. Media may be empty: then the name alone
// speaks, with less confidence.
func Classify(r *Release, name string, m Media) Content {
	c := Content{Type: TypeOther, Confidence: 0.3, Evidence: "nothing in the name or files"}
	if m.Files > 0 {
		c.byFiles(r, &m)
	} else {
		c.byName(r)
	}
	if e := adultEvidence(r, name, c.Type); e != "" {
		c.Type, c.Confidence, c.Evidence = TypeAdult, 0.9, e
	}
	c.Adult = c.Type == TypeAdult
	c.Newznab = newznab(c.Type, console(r) || m.Share(MediaROM) > 0.5)
	return c
}

func (c *Content) set(contentType string, confidence float32, evidence string) {
	c.Type, c.Confidence, c.Evidence = contentType, confidence, evidence
}

// dominant is the part of the bytes from which one class of files decides.
const dominant = 0.6

// byFiles decides from the class of files that holds most of the bytes, and within it from the name.
func (c *Content) byFiles(r *Release, m *Media) {
	switch {
	case m.Share(MediaVideo) >= dominant:
		c.video(r, m, "video files")
	case m.Share(MediaAudio) >= dominant:
		if m.audiobook*2 > m.Bytes || spokenBook(r) {
			c.set(TypeAudiobook, 0.9, "audio files of a book")
		} else {
			c.set(TypeMusic, 0.9, "audio files")
		}
	case m.Share(MediaComic) >= 0.5:
		c.set(TypeComic, 0.95, "comic files")
	case m.Share(MediaBook) >= 0.5:
		if r.hints[hintComic] > 0 && r.hints[hintBook] == 0 {
			c.set(TypeComic, 0.6, "book files, the name of a comic")
		} else {
			c.set(TypeBook, 0.9, "book files")
		}
	case m.Share(MediaROM) >= 0.5:
		c.set(TypeGame, 0.95, "files of a console")
	case m.Share(MediaImage) >= dominant:
		if r.hints[hintComic] > 0 || r.Volume > 0 && r.Resolution == 0 {
			c.set(TypeComic, 0.7, "images, the name of a comic")
		} else {
			c.set(TypeOther, 0.6, "images")
		}
	case m.Share(MediaProgram)+m.Share(MediaDiscImage)+m.Share(MediaArchive)+m.Share(MediaData) >= 0.5:
		c.packed(r, m)
	case m.Share(MediaVideo) > 0.3 && r.hints[hintCourse] > 0:
		c.set(TypeCourse, 0.7, "videos with other files, the name of a course")
	case m.Share(MediaText)+m.Share(MediaSource) > 0.5:
		c.set(TypeOther, 0.6, "text files")
	default:
		c.byName(r)
		c.Confidence *= 0.8
	}
}

// packed decides among programs, games and what archives and disc images may hide.
func (c *Content) packed(r *Release, m *Media) {
	c.byName(r)
	switch {
	case c.Type == TypeGame || c.Type == TypeSoftware || m.Share(MediaProgram) < 0.3 && c.Type != TypeOther && c.Confidence >= 0.6:
		c.Confidence = min(c.Confidence+0.2, 0.95)
	case m.setup && (m.Share(MediaDiscImage) > 0.3 || m.Share(MediaData)+m.Share(MediaArchive) > 0.4 && m.Bytes > 2<<30):
		c.set(TypeGame, 0.5, "an installer and gigabytes of data")
	case m.Share(MediaProgram) > 0.1 || m.setup:
		c.set(TypeSoftware, 0.6, "programs")
	case m.Share(MediaDiscImage) > 0.5 && c.Type == TypeOther:
		c.set(TypeSoftware, 0.4, "a disc image")
	case m.Share(MediaData) > 0.5:
		c.set(TypeOther, 0.5, "data files")
	}
}

// rule is what a sign says of the content.
type rule struct {
	holds       bool
	contentType string
	confidence  float32
	evidence    string
}

// decide takes the first rule that holds; it reports whether one did.
func (c *Content) decide(rules []rule, about string) bool {
	for i := range rules {
		if r := &rules[i]; r.holds {
			c.set(r.contentType, r.confidence, about+r.evidence)
			return true
		}
	}
	return false
}

// video decides what a video is.
func (c *Content) video(r *Release, m *Media, files string) {
	h := &r.hints
	episodic := len(r.Seasons) > 0 || len(r.Episodes) > 0
	lessons := m.videos >= 8 && m.lessons*10 > m.videos*7
	c.decide([]rule{
		{h[hintCourse] > 1 || h[hintCourse] > 0 && lessons && !episodic, TypeCourse, 0.8, ", the name of a course"},
		{animeLike(r), TypeAnime, 0.85, ", named as anime is"},
		{episodic, TypeTV, 0.95, ", season or episode in the name"},
		{h[hintTV] > 0, TypeTV, 0.8, ", called a series"},
		{r.Date != "", TypeTV, 0.8, ", a day in the name"},
		{r.Format == "Music Video" || r.Artist != "", TypeMusic, 0.7, ", named as music is"},
		{r.Year > 0, TypeMovie, 0.9, ", a year in the name"},
		{r.Complete && (m.videos > 5 || m.Files == 0), TypeTV, 0.6, ", complete"},
		{r.Resolution > 0 || r.Source != "" || r.VideoCodec != "", TypeMovie, 0.7, ", the tags of a film"},
		{true, TypeMovie, 0.5, ""},
	}, files)
}

// byName decides from the name alone.
func (c *Content) byName(r *Release) {
	h := &r.hints
	video := r.VideoCodec != "" || r.Resolution > 0 || r.Source != "" && r.Source != "web" || MediaOf(r.Container) == MediaVideo
	episodic := len(r.Seasons) > 0 || len(r.Episodes) > 0
	plain := !video && !episodic
	drawn := r.Format == "CBR" || MediaOf(r.Container) == MediaComic
	shop := r.Platform == "PC" || r.Platform == "GOG" || r.Platform == "Steam"
	if c.decide([]rule{
		{spokenBook(r) && !video, TypeAudiobook, 0.8, "words of audiobooks in the name"},
		{drawn || !video && (h[hintComic] > 1 || h[hintComic] > 0 && MediaOf(r.Container) == MediaArchive || h[hintComic] > 0 && (r.Volume > 0 || r.Issue > 0)), TypeComic, 0.85, "words of comics in the name"},
		{printed(r) && !video, TypeBook, 0.8, "words of books in the name"},
		{MediaOf(r.Container) == MediaROM || console(r) && !video || (h[hintGame] > 0 || shop) && plain && !(musical(r) && r.Version == ""), TypeGame, 0.8, "a game's platform or makers in the name"},
		{h[hintCourse] > 0 && h[hintCourse] >= h[hintSoftware] && !r.App && r.Version == "" && plain, TypeCourse, 0.6, "words of courses in the name"},
		{(r.App || h[hintSoftware] > 0) && plain && !(r.Artist != "" && r.Year > 0), TypeSoftware, 0.7, "words of programs in the name"},
		{!episodic && (h[hintCourse] > 1 || h[hintCourse] > 0 && !video && r.Year == 0), TypeCourse, 0.6, "words of courses in the name"},
		{(musical(r) || h[hintMusic] > 0 && (r.Artist != "" || r.AltSubtitle)) && plain, TypeMusic, 0.75, "words of music in the name"},
	}, "") {
		return
	}
	if video || episodic {
		c.video(r, &Media{}, "words of video")
		c.Confidence -= 0.1
		return
	}
	packed := MediaOf(r.Container) == MediaArchive || MediaOf(r.Container) == MediaImage
	c.decide([]rule{
		{r.Version != "" || r.Platform != "", TypeSoftware, 0.5, "a version or platform in the name"},
		{packed, TypeOther, 0.4, "an archive"},
		{h[hintBook] > 0 && r.Artist == "" && r.Date == "", TypeBook, 0.5, "a word of books or a magazine's month in the name"},
		{h[hintTV] > 0 && r.Year > 0 && r.Artist == "" && r.ReleaseGroup == "", TypeTV, 0.5, "called a series or a sport"},
		{r.Date != "" && r.Artist == "", TypeTV, 0.5, "a day in the name"},
		{r.Year > 0 && r.Artist == "", TypeMovie, 0.5, "a year in the name"},
		{r.Artist != "", TypeMusic, 0.5, "an artist in the name"},
		{r.Source == "web" || r.Date != "", TypeTV, 0.4, "a broadcast's words in the name"},
		{r.ReleaseGroup != "" && r.Spans[FieldGroup].Start > r.Spans[FieldTitle].Start, TypeGame, 0.35, "a group and no other tag"},
		{h[hintMusic] > 0, TypeMusic, 0.4, "a word of music in the name"},
	}, "")
}

// animeLike tells whether a release is named as those of anime are: a fansub's bracket before an episode counted from the
// first, a checksum, or known words.
func animeLike(r *Release) bool {
	if r.hints[hintAnime] > 0 {
		return true
	}
	lead := r.Spans[FieldGroup].End > 0 && r.Spans[FieldGroup].End < r.Spans[FieldTitle].Start
	if r.CRC != "" && (lead || len(r.Episodes) > 0) {
		return true
	}
	return lead && (len(r.Episodes) > 0 || r.BitDepth == 10 || r.AudioCodec == "flac" || slices.Contains(r.Languages, "dual"))
}

// console tells whether a release is for a games machine.
func console(r *Release) bool {
	switch r.Platform {
	case "", "Windows", "PC", "macOS", "Linux", "Android", "iOS", "MultiOS", "Steam", "GOG":
		return false
	}
	return true
}

func spokenBook(r *Release) bool { return r.Format == "Audiobook" || r.hints[hintAudiobook] > 0 }

func printed(r *Release) bool {
	switch r.Format {
	case "EPUB", "PDF", "MOBI", "DJVU", "FB2", "eBook", "Magazine":
		return true
	}
	return r.ISBN != "" || MediaOf(r.Container) == MediaBook
}

func musical(r *Release) bool {
	switch r.Format {
	case "FLAC", "MP3", "ALAC", "Vinyl", "Single", "CD", "Cassette", "EP", "Album", "Discography", "Lossless", "OST", "Soundtrack", "Music Video":
		return true
	}
	switch r.AudioCodec {
	case "flac", "mp3", "alac", "ape", "wav", "wma", "m4a", "dsd", "opus":
		return true
	}
	return MediaOf(r.Container) == MediaAudio || r.hints[hintMusic] > 1
}

// groupXXX tells whether XXX stands where the group of a film does: Some Film 2017 1080p WEB-DL H265-XXX.
func groupXXX(r *Release, name string) bool {
	s := r.Spans[FieldAdult]
	return r.Year > 0 && r.VideoCodec != "" && s.Start > 0 && int(s.Start) <= len(name) && name[s.Start-1] == '-' && int(s.End)+5 > len(name)
}

// adultEvidence says what makes a release adult, empty for nothing. One word that has no other use is enough; words with
// another use count in threes, or beside a studio's name.
func adultEvidence(r *Release, name, contentType string) string {
	h := &r.hints
	switch contentType {
	case TypeSoftware, TypeCourse:
		return ""
	}
	switch {
	case r.Adult == "xxx" && (len(r.Seasons) == 0 && !groupXXX(r, name) || h[hintExplicit]+h[hintSoft]+h[hintStudio] > 0):
		return "XXX behind the title"
	case h[hintJav] > 0 && contentType != TypeBook && contentType != TypeMusic && r.Year == 0 && len(r.Seasons) == 0:
		return "a studio's code at the head of the name"
	case h[hintStudio] > 0 && (h[hintExplicit]+h[hintSoft] > 0 || r.Date != "" || r.Adult != ""):
		return "a studio's name with adult words"
	case h[hintExplicit] > 1 || h[hintExplicit] > 0 && (h[hintSoft] > 0 || r.Year == 0 && len(r.Seasons) == 0):
		if contentType == TypeMusic && h[hintExplicit] < 2 || contentType == TypeBook && h[hintExplicit] < 2 {
			return ""
		}
		return "adult words"
	case h[hintSoft] > 3 && r.Year == 0 && len(r.Seasons) == 0:
		return "many words of adult titles"
	case h[hintStudio] > 0 && strings.Contains(name, "XXX"):
		return "a studio's name"
	}
	return ""
}
