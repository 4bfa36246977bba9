package synth

import (
	"fmt"
	"strconv"
	"strings"
)

func (o *release) music(r *rng, c *creation) {
	o.year, o.ext = c.year, "mp3"
	o.audio = r.one("mp3", "mp3", "flac")
	if o.audio == "flac" {
		o.ext = "flac"
	}
	switch r.below(5) {
	case 0:
		o.group, o.source = r.one("ENRAGE7", "BRiNE", "PTCH", "WOOL"), "web"
		o.name = strings.Join([]string{under(c.creator), under(o.title), "WEB", strconv.Itoa(o.year), o.group}, "-")
	case 1:
		o.name = joined("%s - %s [%d] [%s]", c.creator, o.title, o.year, strings.ToUpper(o.audio))
	case 2:
		o.name = joined("%s - %s (%d) Mp3 320kbps", c.creator, o.title, o.year)
		o.audio, o.ext = "mp3", "mp3"
	default:
		o.name = joined("%s - %s (%d) %s", c.creator, o.title, o.year, strings.ToUpper(o.audio))
	}
}

func (o *release) audiobook(r *rng, c *creation) {
	o.ext, o.audio = r.one("mp3", "mp3", "m4b"), ""
	switch r.below(3) {
	case 0:
		o.name = joined("%s - %s (Unabridged) [Audiobook]", c.creator, o.title)
	case 1:
		o.year = c.year
		o.name = joined("%s - %s (%d) [Audiobook] [%s]", c.creator, o.title, o.year, strings.ToUpper(o.ext))
	default:
		o.name = joined("%s - %s Audiobook %s", c.creator, o.title, strings.ToUpper(o.ext))
	}
}

func (o *release) book(r *rng, c *creation) {
	o.ext = r.one("epub", "epub", "pdf", "pdf", "mobi", "djvu")
	o.single = true
	if c.language.code == "ru" {
		o.ext = r.one("fb2", "epub", "pdf", "djvu")
	}
	switch r.below(4) {
	case 0:
		o.name = joined("%s - %s.%s", c.creator, o.title, o.ext)
	case 1:
		o.year = c.year
		o.name = joined("%s - %s (%d).%s", c.creator, o.title, o.year, o.ext)
	case 2:
		o.name, o.single = joined("%s - %s [%s]", c.creator, o.title, strings.ToUpper(o.ext)), false
	default:
		o.name, o.single = joined("%s by %s (%s)", o.title, c.creator, strings.ToUpper(o.ext)), false
	}
}

func (o *release) comic(r *rng, c *creation) {
	o.ext, o.year, o.group = r.one("cbz", "cbr"), c.year, r.one("Inkwell-Empire", "PanelScans", "GutterPress")
	if r.chance(0.6) {
		o.episode, o.single = 1+r.below(40), true
		o.name = joined("%s %03d (%d) (Digital) (%s).%s", o.title, o.episode, o.year, o.group, o.ext)
		return
	}
	o.name = joined("%s v01-v%02d (%d) (Digital) (%s)", o.title, 2+r.below(9), o.year, o.group)
}

func (o *release) game(r *rng, c *creation) {
	o.group = r.one("CODA", "RELiC", "PLAZMA", "SKiDMARK", "TiNYBiRD")
	switch r.below(4) {
	case 0:
		o.ext, o.name = "iso", dotted(o.title)+"-"+o.group
	case 1:
		o.ext, o.name = "bin", joined("%s (v1.%02d + DLCs) [%s Repack]", o.title, r.below(40), o.group)
	case 2:
		o.ext, o.group = r.one("nsp", "xci"), ""
		o.name = joined("[Nintendo Switch] %s [%s]", o.title, strings.ToUpper(o.ext))
	default:
		o.ext, o.year, o.group = "iso", c.year, ""
		o.name = joined("%s (%d) PC", o.title, o.year)
	}
}

func (o *release) software(r *rng, c *creation) {
	stem := []string{"Luma", "Core", "Vecto", "Photo", "Audio", "Data", "Draw", "Cloud", "Grid", "Tune"}[c.serial%10]
	tail := []string{"Paint", "Forge", "Suite", "Lab", "Desk", "Works", "Vault", "Render"}[c.serial/10%8]
	o.title = stem + tail + []string{"", " Pro", " Studio"}[c.serial/80%3]
	if n := c.serial / 240; n > 0 { // of the house that sells it
		o.title = syllables(n) + " " + o.title
	}
	version := fmt.Sprintf("%d.%d.%d", r.between(1, 24), r.below(10), r.below(30))
	o.ext = r.one("exe", "exe", "dmg", "iso")
	switch o.ext {
	case "dmg":
		o.name = joined("%s %s macOS", o.title, version)
	case "iso":
		o.name = joined("%s %s Multilingual ISO", o.title, version)
	default:
		o.name = joined("%s %s (x64) %s", o.title, version, r.one("Portable", "Multilingual", "+ Patch", "Repack"))
	}
}

