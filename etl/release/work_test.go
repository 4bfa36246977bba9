package release

import (
	"fmt"
	"math/rand/v2"
	"testing"
)

func workOf(name string) Work {
	r := Parse(name)
	return WorkOf(&r, Classify(&r, name, Media{}).Type)
}

// TestSameWork holds that releases of one thing are one work, and of several are not.
func TestSameWork(t *testing.T) {
	same := [][]string{
		{"Velvet.Orbit.2021.1080p.BluRay.x264-AAA", "Velvet Orbit (2021) [720p] [WEBRip] [YTS.MX]", "velvet_orbit_2021_german_dl_dvdrip_xvid-bbb", "Velvet.Orbit.2021.2160p.UHD.BluRay.REMUX.HDR.HEVC-CCC"},
		{"The.Two.Rivers.II.2001.DVDRip.XviD-AAA", "Two Rivers 2 (2001) 1080p BluRay"},
		{"Copper.Lane.S02E05.1080p.WEB.h264-AAA", "Copper Lane - 2x05 - The Visitor.avi", "Copper Lane Season 3 Complete 720p", "Copper.Lane.S01-S04.BluRay.x264"},
		{"[BlueLantern] Kaze no Machi - 07 [1080p].mkv", "Kaze.no.Machi.S01E07.1080p.WEB.h264-AAA"},
		{"Lost.Lagoon.Part.2.1974.1080p.BluRay.x264", "Lost Lagoon Part II (1974)"},
		{"Lost.Lagoon.Part.Four.1979.1080p.BluRay.x264", "Lost Lagoon: Part 4 (1979)", "Lost Lagoon - Part IV 1979 720p"},
		{"Star Harbor Episode IV A New Tide 1977 1080p", "Star.Harbor.Episode.4.A.New.Tide.1977.720p.BluRay"},
		{"Copper Road Chapter Two 2019 1080p", "Copper.Road.Chapter.2.2019.BluRay"},
		{"Fox & Crow 2009 1080p BluRay", "Fox.and.Crow.2009.DVDRip.XviD-AAA"},
	}
	seen := map[string]string{}
	for _, group := range same {
		first := workOf(group[0]).String()
		for _, name := range group {
			if got := workOf(name).String(); got != first {
				t.Errorf("%q is another work than %q: %+v", name, group[0], workOf(name))
			}
		}
		if other, ok := seen[first]; ok {
			t.Errorf("%q and %q are one work", group[0], other)
		}
		seen[first] = group[0]
	}
	different := [][2]string{
		{"Lost.Lagoon.Part.2.1974.1080p", "Lost.Lagoon.Part.3.1974.1080p"},
		{"Velvet.Orbit.2021.1080p", "Velvet.Orbit.1975.1080p"},
		{"Copper.Lane.UK.S01E01.720p", "Copper.Lane.US.S01E01.720p"},
		{"Harbor Wars - The New Dawn (1999) 1080p", "Harbor Wars - The Last Ship (1999) 1080p"},
	}
	for _, pair := range different {
		if workOf(pair[0]) == workOf(pair[1]) {
			t.Errorf("%q and %q are one work", pair[0], pair[1])
		}
	}
}

// TestLevels holds that the levels of a work part where they should.
func TestLevels(t *testing.T) {
	a, b, c := workOf("Copper.Lane.S02E05.1080p.WEB"), workOf("Copper.Lane.S02E06.720p.HDTV"), workOf("Copper.Lane.S03E05.720p.HDTV")
	if a.ID(LevelWork) != c.ID(LevelWork) || a.ID(LevelSeason) != b.ID(LevelSeason) {
		t.Error("a work or a season fell apart")
	}
	if a.ID(LevelSeason) == c.ID(LevelSeason) || a.ID(LevelEpisode) == b.ID(LevelEpisode) {
		t.Error("seasons or episodes fell together")
	}
}

// TestNoWork holds that a name that says nothing is no work.
func TestNoWork(t *testing.T) {
	for name, want := range map[string]bool{"★ ★ ★": false, "": false, "...": false, "300 (2006)": true, "静かな町": true, "x": true} {
		if w := workOf(name); w.Known() != want {
			t.Errorf("%q: known %v, want %v: %+v", name, w.Known(), want, w)
		}
	}
}

func TestNormTitle(t *testing.T) {
	for in, want := range map[string]string{
		"The Quiet Harbor": "quiet harbor", "Fox & Crow": "fox and crow", "Rocky Road II": "rocky road 2", "It's Été!": "its ete",
		"The": "the", "I Know": "i know", "Ёлки": "елки", "Ｑｕｉｅｔ": "quiet", "007": "7",
	} {
		if got := NormTitle(in); got != want {
			t.Errorf("NormTitle(%q) = %q, want %q", in, got, want)
		}
	}
}

