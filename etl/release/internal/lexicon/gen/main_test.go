package main

import (
	"bytes"
	"os"
	"path/filepath"
	"testing"
)

// TestTableIsFresh holds that table.go is what lexicon.txt says.
func TestTableIsFresh(t *testing.T) {
	out := filepath.Join(t.TempDir(), "table.go")
	if err := run(filepath.Join("..", "lexicon.txt"), out); err != nil {
		t.Fatal(err)
	}
	want, err := os.ReadFile(out)
	if err != nil {
		t.Fatal(err)
	}
	got, err := os.ReadFile(filepath.Join("..", "table.go"))
	if err != nil {
		t.Fatal(err)
	}
	if !bytes.Equal(got, want) {
		t.Error("table.go is stale: run go generate in internal/lexicon")
	}
}

// TestBadLines holds that a mistake in the lexicon is told with its line.
func TestBadLines(t *testing.T) {
	for _, line := range []string{"source web: x", "sauce web S: x", "source web Q: x", "source web S x"} {
		if _, err := read("\n" + line); err == nil || !bytes.Contains([]byte(err.Error()), []byte("line 2")) {
			t.Errorf("%q: error %v", line, err)
		}
	}
}
