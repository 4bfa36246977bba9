package geo_test

import (
	"bytes"
	"encoding/binary"
	"fmt"
	"math/rand/v2"
	"net"
	"net/netip"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/maxmind/mmdbwriter"
	"github.com/maxmind/mmdbwriter/mmdbtype"

	"github.com/boontorrent/boon/internal/geo"
)

type entry struct {
	network string
	record  mmdbtype.Map
}

// write makes a database file of the records and returns its path.
func write(t testing.TB, name, kind string, version int, entries ...entry) string {
	t.Helper()
	return writeSized(t, name, kind, version, 24, entries...)
}

// writeSized does so with numbers of so many bits in the tree.
func writeSized(t testing.TB, name, kind string, version, bits int, entries ...entry) string {
	t.Helper()
	tree, err := mmdbwriter.New(mmdbwriter.Options{DatabaseType: kind, BuildEpoch: 1_767_571_200, IPVersion: version, RecordSize: bits})
	if err != nil {
		t.Fatal(err)
	}
	for _, e := range entries {
		_, network, err := net.ParseCIDR(e.network)
		if err == nil {
			err = tree.Insert(network, e.record)
		}
		if err != nil {
			t.Fatal(err)
		}
	}
	var b bytes.Buffer
	if _, err := tree.WriteTo(&b); err != nil {
		t.Fatal(err)
	}
	path := filepath.Join(t.TempDir(), name)
	if err := os.WriteFile(path, b.Bytes(), 0o600); err != nil {
		t.Fatal(err)
	}
	return path
}

type (
	object = mmdbtype.Map
	text   = mmdbtype.String
	number = mmdbtype.Float64
)

func names(s string) object { return object{"names": object{"en": text(s), "de": text("anders")}} }

func nested(t testing.TB) string {
	return write(t, "city.mmdb", "GeoIP2-City", 6,
		entry{"130.91.0.0/16", object{
			"country": object{"iso_code": text("US")}, "city": names("Philadelphia"),
			"subdivisions": mmdbtype.Slice{object{"iso_code": text("PA")}},
			"location":     object{"latitude": number(39.9597), "longitude": number(-75.1995)},
		}},
		entry{"83.38.0.0/16", object{
			"country": object{"iso_code": text("ES")}, "city": names("Badajoz"),
			"subdivisions": mmdbtype.Slice{object{"iso_code": text("EX")}, object{"iso_code": text("BA")}},
		}},
		entry{"2a02:8108::/32", object{"country": object{"iso_code": text("DE")}}},
		entry{"84.0.0.0/16", object{"country": object{"iso_code": text("EU")}, "location": object{"latitude": number(0), "longitude": number(0)}}},
	)
}

func networks(t testing.TB) string {
	return write(t, "asn.mmdb", "GeoLite2-ASN", 6,
		entry{"130.91.0.0/16", object{"autonomous_system_number": mmdbtype.Uint32(55), "autonomous_system_organization": text("UPENN")}},
		entry{"198.51.0.0/17", object{"autonomous_system_number": mmdbtype.Uint32(64500)}},
	)
}

func open(t testing.TB, city, asn string) *geo.DB {
	t.Helper()
	db, err := geo.Open(city, asn)
	if err != nil {
		t.Fatal(err)
	}
	return db
}

func TestLookup(t *testing.T) {
	db := open(t, nested(t), networks(t))
	penn := geo.Place{Country: "US", Region: "US-PA", City: "Philadelphia", Lat: 39.9597, Lon: -75.1995, HasPoint: true, ASN: 55, ASName: "UPENN"}
	tests := []struct {
		addr string
		want geo.Place
	}{
		{"130.91.7.200", penn},
		{"::ffff:130.91.7.200", penn},
		{"2002:825b:7c8::1", penn},                     // 6to4 of 130.91.7.200
		{"2001:0:4136:e378:8000:63bf:7da4:f837", penn}, // Teredo of the same
		{"83.38.1.1", geo.Place{Country: "ES", Region: "ES-BA", City: "Badajoz"}},
		{"2a02:8108::1", geo.Place{Country: "DE"}},
		{"198.51.7.1", geo.Place{ASN: 64500}},
		{"84.0.0.1", geo.Place{}}, // a record that says nothing
		{"9.9.9.9", geo.Place{}},  // no record
		{"10.1.2.3", geo.Place{}}, // a bogon
		{"2002:a01:203::1", geo.Place{}},
	}
	for range 2 { // the second time from the cache
		for _, tt := range tests {
			got, ok := db.Lookup(netip.MustParseAddr(tt.addr))
			if diff := cmp.Diff(tt.want, got); diff != "" || ok != (tt.want != geo.Place{}) {
				t.Errorf("%s: known %v %s", tt.addr, ok, diff)
			}
		}
	}
	if _, ok := db.Lookup(netip.Addr{}); ok {
		t.Error("the zero address has a place")
	}
	if db.Damaged() != 0 {
		t.Errorf("%d damaged lookups in a sound database", db.Damaged())
	}
}

