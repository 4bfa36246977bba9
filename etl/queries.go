package etl

import (
	"strings"
	"unicode/utf8"

	"github.com/boontorrent/boon/datasets"
	"github.com/boontorrent/boon/etl/column"
	"github.com/boontorrent/boon/internal/keyspace"
	"github.com/boontorrent/boon/internal/lake"
	"github.com/boontorrent/boon/internal/rawlog"
)

// queryColumns builds the columns of one row group of queries.
type queryColumns struct {
	names *names
	epoch string

	ts                                                       column.Longs
	kind, collector, keyEpoch, country, region, city, asName texts
	code, client, version, name                              texts
	requester, network                                       *column.Dict
	networkAt                                                stamps
	ours                                                     interned[rawlog.ID]
	hash                                                     hashes
	lat, lon                                                 doubles
	asn                                                      numbers
	distance, cpl                                            *small
	portImplied, seed, readOnly, safe, token                 column.Bools
	kindAt                                                   [rawlog.FindNode + 1]uint32
	sources                                                  stamps
	sourceAt                                                 []sourceIndexes
	start                                                    int64 // of the day
	places                                                   stamps
	placeAt                                                  []placeIndexes
	clients                                                  map[uint64]clientIndexes
	lastClient                                               uint64 // of the last row
	lastClientAt                                             clientIndexes
	clientRows                                               int          // with it, that are not in the columns yet
	lastPlace                                                uint32       // of the last row
	at                                                       placeIndexes // its indexes
	placeRows                                                int
	epochAt                                                  uint32
	asker, home                                              uint32 // index and place of the open requester
}

// placeIndexes are a place's indexes in the columns that tell it.
type placeIndexes struct {
	country, region, city, lat, lon, asn, asName uint32
}

// sourceIndexes are a source's.
type sourceIndexes struct {
	collector, our uint32
	id             rawlog.ID
}

var nowhere = placeIndexes{column.Null, column.Null, column.Null, column.Null, column.Null, column.Null, column.Null}

// noClient is the key of no client.
const noClient = ^uint64(0)

// clientIndexes are a client's.
type clientIndexes struct{ code, client, version uint32 }

func querySchema() (*column.Schema, error) { return column.SchemaOf[datasets.Query]() }

func newQueryColumns(n *names, epoch string, day lake.Day) *queryColumns {
	ours := column.NewFixedDict(20)
	c := &queryColumns{
		names: n, epoch: epoch, start: day.Start(), ours: interned[rawlog.ID]{ours, func(id rawlog.ID) uint32 { return ours.Bytes(id[:]) }, map[rawlog.ID]uint32{}},
		requester: column.NewInt64Dict(), network: column.NewInt64Dict(),
		hash: newHashes(), lat: newDoubles(), lon: newDoubles(), asn: newNumbers(), distance: newSmall(), cpl: newSmall(),
		clients: map[uint64]clientIndexes{},
	}
	for _, t := range c.texts() {
		*t = newTexts()
	}
	for _, d := range []*column.Dict{
		c.requester, c.network, c.keyEpoch.dict, c.country.dict, c.region.dict, c.city.dict, c.lat.dict, c.lon.dict, c.asn.dict, c.asName.dict,
		c.code.dict, c.client.dict, c.version.dict,
	} {
		d.InRuns = true
	}
	c.requester.Digests, c.network.Digests = true, true
	return c
}

func (c *queryColumns) texts() []*texts {
	return []*texts{&c.kind, &c.collector, &c.keyEpoch, &c.country, &c.region, &c.city, &c.asName, &c.code, &c.client, &c.version, &c.name}
}

func (c *queryColumns) bools() []*column.Bools {
	return []*column.Bools{&c.portImplied, &c.seed, &c.readOnly, &c.safe, &c.token}
}

