package geo

import (
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"net/netip"
	"slices"
	"sync"
	"sync/atomic"
	"time"

	"github.com/oschwald/maxminddb-golang/v2"
)

// schema is the shape of a database's records.
type schema uint8

const (
	unknownSchema schema = iota
	nestedPlaces         // GeoIP2 and GeoLite2 City, Country, Enterprise
	flatPlaces           // @ip-location-db
	networks             // autonomous systems
)

func (s schema) String() string {
	return [...]string{"neither places nor networks", "places", "places", "networks (autonomous systems)"}[s]
}

// cacheBits sets the cache's size: 2^18 slots, 2 MiB, and at most some 40 MiB
// of places. GeoLite2 City has 340,000 records for its 5.8 million networks,
// and the world's addresses are in few of them.
const cacheBits = 18

// source is one database file. Many networks share a record; a record is
// decoded once and kept by its offset in a table without chains, where a newer
// record takes the slot of an older one. Slots are swapped atomically, so
// lookups need no lock, and what they return is never written again.
type source struct {
	reader  *maxminddb.Reader
	tree    *tree // nil where only the reader can follow it
	schema  schema
	edition string
	cache   []atomic.Pointer[cached]
	names   names
}

// names holds one copy of every string that places use; only decoding, not
// looking up, takes its lock.
type names struct {
	mu  sync.Mutex
	all map[string]string
}

// share replaces the place's strings by the copies that others use.
func (n *names) share(p *Place) {
	n.mu.Lock()
	defer n.mu.Unlock()
	const enough = 1 << 17 // more than the world's places: a strange file
	if n.all == nil || len(n.all) > enough {
		n.all = map[string]string{}
	}
	for _, s := range []*string{&p.Country, &p.Region, &p.City, &p.ASName} {
		if one, ok := n.all[*s]; ok {
			*s = one
		} else {
			n.all[*s] = *s
		}
	}
}

type cached struct {
	offset uintptr
	place  Place
	known  bool // the record says something
}

func openSource(path, flag string, want []schema) (*source, error) {
	b, err := readFile(path, flag)
	if err != nil {
		return nil, err
	}
	reader, err := maxminddb.OpenBytes(b)
	if err != nil {
		return nil, fmt.Errorf("open geo database %s: not a whole MaxMind DB file (%w); %s", path, err, whatToDo(flag))
	}
	s := &source{reader: reader, tree: treeOf(b, reader), cache: make([]atomic.Pointer[cached], 1<<cacheBits)}
	s.schema, err = detect(reader)
	if err != nil {
		return nil, fmt.Errorf("open geo database %s: damaged (%w); %s", path, err, whatToDo(flag))
	}
	if !slices.Contains(want, s.schema) {
		return nil, fmt.Errorf("open geo database %s: it holds %s, where %s are needed; %s", path, s.schema, want[0], whatToDo(flag))
	}
	kind := "City"
	if s.schema == networks {
		kind = "ASN"
	}
	sum := sha256.Sum256(b)
	built := time.Unix(int64(reader.Metadata.BuildEpoch), 0).UTC().Format(time.DateOnly)
	s.edition = fmt.Sprintf("%s %s %s %s", kind, clean(reader.Metadata.DatabaseType), built, hex.EncodeToString(sum[:4]))
	return s, nil
}

func (s *source) has6() bool { return s.reader.Metadata.IPVersion == 6 }

// detect looks at the first records until one shows its schema.
func detect(reader *maxminddb.Reader) (found schema, err error) {
	defer recoverAs(&err)
	const enough = 1000
	n := 0
	for res := range reader.Networks() {
		if n++; n > enough {
			break
		}
		var record map[string]any
		if err := res.Decode(&record); err != nil {
			return unknownSchema, err
		}
		if found := schemaOf(record); found != unknownSchema {
			return found, nil
		}
	}
	if n == 0 {
		return unknownSchema, errors.New("it has no networks")
	}
	return unknownSchema, nil
}

func schemaOf(record map[string]any) schema {
	if _, ok := record["autonomous_system_number"]; ok {
		return networks
	}
	for _, key := range []string{"country", "city", "location", "registered_country", "continent"} {
		if _, ok := record[key].(map[string]any); ok {
			return nestedPlaces
		}
	}
	if _, ok := record["country_code"].(string); ok {
		return flatPlaces
	}
	return unknownSchema
}

// lookup finds the record of an address; nil where there is none, or an empty one.
func (s *source) lookup(a netip.Addr) (p *Place, err error) {
	defer recoverAs(&err)
	res := s.reader.Lookup(a)
	if err := res.Err(); err != nil {
		return nil, err
	}
	if !res.Found() {
		return nil, nil
	}
	offset := res.Offset()
	slot := &s.cache[offset*0x9e3779b97f4a7c15>>(64-cacheBits)]
	c := slot.Load()
	if c == nil || c.offset != offset {
		c = &cached{offset: offset}
		if c.place, err = s.decode(res); err != nil {
			return nil, err
		}
		s.names.share(&c.place)
		c.known = c.place != Place{}
		slot.Store(c)
	}
	if !c.known {
		return nil, nil
	}
	return &c.place, nil
}

// recoverAs turns a panic of the database reader into an error: a damaged file
// must not end the program.
func recoverAs(err *error) {
	if r := recover(); r != nil {
		*err = fmt.Errorf("damaged database: %v", r)
	}
}
