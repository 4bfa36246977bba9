package release

import (
	"bufio"
	"encoding/json"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// sharedNames reads the labelled names that lie beside the repository, and skips the test where they do not.
func sharedNames(t testing.TB) []string {
	t.Helper()
	var names []string
	for _, file := range [...]string{"guessit", "ptt", "rls"} {
		f, err := os.Open(filepath.Join("..", "..", "..", "shared", "data", "names", file+".ndjson"))
		if err != nil {
			t.Skip("no labelled names beside the repository")
		}
		s := bufio.NewScanner(f)
		s.Buffer(nil, 1<<20)
		for s.Scan() {
			var row struct{ Name string }
			if err := json.Unmarshal(s.Bytes(), &row); err != nil {
				t.Fatal(err)
			}
			names = append(names, row.Name)
		}
		if err := f.Close(); err != nil {
			t.Fatal(err)
		}
	}
	return names
}

// BenchmarkParse reads the labelled names; names/s is what one core does.
func BenchmarkParse(b *testing.B) {
	names := sharedNames(b)
	var p Parser
	var r Release
	b.ReportAllocs()
	n := 0
	for b.Loop() {
		p.Parse(names[n%len(names)], &r)
		n++
	}
	b.ReportMetric(float64(n)/b.Elapsed().Seconds(), "names/s")
}

// BenchmarkWork adds the type of content and the work.
func BenchmarkWork(b *testing.B) {
	names := sharedNames(b)
	var p Parser
	var r Release
	n := 0
	for b.Loop() {
		name := names[n%len(names)]
		p.Parse(name, &r)
		c := Classify(&r, name, Media{})
		WorkOf(&r, c.Type).ID(LevelWork)
		n++
	}
	b.ReportMetric(float64(n)/b.Elapsed().Seconds(), "names/s")
}

// BenchmarkLong reads names of 64 KB that were made to be slow; a name is one operation.
func BenchmarkLong(b *testing.B) {
	for name, unit := range map[string]string{
		"brackets": "([{", "numbers": "1-2.3 ", "dashes": " - ", "tags": "x264 1080p ", "seasons": "S01E01-", "cjk": "第12集", "words": "a.b.c.",
		"versions": "v1.2.3.4.", "slashes": "a/б/", "digits": "0123456789",
	} {
		long := strings.Repeat(unit, 64<<10/len(unit))
		b.Run(name, func(b *testing.B) {
			var p Parser
			var r Release
			for b.Loop() {
				p.Parse(long, &r)
			}
		})
	}
}
