package synth_test

import (
	"context"
	"net/netip"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/boontorrent/boon/internal/lake"
	"github.com/boontorrent/boon/internal/pseudonym"
	"github.com/boontorrent/boon/internal/rawlog"
	"github.com/boontorrent/boon/internal/synth"
)

// TestSwarm makes one swarm and looks at it from all sides.
func TestSwarm(t *testing.T) {
	m := build(t, small)
	for _, tt := range []struct {
		name  string
		check func(*testing.T, *made)
	}{
		{"the truth equals a recount", checkTruthEqualsRecount},
		{"crawlers", checkCrawlers},
		{"hearing", checkHearing},
		{"mix", checkMix},
		{"resolves", checkResolves},
		{"statistics account for the log", checkStatsAccountForTheLog},
		{"logs are in order", checkLogsAreInOrder},
	} {
		t.Run(tt.name, func(t *testing.T) { tt.check(t, m) })
	}
}

func checkTruthEqualsRecount(t *testing.T, m *made) {
	r := m.recount(t)
	total := int64(0)
	for d, day := range m.truth.PerDay {
		at := synth.DefaultStart + lake.Day(d)
		if day.Day != at.String() {
			t.Errorf("day %d is %s, want %s", d, day.Day, at)
		}
		for kind, n := range day.Queries {
			total += n
			if got := r.kinds[byDay[string]{at, kind}]; got != n {
				t.Errorf("%s: %d %s, truth says %d", at, got, kind, n)
			}
		}
		if r.bootstraps[at] != day.Bootstraps || r.refreshs[at] != day.Refreshes || r.crawling[at] != day.Crawling {
			t.Errorf("%s: %d bootstraps, %d refreshes, %d of crawlers; truth says %d, %d, %d", at,
				r.bootstraps[at], r.refreshs[at], r.crawling[at], day.Bootstraps, day.Refreshes, day.Crawling)
		}
		for h, want := range day.Hours {
			k := byDay[int]{at, h}
			got := synth.Counts{Swarm: want.Swarm, Heard: size(r.heard.hour, k), Counted: size(r.counted.hour, k), All: size(r.all.hour, k)}
			if got != want || want.Heard > want.Swarm {
				t.Errorf("%s, hour %d: %+v, truth says %+v", at, h, got, want)
			}
		}
		for code, want := range day.Countries {
			k := byDay[string]{at, code}
			got := synth.Counts{Swarm: want.Swarm, Heard: size(r.heard.country, k), Counted: size(r.counted.country, k), All: size(r.all.country, k)}
			if got != want || want.Heard > want.Swarm {
				t.Errorf("%s, %s: %+v, truth says %+v", at, code, got, want)
			}
		}
	}
	if total != int64(small.Events) || m.result.Events != small.Events {
		t.Errorf("%d queries, result says %d, asked for %d", total, m.result.Events, small.Events)
	}
	m.compareLists(t, r)
}

func size[K comparable](s set[K], k K) uint32 { return uint32(len(s[k])) }

// compareLists holds the truth's torrents and works against the recount.
func (m *made) compareLists(t *testing.T, r *recount) {
	t.Helper()
	for _, torrent := range m.truth.Torrents {
		for d := range m.truth.Days {
			k := byDay[string]{synth.DefaultStart + lake.Day(d), torrent.Infohash}
			var heard, all uint32
			if torrent.All != nil {
				heard, all = torrent.Heard[d], torrent.All[d]
			}
			if size(r.heard.torrent, k) != heard || size(r.all.torrent, k) != all || heard > torrent.Swarm[d] {
				t.Fatalf("%s on day %d: %d requesters, %d with crawlers; truth says %d, %d of %d", torrent.Infohash, d,
					size(r.heard.torrent, k), size(r.all.torrent, k), heard, all, torrent.Swarm[d])
			}
		}
	}
	for _, work := range m.truth.Works {
		for d, want := range work.Heard {
			k := byDay[int]{synth.DefaultStart + lake.Day(d), work.ID}
			if got := size(r.heard.work, k); got != want || want > work.Swarm[d] {
				t.Fatalf("work %d on day %d: %d requesters, truth says %d of %d", work.ID, d, got, want, work.Swarm[d])
			}
		}
	}
}

