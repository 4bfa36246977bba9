package release

import (
	"bufio"
	"bytes"
	"context"
	"encoding/json"
	"os"
	"path/filepath"
	"reflect"
	"strings"
	"testing"
	"unicode"
	"unicode/utf8"
)

// FuzzParse holds what Parse promises of every name.
func FuzzParse(f *testing.F) {
	files, err := filepath.Glob(filepath.Join("testdata", "*.txt"))
	if err != nil {
		f.Fatal(err)
	}
	for _, file := range files {
		text, err := os.ReadFile(file)
		if err != nil {
			f.Fatal(err)
		}
		for line := range strings.Lines(string(text)) {
			name, _, _ := strings.Cut(strings.TrimSpace(line), " => ")
			f.Add(name)
		}
	}
	for _, s := range []string{"", "]", "[[[", "\xff\xfe", "S01E", "é", strings.Repeat("[", 100), "a\x00b", "第", "v.1", "- 01 -", "1-2-3", "１２"} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, name string) {
		r := Parse(name)
		checkLaws(t, name, &r)
	})
}

func checkLaws(t *testing.T, name string, r *Release) {
	t.Helper()
	line := r.AppendJSON(nil)
	if !utf8.Valid(line) || !json.Valid(line) {
		t.Errorf("%q: not valid JSON: %s", name, line)
	}
	for _, s := range append([]string{
		r.Title, r.AltTitle, r.Artist, r.EpisodeTitle, r.ReleaseGroup, r.Version, r.Network, r.Site, r.CRC, r.Container, r.ISBN,
	}, r.Languages...) {
		if !utf8.ValidString(s) {
			t.Errorf("%q: %q is not UTF-8", name, s)
		}
	}
	for f, s := range r.Spans {
		if s.Start < 0 || s.End < s.Start || int(s.End) > len(name) {
			t.Errorf("%q: span of %v is %v", name, Field(f), s)
		}
	}
	head := name[:min(len(name), MaxName-utf8.UTFMax)]
	if r.Title == "" && utf8.ValidString(name) && strings.ContainsFunc(head, unicode.IsLetter) {
		t.Errorf("%q: no title", name)
	}
	if again := Parse(name); !reflect.DeepEqual(*r, again) {
		t.Errorf("%q: two answers:\n%+v\n%+v", name, *r, again)
	}
	checkPlaces(t, name, r)
	c := Classify(r, name, Media{})
	if c.Newznab == 0 || c.Type == "" || c.Confidence < 0 || c.Confidence > 1 {
		t.Errorf("%q: content %+v", name, c)
	}
	WorkOf(r, c.Type).ID(LevelEpisode)
}

// checkPlaces holds that a field that is said has a place, and one that is not has none.
func checkPlaces(t *testing.T, name string, r *Release) {
	t.Helper()
	for f, said := range map[Field]bool{
		FieldTitle: r.Title != "", FieldAltTitle: r.AltTitle != "", FieldArtist: r.Artist != "", FieldYear: r.Year > 0, FieldSeason: len(r.Seasons) > 0,
		FieldEpisode: len(r.Episodes) > 0, FieldAbsolute: len(r.Absolute) > 0, FieldDate: r.Date != "", FieldPart: r.Part > 0,
		FieldResolution: r.Resolution > 0, FieldSource: r.Source != "", FieldVideoCodec: r.VideoCodec != "", FieldAudioCodec: r.AudioCodec != "",
		FieldChannels: r.Channels != "", FieldBitDepth: r.BitDepth > 0, FieldHDR: len(r.HDR) > 0, FieldEdition: r.Edition != "",
		FieldLanguage: len(r.Languages) > 0, FieldSubtitles: len(r.Subtitles) > 0, FieldDubbed: r.Dubbed, FieldGroup: r.ReleaseGroup != "",
		FieldVersion: r.Version != "", FieldProper: r.Proper, FieldRepack: r.Repack, FieldContainer: r.Container != "", FieldNetwork: r.Network != "",
		FieldPlatform: r.Platform != "", FieldFormat: r.Format != "", FieldVolume: r.Volume > 0, FieldIssue: r.Issue > 0, FieldISBN: r.ISBN != "",
		FieldAdult: r.Adult != "", FieldComplete: r.Complete, FieldPack: r.Pack, FieldRemux: r.Remux, FieldThreeD: r.ThreeD, FieldSample: r.Sample, FieldApp: r.App,
		FieldSite: r.Site != "", FieldCRC: r.CRC != "", FieldCountry: r.Country != "",
	} {
		if has := r.Spans[f].End > 0; has != said {
			t.Errorf("%q: %v is said: %v, has a place: %v", name, f, said, has)
		}
	}
}

// TestParserKeepsNothing holds that a parser used again answers as a fresh one does.
func TestParserKeepsNothing(t *testing.T) {
	var p Parser
	var r Release
	names := ownNames(t)
	for range 2 {
		for _, name := range names {
			p.Parse(name, &r)
			want := Parse(name)
			if got, fresh := r.AppendJSON(nil), want.AppendJSON(nil); !bytes.Equal(got, fresh) {
				t.Errorf("%s\n\tused parser %s\n\tfresh       %s", name, got, fresh)
			}
		}
	}
}

