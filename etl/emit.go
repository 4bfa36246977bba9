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
	groupRows    = 768 << 10
	maxGroupRows = 1 << 20
	groupBytes   = 96 << 20 // of packed rows
)

// emitter turns sorted buckets into an encoded row group of queries and what
// requesters, demand and uptime need of it. One goroutine uses it at a time.
type emitter struct {
	cols     *queryColumns
	requests *requesterColumns
	queries  *column.Encoder
	askers   *column.Encoder
	day      lake.Day

	act      activity
	inGroup  int64    // rows of the open row group, but for the open requester's
	sums     []uint64 // of the info-hashes of the rows that come next
	sumsAt   int      // sums[sumsAt:] are unused
	aheadAt  int      // the requester of the first row without a sum
	touched  uint64
	spans    []located
	order    []entry
	networks int // in the row group
	spare    []entry
	asks     []ask
	pending  []pendingAsk
	theirs   []uint64
	hashes   []uint64
	clients  tally
	loaded   loads
	leftOut  [leftReasons]int64
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

// loads counts the queries of all runs, by their numbers.
type loads []*minutes

func (l *loads) of(run uint32) *minutes {
	if int(run) >= len(*l) {
		*l = append(*l, make(loads, int(run)+1-len(*l))...)
	}
	m := (*l)[run]
	if m == nil {
		m = &minutes{}
		(*l)[run] = m
	}
	return m
}

// add adds the counts of o.
func (l *loads) add(o loads) {
	for run, counts := range o {
		if counts == nil {
			continue
		}
		all := l.of(uint32(run))
		for m := range counts {
			for k, n := range counts[m] {
				all[m][k] += n
			}
		}
	}
}

// emitted is a row group, ready to be written.
type emitted struct {
	queries     []*column.Group
	requesters  *column.Group
	demand      []byte
	loaded      loads
	leftOut     [leftReasons]int64
	rows        int64
	first, last int64
	crawlers    int64
	duplicates  int64
}

// Reasons why a query is no row of demand.
const (
	leftCrawler   = iota
	leftBootstrap // get_peers for a target near the asker's own id
	leftNotAsked
	leftSingle // an info-hash that one requester asked for once or more, and nobody announced
	leftReasons
)

// leftNames are the reasons in manifests.
var leftNames = [leftReasons]string{"crawler", "bootstrap", "not_a_search", "single"}

// bootstrapBits: a get_peers whose target shares so many bits with the asker's
// id is a node looking for its own neighbours (libtorrent).
const bootstrapBits = 32

// located is a span among those of all buckets of a row group. It holds all that
// is wanted of it, so that it comes from memory at once.
type located struct {
	span                 // network counts from the row group's first
	netPseudonym int64   // of the network
	rows         *[]byte // of its bucket
}

// emit builds the row group of some buckets.
func (e *emitter) emit(buckets []*sortedRows) (*emitted, error) {
	out := &emitted{}
	e.loaded, e.leftOut = nil, [leftReasons]int64{}
	rows := e.arrange(buckets, out)
	e.cols.reset()
	e.cols.networkAt.room(e.networks)
	e.requests.reset()
	e.asks = slices.Grow(e.asks[:0], min(rows, maxGroupRows))
	e.sums, e.sumsAt, e.aheadAt = e.sums[:0], 0, 0
	for i, o := range e.order {
		s := &e.spans[o.off]
		if i == e.aheadAt {
			e.ahead()
		}
		e.cols.begin(s)
		a, err := e.requester(s, out)
		if err != nil {
			return nil, err
		}
		e.requests.add(s, a, e.cols)
		if e.requests.requester.Len() == column.PageRows {
			if err := e.askers.Pages(e.requests.columns()); err != nil {
				return nil, err
			}
		}
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
	out.demand = e.sumAsks()
	out.loaded, out.leftOut = e.loaded, e.leftOut
	return out, nil
}

// aheadRows is the number of rows that are on their way from memory before they
// are turned into columns.
const aheadRows = 256

// ahead reads what the next requesters' rows are made from, step by step: the
// requesters, their rows and where their networks' indexes are kept, the slots
// of the info-hashes, and what lies behind those. In each step many come from
// memory at once.
func (e *emitter) ahead() {
	first, rows := e.aheadAt, 0
	for ; e.aheadAt < len(e.order) && rows < aheadRows; e.aheadAt++ {
		rows += int(e.spans[e.order[e.aheadAt].off].count)
	}
	next := e.order[first:e.aheadAt]
	touched := uint64(0)
	for _, o := range next {
		s := &e.spans[o.off]
		touched |= uint64((*s.rows)[s.first]) | uint64(e.cols.networkAt.cells[s.network].epoch)
	}
	e.sums, e.sumsAt = e.sums[:0], 0
	for _, o := range next {
		s := &e.spans[o.off]
		rows := (*s.rows)[s.first:]
		for range s.count {
			e.sums = append(e.sums, sumOf(row(rows).hash()))
			rows = rows[rowSize(rows):]
		}
	}
	for _, sum := range e.sums {
		touched |= e.cols.hash.slot(sum)
	}
	for _, sum := range e.sums {
		touched |= e.cols.hash.touch(sum)
	}
	e.touched = touched // or nothing would be read
}

// arrange puts the spans of all buckets in order of requester.
func (e *emitter) arrange(buckets []*sortedRows, out *emitted) (rows int) {
	n := 0
	e.networks = 0
	for _, b := range buckets {
		n += len(b.spans)
	}
	e.spans, e.order = slices.Grow(e.spans[:0], n), slices.Grow(e.order[:0], n)
	for _, b := range buckets {
		for _, s := range b.spans {
			e.order = append(e.order, entry{key: signed(s.requester), off: uint32(len(e.spans))})
			pseudonym := b.networks[s.network].pseudonym
			s.network += uint32(e.networks)
			e.spans = append(e.spans, located{s, pseudonym, &b.rows})
		}
		e.networks += len(b.networks)
		rows += b.n
		out.duplicates += b.duplicates
	}
	e.order = sortEntries(e.order, &e.spare)
	return rows
}

// seal closes the row group. Dictionaries stay, so that what was counted by
// their indexes still holds.
func (e *emitter) seal(out *emitted) error {
	g, err := e.queries.Encode(e.cols.columns())
	if err != nil {
		return err
	}
	e.inGroup = 0
	out.queries = append(out.queries, g)
	return nil
}

// requester appends one requester's rows and tells what it did.
func (e *emitter) requester(s *located, out *emitted) (*activity, error) {
	a := &e.act
	*a = activity{}
	e.pending, e.theirs, e.hashes, e.clients = e.pending[:0], e.theirs[:0], e.hashes[:0], e.clients[:0]
	var x added
	var run uint32
	var minutes *minutes
	start, open := e.day.Start(), 0
	rows := (*s.rows)[s.first:]
	for range s.count {
		if e.inGroup+int64(open) >= maxGroupRows {
			if err := e.next(s, &open, out); err != nil {
				return nil, err
			}
		}
		r := row(rows)
		rows = rows[rowSize(rows):]
		open++
		x = e.cols.add(r, e.sums[e.sumsAt])
		e.sumsAt++
		k, micros := r.kind(), r.micros()
		a.query(start+micros, k)
		if from := e.cols.names.sources.values[r.source()].run; from != run || minutes == nil {
			run = from
			minutes = e.loaded.of(run)
		}
		minutes[micros/microsPerMinute][k]++
		e.clients.add(x.client)
		if r[rowCpl] != noCpl {
			e.theirs = append(e.theirs, r.their())
		}
		e.ask(r, k, x)
	}
	a.infohashes, a.nodeIDs = distinct(e.hashes), distinct(e.theirs)
	a.country, a.asn, a.client = x.country, x.asn, e.clients.commonest(e.cols.client.text)
	if a.crawler() != "" {
		e.leftOut[leftCrawler] += int64(len(e.pending))
	} else {
		e.demand(s.network)
	}
	return a, e.page(s, open)
}

// ask keeps a query that may count as demand.
func (e *emitter) ask(r row, k rawlog.Kind, x added) {
	if k != rawlog.GetPeers && k != rawlog.AnnouncePeer {
		e.leftOut[leftNotAsked]++
		return
	}
	e.hashes = append(e.hashes, uint64(x.hash))
	if k == rawlog.GetPeers && r[rowCpl] != noCpl && r[rowCpl] >= bootstrapBits {
		e.leftOut[leftBootstrap]++
		return
	}
	e.pending = append(e.pending, pendingAsk{
		key: uint64(x.hash)<<32 | uint64(x.country), announced: k == rawlog.AnnouncePeer, seed: r.tri(seedShift) == rawlog.True,
	})
}

// page ends a stretch of n rows of a requester; whole pages are packed.
func (e *emitter) page(s *located, n int) error {
	e.cols.end(s, n)
	e.inGroup += int64(n)
	if len(e.cols.ts.Rows) < column.PageRows {
		return nil
	}
	return e.queries.Pages(e.cols.columns())
}

// next closes the row group within a requester.
func (e *emitter) next(s *located, open *int, out *emitted) error {
	if err := e.page(s, *open); err != nil {
		return err
	}
	*open = 0
	return e.seal(out)
}

// demand adds up what a requester asked for.
func (e *emitter) demand(network uint32) {
	slices.SortFunc(e.pending, func(x, y pendingAsk) int { return cmp.Compare(x.key, y.key) })
	for i, p := range e.pending {
		if i == 0 || p.key != e.pending[i-1].key {
			e.asks = append(e.asks, ask{hash: uint32(p.key >> 32), country: uint32(p.key), network: network})
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
