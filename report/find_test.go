//go:build cgo && !noduck

package report_test

import (
	"compress/gzip"
	"encoding/base64"
	"encoding/hex"
	"encoding/json"
	"io"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/boontorrent/boon/internal/duck/ducktest"
	"github.com/boontorrent/boon/report"
)

func unzip(t *testing.T, path string, into any) {
	t.Helper()
	if err := json.Unmarshal(unzipped(t, path), into); err != nil {
		t.Fatalf("%s: %v", path, err)
	}
}

func unzipped(t *testing.T, path string) []byte {
	t.Helper()
	f, err := os.Open(path)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	z, err := gzip.NewReader(f)
	if err != nil {
		t.Fatal(err)
	}
	b, err := io.ReadAll(z)
	if err != nil {
		t.Fatalf("%s: %v", path, err)
	}
	return b
}

// eachRow reads a pack of rows of the search index.
func eachRow(t *testing.T, path string, each func(infohash, name string, demand int64)) {
	t.Helper()
	b := unzipped(t, path)
	n := int(b[0]) | int(b[1])<<8
	numbers := 2 + base64.StdEncoding.EncodedLen(20*n)
	hashes, err := base64.StdEncoding.DecodeString(string(b[2:numbers]))
	if err != nil {
		t.Fatalf("%s: %v", path, err)
	}
	var p struct {
		N []string
		Q []int64
	}
	if err := json.Unmarshal(b[numbers+5*n:], &p); err != nil || len(p.N) != n || len(p.Q) != n {
		t.Fatalf("%s: %d names of %d: %v", path, len(p.N), n, err)
	}
	for i := range n {
		each(hex.EncodeToString(hashes[20*i:20*i+20]), p.N[i], p.Q[i])
	}
}

func glob(t *testing.T, parts ...string) []string {
	t.Helper()
	list, err := filepath.Glob(filepath.Join(parts...))
	if err != nil || len(list) == 0 {
		t.Fatalf("%s: %d files, %v", filepath.Join(parts...), len(list), err)
	}
	return list
}

// saidOf is the demand that the search index and the torrent records tell, by info-hash, 0
// where they tell none.
func saidOf(t *testing.T, out string) (said map[string]int64, names map[string]string) {
	t.Helper()
	said, names = map[string]int64{}, map[string]string{}
	for _, path := range glob(t, out, "search", "i-*", "r", "*.gz") {
		eachRow(t, path, func(id, name string, q int64) { said[id], names[id] = q, name })
	}
	again, err := filepath.Glob(filepath.Join(out, "search", "i-*", "n", "w", "*.gz"))
	if err != nil {
		t.Fatal(err)
	}
	for _, path := range again {
		eachRow(t, path, func(id, name string, q int64) {
			if said[id] != q || names[id] != name {
				t.Errorf("%s: %s is %q with %d requesters, elsewhere %q with %d", path, id, name, q, names[id], said[id])
			}
		})
	}
	records := 0
	for _, path := range glob(t, out, "t", "i-*", "s", "*.gz") {
		var shard map[string]struct {
			N string
			Q *struct{ N int64 }
		}
		unzip(t, path, &shard)
		for id, r := range shard {
			records++
			var q int64
			if r.Q != nil {
				q = r.Q.N
			}
			if said[id] != q || names[id] != r.N {
				t.Errorf("%s is %q with %d requesters in search, %q with %d on its page", id, names[id], said[id], r.N, q)
			}
		}
	}
	if records != len(said) {
		t.Errorf("%d torrents have a page, %d are found", records, len(said))
	}
	return said, names
}

// Search finds every resolved torrent but private ones, and tells demand only from k
// networks up.
func TestWhatSearchTells(t *testing.T) {
	db := open(t, ducktest.Lake(t, t.TempDir()))
	out := filepath.Join(t.TempDir(), "site")
	build(t, db, out, 20)
	said, names := saidOf(t, out)
	var all int
	if err := db.Scan(t.Context(), "SELECT count(*) FROM torrents WHERE private IS NOT TRUE", &all); err != nil {
		t.Fatal(err)
	}
	if len(said) != all {
		t.Errorf("%d torrents are found of %d", len(said), all)
	}
	shown := 0
	for id, q := range said {
		var networks, requesters int64
		var adult, private bool
		query := `SELECT (SELECT count(DISTINCT network) FROM heard WHERE infohash = unhex('` + id + `')),
			(SELECT count(DISTINCT (day, requester)) FROM heard WHERE infohash = unhex('` + id + `')),
			(SELECT adult FROM torrents WHERE infohash = unhex('` + id + `')), (SELECT coalesce(private, false) FROM torrents WHERE infohash = unhex('` + id + `'))`
		if err := db.Scan(t.Context(), query, &networks, &requesters, &adult, &private); err != nil {
			t.Fatal(err)
		}
		need := int64(20)
		if adult {
			need = 100
		}
		if private {
			t.Errorf("%s is private", names[id])
		}
		if q > 0 {
			shown++
			if networks < need || q != (requesters+5)/10*10 {
				t.Errorf("%s: %d requesters are told; it has %d, in %d networks", names[id], q, requesters, networks)
			}
		}
	}
	if shown < 10 || shown == len(said) {
		t.Errorf("demand is told of %d torrents of %d", shown, len(said))
	}
}

func TestWhatIsExcludedIsNotFound(t *testing.T) {
	db := open(t, ducktest.Lake(t, t.TempDir()))
	out := filepath.Join(t.TempDir(), "site")
	build(t, db, out, 20)
	said, _ := saidOf(t, out)
	var one string
	for id := range said {
		one = max(one, id)
	}
	if _, err := report.Build(t.Context(), db, report.Options{Out: out, K: 20, Exclude: []string{one, "Title 1"}}); err != nil {
		t.Fatal(err)
	}
	left, names := saidOf(t, out)
	if _, ok := left[one]; ok {
		t.Errorf("%s is excluded and found", one)
	}
	for id, name := range names {
		if strings.HasPrefix(name, "Title.1.") {
			t.Errorf("%s (%s) is excluded and found", name, id)
		}
	}
}

// The index of the site that stands serves again where nothing has changed, and only where
// it is whole.
func TestTheIndexIsTakenOver(t *testing.T) {
	db := open(t, ducktest.Lake(t, t.TempDir()))
	out := filepath.Join(t.TempDir(), "site")
	build(t, db, out, 20)
	before := digests(t, out)
	root := glob(t, out, "search", "i-*", "root.gz")[0]
	first, err := os.Stat(root)
	if err != nil {
		t.Fatal(err)
	}
	build(t, db, out, 20)
	again, err := os.Stat(root)
	if err != nil {
		t.Fatal(err)
	}
	if !os.SameFile(first, again) {
		t.Error("the index was made anew")
	}
	if err := os.WriteFile(glob(t, out, "search", "i-*", "n", "0.gz")[0], []byte("cut"), 0o644); err != nil {
		t.Fatal(err)
	}
	build(t, db, out, 20)
	if diff := cmp.Diff(before, digests(t, out)); diff != "" {
		t.Errorf("after damage: %s", diff)
	}
	if left := glob(t, out, "search", "i-*"); len(left) != 1 {
		t.Errorf("beside the index there is %v", left)
	}
}
