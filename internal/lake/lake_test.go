package lake_test

import (
	"os"
	"path/filepath"
	"testing"

	"github.com/boontorrent/boon/internal/lake"
	"github.com/boontorrent/boon/internal/lake/laketest"
)

func TestMemory(t *testing.T) {
	laketest.Run(t, func(*testing.T) lake.Store { return lake.NewMemory() })
}

func TestFile(t *testing.T) {
	laketest.Run(t, func(t *testing.T) lake.Store { return lake.NewFile(filepath.Join(t.TempDir(), "lake")) })
}

func TestOpenLocations(t *testing.T) {
	dir := t.TempDir()
	for in, want := range map[string]string{dir: dir, "file://" + dir: dir, "memory:": "memory:"} {
		s, err := lake.Open(in)
		if err != nil {
			t.Fatalf("Open(%q): %v", in, err)
		}
		if s.URL() != want {
			t.Errorf("Open(%q).URL() = %q, want %q", in, s.URL(), want)
		}
	}
	file := filepath.Join(dir, "file")
	if err := os.WriteFile(file, nil, 0o600); err != nil {
		t.Fatal(err)
	}
	for _, in := range []string{"", "ftp://host/x", "file://host/x", file, "file://" + file} {
		if _, err := lake.Open(in); err == nil {
			t.Errorf("Open(%q) succeeded", in)
		}
	}
}

// Other programs' files and unfinished writes in the folder are not objects.
func TestFileIgnoresStrangers(t *testing.T) {
	dir := t.TempDir()
	for _, name := range []string{".boon-tmp-123", "with space", "a.txt"} {
		if err := os.WriteFile(filepath.Join(dir, name), nil, 0o600); err != nil {
			t.Fatal(err)
		}
	}
	if err := os.Symlink("/etc/passwd", filepath.Join(dir, "link")); err != nil {
		t.Fatal(err)
	}
	n := 0
	for info, err := range lake.NewFile(dir).List(t.Context(), "") {
		if err != nil || info.Key != "a.txt" {
			t.Errorf("listed %q, %v", info.Key, err)
		}
		n++
	}
	if n != 1 {
		t.Errorf("listed %d objects, want 1", n)
	}
}

func TestKeyFilesArePrivate(t *testing.T) {
	f := lake.NewFile(t.TempDir())
	if _, err := lake.PutBytes(t.Context(), f, "keys/2026-W47.key", lake.Absent(), []byte("k")); err != nil {
		t.Fatal(err)
	}
	st, err := os.Stat(f.Path("keys/2026-W47.key"))
	if err != nil {
		t.Fatal(err)
	}
	if st.Mode().Perm() != 0o600 {
		t.Errorf("key file mode %v, want 0600", st.Mode().Perm())
	}
}

func TestSegmentKeyRoundTrip(t *testing.T) {
	k := lake.SegmentKey{Collector: "fra-1", Start: 1795354496123456, Seq: 17, Sha8: "0a1b2c3d"}
	const want = "raw/v1/day=2026-11-22/hour=13/fra-1-20261122T133456.123456Z-000017-0a1b2c3d.ndjson.zst"
	if k.String() != want {
		t.Fatalf("key is %s", k)
	}
	got, err := lake.ParseSegmentKey(want)
	if err != nil || got != k {
		t.Errorf("parsed %+v, %v", got, err)
	}
	for _, bad := range []string{
		"", "x", "raw/v1/day=2026-11-22/hour=13/x.ndjson.zst",
		"raw/v1/day=2026-11-23/hour=13/fra-1-20261122T133456.123456Z-000017-0a1b2c3d.ndjson.zst",
		"raw/v1/day=2026-11-22/hour=13/fra-1-20261122T133456.123456Z-17-0a1b2c3d.ndjson.zst",
	} {
		if _, err := lake.ParseSegmentKey(bad); err == nil {
			t.Errorf("ParseSegmentKey(%q) succeeded", bad)
		}
	}
}

func TestDay(t *testing.T) {
	d, err := lake.ParseDay("2026-11-22")
	if err != nil {
		t.Fatal(err)
	}
	if lake.DayOf(d.Start()) != d || lake.DayOf(d.End()-1) != d || lake.DayOf(d.End()) != d+1 {
		t.Error("a day does not hold its own bounds")
	}
	if lake.DayOf(-1) != -1 || lake.Day(-1).String() != "1969-12-31" {
		t.Errorf("the microsecond before 1970 falls on %v", lake.DayOf(-1))
	}
	for _, bad := range []string{"", "2026-13-01", "2026-02-30", "22.11.2026"} {
		if _, err := lake.ParseDay(bad); err == nil {
			t.Errorf("ParseDay(%q) succeeded", bad)
		}
	}
}
