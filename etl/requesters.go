package etl

import (
	"slices"

	"github.com/boontorrent/boon/datasets"
	"github.com/boontorrent/boon/etl/column"
	"github.com/boontorrent/boon/internal/rawlog"
)

// The rules by which a requester counts as a crawler. A client asks for what
// its user wants: a few torrents a day, each announced once found. A crawler
// asks for whatever it hears of.
const (
	// CrawlVolume: so many info-hashes in a day, almost never announced.
	CrawlVolume      = "volume"
	volumeInfohashes = 100 // at least
	volumeAnnounces  = 50  // and fewer than one announce_peer in so many queries
	// CrawlSample: asks for samples of info-hashes (BEP 51), which no client needs.
	CrawlSample     = "sample"
	sampleQueries   = 3    // at least
	volumeInAnyCase = 2000 // info-hashes, whatever is announced
)

// CrawlerRules says in words what the rules are, for the methodology.
func CrawlerRules() map[string]string {
	return map[string]string{
		CrawlVolume: "100 or more info-hashes in a day with fewer than one announce_peer in 50 queries, or 2,000 or more info-hashes in a day",
		CrawlSample: "3 or more sample_infohashes queries in a day",
	}
}

// activity is what a requester did on the day.
type activity struct {
	first, last         int64
	queries, announces  int64
	samples             int64
	infohashes, nodeIDs int64
	maxPerMinute        int64
	minute, minuteCount int64

	country, asn, client uint32 // indexes in the row group's queries
}

func (a *activity) crawler() string {
	switch {
	case a.samples >= sampleQueries:
		return CrawlSample
	case a.infohashes >= volumeInfohashes && a.announces*volumeAnnounces < a.queries, a.infohashes >= volumeInAnyCase:
		return CrawlVolume
	}
	return ""
}

const microsPerMinute = 60_000_000

// query counts one query; they come in order of time.
func (a *activity) query(ts int64, k rawlog.Kind) {
	if a.queries == 0 {
		a.first, a.minute = ts, -1
	}
	a.last = ts
	a.queries++
	switch k {
	case rawlog.AnnouncePeer:
		a.announces++
	case rawlog.SampleInfohashes:
		a.samples++
	}
	if m := ts / microsPerMinute; m != a.minute {
		a.minute, a.minuteCount = m, 0
	}
	a.minuteCount++
	a.maxPerMinute = max(a.maxPerMinute, a.minuteCount)
}

// distinct counts the distinct values of a slice, which it sorts.
func distinct(values []uint64) int64 {
	if len(values) < 2 {
		return int64(len(values))
	}
	slices.Sort(values)
	return int64(len(slices.Compact(values)))
}

// requesterColumns builds row groups of the table requesters.
type requesterColumns struct {
	requester, network                                 column.Longs
	countries, clients, asns                           stamps // by index in the row group's queries
	queries, announces, infohashes, nodeIDs, perMinute *counts
	asn                                                numbers
	first, last                                        column.Longs
	keyEpoch, country, client, crawler                 texts
	epoch                                              string
	epochAt                                            uint32
}

func requesterSchema() (*column.Schema, error) { return column.SchemaOf[datasets.Requester]() }

func newRequesterColumns(epoch string) *requesterColumns {
	c := &requesterColumns{epoch: epoch, requester: column.Longs{Plain: true}, network: column.Longs{Plain: true}, asn: newNumbers()}
	for _, n := range c.counts() {
		*n = newCounts()
	}
	for _, t := range c.texts() {
		*t = newTexts()
	}
	return c
}

func (c *requesterColumns) counts() []**counts {
	return []**counts{&c.queries, &c.announces, &c.infohashes, &c.nodeIDs, &c.perMinute}
}

func (c *requesterColumns) texts() []*texts {
	return []*texts{&c.keyEpoch, &c.country, &c.client, &c.crawler}
}

func (c *requesterColumns) reset() {
	c.countries.reset()
	c.clients.reset()
	c.asns.reset()
	for _, n := range c.counts() {
		(*n).reset()
	}
	c.asn.reset()
	for _, t := range c.texts() {
		t.reset()
	}
	c.epochAt = c.keyEpoch.of(c.epoch)
	for _, l := range []*column.Longs{&c.requester, &c.network, &c.first, &c.last} {
		l.Rows = l.Rows[:0]
	}
}

// add appends a requester of the row group whose queries are in q.
func (c *requesterColumns) add(s *located, a *activity, q *queryColumns) {
	c.requester.Rows = append(c.requester.Rows, s.requester)
	c.network.Rows = append(c.network.Rows, s.netPseudonym)
	c.keyEpoch.dict.Add(c.epochAt)
	c.first.Rows = append(c.first.Rows, a.first)
	c.last.Rows = append(c.last.Rows, a.last)
	c.queries.add(a.queries)
	c.announces.add(a.announces)
	c.infohashes.add(a.infohashes)
	c.nodeIDs.add(a.nodeIDs)
	c.perMinute.add(a.maxPerMinute)
	c.country.copy(&c.countries, &q.country, a.country)
	c.addASN(q, a.asn)
	c.client.copy(&c.clients, &q.client, a.client)
	c.crawler.add(a.crawler())
}

// addASN appends the number that has an index in the queries.
func (c *requesterColumns) addASN(q *queryColumns, index uint32) {
	if index == column.Null {
		c.asn.dict.Add(index)
		return
	}
	cell, ok := c.asns.cell(index)
	if !ok {
		cell.index = c.asn.of(q.asn.dict.Int64At(int(index)))
	}
	c.asn.dict.Add(cell.index)
}

// tally counts how often each index of a column came.
type tally []struct {
	index uint32
	n     int64
}

func (t *tally) add(index uint32) {
	for i := range *t {
		if (*t)[i].index == index {
			(*t)[i].n++
			return
		}
	}
	*t = append(*t, struct {
		index uint32
		n     int64
	}{index, 1})
}

// commonest is the index that came most often, column.Null aside and where that
// was none; of equals the one whose text comes first.
func (t tally) commonest(text func(uint32) string) uint32 {
	best, most := uint32(column.Null), int64(0)
	for _, c := range t {
		if c.index == column.Null || c.n < most {
			continue
		}
		if c.n > most || text(c.index) < text(best) {
			best, most = c.index, c.n
		}
	}
	return best
}

// columns are the columns in the order of datasets.Requester.
func (c *requesterColumns) columns() []column.Column {
	return []column.Column{
		&c.requester, &c.network, c.keyEpoch.dict, &c.first, &c.last, c.queries.dict, c.announces.dict,
		c.infohashes.dict, c.nodeIDs.dict, c.perMinute.dict, c.country.dict, c.asn.dict, c.client.dict, c.crawler.dict,
	}
}
