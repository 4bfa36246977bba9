package etl_test

import (
	"bytes"
	"cmp"
	"context"
	"encoding/hex"
	"errors"
	"fmt"
	"math/rand/v2"
	"net/netip"
	"slices"
	"strings"
	"testing"
	"time"

	gocmp "github.com/google/go-cmp/cmp"
	"github.com/parquet-go/parquet-go"

	"github.com/boontorrent/boon/datasets"
	"github.com/boontorrent/boon/etl"
	"github.com/boontorrent/boon/internal/lake"
	"github.com/boontorrent/boon/internal/pseudonym"
	"github.com/boontorrent/boon/internal/rawlog"
)

var testDay = func() lake.Day {
	d, err := lake.ParseDay("2026-11-22")
	if err != nil {
		panic(err)
	}
	return d
}()

func options() etl.Options {
	return etl.Options{
		Workers: 2, Program: "boon test",
		NewKey: func() (pseudonym.Key, error) { return pseudonym.Key{1, 2, 3}, nil },
		Now:    func() time.Time { return time.Unix(0, 0) },
	}
}

// swarm makes n random events of a day: few askers, few info-hashes, so that
// everything meets everything.
func swarm(seed uint64, n int) []rawlog.Event {
	r := rand.New(rand.NewPCG(seed, seed))
	id := func(prefix byte, of int) (id rawlog.ID) {
		x := r.IntN(of)
		id[0], id[1], id[19] = prefix, byte(x>>8), byte(x)
		return id
	}
	events := make([]rawlog.Event, n)
	for i := range events {
		ev := &events[i]
		ev.T, ev.N = testDay.Start()+r.Int64N(lake.MicrosPerDay), int64(i)+1
		if r.IntN(4) == 0 && i > 0 {
			ev.T = events[i-1].T // ties
		}
		switch r.IntN(40) {
		case 0:
			ev.Kind, ev.Resolve = rawlog.Resolve, resolved(r, id(9, 60))
			continue
		case 1:
			ev.Kind, ev.Failed = rawlog.ResolveFailed, &rawlog.FailedEvent{Infohash: id(9, 60), Reason: "timeout", Peers: r.Int64N(5)}
			continue
		case 2:
			ev.Kind, ev.Stats = rawlog.Stats, &rawlog.StatsEvent{Received: map[string]int64{"get_peers": 3, "ping": 2}, Logged: map[string]int64{"get_peers": 2}, Dropped: map[string]int64{"queue_full": 1}, Nodes: 7}
			continue
		case 3:
			ev.Kind, ev.Probe = rawlog.Probe, &rawlog.ProbeEvent{Target: id(3, 9), Family: "libtorrent", Queried: []rawlog.Queried{{ID: id(4, 99), OK: true}, {ID: id(5, 99)}}}
			continue
		}
		ev.Kind = []rawlog.Kind{rawlog.GetPeers, rawlog.GetPeers, rawlog.GetPeers, rawlog.AnnouncePeer, rawlog.SampleInfohashes, rawlog.FindNode}[r.IntN(6)]
		query(r, ev, id)
	}
	return events
}

func query(r *rand.Rand, ev *rawlog.Event, id func(byte, int) rawlog.ID) {
	q := &ev.Query
	q.OurID, q.Infohash, q.TheirID, q.HasTheirID = id(1, 5), id(9, 400), id(2, 50), r.IntN(9) > 0
	if r.IntN(10) == 0 {
		q.TheirID = q.Infohash
		q.TheirID[19] ^= 1
	}
	switch r.IntN(10) {
	case 0:
		q.Addr = netip.AddrFrom16([16]byte{0x20, 0x01, 0, 9, 0, byte(r.IntN(3)), 15: byte(r.IntN(4))})
	case 1:
		q.HasPseudonym, q.Requester, q.HasTheirID = true, int64(r.IntN(20))-10, false
		q.Network = q.Requester / 7
		q.TheirID = rawlog.ID{}
	default:
		q.Addr = netip.AddrFrom4([4]byte{5, byte(r.IntN(3)), byte(r.IntN(9)), byte(r.IntN(4))})
		q.Port = 6881
	}
	if r.IntN(3) > 0 {
		q.Version = []byte{"LUt"[r.IntN(3)], "TTR"[r.IntN(3)], byte(r.IntN(3)), 7}[:r.IntN(5)]
	}
	if r.IntN(5) == 0 {
		q.Geo = &rawlog.Place{Country: []string{"US", "DE", ""}[r.IntN(3)], City: "Ville d'Été", Lat: 39.9526, Lon: -75.1652, HasPoint: r.IntN(2) == 0, ASN: uint32(r.IntN(3))}
	}
	if ev.Kind == rawlog.AnnouncePeer {
		q.Seed, q.ImpliedPort, q.TokenValid = rawlog.TriOf(r.IntN(2) == 0), rawlog.TriOf(r.IntN(2) == 0), rawlog.TriOf(r.IntN(2) == 0)
		if r.IntN(2) == 0 {
			q.Name = []byte([]string{"name", "имя\xff\xfe", ""}[r.IntN(3)])
		}
	}
}

