//go:build cgo && !noduck

package queries_test

import (
	"bytes"
	"encoding/json"
	"errors"
	"flag"
	"fmt"
	"maps"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/boontorrent/boon/internal/duck"
	"github.com/boontorrent/boon/internal/duck/ducktest"
	"github.com/boontorrent/boon/internal/lake"
	"github.com/boontorrent/boon/queries"
)

var update = flag.Bool("update", false, "write the golden files anew")

// given are values for the parameters that have no default.
var given = map[string]map[string]string{
	"torrent": {"infohash": "36ef1d54e47a2e7923ae187953a368a4e447f203"},
	"recall":  {"infohashes": "36EF1D54E47A2E7923AE187953A368A4E447F203, 00000000000000000000000000000000000000ff"},
}

func open(t *testing.T, s lake.Store) *duck.DB {
	t.Helper()
	db, err := duck.Open(t.Context(), s, duck.Options{Threads: 2})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = db.Close() })
	return db
}

// answer runs a query and returns its rows as JSON lines.
func answer(t *testing.T, db *duck.DB, name string, values map[string]string) string {
	t.Helper()
	q, err := queries.Find(name)
	if err != nil {
		t.Fatal(err)
	}
	rows, err := queries.Run(t.Context(), db, q, values)
	if err != nil {
		t.Fatal(err)
	}
	defer rows.Close()
	var b bytes.Buffer
	if err := queries.WriteJSON(&b, rows); err != nil {
		t.Fatalf("%s: %v", name, err)
	}
	return b.String()
}

// Whoever names a torrent says how large it is: two that say too much break no query.
func TestSizesBeyondMeasure(t *testing.T) {
	db := open(t, ducktest.Lake(t, t.TempDir()))
	ducktest.Huge(t, db)
	for _, q := range queries.All() {
		answer(t, db, q.Name, given[q.Name])
	}
	if n := field(t, answer(t, db, "totals", nil), "item", "bytes resolved", "value"); n < 9.2e18 {
		t.Errorf("%v bytes resolved", n)
	}
}

func TestEveryQuery(t *testing.T) {
	db := open(t, ducktest.Lake(t, t.TempDir()))
	empty := open(t, lake.NewFile(t.TempDir()))
	for _, q := range queries.All() {
		t.Run(q.Name, func(t *testing.T) {
			if !strings.Contains(q.About, "?") {
				t.Errorf("its first line is no question: %q", q.About)
			}
			got := answer(t, db, q.Name, given[q.Name])
			golden(t, filepath.Join("testdata", "golden", q.Name+".ndjson"), got)
			answer(t, empty, q.Name, given[q.Name])
			for _, p := range q.Params {
				values := maps.Clone(given[q.Name])
				if values == nil {
					values = map[string]string{}
				}
				values[p.Name] = map[string]string{"DATE": "2026-11-22", "INTEGER": "5"}[p.Type]
				if p.Name == "country" {
					values[p.Name] = "us"
				}
				if p.Name == "infohash" || p.Name == "infohashes" {
					continue
				}
				answer(t, db, q.Name, values)
			}
		})
	}
}

func golden(t *testing.T, path, got string) {
	t.Helper()
	if *update {
		if err := errors.Join(os.MkdirAll(filepath.Dir(path), 0o755), os.WriteFile(path, []byte(got), 0o644)); err != nil {
			t.Fatal(err)
		}
	}
	want, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(string(want), got); diff != "" {
		t.Errorf("differs from %s (go test -update writes it anew):\n%s", path, diff)
	}
}

// field reads one number of one row of an answer.
func field(t *testing.T, text, keyColumn, key, column string) float64 {
	t.Helper()
	for line := range strings.Lines(text) {
		var row map[string]any
		if err := json.Unmarshal([]byte(line), &row); err != nil {
			t.Fatal(err)
		}
		if row[keyColumn] == key {
			n, _ := row[column].(float64)
			return n
		}
	}
	t.Fatalf("no row with %s = %s in\n%s", keyColumn, key, text)
	return 0
}

// sum adds up a column of an answer.
func sum(t *testing.T, text, column string) (n float64) {
	t.Helper()
	for line := range strings.Lines(text) {
		var row map[string]any
		if err := json.Unmarshal([]byte(line), &row); err != nil {
			t.Fatal(err)
		}
		v, _ := row[column].(float64)
		n += v
	}
	return n
}

