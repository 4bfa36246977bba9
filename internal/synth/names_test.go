package synth

import (
	"flag"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

var update = flag.Bool("update", false, "rewrite golden files")

// TestNames shows names as they come out, for a reader's eyes.
func TestNames(t *testing.T) {
	cfg, err := Config{Seed: 1, Days: 1, Events: 10_000, Torrents: 800}.withDefaults()
	if err != nil {
		t.Fatal(err)
	}
	s, err := newSwarm(cfg)
	if err != nil {
		t.Fatal(err)
	}
	var b strings.Builder
	each := map[string]int{}
	for i := range s.catalogue.hash {
		rel := s.release(uint32(i))
		if each[rel.kind]++; each[rel.kind] <= 40 {
			b.WriteString(rel.kind + "\t" + rel.name + "\n")
		}
	}
	golden := filepath.Join("testdata", "names.golden")
	if *update {
		if err := os.WriteFile(golden, []byte(b.String()), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	want, err := os.ReadFile(golden)
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(strings.Split(string(want), "\n"), strings.Split(b.String(), "\n")); diff != "" {
		t.Errorf("names are not those of %s (go test -update rewrites it):\n%s", golden, diff)
	}
}