func resolved(r *rand.Rand, hash rawlog.ID) *rawlog.ResolveEvent {
	out := &rawlog.ResolveEvent{Infohash: hash, Name: fmt.Sprintf("Some.Film.%d.1080p.BluRay.x264-GRP", 1990+r.IntN(20)), Peers: -1, Seeders: 3, Leechers: -1, FoundBy: "announce", PieceLength: 1 << 20}
	if r.IntN(3) > 0 {
		out.Files = []rawlog.File{{Path: []string{"a", "film.mkv"}, Length: 1000 + r.Int64N(5)}, {Path: []string{".pad", "24"}, Length: 24, Attr: "p"}}
	} else {
		out.Size, out.FileCount = 12345, 2
	}
	return out
}

// write puts events into a new lake, cut into segments of random length.
func write(t testing.TB, events []rawlog.Event, cuts int) lake.Store {
	t.Helper()
	store := lake.NewMemory()
	for i := range cuts {
		part := events[len(events)*i/cuts : len(events)*(i+1)/cuts]
		l := rawlog.NewLog(store, rawlog.Header{Collector: "c1", Run: "r"}, 0)
		for j := range part {
			ev := part[j]
			if err := l.Append(t.Context(), &ev); err != nil {
				t.Fatal(err)
			}
		}
		if err := l.Close(t.Context()); err != nil {
			t.Fatal(err)
		}
	}
	return store
}

func run(t testing.TB, store lake.Store, opts etl.Options) etl.DayReport {
	t.Helper()
	report, err := etl.Run(context.Background(), store, opts)
	if err != nil {
		t.Fatal(err)
	}
	if len(report.Days) != 1 {
		t.Fatalf("%d days were made, want 1", len(report.Days))
	}
	if report.Days[0].Err != nil {
		t.Fatal(report.Days[0].Err)
	}
	return report.Days[0]
}

// table reads a table of the day by its manifest.
func table[Row any](t testing.TB, store lake.Store, name string) []Row {
	t.Helper()
	m, _, err := lake.ReadManifest(context.Background(), store, name, testDay)
	if err != nil || m == nil {
		t.Fatalf("manifest of %s: %v %v", name, m, err)
	}
	var rows []Row
	for _, p := range m.Parts {
		b, _, err := lake.ReadAll(context.Background(), store, p.Key, 1<<30)
		if err != nil {
			t.Fatal(err)
		}
		part, err := parquet.Read[Row](bytes.NewReader(b), int64(len(b)))
		if err != nil {
			t.Fatalf("%s: %v", p.Key, err)
		}
		rows = append(rows, part...)
	}
	return rows
}

// digests lists the parts of all tables with their digests.
func digests(t testing.TB, store lake.Store) map[string]string {
	t.Helper()
	out := map[string]string{}
	for _, tab := range datasets.Tables() {
		m, _, err := lake.ReadManifest(context.Background(), store, tab.Name, testDay)
		if err != nil || m == nil {
			t.Fatalf("manifest of %s: %v %v", tab.Name, m, err)
		}
		for i, p := range m.Parts {
			out[fmt.Sprint(tab.Name, i)] = p.SHA256
		}
	}
	return out
}

// However the day's events are cut, ordered and repeated: the same bytes.
func TestSameTablesHoweverEventsCome(t *testing.T) {
	events := swarm(1, 6000)
	store := write(t, events, 1)
	want := run(t, store, options())
	digest := digests(t, store)
	r := rand.New(rand.NewPCG(5, 5))
	for _, c := range []struct {
		name   string
		change func([]rawlog.Event) []rawlog.Event
		cuts   int
	}{
		{"cut", func(e []rawlog.Event) []rawlog.Event { return e }, 37},
		{"shuffled", func(e []rawlog.Event) []rawlog.Event {
			r.Shuffle(len(e), func(i, j int) { e[i], e[j] = e[j], e[i] })
			return e
		}, 11},
		{"repeated", func(e []rawlog.Event) []rawlog.Event { return append(e, e...) }, 3},
	} {
		for _, workers := range []int{1, 2, 5} {
			opts := options()
			opts.Workers = workers
			store := write(t, c.change(slices.Clone(events)), c.cuts)
			got := run(t, store, opts)
			if diff := gocmp.Diff(digest, digests(t, store)); diff != "" {
				t.Errorf("%s, %d workers: %s", c.name, workers, diff)
			}
			if diff := gocmp.Diff(want.Rows, got.Rows); diff != "" {
				t.Errorf("%s: %s", c.name, diff)
			}
			if err := got.Counts.Balance(); err != nil {
				t.Error(err)
			}
			if c.name == "repeated" && got.Counts.Duplicate != int64(len(events)) {
				t.Errorf("%d duplicates, want %d", got.Counts.Duplicate, len(events))
			}
		}
	}
}