// The test lake has 9,000 queries on each of two days; four of its requesters are crawlers.
func TestSums(t *testing.T) {
	db := open(t, ducktest.Lake(t, t.TempDir()))
	for _, name := range []string{"countries", "kinds", "clients", "crawlers", "upkeep"} {
		if n := sum(t, answer(t, db, name, nil), "queries"); n != 18000 {
			t.Errorf("%s counts %v queries of 18000", name, n)
		}
		if n := sum(t, answer(t, db, name, map[string]string{"day": "2026-11-21"}), "queries"); n != 9000 {
			t.Errorf("%s counts %v queries of a day's 9000", name, n)
		}
	}
	demand := field(t, answer(t, db, "upkeep", nil), "reason", "demand", "queries")
	for _, name := range []string{"hourly", "heatmap", "content_types"} {
		if n := sum(t, answer(t, db, name, nil), "queries"); n != demand {
			t.Errorf("%s counts %v queries, of demand there are %v", name, n, demand)
		}
	}
	totals := answer(t, db, "totals", nil)
	if n := field(t, totals, "item", "crawlers", "value"); n != 8 {
		t.Errorf("%v crawler-days of four crawlers on two days", n)
	}
	requesters := field(t, totals, "item", "requesters", "value")
	for _, name := range []string{"countries", "countries_top"} {
		column := map[string]string{"countries": "demand_requesters", "countries_top": "requesters"}[name]
		if n := sum(t, answer(t, db, name, nil), column); n != requesters {
			t.Errorf("%s counts %v requesters, totals %v", name, n, requesters)
		}
	}
	pairs := field(t, totals, "item", "requests (distinct requester, infohash and day)", "value")
	for _, name := range []string{"content_types", "unresolved"} {
		if n := sum(t, answer(t, db, name, nil), "requesters"); n != pairs {
			t.Errorf("%s counts %v requests, totals %v", name, n, pairs)
		}
	}
	all := map[string]string{"top": "100000"}
	if n := sum(t, answer(t, db, "rankings", all), "requesters"); n != pairs {
		t.Errorf("rankings count %v requests, totals %v", n, pairs)
	}
}

func TestRankingOfACountry(t *testing.T) {
	db := open(t, ducktest.Lake(t, t.TempDir()))
	all := answer(t, db, "rankings", map[string]string{"day": "2026-11-22", "country": "US", "type": "movie", "top": "3"})
	var want int64
	err := db.Scan(t.Context(), `SELECT count(DISTINCT requester) FROM heard JOIN torrents USING (infohash)
		WHERE heard.day = '2026-11-22' AND country = 'US' AND content_type = 'movie'
		GROUP BY infohash ORDER BY 1 DESC LIMIT 1`, &want)
	if err != nil {
		t.Fatal(err)
	}
	first, _, _ := strings.Cut(all, "\n")
	if n := sum(t, first, "requesters"); n != float64(want) {
		t.Errorf("the first has %v requesters, counted from heard %d", n, want)
	}
}

func TestUptimeSeesTheGap(t *testing.T) {
	db := open(t, ducktest.Lake(t, t.TempDir()))
	first := answer(t, db, "uptime", map[string]string{"day": "2026-11-21"})
	for column, want := range map[string]float64{"minutes": 1410, "gap_minutes": 30, "longest_gap": 30,
		"received": 15 * 1410, "logged": 9 * 1410, "dropped": 6 * 1410, "unaccounted": 0, "own": 2 * 1410, "loaded": 11 * 1410, "lost": 0, "nodes": 812} {
		if got := sum(t, first, column); got != want {
			t.Errorf("%s is %v, want %v", column, got, want)
		}
	}
	if got := answer(t, db, "gaps", nil); got !=
		`{"collector":"fra1","beginning":"2026-11-21T12:00:00Z","ending":"2026-11-21T12:30:00Z","minutes":30}`+"\n" {
		t.Errorf("gaps: %s", got)
	}
}

