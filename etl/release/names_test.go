package release

import (
	"bufio"
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// TestNames reads testdata/*.txt: names of our own, with what a reader would take from them.
func TestNames(t *testing.T) {
	files, err := filepath.Glob(filepath.Join("testdata", "*.txt"))
	if err != nil || len(files) == 0 {
		t.Fatal("no testdata", err)
	}
	for _, file := range files {
		f, err := os.Open(file)
		if err != nil {
			t.Fatal(err)
		}
		s := bufio.NewScanner(f)
		for s.Scan() {
			name, want, ok := strings.Cut(s.Text(), " => ")
			if !ok || strings.HasPrefix(name, "#") {
				continue
			}
			checkName(t, name, want)
		}
		if err := f.Close(); err != nil {
			t.Fatal(err)
		}
	}
}

func checkName(t *testing.T, name, want string) {
	t.Helper()
	r := Parse(name)
	var got map[string]any
	if err := json.Unmarshal(r.AppendJSON(nil), &got); err != nil {
		t.Fatalf("%q: %v", name, err)
	}
	got["type"] = Classify(&r, name, Media{}).Type
	for pair := range strings.SplitSeq(want, "; ") {
		field, value, _ := strings.Cut(pair, "=")
		if have := shown(got[field]); have != value {
			t.Errorf("%s\n\t%s = %s, want %s", name, field, have, value)
		}
	}
}

// shown writes a JSON value as the test files do.
func shown(v any) string {
	switch v := v.(type) {
	case nil:
		return "-"
	case []any:
		parts := make([]string, len(v))
		for i := range v {
			parts[i] = fmt.Sprint(v[i])
		}
		return strings.Join(parts, ",")
	default:
		return fmt.Sprint(v)
	}
}