func checkCrawlers(t *testing.T, m *made) {
	asked, announces := map[netip.Addr]map[rawlog.ID]bool{}, map[netip.Addr]int{}
	for _, ev := range m.events {
		if !ev.Kind.IsQuery() {
			continue
		}
		a := ev.Query.Addr
		if ev.Kind == rawlog.AnnouncePeer {
			announces[a]++
		}
		if asked[a] == nil {
			asked[a] = map[rawlog.ID]bool{}
		}
		asked[a][ev.Query.Infohash] = true
	}
	key, err := pseudonym.Load(context.Background(), m.store, "2026-W02")
	if err != nil {
		t.Fatal(err)
	}
	hasher, most := key.Hasher(), 0
	for _, c := range m.truth.Crawlers {
		a := netip.MustParseAddr(c.Address)
		if announces[a] > 0 || len(asked[a]) < 200 {
			t.Errorf("crawler %s announces %d times and asks for %d info-hashes", a, announces[a], len(asked[a]))
		}
		if got := hasher.Requester(a); got != c.Pseudonyms["2026-W02"] {
			t.Errorf("crawler %s is %d, truth says %d", a, got, c.Pseudonyms["2026-W02"])
		}
		delete(asked, a)
	}
	for _, hashes := range asked {
		most = max(most, len(hashes))
	}
	if most > 100 {
		t.Errorf("somebody who is no crawler asks for %d info-hashes", most)
	}
}

// checkHearing checks that lookups are heard as they are in real logs: almost
// surely by a node that is among the nearest, ever more rarely farther away.
func checkHearing(t *testing.T, m *made) {
	var ids []rawlog.ID
	for _, n := range m.truth.Nodes {
		id, err := rawlog.ParseID(n.ID)
		if err != nil {
			t.Fatal(err)
		}
		ids = append(ids, id)
	}
	var near, heardNear, far, heardFar float64
	for _, torrent := range m.truth.Torrents {
		ih, err := rawlog.ParseID(torrent.Infohash)
		if err != nil {
			t.Fatal(err)
		}
		best := 0
		for _, id := range ids {
			best = max(best, cpl(id, ih))
		}
		for d := range torrent.Swarm {
			heard := 0.0
			if torrent.Heard != nil {
				heard = float64(torrent.Heard[d])
			}
			switch {
			case best >= 10: // among the eight nearest of 8192 nodes
				near += float64(torrent.Swarm[d])
				heardNear += heard
			case best <= 5:
				far += float64(torrent.Swarm[d])
				heardFar += heard
			}
		}
	}
	if near == 0 || heardNear/near < 0.9 || heardFar/far > 0.25 {
		t.Errorf("heard %.0f of %.0f requesters nearby and %.0f of %.0f far away", heardNear, near, heardFar, far)
	}
	var octaves [161]int
	for _, ev := range m.events {
		if ev.Kind == rawlog.GetPeers {
			octaves[159-min(159, cpl(ev.Query.OurID, ev.Query.Infohash))]++
		}
		if ev.Kind == rawlog.AnnouncePeer && cpl(ev.Query.OurID, ev.Query.Infohash) < 8 {
			t.Fatalf("%s was announced to a node as far as %s", ev.Query.Infohash, ev.Query.OurID)
		}
	}
	// A doubling of the distance holds twice the torrents, each heard half as
	// often: about the same number of queries, where there are torrents enough.
	for o := 153; o < 159; o++ {
		if ratio := float64(octaves[o+1]) / float64(octaves[o]); ratio < 0.6 || ratio > 1.6 {
			t.Errorf("%d queries at a distance of 2^%d, %d at the next: %v", octaves[o], o, octaves[o+1], octaves[140:])
		}
	}
}

func checkMix(t *testing.T, m *made) {
	var queries, six, lt, announces, upkeepByOthers float64
	local := map[int]float64{}
	networks := map[[3]byte]map[byte]bool{}
	for _, ev := range m.events {
		if !ev.Kind.IsQuery() {
			continue
		}
		q := &ev.Query
		queries++
		if q.Addr.Is6() {
			six++
		} else {
			b := q.Addr.As4()
			net := [3]byte(b[:3])
			if networks[net] == nil {
				networks[net] = map[byte]bool{}
			}
			networks[net][b[3]] = true
		}
		isLT := len(q.Version) > 1 && string(q.Version[:2]) == "LT"
		if isLT {
			lt++
		}
		if ev.Kind == rawlog.AnnouncePeer {
			announces++
		}
		if ev.Kind == rawlog.GetPeers && cpl(q.Infohash, q.TheirID) >= 32 && !isLT || ev.Kind == rawlog.FindNode && (isLT || cpl(q.Infohash, q.TheirID) < 32) {
			upkeepByOthers++
		}
		if place, _ := m.geo.Lookup(q.Addr); place.Country == "IN" && ev.Kind == rawlog.GetPeers {
			local[int((ev.T/3_600_000_000*2+11)/2%24)]++ // UTC+5:30
		}
	}
	several := 0
	for _, hosts := range networks {
		if len(hosts) > 1 {
			several++
		}
	}
	within := func(what string, got, low, high float64) {
		if got < low || got > high {
			t.Errorf("%s: %.3f, not between %v and %v", what, got, low, high)
		}
	}
	within("IPv6", six/queries, 0.035, 0.06)
	within("libtorrent", lt/queries, 0.38, 0.58)
	within("announces", announces/queries, 0.04, 0.15)
	within("networks with several requesters", float64(several)/float64(len(networks)), 0.3, 0.9)
	within("upkeep or self-lookups by the wrong clients", upkeepByOthers, 0, 0)
	within("evening over early morning in India", (local[20]+local[21]+local[22])/(local[3]+local[4]+local[5]), 2.5, 12)
}

