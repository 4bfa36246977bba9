package collect

import (
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"hash/maphash"
	"maps"
	"math"
	"slices"
	"sync"
	"time"

	"github.com/boontorrent/boon/internal/geo"
	"github.com/boontorrent/boon/internal/lake"
	"github.com/boontorrent/boon/internal/rawlog"
)

// Bounds of the live view.
const (
	liveEvery   = 5 * time.Second
	liveWindow  = 24   // times five seconds
	liveSamples = 3000 // queries looked up in five seconds; beyond, some stand for all
	liveCells   = 4000
	liveClients = 30
	liveLimit   = 1 << 20 // bytes of index.json that are read
)

// What is shown comes from LiveNetworks networks, unless the caller says otherwise, and
// no network makes more than liveLargest of its queries: the thresholds of the report.
const (
	LiveNetworks = 20
	liveLargest  = 0.85
)

// liveGrids are the sides of a cell in degrees. Two minutes are short: what is too little
// to be shown in a small cell counts towards a larger one.
func liveGrids() []int32 { return []int32{1, 3, 10} }

// live keeps what was heard in the last two minutes, to show it on a map: where
// from, which clients. It holds no address: of a network, only a hash under a
// key that is forgotten with the process. A row is shown from need networks up, rounded.
type live struct {
	collector string
	need      int // distinct networks that a row needs
	store     lake.Store
	geo       *geo.DB
	seed      maphash.Seed

	mu      sync.Mutex
	buckets [liveWindow]liveBucket
	current int
}

// liveBucket is five seconds.
type liveBucket struct {
	heard   int64 // queries
	samples []liveSample
}

type liveSample struct {
	network uint64
	cell    int32 // -1 where the place is not known
	country [2]byte
	client  [2]byte
}

func newLive(collector string, need int, store lake.Store, db *geo.DB) *live {
	return &live{collector: collector, need: need, store: store, geo: db, seed: maphash.MakeSeed()}
}

