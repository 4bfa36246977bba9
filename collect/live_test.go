package collect

import (
	"encoding/json"
	"net"
	"net/netip"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/maxmind/mmdbwriter"
	"github.com/maxmind/mmdbwriter/mmdbtype"

	"github.com/boontorrent/boon/internal/geo"
	"github.com/boontorrent/boon/internal/lake"
	"github.com/boontorrent/boon/internal/rawlog"
)

// places is a database in which 5.0.0.0/8 is in Philadelphia and 6.0.0.0/8 in Paris.
func places(t *testing.T) *geo.DB {
	t.Helper()
	tree, err := mmdbwriter.New(mmdbwriter.Options{DatabaseType: "GeoLite2-City", IPVersion: 6})
	if err != nil {
		t.Fatal(err)
	}
	for network, p := range map[string]struct {
		country  string
		lat, lon float64
	}{"5.0.0.0/8": {"US", 39.9526, -75.1652}, "6.0.0.0/8": {"FR", 48.8566, 2.3522}} {
		_, block, err := net.ParseCIDR(network)
		if err != nil {
			t.Fatal(err)
		}
		err = tree.Insert(block, mmdbtype.Map{
			"country":  mmdbtype.Map{"iso_code": mmdbtype.String(p.country)},
			"location": mmdbtype.Map{"latitude": mmdbtype.Float64(p.lat), "longitude": mmdbtype.Float64(p.lon)},
		})
		if err != nil {
			t.Fatal(err)
		}
	}
	path := filepath.Join(t.TempDir(), "city.mmdb")
	f, err := os.Create(path)
	if err == nil {
		_, err = tree.WriteTo(f)
	}
	if err != nil {
		t.Fatal(err)
	}
	f.Close()
	db, err := geo.Open(path, "")
	if err != nil {
		t.Fatal(err)
	}
	return db
}

// TestLiveView hears Philadelphia from four networks and Paris from two: the
// one is shown, the other is not, and neither's addresses are.
func TestLiveView(t *testing.T) {
	store := lake.NewMemory()
	l := newLive("fra1", store, places(t))
	hear := func(addr string, times int, version string) {
		for range times {
			l.hear(&rawlog.Query{Addr: netip.MustParseAddr(addr), Infohash: rawlog.ID{1}, TheirID: rawlog.ID{2}, HasTheirID: true, Version: []byte(version)})
		}
	}
	for _, a := range []string{"5.1.1.1", "5.1.2.1", "5.1.3.1", "5.1.4.1"} {
		hear(a, 10, "LT\x02\x01")
	}
	hear("5.1.4.77", 5, "UT\x00\x01")
	hear("6.1.1.1", 50, "LT\x01\x01")
	hear("6.1.2.1", 50, "<>")
	upkeep := rawlog.Query{Addr: netip.MustParseAddr("5.9.9.9"), Infohash: rawlog.ID{2}, TheirID: rawlog.ID{2}, HasTheirID: true}
	l.hear(&upkeep)
	if err := l.write(t.Context(), l.view(noon, 2)); err != nil {
		t.Fatal(err)
	}
	b, _, err := lake.ReadAll(t.Context(), store, "live/fra1.json", 1<<20)
	if err != nil {
		t.Fatal(err)
	}
	// 39.95 N is band 129, of round(360·cos 39.5°) = 278 cells; 75.1652 W is
	// (180-75.1652)/360·278 = 80.9 of them, and the middle of cell 80 is at 75.7554 W.
	want := `{"v":1,"collector":"fra1","t":1795348800000000,"seconds":10,"queries_per_second":14.5,"share":1,` +
		`"cells":[{"cell":46520,"lat":39.5,"lon":-75.7554,"queries":45,"networks":4}],` +
		`"countries":[{"country":"US","queries":45,"networks":4}],"clients":[{"client":"LT","queries":90}]}`
	if got := strings.TrimSpace(string(b)); got != want {
		t.Errorf("got\n%s\nwant\n%s", got, want)
	}

	for range liveWindow {
		l.turn()
	}
	if f := l.view(noon, liveWindow); len(f.Cells) != 0 || f.PerSecond != 0 {
		t.Errorf("after two minutes of silence: %+v", f)
	}
}

// TestLiveViewIsBounded hears more than is looked up: the rest is counted.
func TestLiveViewIsBounded(t *testing.T) {
	l := newLive("fra1", lake.NewMemory(), nil)
	q := rawlog.Query{Infohash: rawlog.ID{1}}
	for i := range 4 * liveSamples {
		q.Addr = netip.AddrFrom4([4]byte{5, byte(i >> 8), byte(i), 1})
		l.hear(&q)
	}
	f := l.view(noon, 1)
	if f.Share != 0.25 || f.PerSecond != 4*liveSamples/5 || len(l.buckets[0].samples) != liveSamples {
		t.Errorf("%+v", f)
	}
}

// TestLiveIndex: several collectors write themselves into one index.
func TestLiveIndex(t *testing.T) {
	store := lake.NewMemory()
	for _, name := range []string{"fra1", "nyc1", "fra1", "ams1"} {
		if err := newLive(name, store, nil).list(t.Context()); err != nil {
			t.Fatal(err)
		}
	}
	b, _, err := lake.ReadAll(t.Context(), store, "live/index.json", 1<<20)
	if err != nil || strings.TrimSpace(string(b)) != `["ams1","fra1","nyc1"]` || !json.Valid(b) {
		t.Errorf("%s (%v)", b, err)
	}
}
