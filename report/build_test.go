//go:build cgo && !noduck

package report_test

import (
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/boontorrent/boon/internal/duck"
	"github.com/boontorrent/boon/internal/duck/ducktest"
	"github.com/boontorrent/boon/internal/lake"
	"github.com/boontorrent/boon/report"
)

func open(t *testing.T, s lake.Store) *duck.DB {
	t.Helper()
	db, err := duck.Open(t.Context(), s, duck.Options{Threads: 2})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = db.Close() })
	return db
}

func build(t *testing.T, db *duck.DB, out string, k int) {
	t.Helper()
	if _, err := report.Build(t.Context(), db, report.Options{Out: out, K: k}); err != nil {
		t.Fatal(err)
	}
}

// digests of all files of a folder, by path.
func digests(t *testing.T, dir string) map[string]string {
	t.Helper()
	sums := map[string]string{}
	err := fs.WalkDir(os.DirFS(dir), ".", func(path string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() {
			return err
		}
		b, err := os.ReadFile(filepath.Join(dir, path))
		sum := sha256.Sum256(b)
		sums[path] = hex.EncodeToString(sum[:])
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	return sums
}

func read(t *testing.T, parts ...string) string {
	t.Helper()
	b, err := os.ReadFile(filepath.Join(parts...))
	if err != nil {
		t.Fatal(err)
	}
	return string(b)
}

func TestSameLakeSameBytes(t *testing.T) {
	s := ducktest.Lake(t, t.TempDir())
	one, two := filepath.Join(t.TempDir(), "one"), filepath.Join(t.TempDir(), "two")
	build(t, open(t, s), one, 20)
	build(t, open(t, s), two, 20)
	if diff := cmp.Diff(digests(t, one), digests(t, two)); diff != "" {
		t.Error(diff)
	}
}

func TestPagesOfAnEmptyLake(t *testing.T) {
	out := filepath.Join(t.TempDir(), "site")
	build(t, open(t, lake.NewFile(t.TempDir())), out, 20)
	if !strings.Contains(read(t, out, "index.html"), "no tables in this lake yet") {
		t.Error("the front page does not say that there is no data")
	}
}

func TestReplacesOnlyASite(t *testing.T) {
	db := open(t, lake.NewFile(t.TempDir()))
	mine := t.TempDir()
	if err := os.WriteFile(filepath.Join(mine, "thesis.tex"), []byte("years of work"), 0o644); err != nil {
		t.Fatal(err)
	}
	_, err := report.Build(t.Context(), db, report.Options{Out: mine, K: 20})
	if !errors.Is(err, report.ErrNotASite) {
		t.Errorf("a folder with other things: %v", err)
	}
	if read(t, mine, "thesis.tex") != "years of work" {
		t.Error("the file is gone")
	}
	parent := t.TempDir()
	out := filepath.Join(parent, "site")
	build(t, db, out, 20)
	if err := os.WriteFile(filepath.Join(out, "stale.html"), nil, 0o644); err != nil {
		t.Fatal(err)
	}
	build(t, db, out, 20)
	if _, err := os.Stat(filepath.Join(out, "stale.html")); !errors.Is(err, fs.ErrNotExist) {
		t.Error("a file of the old site is still there")
	}
	left, err := os.ReadDir(parent)
	if err != nil || len(left) != 1 {
		t.Errorf("beside the site there is %v, %v", left, err)
	}
}

// What a hostile name must not do: the test lake's third torrent tries.
func TestHostileNames(t *testing.T) {
	out := filepath.Join(t.TempDir(), "site")
	build(t, open(t, ducktest.Lake(t, t.TempDir())), out, 20)
	page := strings.ReplaceAll(read(t, out, "rankings", "index.html"), "<wbr>", "")
	if !strings.Contains(page, "&lt;script&gt;alert(1)&lt;/script&gt;") {
		t.Error("the name is not shown")
	}
	for _, bad := range []string{"<script", "\u202e", "\x1b"} {
		if strings.Contains(page, bad) {
			t.Errorf("the page holds %q", bad)
		}
	}
	if !strings.Contains(page, "映画") {
		t.Error("a name in other scripts is not shown")
	}
}

// The thresholds, against the lake's own tables.
func TestThresholds(t *testing.T) {
	db := open(t, ducktest.Lake(t, t.TempDir()))
	for _, k := range []int{20, 60, 100} {
		out := filepath.Join(t.TempDir(), "site")
		build(t, db, out, k)
		page := read(t, out, "rankings", "index.html")
		shown := regexp.MustCompile(`data-infohash="([0-9a-f]{40})"`).FindAllStringSubmatch(page, -1)
		for _, m := range shown {
			var networks int
			var adult bool
			query := `SELECT (SELECT count(DISTINCT network) FROM heard WHERE infohash = unhex('` + m[1] + `')),
				(SELECT adult FROM torrents WHERE infohash = unhex('` + m[1] + `'))`
			if err := db.Scan(t.Context(), query, &networks, &adult); err != nil {
				t.Fatal(err)
			}
			if networks < k || adult && networks < 100 {
				t.Errorf("k = %d: %s is shown with %d networks (adult: %v)", k, m[1], networks, adult)
			}
		}
		if k == 20 && len(shown) < 20 {
			t.Errorf("only %d torrents are shown", len(shown))
		}
		for _, number := range regexp.MustCompile(`<td class="num">([0-9\x{202f}]+)</td></tr>`).FindAllStringSubmatch(page, -1) {
			if !strings.HasSuffix(number[1], "0") {
				t.Errorf("%s is not rounded to tens", number[1])
			}
		}
	}
	out := filepath.Join(t.TempDir(), "site")
	build(t, db, out, 20)
	if strings.Contains(read(t, out, "countries", "index.html"), "Fiji") {
		t.Error("Fiji is shown, with two requesters")
	}
	if strings.Contains(read(t, out, "index.html"), "Grown.") {
		t.Error("adult content is on the front page")
	}
	if strings.Contains(strings.ReplaceAll(read(t, out, "rankings", "index.html"), "<wbr>", ""), "Title.2.Release.8<") {
		t.Error("a private torrent is shown")
	}
}

// A country where one network makes nearly all is not shown, though enough others are there.
func TestOneNetworkThatDominates(t *testing.T) {
	db := open(t, lake.NewFile(t.TempDir()))
	err := db.Exec(t.Context(), `CREATE OR REPLACE VIEW requesters AS
		SELECT n::BIGINT AS requester, (CASE WHEN n < 960 THEN 1 ELSE n END)::BIGINT AS network, 'e' AS key_epoch,
			TIMESTAMPTZ '2026-11-22 00:00:00+00' AS "first", TIMESTAMPTZ '2026-11-22 00:00:00+00' AS "last",
			1::BIGINT AS queries, 0::BIGINT AS announces, 1::BIGINT AS infohashes, 1::BIGINT AS node_ids,
			1::BIGINT AS max_per_minute, c AS country, 1::BIGINT AS asn, NULL::VARCHAR AS client,
			NULL::VARCHAR AS crawler, DATE '2026-11-22' AS day
		FROM range(1000) a(n), (VALUES ('DE'), ('FR')) b(c) WHERE c = 'DE' OR n >= 900`)
	if err != nil {
		t.Fatal(err)
	}
	query, err := os.ReadFile(filepath.Join("sql", "countries.sql"))
	if err != nil {
		t.Fatal(err)
	}
	// FR: 60 requesters of one network and 40 more networks; DE: 960 of one, and 40 more.
	var listed string
	err = errors.Join(db.Set(t.Context(), "k", "BIGINT", "20"),
		db.Scan(t.Context(), "SELECT string_agg(coalesce(country, '-') || ' ' || requesters, ',') FROM ("+
			strings.TrimRight(string(query), "; \n")+")", &listed))
	if err != nil {
		t.Fatal(err)
	}
	if listed != "FR 100" {
		t.Errorf("shown: %q, want FR 100 only", listed)
	}
}

func TestEveryPage(t *testing.T) {
	out := filepath.Join(t.TempDir(), "site")
	build(t, open(t, ducktest.Lake(t, t.TempDir())), out, 20)
	address := regexp.MustCompile(`\b\d{1,3}\.\d{1,3}\.\d{1,3}\.\d{1,3}\b`)
	href := regexp.MustCompile(`(?:href|src)="([^"]*)"`)
	for _, p := range []string{"", "rankings", "countries", "data", "methodology", "dictionary"} {
		page := read(t, out, p, "index.html")
		for _, must := range []string{"<!DOCTYPE html>", `<html lang="en"`, "<title>", "Content-Security-Policy", `href="#main"`, "<h1>", "width=device-width"} {
			if !strings.Contains(page, must) {
				t.Errorf("/%s lacks %s", p, must)
			}
		}
		for _, never := range []string{"http://", "https://", "style=", "<script", "onclick", "ZgotmplZ"} {
			if strings.Contains(page, never) {
				t.Errorf("/%s holds %s", p, never)
			}
		}
		if m := address.FindString(page); m != "" {
			t.Errorf("/%s holds the address %s", p, m)
		}
		for _, m := range href.FindAllStringSubmatch(page, -1) {
			target, fragment, _ := strings.Cut(m[1], "#")
			path := filepath.Join(out, p, target)
			if target == "" || strings.HasSuffix(target, "/") {
				path = filepath.Join(path, "index.html")
			}
			b, err := os.ReadFile(path)
			if err != nil {
				t.Errorf("/%s links to %s: %v", p, m[1], err)
			} else if fragment != "" && !strings.Contains(string(b), `id="`+fragment+`"`) {
				t.Errorf("/%s links to %s, which has no such place", p, m[1])
			}
		}
	}
	if n := strings.Count(read(t, out, "data", "SHA256SUMS"), "\n"); n != 16 {
		t.Errorf("%d checksums of 16 parts", n)
	}
}
