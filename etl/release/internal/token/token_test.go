package token

import (
	"slices"
	"testing"
)

// TestSplit holds where names are cut and how they are folded.
func TestSplit(t *testing.T) {
	for name, want := range map[string][]string{
		"The.Quiet_Harbor-2014": {"the", "quiet", "harbor", "2014"},
		"第12集":                  {"第", "12", "集"},
		"x264 S01E02":           {"x264", "s01e02"},
		"Director's Cut":        {"directors", "cut"},
		"l’été":                 {"lete"},
		"Ｑｕｉｅｔ　７２０ｐ":            {"quiet", "720p"},
		"Ёлки 5-й":              {"елки", "5", "й"},
		"06х01":                 {"06x01"},
		"劇場版Penguin":            {"劇場版", "penguin"},
		"٣":                     {"3"},
		"【某字幕组】[07]":            {"某字幕组", "07"},
		"Straße Ægir Łódź":      {"strasse", "aegir", "lodz"},
		"e\u0301te\u0301":       {"ete"},
		"\xffa\xfeb":            {"a", "b"},
		"":                      nil,
		"...":                   nil,
		"The Westward Ⅱ":        {"the", "westward", "ii"},
	} {
		var l List
		l.Split(name)
		var got []string
		for _, tok := range l.Tokens {
			got = append(got, string(l.Fold[tok.FoldStart:tok.FoldEnd]))
			if tok.Start < 0 || tok.End <= tok.Start || int(tok.End) > len(name) {
				t.Errorf("%q: token at %d:%d", name, tok.Start, tok.End)
			}
		}
		if !slices.Equal(got, want) {
			t.Errorf("%q: %q, want %q", name, got, want)
		}
	}
}

// TestRegions holds that brackets are matched, nested ones counted once, open ones closed at the end.
func TestRegions(t *testing.T) {
	var l List
	l.Split("[a] b (c [d]) e [f g")
	if len(l.Regions) != 4 {
		t.Fatalf("%d regions", len(l.Regions))
	}
	var in []int16
	for _, tok := range l.Tokens {
		in = append(in, tok.Region)
	}
	if want := []int16{1, 0, 2, 2, 0, 3, 3}; !slices.Equal(in, want) {
		t.Errorf("regions of tokens %v, want %v", in, want)
	}
	if r := l.Regions[3]; r.First != 5 || r.Last != 7 || r.Open != '[' {
		t.Errorf("the open bracket is %+v", r)
	}
}

// TestSpacedDash holds that only a dash with blanks on both sides is one that parts titles.
func TestSpacedDash(t *testing.T) {
	for name, want := range map[string]bool{"a - b": true, "a-b": false, "a_-_b": true, "a.-.b": true, "a -b": false, "a- b": false, "a – b": true} {
		var l List
		l.Split(name)
		if got := l.Tokens[1].Spaced; got != want {
			t.Errorf("%q: spaced %v, want %v", name, got, want)
		}
	}
}
