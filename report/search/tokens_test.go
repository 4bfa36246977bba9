package search

import (
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"os"
	"regexp"
	"slices"
	"strings"
	"testing"
	"unicode/utf8"

	"github.com/google/go-cmp/cmp"
)

func termsOf(t *Tokeniser, text string) []string {
	terms := []string{}
	t.Terms(text, func(term []byte) { terms = append(terms, string(term)) })
	slices.Sort(terms)
	return slices.Compact(terms)
}

// The vectors come from testdata/unicode.py; report/web/js/test/tokens.test.js holds the
// other tokeniser to the same.
func TestVectors(t *testing.T) {
	b, err := os.ReadFile("testdata/vectors.json")
	if err != nil {
		t.Fatal(err)
	}
	var vectors []struct {
		Text         string
		Units, Terms []string
	}
	if err := json.Unmarshal(b, &vectors); err != nil {
		t.Fatal(err)
	}
	if len(vectors) < 500 {
		t.Errorf("only %d vectors", len(vectors))
	}
	var tok Tokeniser
	for _, v := range vectors {
		units := []string{}
		for _, u := range tok.Units(v.Text) {
			units = append(units, u.String())
		}
		if diff := cmp.Diff(v.Units, units); diff != "" {
			t.Errorf("units of %q:\n%s", v.Text, diff)
		}
		if diff := cmp.Diff(v.Terms, termsOf(&tok, v.Text)); diff != "" {
			t.Errorf("terms of %q:\n%s", v.Text, diff)
		}
	}
}

// Every character of the first two planes becomes what Python makes of it.
func TestCharacters(t *testing.T) {
	want, err := os.ReadFile("testdata/characters.sha256")
	if err != nil {
		t.Fatal(err)
	}
	sum := sha256.New()
	var tok Tokeniser
	for c := range rune(0x20000) {
		if c >= 0xD800 && c < 0xE000 {
			continue
		}
		for i, u := range tok.Units(string(c)) {
			if i > 0 {
				sum.Write([]byte(","))
			}
			sum.Write([]byte(u.Text))
		}
		sum.Write([]byte("\n"))
	}
	if got := hex.EncodeToString(sum.Sum(nil)); got != strings.TrimSpace(string(want)) {
		t.Errorf("some character becomes another than in Python: digest %s", got)
	}
}

// Both tokenisers have the same table.
func TestTheTableIsShared(t *testing.T) {
	b, err := os.ReadFile("../web/js/search/classes.js")
	if err != nil {
		t.Fatal(err)
	}
	var table strings.Builder
	for _, m := range regexp.MustCompile(`(?m)^  "(.*)"`).FindAllStringSubmatch(string(b), -1) {
		table.WriteString(m[1])
	}
	if table.String() != classRuns {
		t.Error("report/web/js/search/classes.js has another table: run testdata/unicode.py")
	}
}

func FuzzTokeniser(f *testing.F) {
	for _, s := range []string{"The.Matrix.1999", "進撃の巨人", "\xff\xfe", "e\u0301", strings.Repeat("a", 5000), "\u202e\x00"} {
		f.Add(s)
	}
	var tok Tokeniser
	f.Fuzz(func(t *testing.T, text string) {
		for _, term := range termsOf(&tok, text) {
			if n := utf8.RuneCountInString(term); n == 0 || n > LongestTerm || !utf8.ValidString(term) {
				t.Fatalf("%q has the term %q", text, term)
			}
			if again := termsOf(&tok, term); len(again) > 2 || !slices.Contains(again, term) {
				t.Fatalf("the term %q of %q has the terms %q", term, text, again)
			}
		}
	})
}