// reset empties the columns for a group.
func (c *queryColumns) reset() {
	for _, t := range c.texts() {
		t.reset()
	}
	for _, b := range c.bools() {
		b.Rows = b.Rows[:0]
	}
	c.epochAt = c.keyEpoch.of(c.epoch)
	c.ours.reset()
	c.ts.Rows = c.ts.Rows[:0]
	c.requester.Reset()
	c.network.Reset()
	c.networkAt.reset()
	c.hash.reset()
	c.lat.reset()
	c.lon.reset()
	c.asn.reset()
	c.distance.reset()
	c.cpl.reset()
	c.sources.reset()
	c.sourceAt = c.sourceAt[:0]
	c.places.reset()
	c.placeAt = c.placeAt[:0]
	clear(c.clients)
	c.lastClient, c.lastClientAt = noClient, clientIndexes{column.Null, column.Null, column.Null}
	c.lastPlace, c.at = noPlace, nowhere
	for k := range c.kindAt {
		c.kindAt[k] = column.Null
	}
}

// columns are the columns in the order of datasets.Query.
func (c *queryColumns) columns() []column.Column {
	return []column.Column{
		&c.ts, c.kind.dict, c.collector.dict, c.ours.dict, c.hash.dict, c.requester, c.network, c.keyEpoch.dict,
		c.country.dict, c.region.dict, c.city.dict, c.lat.dict, c.lon.dict, c.asn.dict, c.asName.dict,
		c.code.dict, c.client.dict, c.version.dict, &c.portImplied, &c.seed, &c.readOnly, c.name.dict,
		c.distance.dict, c.cpl.dict, &c.safe, &c.token,
	}
}

// begin starts a requester's rows. It must be called once for each requester
// of the group.
func (c *queryColumns) begin(s *located) { c.asker, c.home = c.requester.Int64(s.requester), s.place }

// end fills in what n rows of the requester have in common.
func (c *queryColumns) end(s *located, n int) {
	c.endClient()
	c.endPlace()
	c.requester.AddN(c.asker, n)
	cell, ok := c.networkAt.cell(s.network)
	if !ok {
		cell.index = c.network.Int64(s.netPseudonym)
	}
	c.network.AddN(cell.index, n)
	c.keyEpoch.dict.AddN(c.epochAt, n)
}

// added is what a row's values became in the group.
type added struct {
	hash, country, asn, client uint32
}

// add appends a row, but for what end fills in; sum is its info-hash's.
func (c *queryColumns) add(r row, sum uint64) added {
	k := r.kind()
	if c.kindAt[k] == column.Null {
		c.kindAt[k] = c.kind.of(k.String())
	}
	from := c.source(r.source())
	hash := c.hash.of(r.hash(), sum)
	c.ts.Rows = append(c.ts.Rows, c.start+r.micros())
	c.kind.dict.Add(c.kindAt[k])
	c.collector.dict.Add(from.collector)
	c.ours.dict.Add(from.our)
	c.hash.dict.Add(hash)
	c.distance.dict.Add(c.distance.of(keyspace.Log2Distance(r.hash(), from.id[:])))
	if cpl := r[rowCpl]; cpl == noCpl {
		c.cpl.dict.Add(column.Null)
	} else {
		c.cpl.dict.Add(c.cpl.of(int32(cpl)))
	}
	c.addFlags(r, k)
	place := c.home
	if p, ok := r.place(); ok {
		place = p
	}
	if place != c.lastPlace {
		c.endPlace()
		c.lastPlace, c.at = place, c.place(place)
	}
	c.placeRows++
	c.addClient(r)
	return added{hash: hash, client: c.lastClientAt.client, country: c.at.country, asn: c.at.asn}
}

// source gives a source of the day its indexes in this group.
func (c *queryColumns) source(number uint32) *sourceIndexes {
	cell, ok := c.sources.cell(number)
	if !ok {
		s := &c.names.sources.values[number]
		cell.index = uint32(len(c.sourceAt))
		c.sourceAt = append(c.sourceAt, sourceIndexes{
			collector: c.collector.of(orUnnamed(c.names.runs.values[s.run].collector)), our: c.ours.of(s.our), id: s.our,
		})
	}
	return &c.sourceAt[cell.index]
}

// orUnnamed keeps a column that has no nulls free of them.
func orUnnamed(collector string) string {
	if collector == "" {
		return "unnamed"
	}
	return clean(collector)
}

