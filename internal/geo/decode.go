package geo

import (
	"math"
	"strings"
	"unicode"
	"unicode/utf8"

	"github.com/oschwald/maxminddb-golang/v2"
)

// maxName bounds the names taken from a database, in bytes.
const maxName = 200

type nestedRecord struct {
	Country struct {
		ISOCode string `maxminddb:"iso_code"`
	} `maxminddb:"country"`
	Subdivisions []struct {
		ISOCode string `maxminddb:"iso_code"`
	} `maxminddb:"subdivisions"`
	City struct {
		Names struct {
			English string `maxminddb:"en"`
		} `maxminddb:"names"`
	} `maxminddb:"city"`
	Location struct {
		Latitude  *float64 `maxminddb:"latitude"`
		Longitude *float64 `maxminddb:"longitude"`
	} `maxminddb:"location"`
}

type flatRecord struct {
	CountryCode string   `maxminddb:"country_code"`
	State1      string   `maxminddb:"state1"`
	City        string   `maxminddb:"city"`
	Latitude    *float64 `maxminddb:"latitude"`
	Longitude   *float64 `maxminddb:"longitude"`
}

type networkRecord struct {
	Number       uint32 `maxminddb:"autonomous_system_number"`
	Organization string `maxminddb:"autonomous_system_organization"`
}

func (s *source) decode(res maxminddb.Result) (Place, error) {
	switch s.schema {
	case nestedPlaces:
		return decodeNested(res)
	case flatPlaces:
		return decodeFlat(res)
	}
	var r networkRecord
	err := res.Decode(&r)
	return Place{ASN: r.Number, ASName: clean(r.Organization)}, err
}

func decodeNested(res maxminddb.Result) (Place, error) {
	var r nestedRecord
	if err := res.Decode(&r); err != nil {
		return Place{}, err
	}
	p := Place{Country: countryCode(r.Country.ISOCode), City: clean(r.City.Names.English)}
	if n := len(r.Subdivisions); n > 0 && p.Country != "" && divisionCode(r.Subdivisions[n-1].ISOCode) {
		p.Region = p.Country + "-" + r.Subdivisions[n-1].ISOCode
	}
	p.point(r.Location.Latitude, r.Location.Longitude)
	return p, nil
}

// decodeFlat reads a record whose division has a name but no code: only the
// names of regionCode, which are the same everywhere, become a Region.
func decodeFlat(res maxminddb.Result) (Place, error) {
	var r flatRecord
	if err := res.Decode(&r); err != nil {
		return Place{}, err
	}
	city, _, _ := strings.Cut(r.City, " (") // "Berlin (Bezirk Pankow)": the district
	p := Place{Country: countryCode(r.CountryCode), City: clean(city)}
	p.Region = regionCode(p.Country, r.State1)
	p.point(r.Latitude, r.Longitude)
	return p, nil
}

// point sets the coordinates if they are on Earth. Some databases write 0, 0
// for unknown, which is open sea.
func (p *Place) point(lat, lon *float64) {
	if lat == nil || lon == nil || !(math.Abs(*lat) <= 90 && math.Abs(*lon) <= 180) || *lat == 0 && *lon == 0 {
		return
	}
	const decimals = 1e5 // of a degree: a metre; hides the noise of float32
	p.Lat, p.Lon, p.HasPoint = math.Round(*lat*decimals)/decimals, math.Round(*lon*decimals)/decimals, true
}

// countryCode is s if it can be a country's code. ZZ is nowhere; EU and AP,
// which old databases have, are no countries.
func countryCode(s string) string {
	if len(s) != 2 || !upper(s[0]) || !upper(s[1]) || s == "ZZ" || s == "EU" || s == "AP" {
		return ""
	}
	return s
}

// divisionCode reports whether s can be the second half of an ISO 3166-2 code.
func divisionCode(s string) bool {
	for i := range len(s) {
		if !upper(s[i]) && (s[i] < '0' || s[i] > '9') {
			return false
		}
	}
	return len(s) >= 1 && len(s) <= 3
}

func upper(c byte) bool { return c >= 'A' && c <= 'Z' }

// clean makes a name fit for a table: valid UTF-8, bounded, nothing unprintable.
func clean(s string) string {
	if len(s) > maxName {
		s = s[:maxName]
	}
	s = strings.Map(func(r rune) rune {
		if r == utf8.RuneError || !unicode.IsPrint(r) {
			return -1
		}
		return r
	}, s)
	return strings.TrimSpace(s)
}
