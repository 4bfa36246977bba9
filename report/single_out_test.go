//go:build cgo && !noduck

package report_test

import (
	"compress/gzip"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/boontorrent/boon/etl"
	"github.com/boontorrent/boon/internal/duck"
	"github.com/boontorrent/boon/internal/geo"
	"github.com/boontorrent/boon/internal/lake"
	"github.com/boontorrent/boon/internal/pseudonym"
	"github.com/boontorrent/boon/internal/synth"
	"github.com/boontorrent/boon/report"
)

const testK = 20

var synthetic struct {
	once  sync.Once
	store *lake.File
	truth *synth.Truth
}

// syntheticLake is a synthetic day and its tables, which tests share.
func syntheticLake(t *testing.T) (*lake.File, *synth.Truth) {
	t.Helper()
	sharedSite(t)
	synthetic.once.Do(func() { synthetic.store, synthetic.truth = makeSynthetic(t, filepath.Join(shared.dir, "synthetic")) })
	return synthetic.store, synthetic.truth
}

func makeSynthetic(t *testing.T, dir string) (store *lake.File, truth *synth.Truth) {
	t.Helper()
	store = lake.NewFile(dir)
	day, err := lake.ParseDay("2026-01-05")
	if err != nil {
		t.Fatal(err)
	}
	if _, err := synth.Run(t.Context(), store, synth.Config{Seed: 21, Start: day, Days: 1, Events: 90_000, Torrents: 900}); err != nil {
		t.Fatal(err)
	}
	places, err := geo.Open(store.Path(geo.CityKey), store.Path(geo.ASNKey))
	if err != nil {
		t.Fatal(err)
	}
	_, err = etl.Run(t.Context(), store, etl.Options{Geo: places, Workers: 2, Program: "test", Now: func() time.Time { return time.Unix(0, 0) },
		NewKey: func() (pseudonym.Key, error) { return pseudonym.Key{}, errors.New("synth has written the keys") }})
	if err != nil {
		t.Fatal(err)
	}
	if truth, err = synth.ReadTruth(t.Context(), store); err != nil {
		t.Fatal(err)
	}
	return store, truth
}

// titleFile is a published map of a title.
type titleFile struct {
	Requesters int
	Countries  [][2]any
	Cells      []int
	Counts     []int
}

func readTitles(t *testing.T, out string) map[string]titleFile {
	t.Helper()
	all := map[string]titleFile{}
	names, err := filepath.Glob(filepath.Join(out, "map", "titles-*", "*.gz"))
	if err != nil || len(names) == 0 {
		t.Fatalf("maps of titles: %v, %v", names, err)
	}
	for _, name := range names {
		f, err := os.Open(name)
		if err != nil {
			t.Fatal(err)
		}
		zip, err := gzip.NewReader(f)
		if err != nil {
			t.Fatal(err)
		}
		text, err := io.ReadAll(zip)
		if err == nil {
			err = json.Unmarshal(text, &all)
		}
		if err != nil {
			t.Fatal(err)
		}
		_ = f.Close()
	}
	return all
}

// Whoever has all that is published tries to single people out: by a count of
// few, or by what is missing between a sum and its parts.
func TestNobodyIsSingledOut(t *testing.T) {
	store, truth := syntheticLake(t)
	db := open(t, store)
	out := filepath.Join(t.TempDir(), "site")
	if _, err := report.Build(t.Context(), db, report.Options{Out: out, K: testK, Keys: store}); err != nil {
		t.Fatal(err)
	}
	if err := db.Exec(t.Context(), "CREATE TEMP TABLE everything AS SELECT infohash, country, cell(lat, lon)::VARCHAR AS cell, network, requester FROM heard"); err != nil {
		t.Fatal(err)
	}
	asked := map[string]int{}
	for _, torrent := range truth.Torrents {
		if len(torrent.Heard) > 0 {
			asked[torrent.Infohash] = int(torrent.Heard[0])
		}
	}
	titles := readTitles(t, out)
	byPage := readCountries(t, out)
	shown := 0
	for id, title := range titles {
		if len(id) != 40 {
			continue
		}
		shown++
		if asked[id] < testK {
			t.Errorf("torrent %s is shown; %d people asked for it in truth", id, asked[id])
		}
		countries := partsOf(title.Countries)
		for country, n := range byPage.torrents(id) {
			countries[country] = n
		}
		attack(t, db, "everything WHERE infohash = unhex('"+id+"')", "country", countries, title.Requesters)
		var cells [][2]any
		for i, c := range title.Cells {
			cells = append(cells, [2]any{fmt.Sprint(c), float64(title.Counts[i])})
		}
		attack(t, db, "everything WHERE infohash = unhex('"+id+"')", "cell", partsOf(cells), title.Requesters)
		attackWithin(t, db, id, countries, title.Cells)
	}
	if shown < 50 {
		t.Errorf("only %d torrents are shown: the test says little", shown)
	}
	var list rankingFile
	readJSON(t, &list, out, "rankings", "latest", "ranking.json")
	for _, r := range list.Torrents {
		if asked[r.ID] < testK {
			t.Errorf("torrent %s is ranked; %d people asked for it in truth", r.ID, asked[r.ID])
		}
	}
	var rows [][2]any
	for _, c := range byPage.Countries {
		rows = append(rows, [2]any{c.Country, c.Requesters})
		var clients [][2]any
		for _, x := range c.Clients {
			clients = append(clients, [2]any{x.Client, x.Requesters})
		}
		if c.Country != "" {
			attack(t, db, "requesters WHERE crawler IS NULL AND country = '"+c.Country+"'", "client", partsOf(clients), int(c.Requesters))
		}
	}
	attack(t, db, "requesters WHERE crawler IS NULL", "country", partsOf(rows), -1)
}