func TestWrongUse(t *testing.T) {
	db := open(t, lake.NewFile(t.TempDir()))
	var missing *queries.NotFoundError
	if _, err := queries.Find("ranking"); !errors.As(err, &missing) || missing.Like != "rankings" {
		t.Errorf("got %v", err)
	}
	if _, err := queries.Find("zzzzzzzz"); !errors.As(err, &missing) || missing.Like != "" {
		t.Errorf("got %v", err)
	}
	for name, values := range map[string]map[string]string{
		"is not known":    {"colour": "red"},
		"is not a DATE":   {"day": "yesterday"},
		"is not negative": {"top": "-1"},
		"is before since": {"since": "2026-01-06", "until": "2026-01-05"},
	} {
		q, _ := queries.Find("rankings")
		_, err := queries.Run(t.Context(), db, q, values)
		var param *queries.ParamError
		if !errors.As(err, &param) || !strings.Contains(err.Error(), name) {
			t.Errorf("%v: got %v", values, err)
		}
	}
	q, _ := queries.Find("torrent")
	if _, err := queries.Run(t.Context(), db, q, nil); err == nil || !strings.Contains(err.Error(), "is missing") {
		t.Errorf("torrent without an info-hash: %v", err)
	}
}

// python finds the interpreter that `make test` prepares.
func python(t *testing.T) string {
	t.Helper()
	path := os.Getenv("BOON_PYTHON")
	if path == "" {
		path = filepath.Join("..", ".tools", "venv", "bin", "python")
	}
	if _, err := os.Stat(path); err != nil {
		t.Skip("no Python with duckdb: make test prepares one, BOON_PYTHON names another")
	}
	return path
}

// The same files, in another DuckDB that has only what boon connect prints, give the same rows.
func TestEveryQueryInPlainDuckDB(t *testing.T) {
	interpreter := python(t)
	db := open(t, ducktest.Lake(t, t.TempDir()))
	script, err := db.Catalog.Script()
	if err != nil {
		t.Fatal(err)
	}
	dir := t.TempDir()
	type task struct {
		SQL  string            `json:"sql"`
		Set  map[string]string `json:"set"`
		Type map[string]string `json:"type"`
	}
	tasks, want := map[string]task{}, map[string]string{}
	for _, q := range queries.All() {
		for variant, values := range map[string]map[string]string{"default": {}, "day": {"day": "2026-11-22"}} {
			maps.Copy(values, given[q.Name])
			id := q.Name + " " + variant
			tasks[id] = task{q.SQL, values, nil}
			rows, err := queries.Run(t.Context(), db, q, values)
			if err != nil {
				t.Fatal(err)
			}
			var b bytes.Buffer
			if err := errors.Join(queries.WriteJSON(&b, rows), rows.Close()); err != nil {
				t.Fatal(err)
			}
			want[id] = b.String()
		}
	}
	job, err := json.Marshal(map[string]any{"init": script, "tasks": tasks})
	if err != nil {
		t.Fatal(err)
	}
	input := filepath.Join(dir, "job.json")
	if err := os.WriteFile(input, job, 0o644); err != nil {
		t.Fatal(err)
	}
	cmd := exec.CommandContext(t.Context(), interpreter, filepath.Join("testdata", "plain.py"), input)
	cmd.Stderr = os.Stderr
	out, err := cmd.Output()
	if err != nil {
		t.Fatalf("plain.py: %v", err)
	}
	var got map[string]string
	if err := json.Unmarshal(out, &got); err != nil {
		t.Fatal(err)
	}
	for _, id := range slices.Sorted(maps.Keys(want)) {
		if diff := cmp.Diff(canonical(t, want[id]), canonical(t, got[id])); diff != "" {
			t.Errorf("%s: Go and Python differ:\n%s", id, diff)
		}
	}
}

// canonical makes JSON lines comparable whatever their spacing and order of keys.
func canonical(t *testing.T, lines string) (rows []map[string]any) {
	t.Helper()
	for line := range strings.Lines(lines) {
		d := json.NewDecoder(strings.NewReader(line))
		d.UseNumber()
		var row map[string]any
		if err := d.Decode(&row); err != nil {
			t.Fatalf("%v in %s", err, line)
		}
		for k, v := range row {
			if n, ok := v.(json.Number); ok {
				f, _ := n.Float64()
				row[k] = fmt.Sprint(f)
			}
		}
		rows = append(rows, row)
	}
	return rows
}