// Find tells apart what Lookup tells apart, and what it says of a network holds
// for every address there.
func TestFindAgreesWithLookup(t *testing.T) {
	db := open(t, nested(t), networks(t))
	r := rand.New(rand.NewPCG(1, 1))
	records := map[uint64]geo.Place{}
	near := []string{"130.91.7.200", "83.38.1.1", "198.51.7.1", "198.51.130.1", "84.0.0.1", "9.9.9.9", "10.1.2.3", "2a02:8108::1", "2002:825b:7c8::1", "2002:a01:203::1"}
	for range 2000 {
		a := netip.MustParseAddr(near[r.IntN(len(near))])
		if b := a.As4; a.Is4() && r.IntN(2) == 0 {
			four := b()
			four[1+r.IntN(3)] = byte(r.IntN(256))
			a = netip.AddrFrom4(four)
		}
		f := db.Find(a)
		want, _ := db.Lookup(a)
		if p, ok := records[f.Record]; ok && p != want {
			t.Fatalf("%s: record %x is %+v and %+v", a, f.Record, p, want)
		}
		records[f.Record] = want
		if !a.Is4() {
			continue
		}
		four := a.As4()
		beside := netip.AddrFrom4([4]byte(binary.BigEndian.AppendUint32(nil, binary.BigEndian.Uint32(four[:])^r.Uint32()>>f.Bits)))
		if got := db.Find(beside); got != f {
			t.Fatalf("%s is %+v, and %s, which shares %d bits, %+v", a, f, beside, f.Bits, got)
		}
	}
	if records[0] != (geo.Place{}) {
		t.Errorf("no record is %+v", records[0])
	}
}

// FindMany says what Find says, whatever the shape of the tree, also of trees
// that are damaged.
func TestFindManyAgreesWithFind(t *testing.T) {
	r := rand.New(rand.NewPCG(2, 1))
	for _, bits := range []int{24, 28, 32} {
		for _, version := range []int{4, 6} {
			cities, carriers := []entry{{"84.0.0.0/8", object{"city": names("City")}}}, []entry{{"0.0.0.0/4", object{"autonomous_system_number": mmdbtype.Uint32(7)}}}
			for i := range 300 {
				// Near each other, and wide and narrow.
				network := fmt.Sprintf("84.%d.%d.%d/%d", r.IntN(4), r.IntN(256), r.IntN(256), 9+r.IntN(24))
				cities = append(cities, entry{network, object{"city": names(fmt.Sprint("City", i))}})
				carriers = append(carriers, entry{network, object{"autonomous_system_number": mmdbtype.Uint32(i)}})
			}
			city := writeSized(t, "city.mmdb", "City", version, bits, cities...)
			asn := writeSized(t, "asn.mmdb", "ASN", version, bits, carriers...)
			manyAgree(t, r, open(t, city, asn))
			manyAgree(t, r, open(t, city, ""))
			manyAgree(t, r, open(t, "", asn))
			whole, err := os.ReadFile(city)
			if err != nil {
				t.Fatal(err)
			}
			damaged := 0
			for range 40 {
				b := bytes.Clone(whole)
				for range 1 + r.IntN(40) {
					b[r.IntN(len(b)/2)] ^= 1 << r.IntN(8)
				}
				if err := os.WriteFile(city, b, 0o600); err != nil {
					t.Fatal(err)
				}
				if db, err := geo.Open(city, asn); err == nil {
					damaged++
					manyAgree(t, r, db)
				}
			}
			if damaged == 0 {
				t.Error("no damaged database could be opened: nothing was tested")
			}
		}
	}
	var none *geo.DB
	found := []geo.Found{{Record: 1}}
	if none.FindMany([]uint32{84 << 24}, found); found[0] != none.Find(netip.AddrFrom4([4]byte{84})) {
		t.Errorf("a nil DB finds %+v", found[0])
	}
}