// countryPages is what is published of countries.
type countryPages struct {
	Countries []struct {
		Country    string
		Requesters float64
		Clients    []struct {
			Client     string
			Requesters float64
		}
		Torrents []struct {
			ID         string
			Requesters int
		}
	}
}

func readCountries(t *testing.T, out string) (c countryPages) {
	t.Helper()
	readJSON(t, &c, out, "countries", "countries.json")
	return c
}

// torrents are the requesters of a torrent by the countries whose pages name it.
func (c countryPages) torrents(id string) map[string]int {
	counts := map[string]int{}
	for _, country := range c.Countries {
		for _, torrent := range country.Torrents {
			if torrent.ID == id {
				counts[country.Country] = torrent.Requesters
			}
		}
	}
	return counts
}

// partsOf reads rows of a name and a count.
func partsOf(rows [][2]any) map[string]int {
	parts := map[string]int{}
	for _, r := range rows {
		name, _ := r[0].(string)
		n, _ := r[1].(float64)
		parts[name] = int(n)
	}
	return parts
}

// attack holds what is published of those in from, by part, against the tables:
// each part has k networks, and so have those that are in none, if there are any.
func attack(t *testing.T, db *duck.DB, from, by string, shown map[string]int, sum int) {
	t.Helper()
	rows, err := db.Query(t.Context(), "SELECT coalesce("+by+", ''), network, count(DISTINCT requester) FROM "+from+" GROUP BY ALL")
	if err != nil {
		t.Fatal(err)
	}
	defer rows.Close()
	parts, hidden := map[string]map[int64]int{}, map[int64]int{}
	for rows.Next() {
		var part string
		var network int64
		var n int
		if err := rows.Scan(&part, &network, &n); err != nil {
			t.Fatal(err)
		}
		if _, ok := shown[part]; !ok || part == "" {
			hidden[network] += n
			continue
		}
		if parts[part] == nil {
			parts[part] = map[int64]int{}
		}
		parts[part][network] += n
	}
	for part, n := range shown {
		networks := parts[part]
		if part == "" {
			networks = hidden
		}
		people := 0
		for _, m := range networks {
			people += m
		}
		if len(networks) < testK || n != (people+5)/10*10 {
			t.Errorf("%s: %s %q is shown with %d: %d people of %d networks", from, by, part, n, people, len(networks))
		}
	}
	if len(shown) > 0 && len(hidden) > 0 && len(hidden) < testK {
		t.Errorf("%s by %s: those in no row are of %d networks, and follow from the sum %d", from, by, len(hidden), sum)
	}
}

// attackWithin takes a torrent's cells from the count of the country that they are in.
func attackWithin(t *testing.T, db *duck.DB, id string, countries map[string]int, cells []int) {
	t.Helper()
	shown := strings.Trim(strings.ReplaceAll(fmt.Sprint(cells), " ", "','"), "[]")
	rows, err := db.Query(t.Context(), `SELECT country, count(DISTINCT network) FILTER (cell IN ('`+shown+`')), count(DISTINCT network) FILTER (cell NOT IN ('`+shown+`') OR cell IS NULL)
		FROM everything WHERE infohash = unhex('`+id+`') AND country IS NOT NULL GROUP BY country`)
	if err != nil {
		t.Fatal(err)
	}
	defer rows.Close()
	for rows.Next() {
		var country string
		var in, out int
		if err := rows.Scan(&country, &in, &out); err != nil {
			t.Fatal(err)
		}
		if _, named := countries[country]; named && in >= testK && out > 0 && out < testK {
			t.Errorf("torrent %s: those in %s and in no cell are of %d networks, and follow from its sum", id, country, out)
		}
	}
}

