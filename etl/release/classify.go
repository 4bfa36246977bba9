package release

import "strings"

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
	switch contentType {
	case TypeMovie:
		return 2000
	case TypeTV:
		return 5000
	case TypeAnime:
		return 5070
	case TypeMusic:
		return 3000
	case TypeAudiobook:
		return 3030
	case TypeBook:
		return 7000
	case TypeComic:
		return 7030
	case TypeGame:
		if console {
			return 1000
		}
		return 4050
	case TypeSoftware:
		return 4000
	case TypeCourse:
		return 7040
	case TypeAdult:
		return 6000
	}
	return 8000
}

// hints counts the words of a name that hint at a kind of content.
type hints struct {
	course, game, software, anime, music, audiobook, book, comic, tv uint8
	explicit, soft, studio, jav                                      uint8
}

func (h *hints) add(value string) {
	var n *uint8
	switch value {
	case "course", "school":
		n = &h.course
	case "game":
		n = &h.game
	case "software":
		n = &h.software
	case "anime":
		n = &h.anime
	case "music":
		n = &h.music
	case "discography":
		h.add("music")
		n = &h.music
	case "audiobook":
		n = &h.audiobook
	case "book":
		n = &h.book
	case "comic":
		n = &h.comic
	case "tv":
		n = &h.tv
	case "explicit":
		n = &h.explicit
	case "soft":
		n = &h.soft
	case "studio":
		n = &h.studio
	case "jav":
		n = &h.jav
	default:
		return
	}
	if *n < 255 {
		*n++
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
		if r.hints.comic > 0 && r.hints.book == 0 {
			c.set(TypeComic, 0.6, "book files, the name of a comic")
		} else {
			c.set(TypeBook, 0.9, "book files")
		}
	case m.Share(MediaROM) >= 0.5:
		c.set(TypeGame, 0.95, "files of a console")
	case m.Share(MediaImage) >= dominant:
		if r.hints.comic > 0 || r.Volume > 0 && r.Resolution == 0 {
			c.set(TypeComic, 0.7, "images, the name of a comic")
		} else {
			c.set(TypeOther, 0.6, "images")
		}
	case m.Share(MediaProgram)+m.Share(MediaDiscImage)+m.Share(MediaArchive)+m.Share(MediaData) >= 0.5:
		c.packed(r, m)
	case m.Share(MediaVideo) > 0.3 && r.hints.course > 0:
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

// video decides what a video is.
func (c *Content) video(r *Release, m *Media, files string) {
	episodic := len(r.Seasons) > 0 || len(r.Episodes) > 0
	lessons := m.videos >= 8 && m.lessons*10 > m.videos*7
	switch {
	case r.hints.course > 1 || r.hints.course > 0 && lessons && !episodic:
		c.set(TypeCourse, 0.8, files+", the name of a course")
	case animeLike(r):
		c.set(TypeAnime, 0.85, files+", named as anime is")
	case episodic:
		c.set(TypeTV, 0.95, files+", season or episode in the name")
	case r.hints.tv > 0:
		c.set(TypeTV, 0.8, files+", called a series")
	case r.Date != "":
		c.set(TypeTV, 0.8, files+", a day in the name")
	case r.Format == "Music Video" || r.Artist != "":
		c.set(TypeMusic, 0.7, files+", named as music is")
	case r.Year > 0:
		c.set(TypeMovie, 0.9, files+", a year in the name")
	case m.videos > 5 && r.Complete:
		c.set(TypeTV, 0.6, files+", many and complete")
	case r.Resolution > 0 || r.Source != "" || r.VideoCodec != "":
		c.set(TypeMovie, 0.7, files+", the tags of a film")
	default:
		c.set(TypeMovie, 0.5, files)
	}
}

// byName decides from the name alone.
func (c *Content) byName(r *Release) {
	video := r.VideoCodec != "" || r.Resolution > 0 || r.Source != "" && r.Source != "web" || MediaOf(r.Container) == MediaVideo
	episodic := len(r.Seasons) > 0 || len(r.Episodes) > 0
	h := &r.hints
	switch {
	case spokenBook(r) && !video:
		c.set(TypeAudiobook, 0.8, "words of audiobooks in the name")
	case r.Format == "CBR" || MediaOf(r.Container) == MediaComic || h.comic > 1 && !video || h.comic > 0 && (r.Volume > 0 || r.Issue > 0) && !video:
		c.set(TypeComic, 0.85, "words of comics in the name")
	case printed(r) && !video:
		c.set(TypeBook, 0.8, "words of books in the name")
	case console(r) && !video || (h.game > 0 || r.Platform == "PC" || r.Platform == "GOG" || r.Platform == "Steam") && !video && !episodic:
		c.set(TypeGame, 0.8, "a game's platform or makers in the name")
	case h.course > 0 && h.course >= h.software && !r.App && r.Version == "" && !episodic && !video:
		c.set(TypeCourse, 0.6, "words of courses in the name")
	case (r.App || h.software > 0) && !video && !episodic:
		c.set(TypeSoftware, 0.7, "words of programs in the name")
	case h.course > 1 && !episodic || h.course > 0 && !video && !episodic && r.Year == 0:
		c.set(TypeCourse, 0.6, "words of courses in the name")
	case musical(r) && !video && !episodic:
		c.set(TypeMusic, 0.75, "words of music in the name")
	case video || episodic:
		c.video(r, &Media{}, "words of video")
		c.Confidence -= 0.1
	case r.Version != "" || r.Platform != "":
		c.set(TypeSoftware, 0.5, "a version or platform in the name")
	case MediaOf(r.Container) == MediaArchive || MediaOf(r.Container) == MediaImage:
		c.set(TypeOther, 0.4, "an archive")
	case r.Year > 0 && r.Artist == "":
		c.set(TypeMovie, 0.5, "a year in the name")
	case r.Artist != "":
		c.set(TypeMusic, 0.5, "an artist in the name")
	case r.Source == "web" || r.Date != "":
		c.set(TypeTV, 0.4, "a broadcast's words in the name")
	case r.ReleaseGroup != "" && r.Spans[FieldGroup].Start > r.Spans[FieldTitle].Start:
		c.set(TypeGame, 0.35, "a group and no other tag")
	case h.music > 0:
		c.set(TypeMusic, 0.4, "a word of music in the name")
	}
}

// animeLike tells whether a release is named as those of anime are: a fansub's bracket before an episode counted from the
// first, a checksum, or known words.
func animeLike(r *Release) bool {
	if r.hints.anime > 0 {
		return true
	}
	lead := r.Spans[FieldGroup].End > 0 && r.Spans[FieldGroup].End < r.Spans[FieldTitle].Start
	if r.CRC != "" && (lead || len(r.Episodes) > 0) {
		return true
	}
	return lead && len(r.Episodes) > 0
}

// console tells whether a release is for a games machine.
func console(r *Release) bool {
	switch r.Platform {
	case "", "Windows", "PC", "macOS", "Linux", "Android", "iOS", "MultiOS", "Steam", "GOG":
		return false
	}
	return true
}

func spokenBook(r *Release) bool { return r.Format == "Audiobook" || r.hints.audiobook > 0 }

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
	return MediaOf(r.Container) == MediaAudio || r.hints.music > 1
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
	case r.Adult == "xxx" && (len(r.Seasons) == 0 || h.explicit+h.soft+h.studio > 0):
		return "XXX behind the title"
	case h.jav > 0 && contentType != TypeBook && contentType != TypeMusic && r.Year == 0 && len(r.Seasons) == 0:
		return "a studio's code at the head of the name"
	case h.studio > 0 && (h.explicit+h.soft > 0 || r.Date != "" || r.Adult != ""):
		return "a studio's name with adult words"
	case h.explicit > 1 || h.explicit > 0 && (h.soft > 0 || r.Year == 0 && len(r.Seasons) == 0):
		if contentType == TypeMusic && h.explicit < 2 || contentType == TypeBook && h.explicit < 2 {
			return ""
		}
		return "adult words"
	case h.soft > 3 && r.Year == 0 && len(r.Seasons) == 0:
		return "many words of adult titles"
	case h.studio > 0 && strings.Contains(name, "XXX"):
		return "a studio's name"
	}
	return ""
}