func manyAgree(t *testing.T, r *rand.Rand, db *geo.DB) {
	t.Helper()
	addrs := make([]uint32, 1000)
	for i := range addrs {
		addrs[i] = 84<<24 | r.Uint32()>>(8+r.IntN(24))
		if i%10 == 0 {
			addrs[i] = r.Uint32()
		}
	}
	found := make([]geo.Found, len(addrs))
	before := db.Damaged()
	db.FindMany(addrs, found)
	many := db.Damaged() - before
	known := 0
	for i, a := range addrs {
		want := db.Find(netip.AddrFrom4([4]byte(binary.BigEndian.AppendUint32(nil, a))))
		if found[i] != want {
			t.Fatalf("%d.%d.%d.%d is %+v, and %+v among many", a>>24, a>>16&255, a>>8&255, a&255, want, found[i])
		}
		if want.Record != 0 {
			known++
		}
	}
	if known == 0 {
		t.Error("nothing is known of any address")
	}
	if alone := db.Damaged() - before - many; alone != many {
		t.Errorf("%d lookups ran into damage alone, %d among many", alone, many)
	}
}

func TestFlatDatabases(t *testing.T) {
	city := write(t, "dbip-city-ipv4.mmdb", "city ipv4", 4,
		entry{"130.91.0.0/16", object{"country_code": text("US"), "state1": text("Pennsylvania"), "city": text("Philadelphia (University City)"),
			"latitude": mmdbtype.Float32(39.953), "longitude": mmdbtype.Float32(-75.1923), "postcode": text(""), "timezone": text("")}},
		entry{"95.90.0.0/16", object{"country_code": text("DE"), "state1": text("State of Berlin"), "city": text("Berlin")}})
	six := write(t, "x.mmdb", "city ipv6", 6, entry{"2a02:8108::/32", object{"country_code": text("DE"), "city": text("Berlin")}})
	b, err := os.ReadFile(six)
	if err == nil {
		err = os.WriteFile(strings.Replace(city, "ipv4", "ipv6", 1), b, 0o600)
	}
	if err != nil {
		t.Fatal(err)
	}
	db := open(t, city, "")
	for addr, want := range map[string]geo.Place{
		"130.91.7.200": {Country: "US", Region: "US-PA", City: "Philadelphia", Lat: 39.953, Lon: -75.1923, HasPoint: true},
		"95.90.1.1":    {Country: "DE", City: "Berlin"}, // a division without a code stays unknown
		"2a02:8108::1": {Country: "DE", City: "Berlin"}, // from the file beside
	} {
		if got, _ := db.Lookup(netip.MustParseAddr(addr)); got != want {
			t.Errorf("%s: %s", addr, cmp.Diff(want, got))
		}
	}
	country := write(t, "country.mmdb", "country ipvAll", 6, entry{"130.91.0.0/16", object{"country_code": text("US")}})
	if got, ok := open(t, country, "").Lookup(netip.MustParseAddr("130.91.7.200")); !ok || got != (geo.Place{Country: "US"}) {
		t.Errorf("from a database of countries: %+v, %v", got, ok)
	}
}

func TestBogon(t *testing.T) {
	for _, s := range []string{
		"0.1.2.3", "10.0.0.1", "100.64.0.1", "100.127.255.255", "127.0.0.1", "169.254.1.1", "172.16.0.1", "172.31.255.255", "192.0.0.8", "192.0.2.1",
		"192.88.99.1", "192.168.1.1", "198.18.0.1", "198.19.255.255", "198.51.100.1", "203.0.113.9", "224.0.0.1", "240.0.0.1", "255.255.255.255",
		"::", "::1", "::ffff:10.0.0.1", "64:ff9b::808:808", "100::1", "2001:2::1", "2001:db8::1", "2002:c0a8:101::1", "3ffe::1", "3fff:1::", "fc00::1",
		"fe80::1%eth0", "fec0::1", "ff02::1", "5f00::1",
	} {
		if !geo.Bogon(netip.MustParseAddr(s)) {
			t.Errorf("%s is not called a bogon", s)
		}
	}
	for _, s := range []string{
		"1.1.1.1", "100.63.255.255", "100.128.0.0", "169.253.0.1", "172.15.0.1", "172.32.0.1", "192.0.1.1", "192.167.0.1", "198.17.0.1", "198.20.0.1",
		"203.0.114.1", "223.255.255.255", "::ffff:8.8.8.8", "2001:4860:4860::8888", "2002:808:808::1", "2a02:8108::1", "2600::1",
	} {
		if geo.Bogon(netip.MustParseAddr(s)) {
			t.Errorf("%s is called a bogon", s)
		}
	}
	if !geo.Bogon(netip.Addr{}) {
		t.Error("the zero address is not called a bogon")
	}
}

