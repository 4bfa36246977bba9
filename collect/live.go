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
	liveEvery    = 5 * time.Second
	liveWindow   = 24   // times five seconds
	liveSamples  = 3000 // queries looked up in five seconds; beyond, some stand for all
	liveNetworks = 3    // distinct networks that a place is shown from
	liveCells    = 4000
	liveClients  = 30
	liveLimit    = 1 << 20 // bytes of index.json that are read
)

// live keeps what was heard in the last two minutes, to show it on a map: where
// from, which clients. It holds no address: of a network, only a hash under a
// key that is forgotten with the process.
type live struct {
	collector string
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

func newLive(collector string, store lake.Store, db *geo.DB) *live {
	return &live{collector: collector, store: store, geo: db, seed: maphash.MakeSeed()}
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
			s.cell = cellOf(place.Lat, place.Lon)
		}
	}
	if len(q.Version) >= 2 && letter(q.Version[0]) && letter(q.Version[1]) {
		copy(s.client[:], q.Version)
	}
	b.samples = append(b.samples, s)
}

func letter(c byte) bool { return c >= 'A' && c <= 'Z' || c >= 'a' && c <= 'z' || c >= '0' && c <= '9' }

// cellOf is the number of a point's cell in the grid of the report: bands of
// one degree, each cut into cells of about the same area (internal/duck, macro
// cell).
func cellOf(lat, lon float64) int32 {
	band := int32(min(179, max(0, math.Floor(lat+90))))
	n := cellsInBand(band)
	return band*360 + int32(math.Floor((lon+180)/360*float64(n)))%n
}

func cellsInBand(band int32) int32 {
	return max(1, int32(math.Round(360*math.Cos((float64(band)-89.5)*math.Pi/180))))
}

// liveFile is live/<collector>.json.
type liveFile struct {
	Version   int          `json:"v"`
	Collector string       `json:"collector"`
	Time      int64        `json:"t"`                  // µs
	Seconds   int          `json:"seconds"`            // that it is about
	PerSecond float64      `json:"queries_per_second"` // all of them
	Share     float64      `json:"share"`              // of them that the rest is about
	Cells     []liveCell   `json:"cells"`
	Countries []liveNation `json:"countries"`
	Clients   []liveClient `json:"clients"`
}

type liveCell struct {
	Cell     int32   `json:"cell"`
	Lat      float64 `json:"lat"` // of its middle
	Lon      float64 `json:"lon"`
	Queries  int     `json:"queries"`
	Networks int     `json:"networks"`
}

type liveNation struct {
	Country  string `json:"country"`
	Queries  int    `json:"queries"`
	Networks int    `json:"networks"`
}

type liveClient struct {
	Client  string `json:"client"` // two letters of "v"; "" for other and none
	Queries int    `json:"queries"`
}

// tally counts queries and distinct networks.
type tally struct {
	queries  int
	networks map[uint64]struct{}
}

func tallyAt[K comparable](m map[K]*tally, key K, network uint64) {
	t := m[key]
	if t == nil {
		t = &tally{networks: map[uint64]struct{}{}}
		m[key] = t
	}
	t.queries++
	t.networks[network] = struct{}{}
}

// shown are the keys of what may be shown, the most first.
func shown[K comparable](m map[K]*tally, networks, most int) []K {
	keys := slices.DeleteFunc(slices.Collect(maps.Keys(m)), func(k K) bool { return len(m[k].networks) < networks })
	slices.SortFunc(keys, func(a, b K) int {
		return cmp.Or(cmp.Compare(m[b].queries, m[a].queries), cmp.Compare(fmt.Sprint(a), fmt.Sprint(b)))
	})
	return keys[:min(len(keys), most)]
}

// view makes the file of the last buckets, of which filled have been filled.
func (l *live) view(now int64, filled int) liveFile {
	cells, countries, clients := map[int32]*tally{}, map[[2]byte]*tally{}, map[[2]byte]*tally{}
	var heard, sampled int64
	l.mu.Lock()
	for i := range l.buckets {
		heard += l.buckets[i].heard
		for _, s := range l.buckets[i].samples {
			sampled++
			tallyAt(clients, s.client, s.network)
			if s.cell >= 0 {
				tallyAt(cells, s.cell, s.network)
			}
			if s.country != ([2]byte{}) {
				tallyAt(countries, s.country, s.network)
			}
		}
	}
	l.mu.Unlock()
	seconds := max(1, filled) * int(liveEvery/time.Second)
	f := liveFile{
		Version: 1, Collector: l.collector, Time: now, Seconds: seconds, PerSecond: math.Round(10*float64(heard)/float64(seconds)) / 10, Share: 1,
		Cells: []liveCell{}, Countries: []liveNation{}, Clients: []liveClient{},
	}
	if heard > 0 {
		f.Share = math.Round(1000*float64(sampled)/float64(heard)) / 1000
	}
	for _, c := range shown(cells, liveNetworks, liveCells) {
		band := c / 360
		lon := (float64(c%360)+0.5)*360/float64(cellsInBand(band)) - 180
		f.Cells = append(f.Cells, liveCell{c, float64(band) - 89.5, math.Round(1e4*lon) / 1e4, cells[c].queries, len(cells[c].networks)})
	}
	for _, c := range shown(countries, liveNetworks, len(countries)) {
		f.Countries = append(f.Countries, liveNation{string(c[:]), countries[c].queries, len(countries[c].networks)})
	}
	for _, c := range shown(clients, liveNetworks, liveClients) {
		f.Clients = append(f.Clients, liveClient{string(slices.DeleteFunc(c[:], func(b byte) bool { return b == 0 })), clients[c].queries})
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
