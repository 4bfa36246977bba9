//go:build cgo && !noduck

package report

import (
	"strings"
	"testing"
)

// A number of one goes with a word of one.
func TestFrontPageOfOneCountry(t *testing.T) {
	s := &site{K: 20, Days: 1, First: "2026-11-22", Last: "2026-11-22", Week: period{"2026-11-22", "2026-11-22"},
		Figures: figures{Infohashes: 2, Countries: 1, Torrents: 1, Files: 1}}
	all, err := pages(s, assets{})
	if err != nil {
		t.Fatal(err)
	}
	text, err := renderer{}.render(all[0])
	if err != nil {
		t.Fatal(err)
	}
	for _, want := range []string{"<dt>country</dt>", "<dt>info-hashes asked for</dt>", "<dt>torrent named so far</dt>", "<dt>in 1 file</dt>"} {
		if !strings.Contains(string(text), want) {
			t.Errorf("the front page lacks %s", want)
		}
	}
}