func ownNames(t testing.TB) []string {
	t.Helper()
	files, err := filepath.Glob(filepath.Join("testdata", "*.txt"))
	if err != nil {
		t.Fatal(err)
	}
	var names []string
	for _, file := range files {
		text, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		for line := range strings.Lines(string(text)) {
			if name, _, ok := strings.Cut(line, " => "); ok {
				names = append(names, name)
			}
		}
	}
	return names
}

// TestSpans holds that a field stands where its span says.
func TestSpans(t *testing.T) {
	name := "Copper.Lane.S02E05.1080p.WEB.h264-SIGNAL.mkv"
	r := Parse(name)
	for f, want := range map[Field]string{
		FieldTitle: "Copper.Lane", FieldSeason: "S02E05", FieldEpisode: "S02E05", FieldResolution: "1080p", FieldSource: "WEB",
		FieldVideoCodec: "h264", FieldGroup: "SIGNAL", FieldContainer: "mkv",
	} {
		if s := r.Spans[f]; name[s.Start:s.End] != want {
			t.Errorf("%v stands at %v = %q, want %q", f, s, name[s.Start:s.End], want)
		}
	}
}

// TestLongName holds that of a name over 1 KiB the head is read and the cut is told.
func TestLongName(t *testing.T) {
	name := "Copper.Lane.S02E05.1080p.WEB.h264." + strings.Repeat("я", 40000)
	r := Parse(name)
	if !r.Cut || r.Title != "Copper Lane" || r.Resolution != 1080 || !utf8.ValidString(r.ReleaseGroup) {
		t.Errorf("got %s", r.AppendJSON(nil))
	}
}

// TestCutBetweenWords holds that the cut of a long name halves no word.
func TestCutBetweenWords(t *testing.T) {
	name := strings.Repeat("harbor ", 145) + "1080p.BluRay" + strings.Repeat(" x", 9)
	for n := range 14 {
		r := Parse(strings.Repeat("-", n) + name)
		if r.Resolution != 0 && r.Resolution != 1080 || r.Source != "" && r.Source != "bluray" || strings.HasSuffix(r.Title, "10") || strings.HasSuffix(r.Title, "Blu") {
			t.Errorf("shifted by %d: %s", n, r.AppendJSON(nil))
		}
	}
	if r := Parse(strings.Repeat("я", 2000)); !r.Cut || !utf8.ValidString(r.Title) || len(r.Title) < MaxName-maxWord {
		t.Errorf("a name without a blank was cut to %d bytes", len(r.Title))
	}
}

// TestNoControlCharacters holds that what a terminal would obey does not get into a field.
func TestNoControlCharacters(t *testing.T) {
	name := "Copper\x1b[31m Lane\u202e Two\x00\u0085 S02E05 1080p-SIG\x07NAL"
	r := Parse(name)
	for _, s := range []string{r.Title, r.AltTitle, r.EpisodeTitle, r.ReleaseGroup, r.Site, r.Version, r.Network, r.Artist} {
		if strings.ContainsFunc(s, func(c rune) bool { return unicode.IsControl(c) || unicode.Is(unicode.Bidi_Control, c) }) {
			t.Errorf("%q holds control characters", s)
		}
	}
	if want := "می\u200cخواهم"; Parse(want).Title != want {
		t.Errorf("a Persian word lost its joiner: %q", Parse(want).Title)
	}
}

// TestStream holds that there is one answer a line, in order, whatever the lines are.
func TestStream(t *testing.T) {
	names := []string{"Copper.Lane.S02E05.1080p", "", strings.Repeat("x264 ", 100000), "\xff\xfe", "Тихая гавань (2014)\r", "last without end"}
	var out bytes.Buffer
	if err := Stream(context.Background(), strings.NewReader(strings.Join(names, "\n")), &out); err != nil {
		t.Fatal(err)
	}
	var titles []string
	var cut []bool
	s := bufio.NewScanner(&out)
	s.Buffer(nil, 1<<20)
	for s.Scan() {
		var row struct {
			Title, Work string
			Cut         bool
		}
		if err := json.Unmarshal(s.Bytes(), &row); err != nil {
			t.Fatal(err)
		}
		titles, cut = append(titles, row.Title), append(cut, row.Cut)
	}
	if len(titles) != len(names) {
		t.Fatalf("%d names, %d answers", len(names), len(titles))
	}
	if titles[0] != "Copper Lane" || !cut[2] || titles[4] != "Тихая гавань" || titles[5] != "last without end" {
		t.Errorf("titles %q, cut %v", titles, cut)
	}
}

// TestStreamStops holds that a cancelled stream ends with the reason.
func TestStreamStops(t *testing.T) {
	ctx, cancel := context.WithCancel(context.Background())
	cancel()
	err := Stream(ctx, strings.NewReader(strings.Repeat("a\n", 5000)), &bytes.Buffer{})
	if err == nil {
		t.Error("a cancelled stream ended without an error")
	}
}

// TestLabelledNames holds the laws on labelled names, and the share of adult among them.
func TestLabelledNames(t *testing.T) {
	names := labelledNames(t)
	adult := 0
	for _, name := range names {
		r := Parse(name)
		checkLaws(t, name, &r)
		if Classify(&r, name, Media{}).Adult {
			adult++
		}
	}
	if adult > len(names)/100 {
		t.Errorf("%d of %d names adult", adult, len(names))
	}
}