// asked is what the naive count of demand goes by.
type asked struct {
	hash    [20]byte
	country string
}

// Tables hold what a plain recount of the events says.
func TestTablesEqualARecount(t *testing.T) {
	events := swarm(2, 8000)
	store := write(t, events, 5)
	report := run(t, store, options())
	if report.Counts.Read != 8000 || report.Counts.Loaded != 8000 {
		t.Errorf("counts: %+v", report.Counts)
	}
	key := pseudonym.Key{1, 2, 3}
	type line struct {
		ts, requester, network int64
		kind, hash, name, v    string
		seed, ro               string
		country, city          string
		lat                    float64
		cpl                    int32
	}
	var want []line
	for _, ev := range events {
		if !ev.Kind.IsQuery() {
			continue
		}
		q := ev.Query
		l := line{ts: ev.T, kind: ev.Kind.String(), hash: q.Infohash.String(), requester: q.Requester, network: q.Network, cpl: -1, seed: "null", ro: "false"}
		if q.Addr.IsValid() {
			l.requester, l.network = key.Requester(q.Addr), key.Network(q.Addr)
		}
		if q.HasTheirID {
			l.cpl = naiveCommonBits(q.Infohash, q.TheirID)
		}
		if len(q.Version) >= 2 {
			l.v = string(q.Version[:2])
		}
		if ev.Kind == rawlog.AnnouncePeer {
			l.seed = fmt.Sprint(q.Seed == rawlog.True)
			l.name = string([]rune(string(q.Name)))
		}
		if q.Geo != nil {
			l.country, l.city = q.Geo.Country, q.Geo.City
			if q.Geo.HasPoint {
				l.lat = q.Geo.Lat
			}
		}
		want = append(want, l)
	}
	var got []line
	for i, row := range table[datasets.Query](t, store, "queries") {
		l := line{ts: row.Ts, kind: row.Kind, hash: hex.EncodeToString(row.Infohash[:]), requester: row.Requester, network: row.Network, cpl: -1,
			seed: orNull(row.Seed), ro: orNull(row.ReadOnly), v: deref(row.ClientCode), name: deref(row.Name), country: deref(row.Country), city: deref(row.City)}
		if row.Lat != nil {
			l.lat = *row.Lat
		}
		if row.TheirCpl != nil {
			l.cpl = *row.TheirCpl
		}
		if i > 0 && (l.requester < got[i-1].requester || l.requester == got[i-1].requester && l.ts < got[i-1].ts) {
			t.Fatalf("row %d is not in order", i)
		}
		got = append(got, l)
	}
	order := func(a, b line) int { return cmp.Compare(fmt.Sprint(a), fmt.Sprint(b)) }
	slices.SortFunc(want, order)
	slices.SortFunc(got, order)
	if diff := gocmp.Diff(want, got, gocmp.AllowUnexported(line{})); diff != "" {
		t.Errorf("queries: %s", diff)
	}
	recountDemand(t, store, events, key)
}

func recountDemand(t *testing.T, store lake.Store, events []rawlog.Event, key pseudonym.Key) {
	crawlers := map[int64]bool{}
	for _, r := range table[datasets.Requester](t, store, "requesters") {
		crawlers[r.Requester] = r.Crawler != nil
	}
	resolved := map[[20]byte]bool{}
	for _, r := range table[datasets.Torrent](t, store, "torrents") {
		resolved[r.Infohash] = true
	}
	requesters, networks, seeders := map[asked]map[int64]bool{}, map[asked]map[int64]bool{}, map[asked]map[int64]bool{}
	queries, announces := map[asked]int64{}, map[asked]int64{}
	all, announced := map[[20]byte]map[int64]bool{}, map[[20]byte]bool{}
	put := func(m map[asked]map[int64]bool, k asked, v int64) {
		if m[k] == nil {
			m[k] = map[int64]bool{}
		}
		m[k][v] = true
	}
	for _, ev := range events {
		q := ev.Query
		r, n := q.Requester, q.Network
		if q.Addr.IsValid() {
			r, n = key.Requester(q.Addr), key.Network(q.Addr)
		}
		if ev.Kind != rawlog.GetPeers && ev.Kind != rawlog.AnnouncePeer || crawlers[r] ||
			ev.Kind == rawlog.GetPeers && q.HasTheirID && naiveCommonBits(q.Infohash, q.TheirID) >= 32 {
			continue
		}
		k := asked{hash: q.Infohash}
		if q.Geo != nil {
			k.country = q.Geo.Country
		}
		put(requesters, k, r)
		put(networks, k, n)
		if q.Seed == rawlog.True {
			put(seeders, k, r)
		}
		queries[k]++
		if all[k.hash] == nil {
			all[k.hash] = map[int64]bool{}
		}
		all[k.hash][r] = true
		if ev.Kind == rawlog.AnnouncePeer {
			announces[k]++
			announced[k.hash] = true
		}
	}
	want := map[asked][5]int64{}
	for k := range requesters {
		if len(all[k.hash]) >= 2 || announced[k.hash] || resolved[k.hash] {
			want[k] = [5]int64{int64(len(requesters[k])), int64(len(networks[k])), queries[k], announces[k], int64(len(seeders[k]))}
		}
	}
	got := map[asked][5]int64{}
	for _, d := range table[datasets.Demand](t, store, "demand") {
		got[asked{d.Infohash, deref(d.Country)}] = [5]int64{d.Requesters, d.Networks, d.Queries, d.Announces, d.Seeders}
	}
	if diff := gocmp.Diff(want, got, gocmp.AllowUnexported(asked{})); diff != "" {
		t.Errorf("demand: %s", diff)
	}
}

