package rawlog

import (
	"bytes"
	"encoding/binary"
	"math"
	"math/rand/v2"
	"net/netip"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"
)

var compareEvents = cmp.Options{cmp.Comparer(func(a, b netip.Addr) bool { return a == b }), cmpopts.EquateEmpty()}

func id(b byte) ID { return ID(bytes.Repeat([]byte{b}, 20)) }

// sampleEvents are events of every kind and shape that a collector writes.
func sampleEvents() []*Event {
	const t = 1795354496_000000
	ip4, ip6 := netip.MustParseAddr("203.0.113.7"), netip.MustParseAddr("2001:db8::7")
	return []*Event{
		{Kind: GetPeers, T: t, N: 1, Query: Query{OurID: id(1), TheirID: id(2), HasTheirID: true, Addr: ip4, Port: 6881, Infohash: id(3), Version: []byte("LT\x02\x07"), ReadOnly: True, NoSeed: true, Scrape: true}},
		{Kind: GetPeers, T: t + 1, N: 2, Query: Query{OurID: id(1), TheirID: id(2), HasTheirID: true, Addr: ip6, Port: 1, Infohash: id(0xab)}},
		{Kind: AnnouncePeer, T: t + 2, N: 3, Query: Query{
			OurID: id(1), TheirID: id(2), HasTheirID: true, Addr: ip4, Port: 6881, Infohash: id(3), Version: []byte{},
			AnnouncePort: 51413, ImpliedPort: True, TokenValid: False, Seed: True, Name: []byte("Фильм 2019"),
		}},
		{Kind: AnnouncePeer, T: t + 3, N: 4, Query: Query{OurID: id(1), TheirID: id(2), HasTheirID: true, Addr: ip4, Infohash: id(3), Name: []byte("a\"b\\c\n\x00\x7f\u202e")}},
		{Kind: AnnouncePeer, T: t + 4, N: 5, Query: Query{OurID: id(1), TheirID: id(2), HasTheirID: true, Addr: ip4, Infohash: id(3), Name: []byte("cut \xd0")}},
		{Kind: SampleInfohashes, T: t + 5, N: 6, Query: Query{OurID: id(1), TheirID: id(2), HasTheirID: true, Addr: ip4, Port: 9, Infohash: id(9)}},
		{Kind: FindNode, T: t + 6, N: 7, Query: Query{OurID: id(1), TheirID: id(2), HasTheirID: true, Addr: ip4, Port: 9, Infohash: id(9)}},
		{Kind: GetPeers, T: t + 7, N: 8, Query: Query{OurID: id(1), Infohash: id(3), HasPseudonym: true, Requester: -5, Network: 77}},
		{Kind: GetPeers, T: t + 8, N: 9, Query: Query{OurID: id(1), Infohash: id(3), Addr: ip4, Geo: &Place{Country: "US", Region: "US-PA", City: "Philadelphia", Lat: 39.9526, Lon: -75.1652, HasPoint: true, ASN: 7922}}},
		{Kind: Probe, T: t + 9, N: 10, Probe: &ProbeEvent{Target: id(4), Family: "libtorrent", Queried: []Queried{{id(5), true}, {id(6), false}}}},
		{Kind: Stats, T: t + 10, N: 11, Stats: &StatsEvent{Received: map[string]int64{"ping": 9}, Dropped: map[string]int64{"queue_full": 2}, Nodes: 812, Gauges: map[string]int64{"wanted": 5}}},
		{Kind: Resolve, T: t + 11, N: 12, Resolve: &ResolveEvent{
			Infohash: id(3), Name: "x", PieceLength: 1 << 18, Private: False, Peers: 17, Seeders: -1, Leechers: 0, FoundBy: "announce",
			Files: []File{{Path: []string{"a", "b"}, Length: 1, Attr: "p"}},
		}},
		edgeEvent(t + 13),
		{Kind: ResolveFailed, T: t + 12, N: 13, Failed: &FailedEvent{Infohash: id(3), Reason: "no_peers", Peers: 4}},
	}
}

