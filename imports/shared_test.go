package imports

import (
	"bytes"
	"encoding/json"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/boontorrent/boon/internal/lake"
	"github.com/boontorrent/boon/internal/rawlog"
)

// shared is where real data lies beside the repository, on some machines.
func shared(t *testing.T, name string) string {
	t.Helper()
	path := filepath.Join("..", "..", "shared", "data", name)
	if _, err := os.Stat(path); err != nil {
		t.Skip("no ", path)
	}
	return path
}

// counts of a log, by what one would ask it for.
type counts map[string]map[string]int

func (c counts) add(what, value string) {
	if c[what] == nil {
		c[what] = map[string]int{}
	}
	c[what][value]++
}

// The real records of 2018 give the same counts read as plain JSON and read
// back from the lake.
func TestRealRecords(t *testing.T) {
	path := shared(t, filepath.Join("boonlog", "boonlog-v3-600.ndjson"))
	want, n := countJSON(t, path)
	s := lake.NewMemory()
	rep := boonlog(t, s, Options{Time: time.Date(2018, 4, 30, 17, 59, 50, 0, time.UTC)}, path)
	if rep.Events() != int64(n) || n != 600 || !rep.Whole() {
		t.Errorf("%d records: %+v", n, rep)
	}
	got := counts{}
	each(t, s, func(ev *rawlog.Event) { countEvent(got, ev) })
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("counts (-JSON +lake):\n%s", diff)
	}
}

// countJSON counts with encoding/json alone. Numbers are kept as they are written.
func countJSON(t *testing.T, path string) (counts, int) {
	t.Helper()
	b, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	c, n := counts{}, 0
	for line := range bytes.Lines(b) {
		var r map[string]any
		dec := json.NewDecoder(bytes.NewReader(line))
		dec.UseNumber()
		if err := dec.Decode(&r); err != nil {
			t.Fatal(err)
		}
		n++
		kind := r["type"].(string)
		c.add("type", kind)
		c.add("infohash", r["infohash"].(string))
		if place, ok := r["location"].(map[string]any); ok {
			for _, field := range []string{"country_iso", "city"} {
				if v, ok := place[field].(string); ok {
					c.add(field, v)
				}
			}
			if v, ok := place["sub_iso"].(string); ok {
				c.add("region", place["country_iso"].(string)+"-"+v)
			}
			whole := func(field string) string { return strings.TrimSuffix(place[field].(json.Number).String(), ".0") }
			c.add("point", whole("latitude")+" "+whole("longitude"))
		}
		if v, ok := r["version"].(string); ok {
			c.add("client", v)
		}
		if v, ok := r["is_seed"].(bool); ok {
			c.add("seed", map[bool]string{true: "yes", false: "no"}[v])
		}
		if v, ok := r["name"].(string); ok {
			c.add("name", v)
		}
		if v, ok := r["their_ip"].(string); ok {
			c.add("ip", v)
		}
		if kind == "resolve" {
			c.add("size and files", r["size"].(json.Number).String()+" "+r["files"].(json.Number).String())
		}
	}
	return c, n
}

func countEvent(c counts, ev *rawlog.Event) {
	number := func(v any) string {
		b, _ := json.Marshal(v)
		return string(b)
	}
	upper := func(id rawlog.ID) string { return string(bytes.ToUpper([]byte(id.String()))) }
	if r := ev.Resolve; ev.Kind == rawlog.Resolve {
		c.add("type", "resolve")
		c.add("infohash", upper(r.Infohash))
		c.add("name", r.Name)
		c.add("size and files", number(r.Size)+" "+number(r.FileCount))
		return
	}
	q := &ev.Query
	c.add("type", map[rawlog.Kind]string{rawlog.GetPeers: "get_peers", rawlog.AnnouncePeer: "announce"}[ev.Kind])
	c.add("infohash", upper(q.Infohash))
	c.add("ip", q.Addr.String())
	if q.Name != nil {
		c.add("name", string(q.Name))
	}
	if q.Version != nil {
		c.add("client", string(q.Version[:2]))
	}
	if q.Seed != rawlog.Unknown {
		c.add("seed", map[rawlog.Tri]string{rawlog.True: "yes", rawlog.False: "no"}[q.Seed])
	}
	if q.Geo == nil {
		return
	}
	for field, v := range map[string]string{"country_iso": q.Geo.Country, "city": q.Geo.City, "region": q.Geo.Region} {
		if v != "" {
			c.add(field, v)
		}
	}
	c.add("point", number(q.Geo.Lat)+" "+number(q.Geo.Lon))
}

// No malformed torrent does harm, and each has a reason.
func TestMalformedTorrents(t *testing.T) {
	folder := shared(t, "torrents")
	s := lake.NewMemory()
	rep := torrents(t, s, Options{Time: time.Date(2018, 4, 30, 0, 0, 0, 0, time.UTC)}, folder)
	if rep.Events() == 0 || rep.RejectedTotal() == 0 || int64(len(rep.Problems)) != rep.RejectedTotal() {
		t.Errorf("imported %d, rejected %d, reasons for %d", rep.Events(), rep.RejectedTotal(), len(rep.Problems))
	}
	if got := len(quarantined(t, s, rep.Quarantine[0])); int64(got) != rep.RejectedTotal() {
		t.Errorf("%d of %d rejected files are in quarantine", got, rep.RejectedTotal())
	}
	if got := len(stored(t, s)); int64(got) != rep.Events() {
		t.Errorf("%d of %d events can be read back", got, rep.Events())
	}
	t.Logf("%d files: imported %d, repeated %d, rejected %v", rep.Inputs, rep.Events(), rep.Repeated, rep.Rejected)
}