// hear takes a logged query in. What nodes ask for their own upkeep does not count.
func (l *live) hear(q *rawlog.Query) {
	if q.HasTheirID && [4]byte(q.Infohash[:4]) == [4]byte(q.TheirID[:4]) {
		return
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	b := &l.buckets[l.current]
	b.heard++
	if len(b.samples) >= liveSamples {
		return
	}
	network := networkOf(q.Addr)
	s := liveSample{network: maphash.Bytes(l.seed, network[:]), cell: -1}
	if place, ok := l.geo.Lookup(q.Addr); ok {
		copy(s.country[:], place.Country)
		if place.HasPoint {
			s.cell = cellOf(place.Lat, place.Lon, 1)
		}
	}
	if len(q.Version) >= 2 && letter(q.Version[0]) && letter(q.Version[1]) {
		copy(s.client[:], q.Version)
	}
	b.samples = append(b.samples, s)
}

func letter(c byte) bool { return c >= 'A' && c <= 'Z' || c >= 'a' && c <= 'z' || c >= '0' && c <= '9' }

// cellOf is the number of a point's cell in a grid of so many degrees: bands, each cut
// into cells of about the same area. That of one degree is the grid of the report
// (internal/duck, macro cell).
func cellOf(lat, lon float64, degrees int32) int32 {
	band := int32(min(float64(180/degrees-1), max(0, math.Floor((lat+90)/float64(degrees)))))
	n := cellsInBand(band, degrees)
	return band*360 + int32(math.Floor((lon+180)/360*float64(n)))%n
}

func cellsInBand(band, degrees int32) int32 {
	middle := (float64(band)+0.5)*float64(degrees) - 90
	return max(1, int32(math.Round(360/float64(degrees)*math.Cos(middle*math.Pi/180))))
}

// middleOf is the middle of a cell.
func middleOf(cell, degrees int32) (lat, lon float64) {
	band := cell / 360
	return (float64(band)+0.5)*float64(degrees) - 90, (float64(cell%360)+0.5)*360/float64(cellsInBand(band, degrees)) - 180
}

// liveFile is live/<collector>.json.
type liveFile struct {
	Version   int          `json:"v"`
	Collector string       `json:"collector"`
	Time      int64        `json:"t"`                  // µs
	Seconds   int          `json:"seconds"`            // that it is about
	PerSecond float64      `json:"queries_per_second"` // all of them, but for what the rows leave of all where that may not be shown
	Share     float64      `json:"share"`              // of them that the rest is about
	Cells     []liveCell   `json:"cells"`
	Countries []liveNation `json:"countries"`
	Clients   []liveClient `json:"clients"`
}

type liveCell struct {
	Cell    int32   `json:"cell"`
	Degrees int32   `json:"degrees"` // side of the cell; its number is of the grid of those
	Lat     float64 `json:"lat"`     // of its middle
	Lon     float64 `json:"lon"`
	Queries int     `json:"queries"` // rounded to tens, as all below
}

type liveNation struct {
	Country string `json:"country"`
	Queries int    `json:"queries"`
}

type liveClient struct {
	Client  string `json:"client"` // two letters of "v"; "" for other and none
	Queries int    `json:"queries"`
}

// tally counts queries, all and by network.
type tally struct {
	queries  int
	networks map[uint64]int
}

func tallyAt[K comparable](m map[K]*tally, key K, network uint64) {
	t := m[key]
	if t == nil {
		t = &tally{networks: map[uint64]int{}}
		m[key] = t
	}
	t.queries++
	t.networks[network]++
}

// rounded is the count as it is shown.
func (t *tally) rounded() int { return max(10, (t.queries+5)/10*10) }

// may reports whether a row of this may be shown.
func (t *tally) may(need int) bool {
	return len(t.networks) >= need && float64(slices.Max(slices.Collect(maps.Values(t.networks)))) <= liveLargest*float64(t.queries)
}

// shown are the keys of what may be shown, the most first.
func shown[K comparable](m map[K]*tally, need int) []K {
	keys := slices.DeleteFunc(slices.Collect(maps.Keys(m)), func(k K) bool { return !m[k].may(need) })
	slices.SortFunc(keys, func(a, b K) int {
		return cmp.Or(cmp.Compare(m[b].queries, m[a].queries), cmp.Compare(fmt.Sprint(a), fmt.Sprint(b)))
	})
	return keys
}

// untold is how many queries all must not count, because what is left of all less the
// rows that are shown may not be shown either.
func untold[K comparable](m map[K]*tally, rows []K, need int) int {
	rest := tally{networks: map[uint64]int{}}
	for k, t := range m {
		if slices.Contains(rows, k) {
			continue
		}
		rest.queries += t.queries
		for network, n := range t.networks {
			rest.networks[network] += n
		}
	}
	if rest.queries == 0 || rest.may(need) {
		return 0
	}
	return rest.queries
}

// cells are those of the samples. What no cell of a grid may show is left for the next.
func (l *live) cells(samples []liveSample) []liveCell {
	all := []liveCell{}
	for _, degrees := range liveGrids() {
		within := func(s liveSample) int32 {
			lat, lon := middleOf(s.cell, 1)
			return cellOf(lat, lon, degrees)
		}
		cells := map[int32]*tally{}
		for _, s := range samples {
			tallyAt(cells, within(s), s.network)
		}
		done := map[int32]bool{}
		for _, c := range shown(cells, l.need) {
			lat, lon := middleOf(c, degrees)
			all = append(all, liveCell{c, degrees, lat, math.Round(1e4*lon) / 1e4, cells[c].rounded()})
			done[c] = true
		}
		samples = slices.DeleteFunc(samples, func(s liveSample) bool { return done[within(s)] })
	}
	slices.SortStableFunc(all, func(a, b liveCell) int { return cmp.Compare(b.Queries, a.Queries) })
	return all[:min(len(all), liveCells)]
}

// view makes the file of the last buckets, of which filled have been filled.
func (l *live) view(now int64, filled int) liveFile {
	countries, clients := map[[2]byte]*tally{}, map[[2]byte]*tally{}
	var placed []liveSample
	var heard, sampled int64
	l.mu.Lock()
	for i := range l.buckets {
		heard += l.buckets[i].heard
		for _, s := range l.buckets[i].samples {
			sampled++
			tallyAt(clients, s.client, s.network)
			if s.cell >= 0 {
				placed = append(placed, s)
			}
			tallyAt(countries, s.country, s.network)
		}
	}
	l.mu.Unlock()
	seconds := max(1, filled) * int(liveEvery/time.Second)
	nations, names := shown(countries, l.need), shown(clients, l.need)
	nations = slices.DeleteFunc(nations, func(c [2]byte) bool { return c == [2]byte{} }) // a place that is not known
	told := heard
	if hidden := max(untold(countries, nations, l.need), untold(clients, names, l.need)); hidden > 0 {
		told = heard * (sampled - int64(hidden)) / sampled
	}
	f := liveFile{
		Version: 2, Collector: l.collector, Time: now, Seconds: seconds, Share: 1,
		PerSecond: math.Round(float64((told+5)/10)*100/float64(seconds)) / 10,
		Cells:     l.cells(placed), Countries: []liveNation{}, Clients: []liveClient{},
	}
	if heard > 0 {
		f.Share = math.Round(1000*float64(sampled)/float64(heard)) / 1000
	}
	for _, c := range nations {
		f.Countries = append(f.Countries, liveNation{string(c[:]), countries[c].rounded()})
	}
	for _, c := range names[:min(len(names), liveClients)] {
		f.Clients = append(f.Clients, liveClient{string(slices.DeleteFunc(c[:], func(b byte) bool { return b == 0 })), clients[c].rounded()})
	}
	return f
}

// turn begins the next five seconds, where those of two minutes ago were.
func (l *live) turn() {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.current = (l.current + 1) % liveWindow
	b := &l.buckets[l.current]
	b.heard, b.samples = 0, b.samples[:0]
}

// run rewrites the file every five seconds until ctx ends, and then removes it:
// it is about now. A lake that cannot be reached costs the view, nothing else.
func (l *live) run(ctx context.Context, now func() int64, say func(string, ...any)) {
	ticker := time.NewTicker(liveEvery)
	defer ticker.Stop()
	failing := false
	listed := false
	for filled := 1; ; filled = min(filled+1, liveWindow) {
		select {
		case <-ctx.Done():
			l.remove(ctx)
			return
		case <-ticker.C:
		}
		err := l.write(ctx, l.view(now(), filled))
		l.turn()
		if err == nil && !listed {
			err = l.list(ctx)
			listed = err == nil
		}
		if err != nil && !failing && ctx.Err() == nil {
			say("the live view is not written: %v", err)
		}
		failing = err != nil
	}
}

func (l *live) write(ctx context.Context, f liveFile) error {
	b, err := json.Marshal(f)
	if err != nil {
		return fmt.Errorf("write the live view: %w", err)
	}
	_, err = lake.PutBytes(ctx, l.store, lake.LivePrefix+l.collector+".json", lake.Condition{}, append(b, '\n'))
	return err
}

func (l *live) remove(ctx context.Context) {
	last, cancel := context.WithTimeout(context.WithoutCancel(ctx), liveEvery)
	defer cancel()
	_ = l.store.Delete(last, lake.LivePrefix+l.collector+".json") // its time tells that it is old
}

// list puts the collector into live/index.json, where others may do so at the
// same time.
func (l *live) list(ctx context.Context) error {
	const key = lake.LivePrefix + "index.json"
	for range 10 {
		var names []string
		cond := lake.Absent()
		b, info, err := lake.ReadAll(ctx, l.store, key, liveLimit)
		switch {
		case err == nil:
			cond = lake.Unchanged(info.ETag)
			if err := json.Unmarshal(b, &names); err != nil {
				return fmt.Errorf("read %s: %w; remove it", key, err)
			}
		case !errors.Is(err, lake.ErrNotFound):
			return err
		}
		if slices.Contains(names, l.collector) {
			return nil
		}
		names = append(names, l.collector)
		slices.Sort(names)
		if b, err = json.Marshal(names); err != nil {
			return err
		}
		if _, err = lake.PutBytes(ctx, l.store, key, cond, append(b, '\n')); !errors.Is(err, lake.ErrConflict) {
			return err
		}
	}
	return fmt.Errorf("write %s: others write it all the time", key)
}