// edgeEvent is as a collector with privacy "edge" writes it, with the greatest numbers there are.
func edgeEvent(t int64) *Event {
	return &Event{Kind: AnnouncePeer, T: t, N: 14, Query: Query{
		OurID: id(1), Infohash: id(3), Version: []byte("LT\x02\x07"), ImpliedPort: True, TokenValid: True, Name: []byte("Ü"),
		HasPseudonym: true, Requester: math.MinInt64, Network: math.MaxInt64, HasNode: true, Node: -1, TheirCpl: 160, IDSecure: False,
		Geo: &Place{Country: "DE", City: "Köln", Lat: -0.5, Lon: 6.9603, HasPoint: true, ASN: math.MaxUint32, ASName: "Some Carrier"},
	}}
}

func TestAppendThenScan(t *testing.T) {
	for _, want := range sampleEvents() {
		line, err := AppendEvent(nil, want)
		if err != nil {
			t.Fatal(err)
		}
		var s scanner
		var got Event
		if r := s.event(bytes.TrimSuffix(line, []byte("\n")), &got); r != nil {
			t.Errorf("%s: %v", line, r)
			continue
		}
		w := *want
		if diff := cmp.Diff(&w, &got, compareEvents); diff != "" {
			t.Errorf("%s: %s", line, diff)
		}
	}
}

// The examples of the format's description are read as they stand.
func TestDocumentedLines(t *testing.T) {
	const ids = `"our_id":"0101010101010101010101010101010101010101","their_id":"0202020202020202020202020202020202020202","their_ip":"203.0.113.7","their_port":6881`
	for line, kind := range map[string]Kind{
		`{"type":"get_peers","t":1795354496000000,"n":123,` + ids + `,"infohash":"0303030303030303030303030303030303030303","version_hex":"4c540207","ro":true,"noseed":true,"scrape":true}`:               GetPeers,
		`{"type":"announce_peer","t":1795354496000000,"n":1,` + ids + `,"infohash":"0303030303030303030303030303030303030303","port":51413,"implied_port":true,"token_valid":true,"seed":true,"name":"x"}`: AnnouncePeer,
		`{"type":"sample_infohashes","t":1795354496000000,"n":1,` + ids + `,"target":"0303030303030303030303030303030303030303"}`:                                                                          SampleInfohashes,
	} {
		var s scanner
		var ev Event
		if !s.query([]byte(line), &ev) {
			t.Errorf("the scanner does not know %s", line)
		}
		if ev.Kind != kind || ev.Query.OurID != id(1) || ev.Query.Infohash != id(3) || ev.Query.Port != 6881 {
			t.Errorf("%s read as %+v", line, ev)
		}
	}
}

