package etl

import (
	"strings"
	"unicode/utf8"

	"github.com/boontorrent/boon/datasets"
	"github.com/boontorrent/boon/etl/column"
	"github.com/boontorrent/boon/internal/rawlog"
)

// queryColumns builds the columns of one row group of queries.
type queryColumns struct {
	names *names
	epoch string

	ts                                                       column.Longs
	kind, collector, keyEpoch, country, region, city, asName texts
	code, client, version, name                              texts
	ourID, requester, network                                *column.Dict
	hash                                                     hashes
	lat, lon                                                 doubles
	asn                                                      numbers
	distance, cpl                                            *small
	portImplied, seed, readOnly, safe, token                 column.Bools
	kindAt                                                   [rawlog.FindNode + 1]uint32
	collectors, ours                                         stamps
	places                                                   stamps
	placeAt                                                  []placeIndexes
	clients                                                  map[uint64]clientIndexes
	networkAt                                                map[int64]uint32
	at                                                       placeIndexes // of the open requester
	requesterAt, networkIndex                                uint32
}

// placeIndexes are a place's indexes in the columns that tell it.
type placeIndexes struct {
	country, region, city, lat, lon, asn, asName uint32
	number                                       int64 // of the AS itself
}

var nowhere = placeIndexes{column.Null, column.Null, column.Null, column.Null, column.Null, column.Null, column.Null, 0}

// clientIndexes are a client's.
type clientIndexes struct{ code, client, version uint32 }

func querySchema() (*column.Schema, error) { return column.SchemaOf[datasets.Query]() }

func newQueryColumns(n *names, epoch string) *queryColumns {
	c := &queryColumns{
		names: n, epoch: epoch,
		ourID: column.NewFixedDict(20), requester: column.NewInt64Dict(), network: column.NewInt64Dict(),
		hash: newHashes(), lat: newDoubles(), lon: newDoubles(), asn: newNumbers(), distance: newSmall(), cpl: newSmall(),
		clients: map[uint64]clientIndexes{}, networkAt: map[int64]uint32{},
	}
	for _, t := range c.texts() {
		*t = newTexts()
	}
	return c
}

func (c *queryColumns) texts() []*texts {
	return []*texts{&c.kind, &c.collector, &c.keyEpoch, &c.country, &c.region, &c.city, &c.asName, &c.code, &c.client, &c.version, &c.name}
}

func (c *queryColumns) bools() []*column.Bools {
	return []*column.Bools{&c.portImplied, &c.seed, &c.readOnly, &c.safe, &c.token}
}

// reset empties the columns for a group of n rows.
func (c *queryColumns) reset(n int) {
	for _, t := range c.texts() {
		t.reset()
	}
	for _, b := range c.bools() {
		b.Rows = b.Rows[:0]
	}
	for _, d := range []*column.Dict{c.ourID, c.requester, c.network} {
		d.Reset()
	}
	c.ts.Rows = c.ts.Rows[:0]
	c.hash.reset(n)
	c.lat.reset()
	c.lon.reset()
	c.asn.reset()
	c.distance.reset()
	c.cpl.reset()
	c.collectors.reset()
	c.ours.reset()
	c.places.reset()
	c.placeAt = c.placeAt[:0]
	clear(c.clients)
	clear(c.networkAt)
	for k := range c.kindAt {
		c.kindAt[k] = column.Null
	}
}

// cut drops the rows and keeps the dictionaries.
func (c *queryColumns) cut() {
	for _, t := range c.texts() {
		t.dict.Rows = t.dict.Rows[:0]
	}
	for _, b := range c.bools() {
		b.Rows = b.Rows[:0]
	}
	for _, d := range []*column.Dict{c.ourID, c.requester, c.network, c.hash.dict, c.lat.dict, c.lon.dict, c.asn.dict, c.distance.dict, c.cpl.dict} {
		d.Rows = d.Rows[:0]
	}
	c.ts.Rows = c.ts.Rows[:0]
}

