//go:build cgo && !noduck

package duck_test

import (
	"io"
	"io/fs"
	"net/http"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/boontorrent/boon/internal/duck"
	"github.com/boontorrent/boon/internal/duck/ducktest"
	"github.com/boontorrent/boon/internal/lake"
	"github.com/boontorrent/boon/internal/lake/s3test"
)

// onS3 copies a lake to a new bucket.
func onS3(t *testing.T, server *s3test.Server, from lake.Store) lake.Store {
	t.Helper()
	to, err := lake.Open("s3://" + server.Bucket(t) + "/some/lake")
	if err != nil {
		t.Fatal(err)
	}
	for info, err := range from.List(t.Context(), "") {
		if err != nil {
			t.Fatal(err)
		}
		b, _, err := lake.ReadAll(t.Context(), from, info.Key, 1<<30)
		if err == nil {
			_, err = lake.PutBytes(t.Context(), to, info.Key, lake.Condition{}, b)
		}
		if err != nil {
			t.Fatal(err)
		}
	}
	return to
}

// sums are of every table and view: counts of rows and digests of what is in them.
func sums(t *testing.T, db *duck.DB) map[string]string {
	t.Helper()
	got := map[string]string{}
	for _, view := range []string{"queries", "requesters", "demand", "failures", "uptime", "probes",
		"torrents_daily", "files_daily", "torrents", "files", "crawlers", "heard"} {
		var text string
		if err := db.Scan(t.Context(), "SELECT count(*) || ' ' || coalesce(bit_xor(hash(COLUMNS(*)))::VARCHAR, '') FROM (SELECT hash(v) FROM "+view+" v)", &text); err != nil {
			t.Fatalf("%s: %v", view, err)
		}
		got[view] = text
	}
	return got
}

func openWith(t *testing.T, s lake.Store, o duck.Options) *duck.DB {
	t.Helper()
	db, err := duck.Open(t.Context(), s, o)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := db.Close(); err != nil {
			t.Error(err)
		}
	})
	return db
}

func TestS3ThroughCache(t *testing.T) {
	server := s3test.Start(t)
	local := ducktest.Lake(t, t.TempDir())
	s := onS3(t, server, local)
	proxy := s3test.NewProxy(t, server)
	s, err := lake.Open(s.URL()) // by way of the proxy
	if err != nil {
		t.Fatal(err)
	}
	var parts atomic.Int64
	proxy.Break(1<<60, nil, func(w http.ResponseWriter, r *http.Request, next http.Handler) {
		if strings.HasSuffix(r.URL.Path, ".parquet") {
			parts.Add(1)
		}
		next.ServeHTTP(w, r)
	})
	options := duck.Options{Threads: 2, CacheDir: filepath.Join(t.TempDir(), "cache")}
	t.Run("OnlyWhatIsAskedFor", func(t *testing.T) {
		db := openWith(t, s, options)
		if n := parts.Load(); n > 0 {
			t.Errorf("%d parts fetched before any question", n)
		}
		if n := count(t, db, "CREATE TEMP TABLE one AS SELECT 1 AS n; SELECT count(*) FROM main.demand, one -- ; queries"); n == 0 {
			t.Error("no rows")
		}
		if n := parts.Load(); n != int64(len(ducktest.Days)) {
			t.Errorf("%d parts fetched for a table of %d", n, len(ducktest.Days))
		}
		if got := count(t, db, "SELECT count(*) FROM (DESCRIBE crawlers)"); got != 7 {
			t.Errorf("crawlers has %d columns", got)
		}
	})
	t.Run("TheSameAsInAFolder", func(t *testing.T) {
		if diff := cmp.Diff(sums(t, openWith(t, local, duck.Options{})), sums(t, openWith(t, s, options))); diff != "" {
			t.Error(diff)
		}
	})
	t.Run("NothingTwice", func(t *testing.T) {
		before := parts.Load()
		sums(t, openWith(t, s, options))
		if n := parts.Load() - before; n != 0 {
			t.Errorf("%d parts fetched again", n)
		}
	})
	t.Run("DamagedCache", func(t *testing.T) {
		want := sums(t, openWith(t, local, duck.Options{}))
		for _, path := range cached(t, options.CacheDir) {
			if err := os.Truncate(path, 10); err != nil {
				t.Fatal(err)
			}
		}
		if diff := cmp.Diff(want, sums(t, openWith(t, s, options))); diff != "" {
			t.Error(diff)
		}
	})
}

