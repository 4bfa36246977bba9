package etl

import (
	"cmp"
	"slices"

	"github.com/boontorrent/boon/etl/column"
	"github.com/boontorrent/boon/internal/lake"
	"github.com/boontorrent/boon/internal/rawlog"
)

// groupRows is the number of rows at which a row group is full. A group is made
// of whole buckets, so a single larger bucket makes a larger group, up to
// maxGroupRows; what is more than that is cut.
const (
	groupRows    = 256 << 10
	maxGroupRows = 1 << 20
	groupBytes   = 64 << 20 // of packed rows
)

// emitter turns sorted buckets into an encoded row group of queries and what
// requesters, demand and uptime need of it. One goroutine uses it at a time.
type emitter struct {
	cols     *queryColumns
	requests *requesterColumns
	queries  *column.Encoder
	askers   *column.Encoder
	epoch    string
	day      lake.Day

	asks    []ask
	pending []pendingAsk
	theirs  []uint64
	hashes  []uint64
	clients tally
	loaded  loads
	leftOut map[string]int64
}

// pendingAsk is one query that counts as demand, before its requester is known
// not to be a crawler.
type pendingAsk struct {
	key       uint64 // info-hash and country
	announced bool
	seed      bool
}

// loadKey is what rows are counted by for uptime.
type loadKey struct {
	run    uint32
	minute int64
	kind   rawlog.Kind
}

// minutes counts the queries of one run by minute of the day and kind.
type minutes [24 * 60][rawlog.FindNode + 1]uint32

// loads counts the queries of all runs.
type loads map[uint32]*minutes

func (l loads) of(run uint32) *minutes {
	m := l[run]
	if m == nil {
		m = &minutes{}
		l[run] = m
	}
	return m
}

// emitted is a row group, ready to be written.
type emitted struct {
	queries     []*column.Group
	requesters  *column.Group
	demand      []byte
	loaded      loads
	leftOut     map[string]int64
	rows        int64
	first, last int64
	crawlers    int64
	duplicates  int64
}

// Reasons why a query is no row of demand.
const (
	leftCrawler   = "crawler"
	leftBootstrap = "bootstrap" // get_peers for a target near the asker's own id
	leftSingle    = "single"    // an info-hash that one requester asked for once or more, and nobody announced
	leftNotAsked  = "not_a_search"
)

// bootstrapBits: a get_peers whose target shares so many bits with the asker's
// id is a node looking for its own neighbours (libtorrent).
const bootstrapBits = 32

type located struct {
	*span
	in *sortedRows
}

// emit builds the row group of some buckets.
func (e *emitter) emit(buckets []*sortedRows) (*emitted, error) {
	out := &emitted{loaded: loads{}, leftOut: map[string]int64{}}
	e.loaded, e.leftOut = out.loaded, out.leftOut
	var spans []located
	rows := 0
	for _, b := range buckets {
		for i := range b.spans {
			spans = append(spans, located{&b.spans[i], b})
		}
		rows += len(b.offs)
		out.duplicates += b.duplicates
	}
	slices.SortStableFunc(spans, func(a, b located) int { return cmp.Compare(a.requester, b.requester) })
	e.cols.reset(rows)
	e.requests.reset()
	e.asks = e.asks[:0]
	for i, s := range spans {
		e.cols.begin(s.span)
		a, err := e.requester(s, out)
		if err != nil {
			return nil, err
		}
		e.requests.add(s.span, a, e.epoch)
		if a.crawler() != "" {
			out.crawlers++
		}
		if i == 0 || a.first < out.first {
			out.first = a.first
		}
		out.last = max(out.last, a.last)
	}
	out.rows = int64(rows)
	if err := e.seal(out); err != nil {
		return nil, err
	}
	var err error
	if out.requesters, err = e.askers.Encode(e.requests.columns()); err != nil {
		return nil, err
	}
	out.demand = sumAsks(nil, e.asks, e.cols)
	return out, nil
}

// seal encodes the rows so far as a row group. Dictionaries stay, so that what
// was counted by their indexes still holds.
func (e *emitter) seal(out *emitted) error {
	g, err := e.queries.Encode(e.cols.columns())
	if err != nil {
		return err
	}
	out.queries = append(out.queries, g)
	e.cols.cut()
	return nil
}

// requester appends one requester's rows and tells what it did.
func (e *emitter) requester(s located, out *emitted) (*activity, error) {
	a := &activity{}
	e.pending, e.theirs, e.hashes, e.clients = e.pending[:0], e.theirs[:0], e.hashes[:0], e.clients[:0]
	var x added
	var run uint32
	var minutes *minutes
	for _, off := range s.in.offs[s.first : s.first+s.count] {
		if len(e.cols.ts.Rows) >= maxGroupRows {
			if err := e.seal(out); err != nil {
				return nil, err
			}
		}
		r := row(s.in.raw[off:])
		k := r.kind()
		x = e.cols.add(r)
		a.query(r.ts(), k)
		if r.run() != run || minutes == nil {
			run = r.run()
			minutes = e.loaded.of(run)
		}
		minutes[(r.ts()-e.day.Start())/microsPerMinute][k]++
		e.clients.add(x.client)
		if r[rowCpl] != noCpl {
			e.theirs = append(e.theirs, r.their())
		}
		if k != rawlog.GetPeers && k != rawlog.AnnouncePeer {
			e.leftOut[leftNotAsked]++
			continue
		}
		e.hashes = append(e.hashes, uint64(x.hash))
		if k == rawlog.GetPeers && r[rowCpl] != noCpl && r[rowCpl] >= bootstrapBits {
			e.leftOut[leftBootstrap]++
			continue
		}
		e.pending = append(e.pending, pendingAsk{
			key: uint64(x.hash)<<32 | uint64(x.country), announced: k == rawlog.AnnouncePeer, seed: r.tri(seedShift) == rawlog.True,
		})
	}
	a.infohashes, a.nodeIDs = distinct(e.hashes), distinct(e.theirs)
	a.country, a.asn, a.client = e.cols.country.text(x.country), x.asn, e.clients.commonest(e.cols.client.text)
	if a.crawler() != "" {
		e.leftOut[leftCrawler] += int64(len(e.pending))
		return a, nil
	}
	e.demand()
	return a, nil
}

// demand adds up what a requester asked for.
func (e *emitter) demand() {
	slices.SortFunc(e.pending, func(x, y pendingAsk) int { return cmp.Compare(x.key, y.key) })
	for i, p := range e.pending {
		if i == 0 || p.key != e.pending[i-1].key {
			e.asks = append(e.asks, ask{hash: uint32(p.key >> 32), country: uint32(p.key), network: e.cols.networkIndex})
		}
		a := &e.asks[len(e.asks)-1]
		a.queries++
		if p.announced {
			a.announces++
		}
		if p.seed {
			a.seeds = 1
		}
	}
}
