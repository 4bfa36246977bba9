package main

import (
	"bytes"
	"compress/gzip"
	"os"
	"path/filepath"
	"testing"
)

// The committed bundles are those of the sources, and small.
func TestBundlesAreCurrent(t *testing.T) {
	made, err := bundle("../js")
	if err != nil {
		t.Fatal(err)
	}
	if len(made) == 0 {
		t.Fatal("there are no scripts in report/web/js")
	}
	for name, want := range made {
		got, err := os.ReadFile(filepath.Join("../dist", name))
		if err != nil || !bytes.Equal(got, want) {
			t.Errorf("report/web/dist/%s is not what its source gives (%v): run go generate ./report", name, err)
		}
		var b bytes.Buffer
		zip := gzip.NewWriter(&b)
		if _, err := zip.Write(want); err != nil || zip.Close() != nil {
			t.Fatal(err)
		}
		if b.Len() > 15<<10 {
			t.Errorf("%s weighs %d bytes gzipped; a page's script may have 15 KiB", name, b.Len())
		}
	}
	dist, err := filepath.Glob("../dist/*")
	if err != nil || len(dist) != len(made) {
		t.Errorf("report/web/dist holds %d files for %d scripts: run go generate ./report", len(dist), len(made))
	}
}