func TestRejects(t *testing.T) {
	const good = `"our_id":"0101010101010101010101010101010101010101","their_ip":"203.0.113.7","infohash":"0303030303030303030303030303030303030303"`
	for _, c := range []struct{ line, reason string }{
		{``, NotJSON},
		{`null`, NotJSON},
		{`[]`, NotJSON},
		{`{"type":"get_peers"`, NotJSON},
		{`{}`, MissingField},
		{`{"type":7}`, WrongType},
		{`{"type":"put","t":1795354496000000}`, UnknownType},
		{`{"type":"get_peers",` + good + `}`, MissingField},
		{`{"type":"get_peers","t":"now",` + good + `}`, BadTime},
		{`{"type":"get_peers","t":0,` + good + `}`, BadTime},
		{`{"type":"get_peers","t":4102444800000000,` + good + `}`, BadTime},
		{`{"type":"get_peers","t":99999999999999999999999,` + good + `}`, BadTime},
		{`{"type":"get_peers","t":1795354496000000,"n":-1,` + good + `}`, BadNumber},
		{`{"type":"get_peers","t":1795354496000000,` + good + `,"their_port":65536}`, BadNumber},
		{`{"type":"get_peers","t":1795354496000000,"our_id":"0101","their_ip":"203.0.113.7","infohash":"0303030303030303030303030303030303030303"}`, BadHash},
		{`{"type":"get_peers","t":1795354496000000,"our_id":"0101010101010101010101010101010101010101","their_ip":"203.0.113.7","infohash":"03030303030303030303030303030303030303030"}`, BadHash},
		{`{"type":"get_peers","t":1795354496000000,"our_id":"0101010101010101010101010101010101010101","their_ip":"203.0.113.7","infohash":"030303030303030303030303030303030303030g"}`, BadHash},
		{`{"type":"get_peers","t":1795354496000000,"our_id":"0101010101010101010101010101010101010101","their_ip":"203.0.113.7"}`, MissingField},
		{`{"type":"get_peers","t":1795354496000000,"our_id":"0101010101010101010101010101010101010101","infohash":"0303030303030303030303030303030303030303"}`, MissingField},
		{`{"type":"get_peers","t":1795354496000000,"their_ip":"203.0.113.777",` + good[:50] + `"infohash":"0303030303030303030303030303030303030303"}`, NotJSON},
		{`{"type":"get_peers","t":1795354496000000,"our_id":"0101010101010101010101010101010101010101","their_ip":"1.2.3.4.5","infohash":"0303030303030303030303030303030303030303"}`, BadAddress},
		{`{"type":"get_peers","t":1795354496000000,"our_id":"0101010101010101010101010101010101010101","their_ip":"fe80::1%eth0","infohash":"0303030303030303030303030303030303030303"}`, BadAddress},
		{`{"type":"get_peers","t":1795354496000000,` + good + `,"geo":{"lat":91,"lon":0}}`, BadNumber},
		{`{"type":"announce_peer","t":1795354496000000,` + good + `,"seed":"yes"}`, WrongType},
		{`{"type":"resolve","t":1795354496000000,"infohash":"0303030303030303030303030303030303030303","name":"x","files":[{"path":["a"],"length":-1}]}`, BadNumber},
		{`{"type":"resolve","t":1795354496000000,"infohash":"0303030303030303030303030303030303030303","name":"x","files":[{"path":["a"],"length":9223372036854775807},{"path":["b"],"length":1}]}`, BadNumber},
		{`{"type":"resolve","t":1795354496000000,"infohash":"0303030303030303030303030303030303030303","name":"x","files":7}`, WrongType},
		{`{"type":"resolve_failed","t":1795354496000000,"infohash":"03","reason":"x"}`, BadHash},
		{`{"type":"stats","t":1795354496000000,"received":{"ping":-1}}`, BadNumber},
	} {
		var s scanner
		var ev Event
		r := s.event([]byte(c.line), &ev)
		if r == nil {
			t.Errorf("%s was taken as %+v", c.line, ev)
		} else if r.Reason != c.reason {
			t.Errorf("%s: rejected as %v, want %s", c.line, r, c.reason)
		}
	}
	var s scanner
	var ev Event
	long := append([]byte(`{"type":"get_peers","x":"`), bytes.Repeat([]byte("x"), MaxQueryLine)...)
	if r := s.event(long, &ev); r == nil || r.Reason != TooLong {
		t.Errorf("a line of %d bytes: %v", len(long), r)
	}
	nested := bytes.Repeat([]byte(`{"a":`), 10000)
	if r := s.event(nested, &ev); r == nil {
		t.Error("nested JSON without an end was taken")
	}
}

// FuzzScan holds that the scanner and encoding/json read the same from any
// line that the scanner takes.
func FuzzScan(f *testing.F) {
	for _, ev := range sampleEvents() {
		line, err := AppendEvent(nil, ev)
		if err != nil {
			f.Fatal(err)
		}
		f.Add(bytes.TrimSpace(line))
	}
	f.Add([]byte(`{"type":"get_peers","t":1795354496000000,"n":00}`))
	f.Add([]byte(`{"type":"resolve","t":1795354496000000,"infohash":"0303030303030303030303030303030303030303","infohash_v2":"` + strings.Repeat("0a", 32) +
		`","name":"Ü","name_b64":"/w==","private":true,"files":[{"path":[],"length":0},{"path":["a","b"],"length":9,"attr":"p","pieces_root":"00"}],"size":1,"file_count":2,"peers":0,"seeders":3}`))
	f.Fuzz(func(t *testing.T, line []byte) {
		if bytes.IndexByte(line, '\n') >= 0 {
			return
		}
		var s scanner
		var fast, slow Event
		if !s.known(line, &fast) || fast.T < MinTime || fast.T >= MaxTime {
			return
		}
		if r := decode(line, &slow); r != nil {
			t.Fatalf("the scanner took %q, encoding/json says %v", line, r)
		}
		if diff := cmp.Diff(&slow, &fast, compareEvents); diff != "" {
			t.Errorf("%q (-json +scanner): %s", line, diff)
		}
	})
}

