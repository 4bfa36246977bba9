//go:build cgo && !noduck

package report_test

import (
	"compress/gzip"
	"crypto/sha256"
	"encoding/csv"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

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

// The site of the test lake with k = 20, which most tests look at.
var shared struct {
	once sync.Once
	dir  string
}

func TestMain(m *testing.M) {
	code := m.Run()
	_ = os.RemoveAll(shared.dir)
	os.Exit(code)
}

// sharedSite returns its folder and the lake's.
func sharedSite(t *testing.T) (out, lakeDir string) {
	t.Helper()
	shared.once.Do(func() {
		var err error
		if shared.dir, err = os.MkdirTemp("", "boon-report-test-"); err != nil {
			t.Fatal(err)
		}
		build(t, open(t, ducktest.Lake(t, filepath.Join(shared.dir, "lake"))), filepath.Join(shared.dir, "site"), 20)
	})
	return filepath.Join(shared.dir, "site"), filepath.Join(shared.dir, "lake")
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
	one, dir := sharedSite(t)
	two := filepath.Join(t.TempDir(), "two")
	build(t, open(t, lake.NewFile(dir)), two, 20)
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
	if !strings.Contains(read(t, out, "countries", "index.html"), "Where requests come from.") {
		t.Error("the page of countries tells of a period that there is not")
	}
}

// A list of nothing is [] in what programs read, not null.
func TestListsOfNothing(t *testing.T) {
	out := filepath.Join(t.TempDir(), "site")
	build(t, open(t, ducktest.Lake(t, t.TempDir())), out, 1_000_000)
	n := 0
	for path := range digests(t, out) {
		if strings.HasSuffix(path, ".json") && strings.Contains(path, "ranking") {
			n++
			if text := read(t, out, path); strings.Contains(text, "null") || !strings.Contains(text, `"works": []`) {
				t.Errorf("%s: %s", path, text)
			}
		}
	}
	site, _ := sharedSite(t)
	if text := read(t, site, "countries", "countries.json"); strings.Contains(text, ": null") {
		t.Errorf("countries.json: %s", text)
	}
	if n == 0 {
		t.Error("there are no rankings")
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
	build(t, open(t, ducktest.Lake(t, t.TempDir())), out, 20)
	before := digests(t, out)
	if _, err := report.Build(t.Context(), db, report.Options{Out: out, K: 20}); !errors.Is(err, report.ErrNoTables) {
		t.Errorf("nothing in the place of a site with data: %v", err)
	}
	if diff := cmp.Diff(before, digests(t, out)); diff != "" {
		t.Error(diff)
	}
}

// What a hostile name must not do: the test lake's third torrent tries.
func TestHostileNames(t *testing.T) {
	out, _ := sharedSite(t)
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

// rankingFile is a published ranking.
type rankingFile struct {
	Torrents, Works []struct {
		ID, Name   string
		Adult      bool
		Requesters int
	}
}

func readJSON(t *testing.T, into any, parts ...string) {
	t.Helper()
	if err := json.Unmarshal([]byte(read(t, parts...)), into); err != nil {
		t.Fatal(err)
	}
}

// The rankings, against the view of all that was heard: what may be shown is, with
// the right count, and nothing else. One key epoch holds all of the test lake.
func TestRankingsTellTheTables(t *testing.T) {
	out, dir := sharedSite(t)
	db := open(t, lake.NewFile(dir))
	for unit, when := range map[string]string{"latest": "true", "2026-11-21": "day = '2026-11-21'", "2026-W47": "true"} {
		var got rankingFile
		readJSON(t, &got, out, "rankings", unit, "ranking.json")
		for by, rows := range map[string][]struct {
			ID, Name   string
			Adult      bool
			Requesters int
		}{"lower(hex(infohash))": got.Torrents, "work_id": got.Works} {
			want := map[string]int{}
			result, err := db.Query(t.Context(), `SELECT id, round(sum(n) / 10) * 10 FROM (
				SELECT `+by+` AS id, heard.network, count(DISTINCT (day, requester)) AS n, bool_or(adult) AS adult
				FROM heard JOIN (SELECT infohash, work_id, adult FROM torrents WHERE private IS NOT TRUE) USING (infohash) WHERE `+when+` GROUP BY ALL)
				GROUP BY id HAVING count(*) >= CASE WHEN bool_or(adult) THEN 100 ELSE 20 END AND max(n) <= 0.85 * sum(n)`)
			if err != nil {
				t.Fatal(err)
			}
			for result.Next() {
				var id string
				var n float64
				if err := result.Scan(&id, &n); err != nil {
					t.Fatal(err)
				}
				want[id] = int(n)
			}
			_ = result.Close()
			found := map[string]int{}
			for i, r := range rows {
				found[r.ID] = r.Requesters
				if i > 0 && r.Requesters > rows[i-1].Requesters {
					t.Errorf("%s: %s is out of order", unit, r.ID)
				}
			}
			if diff := cmp.Diff(want, found); diff != "" || len(want) < 20 {
				t.Errorf("%s by %s: %d rows (-want +got)\n%s", unit, by, len(want), diff)
			}
		}
	}
}

func TestLeftOut(t *testing.T) {
	out, _ := sharedSite(t)
	for _, name := range []string{"Fiji", "FJ"} {
		if strings.Contains(read(t, out, "countries", "index.html"), name) || strings.Contains(read(t, out, "countries", "countries.json"), name) {
			t.Errorf("%s is shown, with two requesters", name)
		}
	}
	if strings.Contains(read(t, out, "index.html"), "Grown.") {
		t.Error("adult content is on the front page")
	}
	if strings.Contains(read(t, out, "rankings", "latest", "ranking.json"), "Title.2.Release.8\"") {
		t.Error("a private torrent is shown")
	}
}

// Numbers, the CSV and the Parquet file say the same.
func TestDownloads(t *testing.T) {
	out, _ := sharedSite(t)
	var list rankingFile
	readJSON(t, &list, out, "rankings", "2026-11-22", "ranking.json")
	f, err := csv.NewReader(strings.NewReader(read(t, out, "rankings", "2026-11-22", "torrents.csv"))).ReadAll()
	if err != nil || len(f) != len(list.Torrents)+1 {
		t.Fatalf("%d lines of %d rows: %v", len(f), len(list.Torrents), err)
	}
	db := open(t, lake.NewFile(t.TempDir()))
	path := filepath.Join(out, "rankings", "2026-11-22", "torrents.parquet")
	for i, r := range list.Torrents {
		var hash, name string
		var requesters, rank int
		query := fmt.Sprintf("SELECT infohash, name, requesters, rank FROM '%s' LIMIT 1 OFFSET %d", path, i)
		if err := db.Scan(t.Context(), query, &hash, &name, &requesters, &rank); err != nil {
			t.Fatal(err)
		}
		line := f[i+1]
		if hash != r.ID || line[1] != r.ID || name != r.Name || requesters != r.Requesters || line[6] != strconv.Itoa(r.Requesters) || rank != i+1 || line[0] != strconv.Itoa(i+1) {
			t.Errorf("row %d: JSON %v, Parquet %s %s %d %d, CSV %v", i, r, hash, name, requesters, rank, line)
		}
	}
}

// What a build left that was killed goes a day later; what another is making stays.
func TestRemovesWhatAKilledBuildLeft(t *testing.T) {
	parent := t.TempDir()
	stale, young, other := filepath.Join(parent, ".site.new-1"), filepath.Join(parent, ".site.new-2"), filepath.Join(parent, ".sites.new-3")
	for _, dir := range []string{stale, young, other} {
		if err := os.MkdirAll(filepath.Join(dir, "data"), 0o755); err != nil {
			t.Fatal(err)
		}
	}
	old := time.Now().Add(-25 * time.Hour)
	if err := errors.Join(os.Chtimes(stale, old, old), os.Chtimes(other, old, old)); err != nil {
		t.Fatal(err)
	}
	build(t, open(t, lake.NewFile(t.TempDir())), filepath.Join(parent, "site"), 20)
	for dir, want := range map[string]bool{stale: false, young: true, other: true} {
		if _, err := os.Stat(dir); (err == nil) != want {
			t.Errorf("%s: %v", filepath.Base(dir), err)
		}
	}
}

// Whoever names a torrent says how large it is: two that say too much do not end the build.
func TestSizesBeyondMeasure(t *testing.T) {
	db := open(t, ducktest.Lake(t, t.TempDir()))
	ducktest.Huge(t, db)
	build(t, db, filepath.Join(t.TempDir(), "site"), 20)
}

// A torrent that is excluded, by either hash of a hybrid or by its title, is in no file.
func TestExclude(t *testing.T) {
	_, dir := sharedSite(t)
	db := open(t, lake.NewFile(dir))
	var hash, second string // of version 1, and what the DHT knows of that of version 2
	if err := db.Scan(t.Context(), "SELECT lower(hex(infohash)) FROM torrents WHERE name LIKE 'Ordinary.Series%'", &hash); err != nil {
		t.Fatal(err)
	}
	if err := db.Scan(t.Context(), "SELECT lower(hex(infohash_v2))[:40] FROM torrents WHERE name LIKE 'Ordinary.Series%'", &second); err != nil {
		t.Fatal(err)
	}
	for _, line := range []string{hash, second} {
		out := filepath.Join(t.TempDir(), "site")
		if _, err := report.Build(t.Context(), db, report.Options{Out: out, K: 20, Exclude: []string{line, "S\u00e1mple fi\u0301lm 2021 1080P web group AGAIN"}}); err != nil {
			t.Fatal(err)
		}
		holdsNone(t, out, hash, second, "Ordinary.Series", "Sample.Film")
	}
	out := filepath.Join(t.TempDir(), "site") // words of a name, as boon resolve takes them
	if _, err := report.Build(t.Context(), db, report.Options{Out: out, K: 20, Exclude: []string{"ordinary SERIES"}}); err != nil {
		t.Fatal(err)
	}
	holdsNone(t, out, hash, second, "Ordinary.Series")
	_, err := report.Build(t.Context(), db, report.Options{Out: filepath.Join(t.TempDir(), "site"), K: 20, Exclude: []string{"..."}})
	if err == nil || !strings.Contains(err.Error(), "neither an info-hash nor a title") {
		t.Errorf("a line of dots: %v", err)
	}
}

// A hybrid that was resolved under both of its hashes is excluded by either.
func TestExcludeResolvedTwice(t *testing.T) {
	_, dir := sharedSite(t)
	db := open(t, lake.NewFile(dir))
	var hash string
	err := errors.Join(db.Scan(t.Context(), "SELECT lower(hex(infohash)) FROM torrents WHERE name LIKE 'Ordinary.Series%'", &hash),
		db.Exec(t.Context(), `CREATE TEMP TABLE twice AS SELECT * FROM torrents_daily
			UNION ALL SELECT * REPLACE (unhex(hex(infohash_v2)[:40]) AS infohash) FROM torrents_daily WHERE name LIKE 'Ordinary.Series%'`),
		db.Exec(t.Context(), "CREATE OR REPLACE VIEW torrents_daily AS FROM twice"))
	if err != nil {
		t.Fatal(err)
	}
	both := filepath.Join(t.TempDir(), "both")
	build(t, db, both, 20)
	if n := strings.Count(everything(t, both)["search"], "Ordinary.Series"); n < 2 {
		t.Fatalf("the search index has %d of the two that were resolved", n)
	}
	out := filepath.Join(t.TempDir(), "site")
	if _, err := report.Build(t.Context(), db, report.Options{Out: out, K: 20, Exclude: []string{hash}}); err != nil {
		t.Fatal(err)
	}
	holdsNone(t, out, hash, "Ordinary.Series")
}

// everything is the text of a site's files, unpacked, by their first folder.
func everything(t *testing.T, out string) map[string]string {
	t.Helper()
	all := map[string]string{}
	for path := range digests(t, out) {
		folder, _, _ := strings.Cut(path, "/")
		text := read(t, out, path)
		if strings.HasSuffix(path, ".gz") {
			zip, err := gzip.NewReader(strings.NewReader(text))
			if err != nil {
				t.Fatal(err)
			}
			plain, err := io.ReadAll(zip)
			if err != nil {
				t.Fatal(err)
			}
			text = string(plain)
		}
		all[folder] += text + "\n"
	}
	return all
}

// holdsNone checks that no file of the site holds any of the texts.
func holdsNone(t *testing.T, out string, texts ...string) {
	t.Helper()
	for folder, text := range everything(t, out) {
		for _, gone := range texts {
			if strings.Contains(text, gone) {
				t.Errorf("%s holds %s", folder, gone)
			}
		}
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
	statement := func(name string) string { return strings.TrimRight(read(t, "sql", name+".sql"), "; \n") }
	// FR: 60 requesters of one network and 40 more networks; DE: 960 of one, and 40 more.
	var listed string
	err = errors.Join(db.Set(t.Context(), "k", "BIGINT", "20"),
		db.Exec(t.Context(), "CREATE TEMP TABLE counted AS "+statement("countries")),
		db.Scan(t.Context(), "SELECT string_agg(coalesce(part, '-') || ' ' || requesters, ',') FROM ("+statement("split")+")", &listed))
	if err != nil {
		t.Fatal(err)
	}
	if listed != "FR 100" {
		t.Errorf("shown: %q, want FR 100 only", listed)
	}
}

func TestEveryPage(t *testing.T) {
	out, _ := sharedSite(t)
	address := regexp.MustCompile(`\b\d{1,3}\.\d{1,3}\.\d{1,3}\.\d{1,3}\b`)
	href := regexp.MustCompile(`(?:href|src)="([^"]*)"`)
	for _, p := range []string{"", "rankings", "rankings/2026-11-22", "rankings/2026-W47", "map", "countries", "country/US", "data", "methodology", "dictionary"} {
		page := read(t, out, p, "index.html")
		for _, must := range []string{"<!DOCTYPE html>", `<html lang="en"`, "<title>", "Content-Security-Policy", `href="#main"`, "<h1", "width=device-width"} {
			if !strings.Contains(page, must) {
				t.Errorf("/%s lacks %s", p, must)
			}
		}
		if p != "map" && strings.Contains(page, "<script") {
			t.Errorf("/%s has a script", p)
		}
		for _, never := range []string{"http://", "https://", "style=", "<script>", "'unsafe-", "onclick", "ZgotmplZ"} {
			if strings.Contains(page, never) {
				t.Errorf("/%s holds %s", p, never)
			}
		}
		if m := address.FindString(page); m != "" {
			t.Errorf("/%s holds the address %s", p, m)
		}
		for _, m := range href.FindAllStringSubmatch(page, -1) {
			target, fragment, _ := strings.Cut(m[1], "#")
			target, _, _ = strings.Cut(target, "?")
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
