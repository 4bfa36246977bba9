//go:build cgo && !noduck

package duck_test

import (
	"context"
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/boontorrent/boon/datasets"
	"github.com/boontorrent/boon/internal/duck"
	"github.com/boontorrent/boon/internal/duck/ducktest"
	"github.com/boontorrent/boon/internal/lake"
)

func open(t *testing.T, s lake.Store) *duck.DB {
	t.Helper()
	db, err := duck.Open(t.Context(), s, duck.Options{Threads: 2, Memory: "1GB"})
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

func count(t *testing.T, db *duck.DB, query string) int64 {
	t.Helper()
	var n int64
	if err := db.Scan(t.Context(), query, &n); err != nil {
		t.Fatalf("%s: %v", query, err)
	}
	return n
}

func TestEmptyLakeHasEmptyViewsOfTheRightTypes(t *testing.T) {
	full := open(t, ducktest.Lake(t, t.TempDir()))
	empty := open(t, lake.NewFile(filepath.Join(t.TempDir(), "not there yet")))
	views := []string{"torrents", "files", "crawlers", "heard"}
	for _, table := range datasets.Tables() {
		name := table.Name
		if name == "torrents" || name == "files" {
			name += "_daily"
		}
		views = append(views, name)
	}
	for _, view := range views {
		if n := count(t, empty, "SELECT count(*) FROM "+view); n != 0 {
			t.Errorf("%s of an empty lake has %d rows", view, n)
		}
		types := `SELECT string_agg(column_name || ' ' || column_type, ', ') FROM (DESCRIBE ` + view + `)`
		var want, got string
		if err := errors.Join(full.Scan(t.Context(), types, &want), empty.Scan(t.Context(), types, &got)); err != nil {
			t.Fatal(err)
		}
		if got != want {
			t.Errorf("%s of an empty lake is\n%s\nof a full one\n%s", view, got, want)
		}
	}
}

func TestOnlyPartsThatAManifestNames(t *testing.T) {
	s := ducktest.Lake(t, t.TempDir())
	day, _ := lake.ParseDay(ducktest.Days[0])
	key := lake.PartKey("demand", day, "0123456789ab", 0)
	b, err := os.ReadFile(s.Path(key))
	if err != nil {
		t.Fatal(err)
	}
	before := count(t, open(t, s), "SELECT count(*) FROM demand")
	stray := lake.PartKey("demand", day, "fedcba987654", 0)
	if err := os.WriteFile(s.Path(stray), b, 0o644); err != nil {
		t.Fatal(err)
	}
	if after := count(t, open(t, s), "SELECT count(*) FROM demand"); after != before {
		t.Errorf("%d rows with a part that no manifest names, %d without", after, before)
	}
}

func TestTorrentsKeepsTheLatest(t *testing.T) {
	db := open(t, ducktest.Lake(t, t.TempDir()))
	if n := count(t, db, "SELECT count(*) - count(DISTINCT infohash) FROM torrents"); n != 0 {
		t.Errorf("%d info-hashes stand twice in torrents", n)
	}
	var name string
	if err := db.Scan(t.Context(), "SELECT name FROM torrents WHERE name LIKE 'Sample.Film%'", &name); err != nil {
		t.Fatal(err)
	}
	if !strings.HasSuffix(name, " again") {
		t.Errorf("torrents has the name of the first day, %q", name)
	}
	if n := count(t, db, `SELECT count(*) FROM files JOIN torrents USING (infohash) WHERE files.day <> torrents.day`); n != 0 {
		t.Errorf("%d files are of another day than their torrent", n)
	}
}

// The demand table of the test lake is made from its queries by SQL of its own.
func TestHeardAgreesWithDemand(t *testing.T) {
	db := open(t, ducktest.Lake(t, t.TempDir()))
	differ := `SELECT count(*) FROM
		(SELECT day, infohash, country, requesters, queries FROM demand
		 EXCEPT SELECT day, infohash, country, count(DISTINCT requester), count(*) FROM heard GROUP BY ALL)`
	if n := count(t, db, differ); n != 0 {
		t.Errorf("%d rows of demand differ from what heard gives", n)
	}
	for reason, query := range map[string]string{
		"by crawlers":     "SELECT count(*) FROM heard SEMI JOIN crawlers USING (day, key_epoch, requester)",
		"for nothing":     "SELECT count(*) FROM heard WHERE kind IN ('find_node', 'sample_infohashes')",
		"near one's own":  "SELECT count(*) FROM heard WHERE kind = 'get_peers' AND their_cpl >= 32",
		"by one, refresh": "SELECT count(*) FROM (SELECT infohash FROM heard ANTI JOIN torrents_daily USING (day, infohash) GROUP BY day, infohash HAVING count(DISTINCT requester) < 2 AND NOT bool_or(kind = 'announce_peer'))",
	} {
		if n := count(t, db, query); n != 0 {
			t.Errorf("heard holds %d queries %s", n, reason)
		}
	}
	if n := count(t, db, "SELECT count(*) FROM heard"); n == 0 {
		t.Error("heard is empty")
	}
}

// TestOldColumns: a day that was made before a column was is read beside newer
// ones, and alone.
func TestOldColumns(t *testing.T) {
	s := ducktest.Lake(t, t.TempDir())
	before := count(t, open(t, s), "SELECT count(*) FROM uptime")
	makeOld(t, s, ducktest.Days[0])
	old := "SELECT count(*) - count(our_id) - count(value) FROM uptime WHERE day = '" + ducktest.Days[0] + "'"
	db := open(t, s)
	rows := count(t, db, old)
	if n := count(t, db, "SELECT count(*) FROM uptime"); n != before || rows == 0 {
		t.Errorf("%d rows, %d of them without the columns; %d before", n, rows, before)
	}
	if count(t, db, "SELECT count(our_id) FROM uptime") == 0 {
		t.Error("newer days have lost a column")
	}
	for _, newer := range ducktest.Days[1:] {
		d, _ := lake.ParseDay(newer)
		if err := s.Delete(t.Context(), lake.ManifestKey("uptime", d)); err != nil {
			t.Fatal(err)
		}
	}
	if n := count(t, open(t, s), old); n != rows {
		t.Errorf("%d rows where the old day is alone, %d beside others", n, rows)
	}
}

// makeOld takes columns from a day of uptime, as if it had been made before they were.
func makeOld(t *testing.T, s *lake.File, on string) {
	t.Helper()
	day, _ := lake.ParseDay(on)
	m, was, err := lake.ReadManifest(t.Context(), s, "uptime", day)
	if err != nil {
		t.Fatal(err)
	}
	path := s.Path(m.Parts[0].Key)
	err = open(t, s).CopyTo(t.Context(), "SELECT * EXCLUDE (our_id, value, day) FROM uptime WHERE day = '"+on+"';", path+".old")
	if err == nil {
		err = os.Rename(path+".old", path)
	}
	if err != nil {
		t.Fatal(err)
	}
	m.Schema--
	if _, err := lake.WriteManifest(t.Context(), s, m, was); err != nil {
		t.Fatal(err)
	}
}

// DuckDB 1.5.5 fails inside at max of a folder's column over one file (its issue 25629).
func TestLastDayOfOneFile(t *testing.T) {
	db := open(t, ducktest.Lake(t, t.TempDir()))
	for _, view := range []string{"demand", "heard", "queries", "torrents"} {
		var last string
		err := db.Scan(t.Context(), "SELECT max(day)::VARCHAR FROM "+view+" WHERE day < '2026-11-22'", &last)
		if err != nil || last != "2026-11-21" {
			t.Errorf("%s: last day %q, %v", view, last, err)
		}
	}
}

func TestCopyCanBeSearched(t *testing.T) {
	db := open(t, ducktest.Lake(t, t.TempDir()))
	path := filepath.Join(t.TempDir(), "copy.parquet")
	if err := db.CopyTo(t.Context(), "SELECT infohash, name FROM torrents;", path); err != nil {
		t.Fatal(err)
	}
	if n := count(t, db, `SELECT count(*) FROM '`+path+`' WHERE infohash = unhex('36ef1d54e47a2e7923ae187953a368a4e447f203')`); n != 1 {
		t.Errorf("%d rows found by their bytes, want 1", n)
	}
}

func TestPeriod(t *testing.T) {
	db := open(t, ducktest.Lake(t, t.TempDir()))
	const days = "SELECT count(DISTINCT day) FROM demand WHERE in_period(day)"
	for _, c := range []struct {
		set  map[string]string
		want int64
	}{
		{nil, 2},
		{map[string]string{"day": "2026-11-21"}, 1},
		{map[string]string{"day": "2026-11-20"}, 0},
		{map[string]string{"week": "2026-11-16"}, 2},
		{map[string]string{"week": "2026-11-23"}, 0},
		{map[string]string{"since": "2026-11-22"}, 1},
		{map[string]string{"until": "2026-11-21", "since": "2026-11-01"}, 1},
		{map[string]string{"until": "2026-11-21", "since": "2026-11-22"}, 0},
	} {
		for name, value := range c.set {
			if err := db.Set(t.Context(), name, "DATE", value); err != nil {
				t.Fatal(err)
			}
		}
		if got := count(t, db, days); got != c.want {
			t.Errorf("%v: %d days, want %d", c.set, got, c.want)
		}
		for name := range c.set {
			if err := db.Reset(t.Context(), name); err != nil {
				t.Fatal(err)
			}
		}
	}
}

func TestCells(t *testing.T) {
	db := open(t, lake.NewFile(t.TempDir()))
	// By hand: Berlin (52.52, 13.41) lies in band floor(142.52) = 142, whose middle is
	// 52.5 N; it has round(360 × cos 52.5°) = round(219.15) = 219 cells; the column is
	// floor(193.41 / 360 × 219) = floor(117.66) = 117; 142 × 360 + 117 = 51237.
	for point, want := range map[string]int64{
		"52.52, 13.41": 51237,
		"90, 180":      179 * 360,
		"-90, -180":    0,
		"0, 180":       90 * 360,
	} {
		if got := count(t, db, "SELECT cell("+point+")"); got != want {
			t.Errorf("cell(%s) = %d, want %d", point, got, want)
		}
	}
	wrong := `SELECT count(*) FROM range(180) b(band), range(360) c(col)
		WHERE col < cells_in_band(band) AND cell(cell_lat(band * 360 + col), cell_lon(band * 360 + col)) <> band * 360 + col`
	if n := count(t, db, wrong); n != 0 {
		t.Errorf("the middle of %d cells lies in another cell", n)
	}
}

func TestSession(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "a lake's folder; -- it's")
	db := open(t, ducktest.Lake(t, dir))
	if n := count(t, db, "SELECT count(*) FROM queries"); n != 18000 {
		t.Errorf("%d queries in a folder whose name has quotes", n)
	}
	var zone string
	if err := db.Scan(t.Context(), "SELECT current_setting('TimeZone')", &zone); err != nil || zone != "UTC" {
		t.Errorf("time zone %q, %v", zone, err)
	}
	if err := db.Exec(t.Context(), "LOAD httpfs"); err == nil {
		t.Error("an extension was loaded")
	}
	hostile := `x'; DROP VIEW queries; --`
	if err := db.Set(t.Context(), "day", "", hostile); err != nil {
		t.Fatal(err)
	}
	var back string
	if err := db.Scan(t.Context(), "SELECT getvariable('day')", &back); err != nil || back != hostile {
		t.Errorf("variable %q came back as %q, %v", hostile, back, err)
	}
}

func TestInterrupt(t *testing.T) {
	db := open(t, lake.NewFile(t.TempDir()))
	ctx, cancel := context.WithTimeout(t.Context(), 50*time.Millisecond)
	defer cancel()
	var n int64
	err := db.Scan(ctx, "SELECT sum(hash(a, b) % 7) FROM range(1000000000) x(a), range(1000) y(b)", &n)
	if !errors.Is(err, context.DeadlineExceeded) {
		t.Errorf("a query that would take hours ended with %v", err)
	}
	if n := count(t, db, "SELECT 42"); n != 42 {
		t.Error("the session is unusable after an interrupt")
	}
}

func TestMemoryLakeIsRefused(t *testing.T) {
	if _, err := duck.Open(t.Context(), lake.NewMemory(), duck.Options{}); err == nil || !strings.Contains(err.Error(), "--lake") {
		t.Errorf("got %v", err)
	}
}
