package etl

import (
	"cmp"
	"fmt"
	"hash/fnv"
	"io"
	"slices"
	"sync"

	"github.com/boontorrent/boon/internal/geo"
	"github.com/boontorrent/boon/internal/rawlog"
)

// noPlace is the number of no place.
const noPlace = ^uint32(0)

// Bounds of what a day may hold in memory for good: runs, their own ids, and
// places recorded with events. They come from collectors, not from strangers.
const (
	maxSources = 1 << 20
	maxRuns    = 1 << 20
	maxPlaces  = 1 << 21
)

// run is one run of a collector.
type run struct {
	collector, name string
	imported        bool
}

// bucket spreads runs over the buckets of their stats, the same in every process.
func (r run) bucket() int {
	h := fnv.New32a()
	_, _ = io.WriteString(h, r.collector+"\x00"+r.name)
	return int(h.Sum32() % statsBuckets)
}

func (r run) compare(o run) int {
	imported := func(r run) int {
		if r.imported {
			return 1
		}
		return 0
	}
	return cmp.Or(cmp.Compare(r.collector, o.collector), cmp.Compare(r.name, o.name), cmp.Compare(imported(r), imported(o)))
}

// source is where a query was heard: by which run, with which own id.
type source struct {
	run uint32
	our rawlog.ID
}

// names numbers the things that many rows share. Numbers depend on the order
// of arrival; nothing that is written does.
type names struct {
	mu      sync.RWMutex
	runs    table[run]
	sources table[source]
	places  table[geo.Place]
}

type table[T comparable] struct {
	index  map[T]uint32
	values []T
}

// number returns the number of v, a new one where it has none yet.
func (t *table[T]) number(mu *sync.RWMutex, v T, limit int, what string) (uint32, error) {
	mu.RLock()
	i, ok := t.index[v]
	mu.RUnlock()
	if ok {
		return i, nil
	}
	mu.Lock()
	defer mu.Unlock()
	if i, ok := t.index[v]; ok {
		return i, nil
	}
	if len(t.values) >= limit {
		return 0, fmt.Errorf("more than %d different %s in one day", limit, what)
	}
	if t.index == nil {
		t.index = map[T]uint32{}
	}
	i = uint32(len(t.values))
	t.index[v] = i
	t.values = append(t.values, v)
	return i, nil
}

func (n *names) run(r run) (uint32, error) { return n.runs.number(&n.mu, r, maxRuns, "runs") }
func (n *names) source(s source) (uint32, error) {
	return n.sources.number(&n.mu, s, maxSources, "own node ids")
}

// place numbers a place that came with an event; text that is not UTF-8 cannot be.
func (n *names) place(p *rawlog.Place) (uint32, error) {
	return n.places.number(&n.mu, geo.Place{
		Country: p.Country, Region: p.Region, City: p.City, Lat: p.Lat, Lon: p.Lon, HasPoint: p.HasPoint, ASN: p.ASN, ASName: p.ASName,
	}, maxPlaces, "recorded places")
}

func comparePlaces(a, b geo.Place) int {
	return cmp.Or(cmp.Compare(a.Country, b.Country), cmp.Compare(a.Region, b.Region), cmp.Compare(a.City, b.City),
		cmp.Compare(a.Lat, b.Lat), cmp.Compare(a.Lon, b.Lon), cmp.Compare(a.ASN, b.ASN), cmp.Compare(a.ASName, b.ASName))
}

// ranks gives each number its place in an order that does not depend on arrival.
func ranks[T any](values []T, compare func(a, b T) int) []uint32 {
	order := make([]uint32, len(values))
	for i := range order {
		order[i] = uint32(i)
	}
	slices.SortFunc(order, func(a, b uint32) int {
		if c := compare(values[a], values[b]); c != 0 {
			return c
		}
		return cmp.Compare(a, b)
	})
	rank := make([]uint32, len(values))
	for r, i := range order {
		rank[i] = uint32(r)
	}
	return rank
}
