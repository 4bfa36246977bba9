package release

import (
	"encoding/json"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// labelledNames reads the names that eval scores, and those of the NDJSON files in the folder $BOON_NAMES where it is set.
func labelledNames(t testing.TB) []string {
	t.Helper()
	files, err := filepath.Glob(filepath.Join("eval", "testdata", "*.txt"))
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
	return append(names, externalNames(t)...)
}

func externalNames(t testing.TB) []string {
	t.Helper()
	files, err := filepath.Glob(filepath.Join(os.Getenv("BOON_NAMES"), "*.ndjson"))
	if err != nil || os.Getenv("BOON_NAMES") == "" {
		return nil
	}
	var names []string
	for _, file := range files {
		text, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		for line := range strings.Lines(string(text)) {
			var row struct{ Name string }
			if err := json.Unmarshal([]byte(line), &row); err != nil {
				t.Fatal(err)
			}
			names = append(names, row.Name)
		}
	}
	return names
}

// BenchmarkParse reads the labelled names; names/s is what one core does.
func BenchmarkParse(b *testing.B) {
	names := labelledNames(b)
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
	names := labelledNames(b)
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