func TestScanAllocatesNothing(t *testing.T) {
	for _, ev := range append(sampleEvents()[:3], edgeEvent(1795354496_000000)) {
		line, err := AppendEvent(nil, ev)
		if err != nil {
			t.Fatal(err)
		}
		line = bytes.TrimSpace(line)
		var s scanner
		var got Event
		if n := testing.AllocsPerRun(100, func() { s.event(line, &got) }); n != 0 {
			t.Errorf("%v allocations for %s", n, line)
		}
	}
}

// Every kind of event that collectors and resolvers write much of is read by hand.
func TestOwnLinesAreKnown(t *testing.T) {
	for _, ev := range sampleEvents() {
		line, err := AppendEvent(nil, ev)
		if err != nil {
			t.Fatal(err)
		}
		escaped := bytes.IndexByte(line, '\\') >= 0
		var s scanner
		var got Event
		want := !escaped && ev.Kind != Stats && ev.Kind != Probe && string(ev.Query.Name) != "cut \xd0"
		if s.known(bytes.TrimSpace(line), &got) != want {
			t.Errorf("known is %v for %s", !want, line)
		}
	}
}

// variedLines are lines as a collector writes them, of many askers: their
// addresses, ports and numbers differ in length.
func variedLines(tb testing.TB, n int) [][]byte {
	r := rand.New(rand.NewPCG(1, 2))
	random := func() (id ID) {
		for i := range id {
			id[i] = byte(r.Uint32())
		}
		return id
	}
	lines := make([][]byte, n)
	for i := range lines {
		ev := Event{Kind: GetPeers, T: 1795354496_000000 + int64(i)*7000, N: r.Int64N(20_000_000), Query: Query{
			OurID: id(byte(r.IntN(4))), TheirID: random(), HasTheirID: true, Infohash: random(), Port: uint16(1 + r.IntN(65535)),
			Addr: netip.AddrFrom4([4]byte{byte(r.Uint32()), byte(r.Uint32()), byte(r.Uint32()), byte(r.Uint32())}),
		}}
		if r.IntN(8) == 0 {
			six := [16]byte{0x20, 0x01}
			binary.BigEndian.PutUint64(six[8:], r.Uint64())
			ev.Query.Addr = netip.AddrFrom16(six)
		}
		if r.IntN(3) > 0 {
			ev.Query.Version = []byte{'L', 'T', 1, byte(r.IntN(4))}
		}
		if r.IntN(4) == 0 {
			ev.Kind, ev.Query.AnnouncePort, ev.Query.ImpliedPort, ev.Query.TokenValid = AnnouncePeer, ev.Query.Port, True, TriOf(r.IntN(9) > 0)
		}
		line, err := AppendEvent(nil, &ev)
		if err != nil {
			tb.Fatal(err)
		}
		lines[i] = bytes.TrimSpace(line)
	}
	return lines
}

func BenchmarkScan(b *testing.B) {
	lines := variedLines(b, 4096)
	for name, read := range map[string]func([]byte, *Event) *Reject{"by_hand": new(scanner).event, "json": decode} {
		b.Run(name, func(b *testing.B) {
			b.ReportAllocs()
			var ev Event
			bytes := int64(0)
			for i := 0; b.Loop(); i++ {
				line := lines[i%len(lines)]
				bytes += int64(len(line))
				if r := read(line, &ev); r != nil {
					b.Fatal(r)
				}
			}
			b.SetBytes(bytes / int64(b.N))
		})
	}
}
