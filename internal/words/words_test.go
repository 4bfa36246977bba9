package words_test

import (
	"strings"
	"testing"

	"github.com/boontorrent/boon/internal/words"
)

func TestOf(t *testing.T) {
	for s, want := range map[string]string{
		"": "", "...": "", "Some.Film_2019 [1080p]": "some film 2019 1080p",
		"Cafe\u0301 M\u00fcller": "cafe muller", "STRASSE straße": "strasse strasse", "İSTANBUL istanbul": "istanbul istanbul",
		"ΟΔΟΣ οδος": "οδοσ οδοσ", "ＦＵＬＬ ｗｉｄｔｈ": "full width", "第12集": "第12集", "a\u202eb": "a b", "x² ½": "x2 1 2",
	} {
		if got := strings.Join(words.Of(s), " "); got != want {
			t.Errorf("%q is %q, want %q", s, got, want)
		}
	}
}

func TestPhrases(t *testing.T) {
	var p words.Phrases
	if p.In("anything") || p.In("") {
		t.Error("a list of nothing finds something")
	}
	for _, title := range []string{"The Film", "Caf\u00e9", "the film of films", "  "} {
		if got, want := p.Add(title), title != "  "; got != want {
			t.Errorf("Add(%q) = %v", title, got)
		}
	}
	if p.Len() != 3 {
		t.Errorf("%d phrases, want 3", p.Len())
	}
	for name, want := range map[string]bool{
		"[site] THE.FILM.2019": true, "Beyond the_film-part 2": true, "CAFE": true, "": false,
		"The.Films.2019": false, "Film The": false, "the": false, "breathe film": false, "the long film": false,
	} {
		if got := p.In(name); got != want {
			t.Errorf("In(%q) = %v", name, got)
		}
	}
}