func film(title string, year int) Work {
	return Work{Kind: "film", Title: NormTitle(title), Year: year, Season: -1, Episode: -1}
}

// TestCatalogue holds what joins and what does not.
func TestCatalogue(t *testing.T) {
	var c Catalogue
	for range 3 {
		c.Add(film("Velvet Orbit", 2021))
		c.Add(film("The Quiet Harbor of Dover", 2014))
	}
	for _, w := range []Work{
		film("Velvet Orbit", 0), film("The Quiet Harbour of Dover", 2014), film("The Quiet Harbour of Dover", 0), film("Remake", 1960),
		film("Remake", 2010), film("Remake", 0), film("Anna of the Golden Valley Farm", 1980), film("Otto of the Golden Valley Farm", 1980), film("Rocky Road 2", 1980), film("Rocky Road 3", 1980), film("The Quiet Harbour of Dover", 1999),
	} {
		c.Add(w)
	}
	c.Seal()
	for _, test := range []struct{ in, want Work }{
		{film("Velvet Orbit", 0), film("Velvet Orbit", 2021)},                                        // one year is known
		{film("Remake", 0), film("Remake", 0)},                                                       // two are
		{film("The Quiet Harbour of Dover", 2014), film("The Quiet Harbor of Dover", 2014)},          // a letter differs
		{film("The Quiet Harbour of Dover", 1999), film("The Quiet Harbour of Dover", 1999)},         // another year
		{film("Rocky Road 3", 1980), film("Rocky Road 3", 1980)},                                     // a number differs
		{film("Otto of the Golden Valley Farm", 1980), film("Otto of the Golden Valley Farm", 1980)}, // another name
		{film("Never Seen", 2000), film("Never Seen", 2000)},                                         // not in the catalogue
	} {
		got, want := c.Join(test.in), test.want
		if got.ID(LevelWork) != want.ID(LevelWork) {
			t.Errorf("%q (%d) joined %q (%d), want %q (%d)", test.in.Title, test.in.Year, got.Title, got.Year, want.Title, want.Year)
		}
	}
}

// TestCatalogueOrder holds that the order of entries does not matter.
func TestCatalogueOrder(t *testing.T) {
	rng := rand.New(rand.NewPCG(1, 2))
	words := []string{"harbor", "harbour", "quiet", "lantern", "lanterns", "orbit", "velvet", "copper", "lane", "2", "3"}
	var works []Work
	for range 3000 {
		title := words[rng.IntN(len(words))] + " " + words[rng.IntN(len(words))] + " " + words[rng.IntN(len(words))]
		works = append(works, film(title, []int{0, 1999, 2000}[rng.IntN(3)]))
	}
	joined := func() string {
		var c Catalogue
		for _, w := range works {
			c.Add(w)
		}
		c.Seal()
		sum := map[string]string{}
		for _, w := range works {
			sum[fmt.Sprint(w)] = c.Join(w).String()
		}
		return fmt.Sprint(sum)
	}
	want := joined()
	rng.Shuffle(len(works), func(i, j int) { works[i], works[j] = works[j], works[i] })
	if joined() != want {
		t.Error("the order of entries changed what joins")
	}
}

// TestJoinIsStable holds that what a work joins joins nothing further: the result of Join is its own result.
func TestJoinIsStable(t *testing.T) {
	var c Catalogue
	works := []Work{film("quiet harbor of dover", 2014), film("quiet harbour of dover", 2014), film("quiet harbour of dover", 0), film("quiet harbor of dover", 0)}
	for _, w := range works {
		c.Add(w)
	}
	c.Seal()
	for _, w := range works {
		once := c.Join(w)
		if twice := c.Join(once); once.ID(LevelWork) != twice.ID(LevelWork) {
			t.Errorf("%q (%d) joins what joins further", w.Title, w.Year)
		}
		if once.Year != 2014 {
			t.Errorf("%q (%d) joins %q (%d)", w.Title, w.Year, once.Title, once.Year)
		}
	}
}

func BenchmarkCatalogue(b *testing.B) {
	rng := rand.New(rand.NewPCG(3, 4))
	letters := "abcdefghijklmnopqrstuvwxyz"
	works := make([]Work, 1_000_000)
	for i := range works {
		title := make([]byte, 8+rng.IntN(20))
		for j := range title {
			title[j] = letters[rng.IntN(rng.IntN(len(letters))+1)]
		}
		works[i] = Work{Kind: "film", Title: string(title), Year: 1980 + rng.IntN(45)}
	}
	b.ResetTimer()
	for range b.N {
		var c Catalogue
		for _, w := range works {
			c.Add(w)
		}
		c.Seal()
	}
}
