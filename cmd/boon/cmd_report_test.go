//go:build cgo && !noduck

package main

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// TestReadExclusions: the list that boon resolve takes leaves the same torrents out of the site.
func TestReadExclusions(t *testing.T) {
	const v1, v2 = "0123456789abcdef0123456789abcdef01234567", "f123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef"
	path := filepath.Join(t.TempDir(), "optout.txt")
	list := "\ufeff" + v1 + "\r\n# by mail\r\n\r\nAERUKZ4JVPG66AJDIVTYTK6N54ASGRLH\n" + v2 + "\nmagnet:?xt=urn:btih:" + v1 + "&xt=urn:btmh:1220" + v2 + "\n A Title \n"
	if err := os.WriteFile(path, []byte(list), 0o600); err != nil {
		t.Fatal(err)
	}
	got, err := readExclusions(path)
	if diff := cmp.Diff([]string{v1, v1, v2[:40], v1, v2[:40], "A Title"}, got); diff != "" || err != nil {
		t.Errorf("%v; -want +got:\n%s", err, diff)
	}
	for _, line := range []string{v1[:39], v1 + " # by mail", "urn:btih:" + v1, v1[:30] + "xyzxyzxyzx", "magnet:?dn=x"} {
		if err := os.WriteFile(path, []byte("A Title\n\n"+line+"\n"), 0o600); err != nil {
			t.Fatal(err)
		}
		if got, err := readExclusions(path); err == nil || !strings.Contains(err.Error(), "line 3: ") {
			t.Errorf("%s: %q, %v", line, got, err)
		}
	}
}
