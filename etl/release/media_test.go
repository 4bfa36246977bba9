package release

import "testing"

func TestExtension(t *testing.T) {
	for path, want := range map[string]string{
		"a/b/Film.MKV": "mkv", "film": "", "a.b/film": "", ".hidden": "", "film.": "", "a.tar.gz": "gz", "The.End of it": "", "x.verylongtail": "",
		"y.ДОК": "", `a\b.avi`: "avi", "part.r00": "r00", "f.!ut": "!ut",
	} {
		if got := Extension(path); got != want {
			t.Errorf("Extension(%q) = %q, want %q", path, got, want)
		}
	}
}

func TestMediaOf(t *testing.T) {
	for e, want := range map[string]string{
		"mkv": MediaVideo, "flac": MediaAudio, "jpg": MediaImage, "epub": MediaBook, "cbz": MediaComic, "rar": MediaArchive, "exe": MediaProgram,
		"iso": MediaDiscImage, "nsp": MediaROM, "srt": MediaSubtitle, "nfo": MediaText, "zzz": MediaOther, "": MediaOther,
	} {
		if got := MediaOf(e); got != want {
			t.Errorf("MediaOf(%q) = %q, want %q", e, got, want)
		}
	}
}

// TestClassifyFiles holds that the files decide, and the name between what files cannot tell.
func TestClassifyFiles(t *testing.T) {
	const mb = 1 << 20
	for _, test := range []struct {
		name    string
		files   []File
		want    string
		newznab int32
	}{
		{"Velvet.Orbit.2021.1080p.BluRay.x264-AAA", []File{{"a.mkv", 900 * mb}, {"a.nfo", 1}}, TypeMovie, 2000},
		{"Velvet Orbit", []File{{"Velvet Orbit.mkv", 900 * mb}}, TypeMovie, 2000},
		{"Copper.Lane.S02.1080p.WEB", []File{{"1.mkv", 900 * mb}, {"2.mkv", 900 * mb}}, TypeTV, 5000},
		{"[BlueLantern] Kaze no Machi - 07 [1080p]", []File{{"a.mkv", 300 * mb}}, TypeAnime, 5070},
		{"Amber Wolves - Night Ferry", []File{{"01.flac", 30 * mb}, {"02.flac", 30 * mb}, {"cover.jpg", mb}}, TypeMusic, 3000},
		{"Jane Marlow - The Quiet Harbor", []File{{"book.m4b", 300 * mb}}, TypeAudiobook, 3030},
		{"Jane Marlow - The Quiet Harbor", []File{{"book.epub", mb}}, TypeBook, 7000},
		{"Harbor Tales 1-12", []File{{"1.cbz", 40 * mb}, {"2.cbr", 40 * mb}}, TypeComic, 7030},
		{"Harbor Quest", []File{{"game.nsp", 900 * mb}}, TypeGame, 1000},
		{"Harbor.Quest-CODEX", []File{{"codex.iso", 9000 * mb}}, TypeGame, 4050},
		{"Acme Studio 4.2 x64", []File{{"setup.exe", 90 * mb}, {"readme.txt", 1}}, TypeSoftware, 4000},
		{"Udemy - Harbor Engineering Course", []File{{"01 Intro.mp4", 90 * mb}, {"02 More.mp4", 90 * mb}}, TypeCourse, 7040},
		{"SomeSite.19.05.03.Jane.Doe.XXX.1080p", []File{{"a.mp4", 900 * mb}}, TypeAdult, 6000},
		{"stuff", []File{{"a.csv", 9 * mb}}, TypeOther, 8000},
		{"nothing", nil, TypeOther, 8000},
	} {
		var m Media
		for _, f := range test.files {
			m.Add(f)
		}
		r := Parse(test.name)
		c := Classify(&r, test.name, m)
		if c.Type != test.want || c.Newznab != test.newznab || c.Adult != (test.want == TypeAdult) || c.Evidence == "" {
			t.Errorf("%s %v: %+v, want %s", test.name, test.files, c, test.want)
		}
	}
}

// TestMediaShare holds that shares are of bytes, and negative sizes count as none.
func TestMediaShare(t *testing.T) {
	var m Media
	m.Add(File{"a.mkv", 75})
	m.Add(File{"b.srt", 25})
	m.Add(File{"c.nfo", -10})
	if m.Files != 3 || m.Bytes != 100 || m.Share(MediaVideo) != 0.75 || m.Share(MediaSubtitle) != 0.25 {
		t.Errorf("files %d bytes %d video %v", m.Files, m.Bytes, m.Share(MediaVideo))
	}
}