// cached are the parts in a cache.
func cached(t *testing.T, dir string) (files []string) {
	t.Helper()
	err := filepath.WalkDir(dir, func(path string, d fs.DirEntry, err error) error {
		if err == nil && !d.IsDir() && d.Name() != "lock" {
			files = append(files, path)
		}
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	return files
}

func TestS3ManyAtOnce(t *testing.T) {
	server := s3test.Start(t)
	local := ducktest.Lake(t, t.TempDir())
	s := onS3(t, server, local)
	options := duck.Options{Threads: 1, CacheDir: filepath.Join(t.TempDir(), "cache"), CacheBytes: 5 << 20}
	want := sums(t, openWith(t, local, duck.Options{}))
	var wg sync.WaitGroup
	for range 4 {
		wg.Go(func() {
			for range 3 {
				db, err := duck.Open(t.Context(), s, options)
				if err != nil {
					t.Error(err)
					return
				}
				if diff := cmp.Diff(want, sums(t, db)); diff != "" {
					t.Error(diff)
				}
				if err := db.Close(); err != nil {
					t.Error(err)
				}
			}
		})
	}
	wg.Wait()
}

func TestS3CacheIsBounded(t *testing.T) {
	server := s3test.Start(t)
	s := onS3(t, server, ducktest.Lake(t, t.TempDir()))
	dir := filepath.Join(t.TempDir(), "cache")
	db, err := duck.Open(t.Context(), s, duck.Options{CacheDir: dir})
	if err != nil {
		t.Fatal(err)
	}
	sums(t, db)
	all := cached(t, dir)
	// Another session may not take away what this one uses.
	other, err := duck.Open(t.Context(), s, duck.Options{CacheDir: dir, CacheBytes: 1})
	if err == nil {
		err = other.Close()
	}
	if err != nil {
		t.Fatal(err)
	}
	if left := cached(t, dir); !slices.Equal(all, left) {
		t.Errorf("%d of %d parts left", len(left), len(all))
	}
	sums(t, db)
	if err := db.Close(); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(filepath.Join(dir, ".boon-tmp-1"), nil, 0o600); err != nil { // of a program that was killed
		t.Fatal(err)
	}
	db = openWith(t, s, duck.Options{CacheDir: dir, CacheBytes: 1})
	if left := cached(t, dir); len(left) > 0 {
		t.Errorf("a bound of one byte left %v", left)
	}
	err = db.Exec(t.Context(), "FROM demand")
	if err == nil || !strings.Contains(err.Error(), "--cache-size") || !strings.Contains(err.Error(), "--duckdb-extensions") {
		t.Errorf("a table larger than the cache: %v", err)
	}
}

func TestS3SpoiltPart(t *testing.T) {
	server := s3test.Start(t)
	s := onS3(t, server, ducktest.Lake(t, t.TempDir()))
	dir := t.TempDir()
	db := openWith(t, s, duck.Options{CacheDir: dir})
	for info, err := range s.List(t.Context(), "tables/demand/") {
		if err != nil {
			t.Fatal(err)
		}
		if !strings.HasSuffix(info.Key, ".parquet") {
			continue
		}
		_, err := s.Put(t.Context(), info.Key, lake.Condition{}, func(w io.Writer) error {
			_, err := w.Write(make([]byte, info.Size))
			return err
		})
		if err != nil {
			t.Fatal(err)
		}
	}
	if err := db.Exec(t.Context(), "FROM demand"); err == nil || !strings.Contains(err.Error(), "boon verify") {
		t.Errorf("got %v", err)
	}
	if left := cached(t, dir); len(left) > 0 {
		t.Errorf("the cache holds %v", left)
	}
}

// extensions is a folder with httpfs: $BOON_HTTPFS.
func extensions(t *testing.T) string {
	t.Helper()
	dir := os.Getenv("BOON_HTTPFS")
	if dir == "" {
		t.Skip("BOON_HTTPFS names no folder with DuckDB's httpfs")
	}
	return dir
}

func TestS3Directly(t *testing.T) {
	dir := extensions(t)
	server := s3test.Start(t)
	local := ducktest.Lake(t, t.TempDir())
	s := onS3(t, server, local)
	want := sums(t, openWith(t, local, duck.Options{}))
	if diff := cmp.Diff(want, sums(t, openWith(t, s, duck.Options{Extensions: dir}))); diff != "" {
		t.Error(diff)
	}
	for info, err := range s.List(t.Context(), "tables/demand/") {
		if err == nil && strings.HasSuffix(info.Key, ".parquet") {
			err = s.Delete(t.Context(), info.Key)
		}
		if err != nil {
			t.Fatal(err)
		}
	}
	if _, err := duck.Open(t.Context(), s, duck.Options{Extensions: dir}); err == nil || !strings.Contains(err.Error(), "boon verify") {
		t.Errorf("without the parts of a table: %v", err)
	}
	if _, err := duck.Open(t.Context(), s, duck.Options{Extensions: t.TempDir()}); err == nil || !strings.Contains(err.Error(), "pip install duckdb-extension-httpfs") {
		t.Errorf("a folder without httpfs: %v", err)
	}
}

// What connect prints works, with and without the credentials in it.
func TestS3Connect(t *testing.T) {
	server := s3test.Start(t)
	s := onS3(t, server, ducktest.Lake(t, t.TempDir()))
	for _, secrets := range []bool{false, true} {
		catalog, err := duck.ReadCatalog(t.Context(), s)
		if err != nil {
			t.Fatal(err)
		}
		if err := catalog.Remote(t.Context(), s, secrets); err != nil {
			t.Fatal(err)
		}
		script, err := catalog.Script()
		if err != nil {
			t.Fatal(err)
		}
		if strings.Contains(script, s3test.Secret) != secrets || strings.Contains(script, s3test.KeyID) != secrets {
			t.Errorf("asked for secrets: %t; printed\n%s", secrets, script)
		}
		t.Run(map[bool]string{false: "Filled", true: "Printed"}[secrets], func(t *testing.T) {
			dir := extensions(t)
			files, err := find(dir)
			if err != nil || len(files) == 0 {
				t.Fatalf("no httpfs in %s: %v", dir, err)
			}
			// A test has no network to install it from.
			script := strings.Replace(script, "INSTALL httpfs;\nLOAD httpfs", "LOAD '"+files[0]+"'", 1)
			db := openWith(t, lake.NewFile(t.TempDir()), duck.Options{})
			if !secrets {
				if err := db.Exec(t.Context(), script); err == nil || !strings.Contains(err.Error(), "first: SET VARIABLE s3_") {
					t.Errorf("without credentials: %v", err)
				}
				if err := db.Exec(t.Context(), "SET VARIABLE s3_key_id = '"+s3test.KeyID+"'; SET VARIABLE s3_secret = '"+s3test.Secret+"'"); err != nil {
					t.Fatal(err)
				}
			}
			if err := db.Exec(t.Context(), script); err != nil {
				t.Fatal(err)
			}
			if n := count(t, db, "SELECT count(*) FROM queries"); n != 18000 {
				t.Errorf("%d queries", n)
			}
		})
	}
}

func find(dir string) (files []string, err error) {
	err = filepath.WalkDir(dir, func(path string, d fs.DirEntry, err error) error {
		if err == nil && d.Name() == "httpfs.duckdb_extension" {
			files = append(files, path)
		}
		return err
	})
	return files, err
}