func checkResolves(t *testing.T, m *made) {
	video := []string{".mkv", ".mp4", ".avi"}
	types := map[string]string{}
	for _, torrent := range m.truth.Torrents {
		types[torrent.Infohash] = torrent.Type
	}
	seen, pads, hybrid, v2 := map[string]int{}, 0, 0, 0
	for _, ev := range m.events {
		if ev.Kind != rawlog.Resolve {
			continue
		}
		r := ev.Resolve
		kind := types[r.Infohash.String()]
		seen[kind]++
		var all, moving int64
		for _, f := range r.Files {
			name := f.Path[len(f.Path)-1]
			if f.Attr == "p" {
				pads++
				continue
			}
			all += f.Length
			if slices.Contains(video, filepath.Ext(name)) {
				moving += f.Length
			}
		}
		if isVideo := slices.Contains([]string{"movie", "tv", "anime", "adult", "course"}, kind); isVideo != (float64(moving) >= 0.6*float64(all)) {
			t.Errorf("%s %q: %d of %d bytes are video", kind, r.Name, moving, all)
		}
		switch {
		case r.InfohashV2 == "":
		case strings.HasPrefix(r.InfohashV2, r.Infohash.String()):
			v2++ // known in the DHT by the beginning of its only hash
		default:
			hybrid++
		}
	}
	if len(seen) != 12 || pads == 0 || v2 == 0 || hybrid == 0 {
		t.Errorf("types %v, %d padding files, %d torrents of v2 and %d of both", seen, pads, v2, hybrid)
	}
}

func checkStatsAccountForTheLog(t *testing.T, m *made) {
	type at struct {
		collector string
		minute    int64
	}
	logged := map[at]map[string]int64{}
	for _, ev := range m.events {
		k := at{ev.collector, ev.T / 60_000_000}
		if logged[k] == nil {
			logged[k] = map[string]int64{}
		}
		if ev.Kind != rawlog.Stats {
			logged[k][ev.Kind.String()]++
			continue
		}
		if diff := cmp.Diff(logged[k], ev.Stats.Logged); diff != "" && len(logged[k])+len(ev.Stats.Logged) > 0 {
			t.Fatalf("%v: %s", k, diff)
		}
		var received, queries, dropped int64
		for _, n := range ev.Stats.Received {
			received += n
		}
		for kind, n := range ev.Stats.Logged {
			if ev.Stats.Received[kind] < n && !strings.HasPrefix(kind, "resolve") && kind != "probe" {
				t.Fatalf("%v: %d %s logged, %d received", k, n, kind, ev.Stats.Received[kind])
			}
			if _, isQuery := ev.Stats.Received[kind]; isQuery {
				queries += n
			}
		}
		for _, n := range ev.Stats.Dropped {
			dropped += n
		}
		if received != queries+dropped {
			t.Fatalf("%v: received %d, logged %d, dropped %d", k, received, queries, dropped)
		}
	}
	if len(logged) != 2*2*24*60 {
		t.Errorf("%d minutes have statistics", len(logged))
	}
}

func checkLogsAreInOrder(t *testing.T, m *made) {
	last, n := map[string]int64{}, map[string]int64{}
	for _, ev := range m.events {
		if ev.T < last[ev.collector] {
			t.Fatalf("%s goes back from %d to %d", ev.collector, last[ev.collector], ev.T)
		}
		n[ev.collector]++
		if ev.N != n[ev.collector] {
			t.Fatalf("%s: record %d has the number %d", ev.collector, n[ev.collector], ev.N)
		}
		last[ev.collector] = ev.T
	}
}
