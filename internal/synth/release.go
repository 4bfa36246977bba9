package synth

import (
	"fmt"
	"strconv"
	"strings"
	"unicode"
)

// release is a torrent's name and what its parts mean.
type release struct {
	kind, language       string
	title                string
	year                 int
	season, episode      int // 0: none, or all of them
	resolution           int // lines
	source, video, audio string
	group                string
	name                 string
	episodes             int // files of a pack
	single               bool
	ext                  string // of the main files
}

// release makes up torrent i.
func (s *swarm) release(i uint32) release {
	w := s.catalogue.work[i]
	c := s.describe(w)
	r := derive(s.cfg.Seed, forRelease, uint64(i), 0)
	out := release{kind: c.kind, language: c.language.code, title: c.title, episodes: c.episodes}
	switch c.kind {
	case "movie":
		out.movie(&r, &c)
	case "tv":
		out.tv(&r, &c)
	case "anime":
		out.anime(&r, &c)
	case "music":
		out.music(&r, &c)
	case "audiobook":
		out.audiobook(&r, &c)
	case "book":
		out.book(&r, &c)
	case "comic":
		out.comic(&r, &c)
	case "game":
		out.game(&r, &c)
	case "software":
		out.software(&r, &c)
	case "course":
		out.course(&r, &c)
	case "adult":
		out.adult(&r, &c)
	default:
		out.other(&r, &c)
	}
	return out
}

// picture draws resolution, source and codecs that go together, and returns
// the words for source, video and audio as releases write them.
func (o *release) picture(r *rng, tv bool) (res, source, video, audio string) {
	o.resolution = []int{720, 720, 1080, 1080, 1080, 1080, 2160, 480}[r.below(8)]
	o.source = r.one("web", "web", "web", "bluray", "bluray")
	if tv {
		o.source = r.one("web", "web", "web", "tv", "bluray")
	}
	if r.chance(0.08) {
		o.source, o.resolution = r.one("dvd", "dvd", "cam", "telesync"), 0
		if tv {
			o.source = "dvd"
		}
	}
	switch o.source {
	case "web":
		source = r.one("WEB-DL", "WEB-DL", "WEBRip", "WEB")
	case "bluray":
		source = r.one("BluRay", "BluRay", "BDRip", "BRRip")
	case "tv":
		source = "HDTV"
	case "dvd":
		source = "DVDRip"
	case "cam":
		source = r.one("CAM", "HDCAM")
	case "telesync":
		source = r.one("TS", "HDTS")
	}
	switch {
	case o.resolution == 0:
		o.video, video, o.ext = "xvid", "XviD", "avi"
	case o.resolution == 2160 || r.chance(0.3):
		o.video, video, o.ext = "h265", r.one("x265", "HEVC", "H.265"), "mkv"
	default:
		o.video, video, o.ext = "h264", r.one("x264", "x264", "H.264"), r.one("mkv", "mkv", "mp4")
	}
	o.audio = r.one("aac", "aac", "ac3", "dts")
	audio = map[string]string{"aac": r.one("AAC", "AAC2.0"), "ac3": r.one("AC3", "DD5.1"), "dts": "DTS"}[o.audio]
	if o.resolution > 0 {
		res = strconv.Itoa(o.resolution) + "p"
	}
	o.group = r.one("NOVA", "KiLN", "RiVET", "TERRA", "SPLINT", "AXIOM", "FERN", "GLYPH", "MORROW", "QUARRY", "BRiNE", "LATCH", "ONYX", "TiDAL", "PRiSM")
	return res, source, video, audio
}

