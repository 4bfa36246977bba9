package release

import (
	"crypto/sha256"
	"encoding/hex"
	"slices"
	"strconv"
	"strings"

	"github.com/boontorrent/boon/etl/release/internal/lexicon"
	"github.com/boontorrent/boon/etl/release/internal/token"
)

// KeyVersion changes when the same release would get another work.
const KeyVersion = 2

// Level says how much of a work an identifier stands for.
type Level uint8

// The levels: a film or a whole series; one season of it; one episode.
const (
	LevelWork Level = iota
	LevelSeason
	LevelEpisode
)

// Work is what makes two releases the same work.
type Work struct {
	Kind    string // film, series, or the content type of everything else
	Title   string // as NormTitle gives it
	Creator string // of music and books, normalised; empty otherwise
	Year    int    // 0 where it is not known
	Part    int
	Country string // of a series that several countries made under one name
	Season  int    // -1 where no season, or more than one, is named
	Episode int    // -1 likewise; a daily show has yyyymmdd
}

// WorkOf returns the work that a release of the given content type holds.
func WorkOf(r *Release, contentType string) Work {
	w := Work{Kind: workKind(r, contentType), Title: NormTitle(r.FullTitle()), Year: r.Year, Part: r.Part, Season: -1, Episode: -1}
	if w.Part > 0 {
		w.Title = withoutPart(w.Title, w.Part)
	}
	switch w.Kind {
	case "series":
		w.Country, w.Part = r.Country, 0
		if s := r.Spans[FieldSeason]; r.Date != "" || s.End > 0 && r.Spans[FieldYear].Start > s.Start || len(r.Seasons) == 1 && r.Seasons[0] == r.Year {
			w.Year = 0 // the year of the season, not of the series
		}
		if len(r.Seasons) == 1 {
			w.Season = r.Seasons[0]
		}
		if len(r.Episodes) == 1 {
			w.Episode = r.Episodes[0]
		} else if r.Date != "" {
			w.Episode, _ = strconv.Atoi(r.Date[:4] + r.Date[5:7] + r.Date[8:])
		}
	case "music", "audiobook", "book", "comic":
		w.Creator = NormTitle(r.Artist)
		if w.Creator != "" {
			w.Year = 0 // of an edition: the creator and the title say enough
		}
		w.Episode = max(r.Volume, r.Issue)
		if w.Episode == 0 {
			w.Episode = -1
		}
	case "software", "game", "course":
		w.Year = 0
	}
	return w
}

// workKind joins the types that one work may be told as: an anime is a series or a film.
func workKind(r *Release, contentType string) string {
	switch contentType {
	case "movie", "tv", "anime", "":
		if len(r.Seasons) > 0 || len(r.Episodes) > 0 || r.Date != "" || contentType == "tv" || contentType == "anime" && r.Complete {
			return "series"
		}
		if r.Pack {
			return "films"
		}
		return "film"
	}
	return contentType
}

// withoutPart takes "part 2" off the end of a normalised title, where r.Part says the same.
func withoutPart(title string, part int) string {
	head, last, ok := cutLast(title)
	if !ok || last != strconv.Itoa(part) {
		return title
	}
	rest, word, ok := cutLast(head)
	if !ok || !means(word, lexicon.PartWord) {
		return title
	}
	return rest
}

func cutLast(s string) (head, last string, ok bool) {
	i := strings.LastIndexByte(s, ' ')
	if i < 0 {
		return "", s, false
	}
	return s[:i], s[i+1:], true
}

// means tells whether the lexicon knows word in field f.
func means(word string, f lexicon.Field) bool {
	e := lexicon.Find([]byte(word))
	return e != nil && slices.ContainsFunc(e.Meanings, func(m lexicon.Meaning) bool { return m.Field == f })
}

// Known tells whether the name says which work it is: one without a letter or digit is no work.
func (w *Work) Known() bool { return w.Title != "" }

// ID is the work's identifier at a level: the first 8 bytes of a hash.
func (w Work) ID(level Level) [8]byte {
	b := make([]byte, 0, 128)
	b = strconv.AppendInt(b, KeyVersion, 10)
	for _, s := range [...]string{w.Kind, compactTitle(w.Title), compactTitle(w.Creator), w.Country} {
		b = append(append(b, 0), s...)
	}
	season, episode := -1, -1
	if level >= LevelSeason {
		season = w.Season
	}
	if level >= LevelEpisode {
		episode = w.Episode
	}
	for _, n := range [...]int{w.Year, w.Part, season, episode} {
		b = strconv.AppendInt(append(b, 0), int64(n), 10)
	}
	sum := sha256.Sum256(b)
	return [8]byte(sum[:8])
}

// String is the identifier at the work's level, in hex.
func (w Work) String() string {
	id := w.ID(LevelWork)
	return hex.EncodeToString(id[:])
}

// WorkID is the identifier of the work that a release of the given content type holds, in hex.
func WorkID(r *Release, contentType string, level Level) string {
	id := WorkOf(r, contentType).ID(level)
	return hex.EncodeToString(id[:])
}

func compactTitle(s string) string {
	b := make([]byte, 0, len(s))
	for i := range len(s) {
		if s[i] != ' ' {
			b = append(b, s[i])
		}
	}
	return string(b)
}

// NormTitle folds a title so that its spellings agree: case, accents, punctuation, a leading article, "&" and Roman numbers.
func NormTitle(title string) string {
	var l token.List
	l.Split(title)
	b := make([]byte, 0, len(l.Fold)+8)
	var prev []byte
	for i := range l.Tokens {
		t := &l.Tokens[i]
		f := l.Fold[t.FoldStart:t.FoldEnd]
		if i == 0 && len(l.Tokens) > 1 && article(string(f)) {
			continue
		}
		last := prev
		prev = f
		if len(b) > 0 {
			b = append(b, ' ')
		}
		if t.Sep.Has(token.Amp) && i > 0 {
			b = append(b, "and "...)
		}
		if n := roman(f); n > 1 && i > 0 && len(f) > 1 {
			b = strconv.AppendInt(b, int64(n), 10)
			continue
		}
		if n := spelt(f, lexicon.Cardinal); n > 0 && counts(last) { // Part Two, Chapter Two
			b = strconv.AppendInt(b, int64(n), 10)
			continue
		}
		if t.Digits > 0 && t.Digits < 9 {
			b = strconv.AppendInt(b, int64(t.Num), 10)
			continue
		}
		b = append(b, f...)
	}
	return string(b)
}

// counts tells whether a number that is spelt out behind word counts parts of a work.
func counts(word []byte) bool {
	switch string(word) {
	case "chapter", "book", "episode":
		return true
	}
	return means(string(word), lexicon.PartWord) || means(string(word), lexicon.VolumeWord)
}

func article(s string) bool { return s == "the" || s == "a" || s == "an" }
