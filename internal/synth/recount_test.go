package synth_test

import (
	"context"
	"math/bits"
	"net/netip"
	"os"
	"path/filepath"
	"testing"

	"github.com/boontorrent/boon/internal/geo"
	"github.com/boontorrent/boon/internal/lake"
	"github.com/boontorrent/boon/internal/rawlog"
	"github.com/boontorrent/boon/internal/rawlog/rawlogtest"
	"github.com/boontorrent/boon/internal/synth"
)

// made is a swarm in memory, its truth and all its events, collector by collector.
type made struct {
	store  lake.Store
	truth  *synth.Truth
	result synth.Result
	events []event
	geo    *geo.DB
}

type event struct {
	collector string
	rawlog.Event
}

func build(t testing.TB, cfg synth.Config) *made {
	t.Helper()
	ctx := context.Background()
	m := &made{store: lake.NewMemory()}
	var err error
	if m.result, err = synth.Run(ctx, m.store, cfg); err != nil {
		t.Fatal(err)
	}
	if m.truth, err = synth.ReadTruth(ctx, m.store); err != nil {
		t.Fatal(err)
	}
	if m.geo, err = geo.Open(m.file(t, geo.CityKey), m.file(t, geo.ASNKey)); err != nil {
		t.Fatal(err)
	}
	for _, segment := range rawlogtest.Lake(t, m.store) {
		for _, ev := range segment.Events {
			m.events = append(m.events, event{segment.Header.Collector, ev})
		}
	}
	return m
}

// file copies an object into a file.
func (m *made) file(t testing.TB, key string) string {
	t.Helper()
	b, _, err := lake.ReadAll(context.Background(), m.store, key, 1<<30)
	path := filepath.Join(t.TempDir(), filepath.Base(key))
	if err == nil {
		err = os.WriteFile(path, b, 0o600)
	}
	if err != nil {
		t.Fatal(err)
	}
	return path
}

// cpl is the number of leading bits that two ids share.
func cpl(a, b rawlog.ID) int {
	for i := range a {
		if x := a[i] ^ b[i]; x != 0 {
			return i*8 + bits.LeadingZeros8(x)
		}
	}
	return 160
}

// set counts distinct addresses by something.
type set[K comparable] map[K]map[netip.Addr]bool

func (s set[K]) add(k K, a netip.Addr) {
	if s[k] == nil {
		s[k] = map[netip.Addr]bool{}
	}
	s[k][a] = true
}

type byDay[K comparable] struct {
	day lake.Day
	key K
}

// requesters are distinct addresses by what they asked for, from where and when.
type requesters struct {
	torrent set[byDay[string]]
	work    set[byDay[int]]
	country set[byDay[string]]
	hour    set[byDay[int]]
}

// recount counts by other means than the package: from the segments alone, but
// for who is a crawler and which info-hashes are torrents.
type recount struct {
	heard, counted, all  requesters
	kinds                map[byDay[string]]int64
	bootstraps, refreshs map[lake.Day]int64
	crawling             map[lake.Day]int64
}

func newRecount() *recount {
	r := &recount{kinds: map[byDay[string]]int64{}, bootstraps: map[lake.Day]int64{}, refreshs: map[lake.Day]int64{}, crawling: map[lake.Day]int64{}}
	for _, c := range []*requesters{&r.heard, &r.counted, &r.all} {
		*c = requesters{set[byDay[string]]{}, set[byDay[int]]{}, set[byDay[string]]{}, set[byDay[int]]{}}
	}
	return r
}

func (m *made) recount(t *testing.T) *recount {
	t.Helper()
	crawler, work := map[string]bool{}, map[string]int{}
	for _, c := range m.truth.Crawlers {
		crawler[c.Address] = true
	}
	for _, torrent := range m.truth.Torrents {
		work[torrent.Infohash] = torrent.Work
	}
	r := newRecount()
	for _, ev := range m.events {
		if !ev.Kind.IsQuery() {
			continue
		}
		q, day := &ev.Query, lake.DayOf(ev.T)
		r.kinds[byDay[string]{day, ev.Kind.String()}]++
		crawls := crawler[q.Addr.String()]
		if crawls {
			r.crawling[day]++
		}
		if ev.Kind != rawlog.GetPeers && ev.Kind != rawlog.AnnouncePeer {
			continue
		}
		place, ok := m.geo.Lookup(q.Addr)
		if !ok || place.Country == "" || place.City == "" || place.ASN == 0 {
			t.Fatalf("%s is at %+v", q.Addr, place)
		}
		w, isTorrent := work[q.Infohash.String()]
		shared := cpl(q.Infohash, q.TheirID)
		switch {
		case isTorrent:
		case shared >= 96:
			r.bootstraps[day]++
		case shared >= 1 && shared <= 10:
			r.refreshs[day]++
		default:
			t.Errorf("%s asks for %s, which is no torrent and shares %d bits with its id", q.TheirID, q.Infohash, shared)
		}
		hour := int(ev.T / 3_600_000_000 % 24)
		add := func(c *requesters) {
			c.country.add(byDay[string]{day, place.Country}, q.Addr)
			c.hour.add(byDay[int]{day, hour}, q.Addr)
			if isTorrent {
				c.torrent.add(byDay[string]{day, q.Infohash.String()}, q.Addr)
				c.work.add(byDay[int]{day, w}, q.Addr)
			}
		}
		add(&r.all)
		if !crawls && shared < 32 {
			add(&r.counted)
		}
		if !crawls && isTorrent {
			add(&r.heard)
		}
	}
	return r
}