func (o *release) movie(r *rng, c *creation) {
	o.year = c.year
	res, source, video, audio := o.picture(r, false)
	o.single = r.chance(0.35)
	switch style := r.below(10); {
	case c.language.code == "ru" && style < 5:
		o.name, o.group, o.video, o.audio = joined("%s (%d) %s %s", o.title, o.year, source, res), "", "", ""
	case c.language.code == "zh" && style < 5:
		o.name, o.video, o.audio = joined("[%s][%d][%s %s][中文字幕][%s]", o.title, o.year, source, res, o.group), "", ""
	case style < 6:
		o.name = dotted(o.title, strconv.Itoa(o.year), res, source, audio, video) + "-" + o.group
	case style < 8:
		o.name, o.audio = joined("%s (%d) %s %s %s %s", o.title, o.year, res, source, video, o.group), ""
	case style < 9 && res != "":
		o.name, o.audio = joined("%s (%d) [%s] [%s] [%s] [%s]", o.title, o.year, res, source, video, o.group), ""
	default:
		o.name, o.group, o.video, o.audio = joined("%s %d %s %s", o.title, o.year, source, res), "", "", ""
	}
}

func (o *release) tv(r *rng, c *creation) {
	res, source, video, audio := o.picture(r, true)
	o.season = 1 + r.below(c.seasons)
	if r.chance(0.65) {
		o.episode, o.single = 1+r.below(c.episodes), r.chance(0.6)
	}
	tag := fmt.Sprintf("S%02d", o.season)
	if o.episode > 0 {
		tag += fmt.Sprintf("E%02d", o.episode)
	}
	switch style := r.below(10); {
	case c.language.code == "ru" && o.episode == 0 && style < 6:
		o.name = joined("%s (Сезон %d) %s %s", o.title, o.season, source, res)
		o.group, o.video, o.audio = "", "", ""
	case c.language.code == "ko" && o.episode > 0 && style < 6:
		o.name = joined("%s.E%02d.%s-%s", strings.ReplaceAll(o.title, " ", "."), o.episode, res, o.group)
		o.season, o.source, o.video, o.audio = 0, "", "", ""
	case style < 6:
		o.name = dotted(o.title, tag, res, source, audio, video) + "-" + o.group
	case style < 8 && o.episode == 0:
		o.name, o.audio = joined("%s %s Complete %s %s %s [%s]", o.title, tag, res, source, video, o.group), ""
	default:
		o.name, o.audio = joined("%s %s %s %s %s [%s]", o.title, tag, res, source, video, o.group), ""
	}
}

func (o *release) anime(r *rng, c *creation) {
	o.resolution, o.ext = []int{480, 720, 1080, 1080, 1080}[r.below(5)], "mkv"
	o.group = r.one("SilverSubs", "MoonRaws", "Kestrel", "NightOwl", "AmberFansub", "Tsubame", "Hoshizora", "PaperCrane")
	if r.chance(0.75) {
		o.episode, o.single = 1+r.below(c.episodes), true
	}
	switch {
	case o.episode > 0 && c.language.code == "zh":
		o.name = joined("[%s][%s][%02d][%dP][简繁内封][MKV]", o.group, o.title, o.episode, o.resolution)
	case o.episode > 0:
		o.name = joined("[%s] %s - %02d (%dp) [%08X].mkv", o.group, o.title, o.episode, o.resolution, uint32(r.next()))
	case r.chance(0.5):
		o.source, o.video = "bluray", "h265"
		o.name = joined("[%s] %s (01-%02d) [BD %dp HEVC]", o.group, o.title, c.episodes, o.resolution)
	default:
		o.name = joined("[%s] %s (%dp) [Batch]", o.group, o.title, o.resolution)
	}
}

// joined is Sprintf for names: what is left out leaves no gap.
func joined(format string, args ...any) string {
	s := strings.Join(strings.Fields(fmt.Sprintf(format, args...)), " ")
	return strings.NewReplacer(" []", "", "[]", "", " ]", "]", "..", ".").Replace(s)
}

// dotted joins words as scene releases do.
func dotted(words ...string) string {
	var b strings.Builder
	for _, w := range words {
		for _, part := range strings.FieldsFunc(w, func(r rune) bool {
			return !unicode.IsLetter(r) && !unicode.IsDigit(r) && !unicode.IsMark(r) && r != '-' && r != '.'
		}) {
			if b.Len() > 0 {
				b.WriteByte('.')
			}
			b.WriteString(part)
		}
	}
	return b.String()
}
