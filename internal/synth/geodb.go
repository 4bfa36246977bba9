package synth

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"net"

	"github.com/maxmind/mmdbwriter"
	"github.com/maxmind/mmdbwriter/mmdbtype"

	"github.com/boontorrent/boon/internal/geo"
	"github.com/boontorrent/boon/internal/lake"
)

// firstAS begins the numbers that are free for private use (RFC 6996).
const firstAS = 4_200_000_000

// writeGeo puts the databases of the swarm's addresses into the lake.
func (s *swarm) writeGeo(ctx context.Context, store lake.Store) error {
	city, err := s.database("GeoIP2-City", "Invented places of a synthetic swarm", s.placeRecord)
	if err != nil {
		return fmt.Errorf("make %s: %w", geo.CityKey, err)
	}
	asn, err := s.database("GeoLite2-ASN", "Invented networks of a synthetic swarm", s.networkRecord)
	if err != nil {
		return fmt.Errorf("make %s: %w", geo.ASNKey, err)
	}
	if err := putOnce(ctx, store, geo.CityKey, city); err != nil {
		return err
	}
	return putOnce(ctx, store, geo.ASNKey, asn)
}

// putOnce puts an object that may be there already, but not with other content.
func putOnce(ctx context.Context, store lake.Store, key string, b []byte) error {
	_, err := lake.PutBytes(ctx, store, key, lake.Absent(), b)
	if !errors.Is(err, lake.ErrConflict) {
		return err
	}
	o, err := store.Open(ctx, key)
	if err != nil {
		return err
	}
	defer o.Close()
	have, err := io.ReadAll(io.LimitReader(o, int64(len(b))+1))
	if err != nil {
		return fmt.Errorf("read %s: %w", key, err)
	}
	if !bytes.Equal(have, b) {
		return notEmpty(store, key)
	}
	return nil
}

// database builds a file with a record for each block of addresses.
func (s *swarm) database(kind, about string, record func(block) mmdbtype.Map) ([]byte, error) {
	tree, err := mmdbwriter.New(mmdbwriter.Options{
		DatabaseType: kind, BuildEpoch: s.cfg.Start.Start() / second, Description: map[string]string{"en": about},
		Languages: []string{"en"}, RecordSize: 24, KeyGenerator: byRecord{},
	})
	if err != nil {
		return nil, err
	}
	records := map[[2]int]mmdbtype.Map{}
	for _, b := range s.people.blocks {
		at := [2]int{int(b.place), int(b.asn)}
		if records[at] == nil {
			records[at] = record(b)
		}
		network := &net.IPNet{IP: b.prefix.Addr().AsSlice(), Mask: net.CIDRMask(b.prefix.Bits(), b.prefix.Addr().BitLen())}
		if err := tree.Insert(network, records[at]); err != nil {
			return nil, fmt.Errorf("insert %s: %w", b.prefix, err)
		}
	}
	var out bytes.Buffer
	_, err = tree.WriteTo(&out)
	return out.Bytes(), err
}

// byRecord tells records apart by the name that each has.
type byRecord struct{}

func (byRecord) Key(v mmdbtype.DataType) ([]byte, error) {
	m, ok := v.(mmdbtype.Map)
	if !ok {
		return nil, errors.New("a record that is not a map")
	}
	if number, ok := m["autonomous_system_number"].(mmdbtype.Uint32); ok {
		return fmt.Appendf(nil, "%d", number), nil
	}
	city, _ := m["city"].(mmdbtype.Map)
	id, ok := city["geoname_id"].(mmdbtype.Uint32)
	if !ok {
		return nil, errors.New("a record without a number")
	}
	return fmt.Appendf(nil, "%d", id), nil
}

func names(s string) mmdbtype.Map { return mmdbtype.Map{"en": mmdbtype.String(s)} }

func (s *swarm) placeRecord(b block) mmdbtype.Map {
	at := s.people.places[b.place]
	c, t := &s.people.countries[at.country], s.people.city(b.place)
	m := mmdbtype.Map{
		"country": mmdbtype.Map{"iso_code": mmdbtype.String(c.code), "names": names(c.name), "geoname_id": mmdbtype.Uint32(at.country + 1)},
		"city":    mmdbtype.Map{"names": names(t.name), "geoname_id": mmdbtype.Uint32(uint32(b.place) + 1000)},
		"location": mmdbtype.Map{
			"latitude": mmdbtype.Float64(t.lat), "longitude": mmdbtype.Float64(t.lon), "accuracy_radius": mmdbtype.Uint16(20),
		},
	}
	if len(t.region) > 3 {
		m["subdivisions"] = mmdbtype.Slice{mmdbtype.Map{"iso_code": mmdbtype.String(t.region[3:]), "names": names(t.region)}}
	}
	return m
}

func (s *swarm) networkRecord(b block) mmdbtype.Map {
	country := s.people.places[b.place].country
	kind := [asPerNation]string{"Telecom", "Cable", "Mobile", "Hosting"}[b.asn]
	return mmdbtype.Map{
		"autonomous_system_number":       mmdbtype.Uint32(firstAS + uint32(country)*asPerNation + uint32(b.asn)),
		"autonomous_system_organization": mmdbtype.String("Invented " + kind + " " + s.people.countries[country].name),
	}
}