func naiveCommonBits(a, b rawlog.ID) int32 {
	for i := range 160 {
		if (a[i/8]^b[i/8])>>(7-i%8)&1 == 1 {
			return int32(i)
		}
	}
	return 160
}

func deref(s *string) string {
	if s == nil {
		return ""
	}
	return *s
}

func orNull(b *bool) string {
	if b == nil {
		return "null"
	}
	return fmt.Sprint(*b)
}

func TestOnlyChangedDaysAreMade(t *testing.T) {
	store := write(t, swarm(3, 500), 2)
	run(t, store, options())
	report, err := etl.Run(t.Context(), store, options())
	if err != nil || len(report.Days) != 0 || report.Current != 1 {
		t.Errorf("second run: %+v, %v", report, err)
	}
	before := digests(t, store)
	opts := options()
	opts.Force = true
	run(t, store, opts)
	if diff := gocmp.Diff(before, digests(t, store)); diff != "" {
		t.Errorf("--force changed the tables: %s", diff)
	}
	l := rawlog.NewLog(store, rawlog.Header{Collector: "late", Run: "r2"}, 0)
	ev := swarm(4, 1)[0]
	ev.N = 0
	if err := l.Append(t.Context(), &ev); err != nil {
		t.Fatal(err)
	}
	if err := l.Close(t.Context()); err != nil {
		t.Fatal(err)
	}
	if got := run(t, store, options()); got.Counts.Read != 501 {
		t.Errorf("after a late segment %d records were read, want 501", got.Counts.Read)
	}
	parts := 0
	for info, err := range store.List(t.Context(), "tables/queries/") {
		if err != nil {
			t.Fatal(err)
		}
		if strings.HasSuffix(info.Key, ".parquet") {
			parts++
		}
	}
	if parts != 1 {
		t.Errorf("%d parts of queries are left, want 1: the old one must go", parts)
	}
}

func TestRejectsFailTheDay(t *testing.T) {
	events := swarm(5, 300)
	for i := range 10 {
		events[i*7].T += 3 * lake.MicrosPerDay
	}
	store := lake.NewMemory()
	var b bytes.Buffer
	w, err := rawlog.NewWriter(&b, rawlog.Header{Collector: "c1", Run: "r", Start: testDay.Start()})
	if err != nil {
		t.Fatal(err)
	}
	for i := range events {
		if err := w.Append(&events[i]); err != nil {
			t.Fatal(err)
		}
	}
	if err := w.Close(rawlog.Footer{}); err != nil {
		t.Fatal(err)
	}
	if _, err := lake.PutBytes(t.Context(), store, lake.HourPrefix(testDay, 0)+"x.ndjson.zst", lake.Condition{}, b.Bytes()); err != nil {
		t.Fatal(err)
	}
	report, err := etl.Run(t.Context(), store, options())
	if err != nil || !errors.Is(report.Days[0].Err, etl.ErrRejects) {
		t.Fatalf("%+v, %v", report, err)
	}
	if m, _, _ := lake.ReadManifest(t.Context(), store, "queries", testDay); m != nil {
		t.Error("the day was committed")
	}
	if _, err := store.Stat(t.Context(), "quarantine/day=2026-11-22/rejected.ndjson.zst"); err != nil {
		t.Errorf("quarantine: %v", err)
	}
	opts := options()
	opts.AcceptRejects = true
	if got := run(t, store, opts); got.Counts.Rejected["outside_day"] != 10 || got.Counts.Loaded != 290 {
		t.Errorf("counts: %+v", got.Counts)
	}
}
