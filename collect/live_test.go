package collect

import (
	"encoding/json"
	"net"
	"net/netip"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/maxmind/mmdbwriter"
	"github.com/maxmind/mmdbwriter/mmdbtype"

	"github.com/boontorrent/boon/internal/geo"
	"github.com/boontorrent/boon/internal/lake"
	"github.com/boontorrent/boon/internal/rawlog"
)

// places is a database in which 5.0.0.0/8 is in Philadelphia, 6.0.0.0/8 in Paris and
// 7.0.0.0/8 in New York.
func places(t *testing.T) *geo.DB {
	t.Helper()
	tree, err := mmdbwriter.New(mmdbwriter.Options{DatabaseType: "GeoLite2-City", IPVersion: 6})
	if err != nil {
		t.Fatal(err)
	}
	for network, p := range map[string]struct {
		country  string
		lat, lon float64
	}{"5.0.0.0/8": {"US", 39.9526, -75.1652}, "6.0.0.0/8": {"FR", 48.8566, 2.3522}, "7.0.0.0/8": {"US", 40.7128, -74.0060}} {
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
// one is shown, the other is not, nor in the sum, and neither's addresses are.
func TestLiveView(t *testing.T) {
	store := lake.NewMemory()
	l := newLive("fra1", 3, store, places(t))
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
	want := `{"v":2,"collector":"fra1","t":1795348800000000,"seconds":10,"queries_per_second":5,"share":1,` +
		`"cells":[{"cell":46520,"degrees":1,"lat":39.5,"lon":-75.7554,"queries":50}],` +
		`"countries":[{"country":"US","queries":50}],"clients":[{"client":"LT","queries":90}]}`
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

// TestLiveViewTellsNothingByItsSum: who subtracts what is shown from all does not get
// what one network asked.
func TestLiveViewTellsNothingByItsSum(t *testing.T) {
	db := places(t)
	for others, want := range map[int]float64{1: 400, 30: 488} {
		l := newLive("fra1", 20, lake.NewMemory(), db)
		hear := func(block byte, i int) {
			l.hear(&rawlog.Query{Addr: netip.AddrFrom4([4]byte{block, byte(i >> 8), byte(i), 1}), Infohash: rawlog.ID{1}, Version: []byte("LT")})
		}
		for i := range 2000 {
			hear(5, i)
		}
		for i := range 437 {
			hear(6, i%others)
		}
		if others > 1 { // so many may be shown; an unknown place is not
			hear(9, 0)
		}
		f := l.view(0, 1)
		if f.PerSecond != want || len(f.Countries) != min(others, 2) {
			t.Errorf("437 queries of %d networks: %v a second, %+v", others, f.PerSecond, f.Countries)
		}
	}
}

// TestLiveViewIsCoarseWhereFewAsk: Philadelphia and New York have too few networks each,
// but lie in one cell of three degrees. Paris has enough, of which one makes nearly all;
// and later one too few.
func TestLiveViewIsCoarseWhereFewAsk(t *testing.T) {
	l := newLive("fra1", LiveNetworks, lake.NewMemory(), places(t))
	hear := func(city, networks, times int) {
		for n := range networks {
			for range times {
				l.hear(&rawlog.Query{Addr: netip.AddrFrom4([4]byte{byte(city), 1, byte(n), 1}), Infohash: rawlog.ID{1}})
			}
		}
	}
	hear(5, 12, 3)
	hear(7, 12, 2)
	hear(6, 20, 1)
	hear(6, 1, 200)
	// Band 43 of three degrees, 39 to 42 N, is of round(120·cos 40.5°) = 91 cells; both
	// are in cell 26, whose middle is at 26.5·360/91 - 180.
	want := []liveCell{{43*360 + 26, 3, 40.5, -75.1648, 60}}
	f := l.view(noon, 1)
	if diff := cmp.Diff(want, f.Cells); diff != "" {
		t.Error(diff)
	}
	if diff := cmp.Diff([]liveNation{{"US", 60}}, f.Countries); diff != "" {
		t.Error(diff)
	}
	for range liveWindow {
		l.turn()
	}
	hear(6, LiveNetworks-1, 5)
	if f := l.view(noon, 1); len(f.Cells)+len(f.Countries) > 0 {
		t.Errorf("a place with one network too few is shown: %+v", f)
	}
	hear(6, LiveNetworks, 5)
	if f := l.view(noon, 1); len(f.Cells) != 1 || f.Cells[0].Degrees != 1 {
		t.Errorf("a place with networks enough: %+v", f)
	}
}

// TestLiveViewIsBounded hears more than is looked up: the rest is counted.
func TestLiveViewIsBounded(t *testing.T) {
	l := newLive("fra1", LiveNetworks, lake.NewMemory(), nil)
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
		if err := newLive(name, LiveNetworks, store, nil).list(t.Context()); err != nil {
			t.Fatal(err)
		}
	}
	b, _, err := lake.ReadAll(t.Context(), store, "live/index.json", 1<<20)
	if err != nil || strings.TrimSpace(string(b)) != `["ams1","fra1","nyc1"]` || !json.Valid(b) {
		t.Errorf("%s (%v)", b, err)
	}
}