// endPlace appends the rows of the last place.
func (c *queryColumns) endPlace() {
	n := c.placeRows
	c.placeRows = 0
	c.country.dict.AddN(c.at.country, n)
	c.region.dict.AddN(c.at.region, n)
	c.city.dict.AddN(c.at.city, n)
	c.lat.dict.AddN(c.at.lat, n)
	c.lon.dict.AddN(c.at.lon, n)
	c.asn.dict.AddN(c.at.asn, n)
	c.asName.dict.AddN(c.at.asName, n)
}

// place gives a place of the day its indexes in this group.
func (c *queryColumns) place(number uint32) placeIndexes {
	if number == noPlace {
		return nowhere
	}
	cell, ok := c.places.cell(number)
	if ok {
		return c.placeAt[cell.index]
	}
	c.names.mu.RLock()
	p := c.names.places.values[number]
	c.names.mu.RUnlock()
	at := placeIndexes{
		country: c.country.of(clean(p.Country)), region: c.region.of(clean(p.Region)), city: c.city.of(clean(p.City)),
		lat: column.Null, lon: column.Null, asn: column.Null, asName: c.asName.of(clean(p.ASName)),
	}
	if p.HasPoint {
		at.lat, at.lon = c.lat.of(p.Lat), c.lon.of(p.Lon)
	}
	if p.ASN != 0 {
		at.asn = c.asn.of(int64(p.ASN))
	}
	cell.index = uint32(len(c.placeAt))
	c.placeAt = append(c.placeAt, at)
	return at
}

// clean makes text valid UTF-8: each byte that is none becomes U+FFFD.
func clean(s string) string {
	if utf8.ValidString(s) {
		return s
	}
	var b strings.Builder
	for _, r := range s { // a byte that is no UTF-8 comes as U+FFFD
		b.WriteRune(r)
	}
	return b.String()
}

func (c *queryColumns) addClient(r row) {
	n := r.flags() >> vShift & 7
	key := uint64(n)<<32 | uint64(r.v())
	if key == c.lastClient {
		c.clientRows++
		return
	}
	c.endClient()
	at, ok := c.clients[key]
	if !ok {
		at = clientIndexes{column.Null, column.Null, column.Null}
		if n != noV {
			code, name, version := clientOf([4]byte(r[rowV:rowV+4]), int(n))
			at = clientIndexes{c.code.of(code), c.client.of(name), c.version.of(version)}
		}
		c.clients[key] = at
	}
	c.lastClient, c.lastClientAt, c.clientRows = key, at, 1
}

// endClient appends the rows of the last client.
func (c *queryColumns) endClient() {
	n := c.clientRows
	c.clientRows = 0
	c.code.dict.AddN(c.lastClientAt.code, n)
	c.client.dict.AddN(c.lastClientAt.client, n)
	c.version.dict.AddN(c.lastClientAt.version, n)
}

// triBits gives a Tri as a row of a truth column.
var triBits = [4]byte{rawlog.Unknown: column.NoBit, rawlog.False: column.False, rawlog.True: column.True, 3: column.NoBit}

func (c *queryColumns) addFlags(r row, k rawlog.Kind) {
	flags := r.flags()
	c.readOnly.Rows = append(c.readOnly.Rows, triBits[flags>>roShift&triMask])
	c.safe.Rows = append(c.safe.Rows, triBits[flags>>safeShift&triMask])
	port, seed, token := byte(column.NoBit), byte(column.NoBit), byte(column.NoBit)
	name := uint32(column.Null)
	if k == rawlog.AnnouncePeer {
		port, seed, token = triBits[flags>>portShift&triMask], triBits[flags>>seedShift&triMask], triBits[flags>>tokShift&triMask]
		if b := r.name(); b != nil {
			name = c.name.of(clean(string(b)))
		}
	}
	c.portImplied.Rows = append(c.portImplied.Rows, port)
	c.seed.Rows = append(c.seed.Rows, seed)
	c.token.Rows = append(c.token.Rows, token)
	c.name.dict.Add(name)
}
