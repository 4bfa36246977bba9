package synth

import (
	"encoding/hex"
	"fmt"
	"strconv"
	"strings"

	"github.com/boontorrent/boon/internal/rawlog"
)

// Shares of torrents by version of the format (BEP 52); the rest is v1.
const (
	shareHybrid = 0.06
	shareV2     = 0.02
	padded      = 0.25 // of v1 torrents with several files (BEP 47)
)

// version is 1, 2 or 3 (hybrid), and the SHA-256 of a torrent that has one. The
// info-hash of a v2 torrent in the DHT is the first twenty bytes of that.
func (s *swarm) version(i uint32) (version int, hash string) {
	r := derive(s.cfg.Seed, forFiles, uint64(i), 1)
	var b [32]byte
	r.fill(b[:])
	switch u := r.float(); {
	case u < shareV2:
		copy(b[:], s.catalogue.hash[i][:])
		return 2, hex.EncodeToString(b[:])
	case u < shareV2+shareHybrid:
		return 3, hex.EncodeToString(b[:])
	}
	return 1, ""
}

// files makes up the files of torrent i.
func (s *swarm) files(i uint32, rel *release) []rawlog.File {
	version, _ := s.version(i)
	l := fileList{rng: derive(s.cfg.Seed, forFiles, uint64(i), 0), rel: rel, v2: version > 1}
	l.pad = !rel.single && (version == 3 || version == 1 && l.rng.chance(padded))
	l.stem = strings.TrimSuffix(rel.name, "."+rel.ext)
	if rel.single {
		l.add(l.mainSize(), l.stem+"."+rel.ext)
		return l.files
	}
	switch rel.kind {
	case "movie", "tv", "anime", "adult":
		l.video()
	case "course":
		l.course()
	case "music":
		l.numbered(l.rng.between(6, 18), "%02d - %s", l.mainSize)
		l.extra(0.7, "cover.jpg", 400e3)
		l.extra(0.3, l.stem+".log", 8e3)
	case "audiobook":
		l.numbered(l.rng.between(8, 60), "%03d - %s", l.mainSize)
		l.extra(0.5, "cover.jpg", 200e3)
	case "comic":
		l.numbered(l.rng.between(3, 20), "%02d - %s", l.mainSize)
	case "book":
		l.add(l.mainSize(), l.stem+"."+rel.ext)
		l.extra(0.6, "cover.jpg", 60e3)
		l.extra(0.4, "metadata.opf", 3e3)
	case "game", "software":
		l.program()
	default:
		l.numbered(l.rng.between(20, 120), "%04d", l.mainSize)
	}
	return l.files
}

// fileList grows a torrent's files.
type fileList struct {
	rng     rng
	rel     *release
	stem    string
	files   []rawlog.File
	pad, v2 bool
}

// pieceLength is that of all synthetic torrents; padding fills up to it.
const pieceLength = 1 << 20

func (l *fileList) add(size int64, path ...string) {
	if n := len(l.files); l.pad && n > 0 {
		if gap := (pieceLength - l.files[n-1].Length%pieceLength) % pieceLength; gap > 0 {
			l.files = append(l.files, rawlog.File{Path: []string{".pad", strconv.FormatInt(gap, 10)}, Length: gap, Attr: "p"})
		}
	}
	f := rawlog.File{Path: path, Length: max(1, size)}
	if l.v2 {
		var root [32]byte
		l.rng.fill(root[:])
		f.PiecesRoot = hex.EncodeToString(root[:])
	}
	l.files = append(l.files, f)
}

// extra adds a small file with probability p.
func (l *fileList) extra(p float64, name string, median float64) {
	if l.rng.chance(p) {
		l.add(int64(l.rng.logNormal(median, 3)), name)
	}
}

// mainSize is the size of one main file: an episode, a track, a book.
func (l *fileList) mainSize() int64 {
	median := map[string]float64{
		"movie": 2.2e9, "tv": 500e6, "anime": 450e6, "adult": 900e6, "course": 90e6, "audiobook": 25e6, "comic": 60e6, "game": 9e9,
		"software": 400e6, "other": 3e6, "book": 6e6, "music": 9e6,
	}[l.rel.kind]
	switch l.rel.resolution {
	case 480:
		median *= 0.4
	case 720:
		median *= 0.6
	case 2160:
		median *= 4
	}
	if l.rel.kind == "music" && l.rel.audio == "flac" {
		median *= 3.2
	}
	return int64(l.rng.logNormal(median, 2.5))
}

func (l *fileList) numbered(n int, format string, size func() int64) {
	for k := range n {
		name := fmt.Sprintf(format, k+1, l.rel.title)
		if !strings.Contains(format, "%s") {
			name = fmt.Sprintf(format, k+1)
		}
		l.add(size(), name+"."+l.rel.ext)
	}
}

// video is one film or episode with what comes with it, or a season.
func (l *fileList) video() {
	series := l.rel.kind == "tv" || l.rel.kind == "anime"
	if series && l.rel.episode == 0 {
		for k := range l.rel.episodes {
			l.add(l.mainSize(), fmt.Sprintf("%s S%02dE%02d.%s", l.rel.title, max(1, l.rel.season), k+1, l.rel.ext))
		}
	} else {
		size := l.mainSize()
		l.add(size, l.stem+"."+l.rel.ext)
		if l.rng.chance(0.3) {
			l.add(size/50, "Sample", "sample."+l.rel.ext)
		}
	}
	if l.rng.chance(0.4) {
		for _, language := range []string{"English", "Spanish", "French"}[:l.rng.between(1, 3)] {
			l.add(int64(l.rng.between(40e3, 120e3)), "Subs", language+".srt")
		}
	}
	l.extra(0.5, l.stem+".nfo", 5e3)
	l.extra(0.25, "poster.jpg", 150e3)
	l.extra(0.2, "readme.txt", 300)
}

func (l *fileList) course() {
	for k := range l.rel.episodes {
		chapter := fmt.Sprintf("%02d. Part", 1+k/8)
		l.add(l.mainSize(), chapter, fmt.Sprintf("%03d. Lesson.mp4", k+1))
		if l.rng.chance(0.3) {
			l.add(int64(l.rng.logNormal(20e3, 3)), chapter, fmt.Sprintf("%03d. Lesson.srt", k+1))
		}
	}
	l.extra(0.6, "resources.zip", 5e6)
}

func (l *fileList) program() {
	if l.rel.ext == "bin" { // a repack
		for k := range l.rng.between(3, 12) {
			l.add(l.mainSize()/8, fmt.Sprintf("data-%02d.bin", k+1))
		}
		l.add(6e6, "setup.exe")
	} else {
		l.add(l.mainSize(), l.stem+"."+l.rel.ext)
	}
	l.extra(0.5, "readme.txt", 2e3)
	l.extra(0.3, l.stem+".nfo", 8e3)
}