// syllables writes a number as an invented word.
func syllables(n int) string {
	parts := []string{"Ar", "Bel", "Cor", "Dun", "Eva", "Fro", "Gal", "Hel", "Ira", "Jot", "Kel", "Lum", "Mar", "Nor", "Oro", "Pel"}
	word := ""
	for ; n > 0; n /= len(parts) {
		word = parts[n%len(parts)] + word
	}
	return word[:1] + strings.ToLower(word[1:]) + "ix"
}

func (o *release) course(r *rng, c *creation) {
	topic := []string{
		"Go", "Python", "Watercolour", "Statistics", "Guitar", "Electronics", "Machine Learning", "Spanish", "Photography",
		"Woodworking", "Linear Algebra", "Blender", "Kubernetes", "Chess", "Piano", "Calculus", "Drawing",
	}[c.serial%17]
	topic += " with " + c.creator
	o.ext, o.episodes = "mp4", r.between(15, 80)
	switch c.serial / 17 % 3 {
	case 0:
		o.title = "The Complete Course of " + topic
		o.name = joined("Lernwerk - %s [Video Course]", o.title)
	case 1:
		o.title = "Masterclass " + topic
		o.name = joined("[Skillbarn] %s", o.title)
	default:
		o.title, o.year = "From Scratch to "+topic, c.year
		o.name = joined("Lernwerk - %s %d Tutorial", o.title, o.year)
	}
}

func (o *release) adult(r *rng, c *creation) {
	o.resolution, o.ext = []int{480, 720, 1080, 1080, 2160}[r.below(5)], "mp4"
	o.single = r.chance(0.6)
	if c.serial%10 < 3 {
		o.title = fmt.Sprintf("%s-%03d", []string{"SYN", "ZOX", "QVR", "KLB"}[c.serial%4], c.serial%1000)
		o.name = joined("[JAV] [Uncensored] %s [%dp]", o.title, o.resolution)
		return
	}
	studio := []string{"VelvetRoom", "NightBloom", "RedLantern", "SilkRoad", "AfterDarkHouse"}[c.serial%5]
	o.title, o.group, o.video = studio+" "+c.creator, r.one("KTRP", "GUSHX", "WRBX"), "h264"
	o.name = fmt.Sprintf("%s.%02d.%02d.%02d.%s.XXX.%dp.MP4-%s", studio, (c.year-1)%100, 1+c.serial%12, 1+c.serial%28, dotted(c.creator), o.resolution, o.group)
}

func (o *release) other(r *rng, c *creation) {
	o.ext = r.one("zip", "rar", "jpg", "7z")
	stem := []string{"wallpapers", "fonts", "maps", "scans", "samples", "backup", "models", "photos"}[c.serial%8]
	o.title = stem + " " + strconv.Itoa(1000+c.serial/8)
	o.name = strings.ReplaceAll(o.title, " ", r.one("-", "_", " "))
	if o.ext != "jpg" {
		o.name, o.single = o.name+"."+o.ext, true
	}
}

// under joins words as music releases do.
func under(s string) string { return strings.ReplaceAll(strings.ReplaceAll(s, "-", "_"), " ", "_") }

// person invents a name in the language's script.
func (l *language) person(r *rng) string {
	switch l.code {
	case "ru":
		return r.one("Алексей", "Мария", "Иван", "Ольга", "Павел", "Вера", "Роман", "Нина") + " " +
			r.one("Ветрова", "Соломин", "Каменский", "Лугова", "Туманов", "Берёзкин", "Заречная", "Огнев")
	case "zh":
		return r.one("林", "周", "沈", "顾", "陆", "苏", "叶", "白") + r.one("青山", "若水", "长风", "明月", "千帆", "云舟", "子墨", "雨桐")
	case "ja":
		return r.one("水野", "森川", "桜井", "北原", "藤波", "星野") + r.one("遥", "蓮", "葵", "涼太", "美月", "千尋")
	case "ko":
		return r.one("한", "윤", "서", "류", "남", "표") + r.one("지우", "서연", "도윤", "하준", "은채", "시우")
	case "ar":
		return r.one("سامر", "ليلى", "نور", "كريم", "هدى", "يوسف") + " " + r.one("البحري", "الوردي", "النجار", "الصافي", "الرملي", "القمري")
	case "hi":
		return r.one("अर्जुन", "मीरा", "रवि", "नीला", "कबीर", "तारा") + " " + r.one("नदीवाल", "पर्वतकर", "सागर", "दीपांकर", "वनराज", "चाँदनी")
	case "es", "pt", "it":
		return r.one("Lucía", "Marco", "Inés", "Rafael", "Elena", "Tomás", "Bruno", "Aurora") + " " +
			r.one("Castelmar", "Ventura", "Robledo", "Salgueiro", "Montalto", "Ribalta", "Valdeluz", "Ferrante")
	}
	return r.one("Ada", "Jonas", "Mirela", "Otto", "Freya", "Silas", "Nora", "Caspar", "Wilma", "Edmund") + " " +
		r.one("Hollowell", "Brandt", "Marchbanks", "Quill", "Thornbury", "Ashdown", "Vantongeren", "Lindqvist", "Pell", "Ostrander")
}