func TestOpenErrors(t *testing.T) {
	dir := t.TempDir()
	whole, err := os.ReadFile(nested(t))
	if err != nil {
		t.Fatal(err)
	}
	file := func(name string, b []byte) string {
		path := filepath.Join(dir, name)
		if err := os.WriteFile(path, b, 0o600); err != nil {
			t.Fatal(err)
		}
		return path
	}
	other := write(t, "other.mmdb", "Other", 6, entry{"1.0.0.0/16", object{"anonymous": mmdbtype.Bool(true)}})
	tests := []struct{ name, city, asn, want string }{
		{"missing", filepath.Join(dir, "none.mmdb"), "", "no such file"},
		{"missing, networks", "", filepath.Join(dir, "none.mmdb"), "--asn FILE"},
		{"a folder", dir, "", "is a directory"},
		{"empty", file("empty", nil), "", "not a whole MaxMind DB file"},
		{"cut", file("cut", whole[:len(whole)/2]), "", "not a whole MaxMind DB file"},
		{"text", file("text", []byte("country,city\n")), "", "not a whole MaxMind DB file"},
		{"networks for places", networks(t), "", "holds networks (autonomous systems), where places are needed"},
		{"places for networks", "", nested(t), "holds places, where networks"},
		{"another kind", other, "", "neither places nor networks"},
	}
	for _, tt := range tests {
		_, err := geo.Open(tt.city, tt.asn)
		if err == nil || !strings.Contains(err.Error(), tt.want) || !strings.Contains(err.Error(), "make geo") {
			t.Errorf("%s: %v", tt.name, err)
		}
	}
}

// TestDamagedDatabase flips bits all over a database: it may forget places or
// tell wrong ones, but must not panic.
func TestDamagedDatabase(t *testing.T) {
	whole, err := os.ReadFile(nested(t))
	if err != nil {
		t.Fatal(err)
	}
	rng := rand.New(rand.NewPCG(1, 2))
	path := filepath.Join(t.TempDir(), "damaged.mmdb")
	opened := 0
	for range 300 {
		b := bytes.Clone(whole)
		for range 1 + rng.IntN(20) {
			b[rng.IntN(len(b))] ^= 1 << rng.IntN(8)
		}
		if err := os.WriteFile(path, b, 0o600); err != nil {
			t.Fatal(err)
		}
		db, err := geo.Open(path, "")
		if err != nil {
			continue
		}
		opened++
		for _, a := range []string{"130.91.7.200", "83.38.1.1", "2a02:8108::1", "84.0.0.1"} {
			db.Lookup(netip.MustParseAddr(a))
		}
		db.Lookup(netip.AddrFrom4([4]byte(binary.BigEndian.AppendUint32(nil, rng.Uint32()))))
	}
	if opened == 0 {
		t.Error("no damaged database could be opened: nothing was tested")
	}
}

func TestEdition(t *testing.T) {
	city, asn := nested(t), networks(t)
	got := open(t, city, asn).Edition()
	if want := "City GeoIP2-City 2026-01-05 "; !strings.HasPrefix(got, want) || !strings.Contains(got, "; ASN GeoLite2-ASN 2026-01-05 ") {
		t.Errorf("edition is %q", got)
	}
	if again := open(t, city, asn).Edition(); again != got {
		t.Errorf("the same files are %q and %q", got, again)
	}
	if got := open(t, "", "").Edition(); got != "" {
		t.Errorf("without databases the edition is %q", got)
	}
	var none *geo.DB
	if _, ok := none.Lookup(netip.MustParseAddr("1.1.1.1")); ok || none.Edition() != "" {
		t.Error("a nil DB knows something")
	}
}

func TestConcurrentLookups(t *testing.T) {
	db := open(t, nested(t), networks(t))
	var wg sync.WaitGroup
	for range 4 {
		wg.Go(func() {
			for i := range 10_000 {
				a := netip.AddrFrom4([4]byte{130, 91, byte(i >> 8), byte(i)})
				if p, _ := db.Lookup(a); p.City != "Philadelphia" || p.ASN != 55 {
					t.Errorf("%s is in %+v", a, p)
					return
				}
			}
		})
	}
	wg.Wait()
}

// BenchmarkLookup asks for addresses that were never asked for before. Set
// BOON_GEO_CITY and BOON_GEO_ASN to try real databases.
func BenchmarkLookup(b *testing.B) {
	city, asn := os.Getenv("BOON_GEO_CITY"), os.Getenv("BOON_GEO_ASN")
	if city == "" {
		city, asn = nested(b), networks(b)
	}
	db := open(b, city, asn)
	rng := rand.New(rand.NewPCG(1, 2))
	known := 0
	b.ReportAllocs()
	for b.Loop() {
		var a [4]byte
		binary.BigEndian.PutUint32(a[:], rng.Uint32())
		if _, ok := db.Lookup(netip.AddrFrom4(a)); ok {
			known++
		}
	}
	b.ReportMetric(float64(known)/float64(b.N), "known/op")
}