// What leaks into a file of the site fails the build, unless a name holds it; and
// a torrent that is called by the address of somebody who was heard is not named.
func TestAddressesFailTheBuild(t *testing.T) {
	_, dir := sharedSite(t)
	db := open(t, lake.NewFile(dir))
	version := strings.ReplaceAll(renamed, "NAME", "App 10.0.19.41 (x64)")
	if err := db.Exec(t.Context(), version); err != nil {
		t.Fatal(err)
	}
	out := filepath.Join(t.TempDir(), "site")
	build(t, db, out, 20)
	if !strings.Contains(read(t, out, "rankings", "latest", "torrents.csv"), "App 10.0.19.41 (x64)") {
		t.Error("a version in a name is not shown")
	}
	// The same number where it is no name: here, the name of a program.
	err := db.Exec(t.Context(), `CREATE OR REPLACE TEMP VIEW requesters AS
		SELECT * REPLACE ('client of 198.51.100.23' AS client) FROM memory.main.requesters`)
	if err != nil {
		t.Fatal(err)
	}
	_, err = report.Build(t.Context(), db, report.Options{Out: out, K: 21})
	if !errors.Is(err, report.ErrLeak) || !strings.Contains(err.Error(), "countries.json") || strings.Contains(err.Error(), "198.51") {
		t.Errorf("an address as the name of a program: %v", err)
	}
	// And in the record of a torrent.
	err = db.Exec(t.Context(), `CREATE OR REPLACE TEMP VIEW requesters AS FROM memory.main.requesters; CREATE OR REPLACE TEMP VIEW torrents AS
		SELECT * REPLACE ('198.51.100.23' AS release_group) FROM memory.main.torrents`)
	if err != nil {
		t.Fatal(err)
	}
	_, err = report.Build(t.Context(), db, report.Options{Out: out, K: 21})
	if !errors.Is(err, report.ErrLeak) || !strings.Contains(err.Error(), "t/s/") || strings.Contains(err.Error(), "198.51") {
		t.Errorf("an address as the name of a release group: %v", err)
	}
	if !strings.Contains(read(t, out, "rankings", "latest", "torrents.csv"), "App 10.0.19.41 (x64)") {
		t.Error("the old site is gone")
	}
}

// A key of pseudonyms that gets into a file fails the build.
func TestKeysFailTheBuild(t *testing.T) {
	store, _ := syntheticLake(t)
	db := open(t, store)
	var epoch string
	if err := db.Scan(t.Context(), "SELECT min(key_epoch) FROM requesters", &epoch); err != nil {
		t.Fatal(err)
	}
	key, err := pseudonym.Load(t.Context(), store, epoch)
	if err != nil {
		t.Fatal(err)
	}
	text := hex.EncodeToString(key[:])
	if err := db.Exec(t.Context(), "CREATE OR REPLACE TEMP VIEW requesters AS SELECT * REPLACE ('"+text+"' AS client) FROM memory.main.requesters"); err != nil {
		t.Fatal(err)
	}
	_, err = report.Build(t.Context(), db, report.Options{Out: filepath.Join(t.TempDir(), "site"), K: testK, Keys: store})
	if !errors.Is(err, report.ErrLeak) || !strings.Contains(err.Error(), "key of pseudonyms") || strings.Contains(err.Error(), text) {
		t.Errorf("a key as the name of a program: %v", err)
	}
}

// renamed gives the torrent asked for most another name.
const renamed = `CREATE OR REPLACE TEMP VIEW torrents_daily AS
	SELECT * REPLACE (CASE WHEN name LIKE 'Sample.Film%' THEN 'NAME' ELSE name END AS name) FROM memory.main.torrents_daily;
	CREATE OR REPLACE TEMP VIEW torrents AS
	SELECT * REPLACE (CASE WHEN name LIKE 'Sample.Film%' THEN 'NAME' ELSE name END AS name) FROM memory.main.torrents`

func TestAddressOfSomebodyHeard(t *testing.T) {
	store, truth := syntheticLake(t)
	db := open(t, store)
	if len(truth.Crawlers) == 0 {
		t.Fatal("nobody's address is known")
	}
	var hash string
	if err := db.Scan(t.Context(), "SELECT lower(hex(infohash)) FROM demand JOIN torrents USING (infohash) WHERE private IS NOT TRUE AND NOT adult GROUP BY ALL ORDER BY sum(requesters) DESC LIMIT 1", &hash); err != nil {
		t.Fatal(err)
	}
	out := filepath.Join(t.TempDir(), "site")
	for address, named := range map[string]bool{truth.Crawlers[0].Address: false, "192.0.2.200": true} {
		err := db.Exec(t.Context(), `CREATE OR REPLACE TEMP VIEW torrents_daily AS
			SELECT * REPLACE (CASE WHEN infohash = unhex('`+hash+`') THEN 'who is `+address+`' ELSE name END AS name) FROM memory.main.torrents_daily;
			CREATE OR REPLACE TEMP VIEW torrents AS
			SELECT * REPLACE (CASE WHEN infohash = unhex('`+hash+`') THEN 'who is `+address+`' ELSE name END AS name) FROM memory.main.torrents`)
		if err != nil {
			t.Fatal(err)
		}
		if _, err := report.Build(t.Context(), db, report.Options{Out: out, K: testK, Keys: store}); err != nil {
			t.Fatal(err)
		}
		if got := strings.Contains(read(t, out, "rankings", "latest", "ranking.json"), hash); got != named {
			t.Errorf("a torrent called %s: named %v", map[bool]string{true: "by an address nobody has", false: "by the address of a requester"}[named], got)
		}
	}
}