// columns are the columns in the order of datasets.Query.
func (c *queryColumns) columns() []column.Column {
	return []column.Column{
		&c.ts, c.kind.dict, c.collector.dict, c.ourID, c.hash.dict, c.requester, c.network, c.keyEpoch.dict,
		c.country.dict, c.region.dict, c.city.dict, c.lat.dict, c.lon.dict, c.asn.dict, c.asName.dict,
		c.code.dict, c.client.dict, c.version.dict, &c.portImplied, &c.seed, &c.readOnly, c.name.dict,
		c.distance.dict, c.cpl.dict, &c.safe, &c.token,
	}
}

// begin starts a requester's rows. It must be called once for each requester
// of the group.
func (c *queryColumns) begin(s *span) {
	c.requesterAt = c.requester.Int64(s.requester)
	i, ok := c.networkAt[s.network]
	if !ok {
		i = c.network.Int64(s.network)
		c.networkAt[s.network] = i
	}
	c.networkIndex = i
	c.at = c.place(s.place)
}

// added is what a row's values became in the group.
type added struct {
	hash, country, client uint32
	asn                   int64 // the number itself, 0 for none
}

// add appends a row.
func (c *queryColumns) add(r row) added {
	k := r.kind()
	if c.kindAt[k] == column.Null {
		c.kindAt[k] = c.kind.of(k.String())
	}
	ourCell, ok := c.ours.cell(r.our())
	ourID := &c.names.ours.values[r.our()]
	if !ok {
		ourCell.index = c.ourID.Bytes(ourID[:])
	}
	hash := c.hash.of(r.hash())
	c.ts.Rows = append(c.ts.Rows, r.ts())
	c.kind.dict.Add(c.kindAt[k])
	c.ourID.Add(ourCell.index)
	c.hash.dict.Add(hash)
	c.requester.Add(c.requesterAt)
	c.network.Add(c.networkIndex)
	c.distance.dict.Add(c.distance.of(log2Distance(r.hash(), ourID[:])))
	if cpl := r[rowCpl]; cpl == noCpl {
		c.cpl.dict.Add(column.Null)
	} else {
		c.cpl.dict.Add(c.cpl.of(int32(cpl)))
	}
	c.addRun(r)
	c.addFlags(r, k)
	at := c.addPlace(r)
	return added{hash: hash, client: c.addClient(r), country: at.country, asn: at.number}
}

func (c *queryColumns) addRun(r row) {
	cell, ok := c.collectors.cell(r.run())
	if !ok {
		cell.index = c.collector.of(orUnnamed(c.names.runs.values[r.run()].collector))
	}
	c.collector.dict.Add(cell.index)
	c.keyEpoch.dict.Add(c.keyEpoch.of(c.epoch))
}

// orUnnamed keeps a column that has no nulls free of them.
func orUnnamed(collector string) string {
	if collector == "" {
		return "unnamed"
	}
	return clean(collector)
}

func (c *queryColumns) addPlace(r row) placeIndexes {
	at := c.at
	if p, ok := r.place(); ok {
		at = c.place(p)
	}
	c.country.dict.Add(at.country)
	c.region.dict.Add(at.region)
	c.city.dict.Add(at.city)
	c.lat.dict.Add(at.lat)
	c.lon.dict.Add(at.lon)
	c.asn.dict.Add(at.asn)
	c.asName.dict.Add(at.asName)
	return at
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
		at.asn, at.number = c.asn.of(int64(p.ASN)), int64(p.ASN)
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

func (c *queryColumns) addClient(r row) (client uint32) {
	n := r.flags() >> vShift & 7
	key := uint64(n)<<32 | uint64(r.v())
	at, ok := c.clients[key]
	if !ok {
		at = clientIndexes{column.Null, column.Null, column.Null}
		if n != noV {
			code, name, version := clientOf([4]byte(r[rowV:rowV+4]), int(n))
			at = clientIndexes{c.code.of(code), c.client.of(name), c.version.of(version)}
		}
		c.clients[key] = at
	}
	c.code.dict.Add(at.code)
	c.client.dict.Add(at.client)
	c.version.dict.Add(at.version)
	return at.client
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
