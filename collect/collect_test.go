package collect_test

import (
	"net/netip"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/anacrolix/dht/v2/krpc"
	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"

	"github.com/boontorrent/boon/collect"
	"github.com/boontorrent/boon/internal/lake"
	"github.com/boontorrent/boon/internal/pseudonym"
	"github.com/boontorrent/boon/internal/rawlog"
)

var hash = [20]byte([]byte("an info-hash of 20 b"))

func TestAnswers(t *testing.T) {
	c := start(t, collect.Config{})
	a := newAsker(t, c.at, "127.0.0.2:0")
	port := 51413

	m, _ := a.ask("ping", krpc.MsgArgs{})
	if m.Y != "r" || m.R.ID == ([20]byte{}) {
		t.Errorf("ping: %+v", m)
	}
	if got := m.IP.String(); got != a.conn.LocalAddr().String() {
		t.Errorf("our address in the reply is %s, want %s (BEP 42)", got, a.conn.LocalAddr())
	}
	m, _ = a.ask("get_peers", krpc.MsgArgs{InfoHash: hash})
	if m.R == nil || m.R.Token == nil || len(m.R.Values) != 0 {
		t.Fatalf("get_peers of an unknown hash: %+v", m.R)
	}
	token := *m.R.Token
	m, _ = a.ask("announce_peer", krpc.MsgArgs{InfoHash: hash, Port: &port, Token: "nope"})
	if m.E == nil || m.E.Code != 203 {
		t.Errorf("announce with a wrong token: %+v, want error 203", m)
	}
	m, _ = a.ask("announce_peer", krpc.MsgArgs{InfoHash: hash, Port: &port, Token: token})
	if m.Y != "r" {
		t.Errorf("announce: %+v", m)
	}
	m, _ = a.ask("get_peers", krpc.MsgArgs{InfoHash: hash, Scrape: 1})
	if len(m.R.Values) != 1 || m.R.Values[0].Port != port || !m.R.Values[0].IP.Equal([]byte{127, 0, 0, 2}) {
		t.Errorf("get_peers after an announce: values %v", m.R.Values)
	}
	if m.R.BFpe == nil || m.R.BFsd == nil {
		t.Fatal("scrape: no filters (BEP 33)")
	}
	var want krpc.ScrapeBloomFilter
	want.AddIp([]byte{127, 0, 0, 2})
	if *m.R.BFpe != want || *m.R.BFsd != (krpc.ScrapeBloomFilter{}) {
		t.Error("scrape: the filters are not what anacrolix/dht makes of the same peers")
	}
	m, _ = a.ask("sample_infohashes", krpc.MsgArgs{Target: hash})
	if m.R.Samples == nil || m.R.Num == nil || m.R.Interval == nil || *m.R.Interval < 1 || *m.R.Interval > 21600 {
		t.Fatalf("sample_infohashes: %+v", m.R)
	}
	if *m.R.Num != 1 || len(*m.R.Samples) != 1 || (*m.R.Samples)[0] != hash {
		t.Errorf("samples %x of %d, want the one announced", *m.R.Samples, *m.R.Num)
	}
	m, _ = a.ask("conquer", krpc.MsgArgs{Target: hash})
	if m.E == nil || m.E.Code != 204 {
		t.Errorf("an unknown method: %+v, want error 204", m)
	}
}

// TestTokenIsForOneAddress tries a token that another address was given.
func TestTokenIsForOneAddress(t *testing.T) {
	c := start(t, collect.Config{})
	m, _ := newAsker(t, c.at, "127.0.0.2:0").ask("get_peers", krpc.MsgArgs{InfoHash: hash})
	port := 1
	m, _ = newAsker(t, c.at, "127.0.0.3:0").ask("announce_peer", krpc.MsgArgs{InfoHash: hash, Port: &port, Token: *m.R.Token})
	if m.E == nil || m.E.Code != 203 {
		t.Errorf("%+v, want error 203", m)
	}
}

func TestBadArgumentsGetError203(t *testing.T) {
	c := start(t, collect.Config{})
	id := "2:id20:" + strings.Repeat("i", 20)
	h := "9:info_hash20:" + strings.Repeat("h", 20)
	queries := []string{
		"d1:q4:ping1:t2:aa1:y1:qe",
		"d1:ade1:q4:ping1:t2:aa1:y1:qe",
		"d1:ad2:id19:" + strings.Repeat("i", 19) + "e1:q4:ping1:t2:aa1:y1:qe",
		"d1:ad2:id21:" + strings.Repeat("i", 21) + "e1:q4:ping1:t2:aa1:y1:qe",
		"d1:ad2:id32:" + strings.Repeat("i", 32) + "e1:q4:ping1:t2:aa1:y1:qe",
		"d1:ad" + id + "e1:q9:find_node1:t2:aa1:y1:qe",
		"d1:ad" + id + "9:info_hash32:" + strings.Repeat("h", 32) + "e1:q9:get_peers1:t2:aa1:y1:qe",
		"d1:q13:announce_peer1:t2:aa1:y1:qe",
		"d1:ad" + id + h + "4:porti6881ee1:q13:announce_peer1:t2:aa1:y1:qe",
		"d1:ad" + id + h + "4:porti0e5:token4:aaaae1:q13:announce_peer1:t2:aa1:y1:qe",
		"d1:ad" + id + h + "4:porti65536e5:token4:aaaae1:q13:announce_peer1:t2:aa1:y1:qe",
		"d1:ad" + id + h + "4:porti-1e5:token4:aaaae1:q13:announce_peer1:t2:aa1:y1:qe",
		"d1:ad" + id + h + "5:token4:aaaae1:q13:announce_peer1:t2:aa1:y1:qe",
	}
	a := newAsker(t, c.at, "127.0.0.2:0")
	for _, q := range queries {
		a.send(q)
		if answer := string(a.raw()); !strings.HasPrefix(answer, "d1:eli203e") || !strings.Contains(answer, "1:t2:aa") {
			t.Errorf("%.60q is answered %q", q, answer)
		}
	}
	sum := c.stop()
	if want := map[string]int64{"bad_arguments": int64(len(queries))}; !cmp.Equal(sum.Dropped, want) || sum.Logged != 0 {
		t.Errorf("dropped %v, logged %d; want %v and none", sum.Dropped, sum.Logged, want)
	}
}

// TestLogHasWhatWasAsked compares the log with what was sent, field by field.
func TestLogHasWhatWasAsked(t *testing.T) {
	c := start(t, collect.Config{})
	a := newAsker(t, c.at, "127.0.0.2:0")
	m, _ := a.ask("get_peers", krpc.MsgArgs{InfoHash: hash})
	id, h := string(a.id[:]), string(hash[:])
	self := id[:4] + strings.Repeat("s", 16)
	for _, q := range []string{
		"d1:ad2:id20:" + id + "12:implied_porti1e9:info_hash20:" + h + "4:name5:a\xff\"\n\x004:porti6881e4:seedi1e5:token4:" + *m.R.Token + "e1:q13:announce_peer2:roi1e1:t2:aa1:v4:LT\x02\x011:y1:qe",
		"d1:ad2:id20:" + id + "12:implied_porti0e9:info_hash20:" + h + "4:porti7e4:seedi0e5:token4:wrone1:q13:announce_peer1:t2:aa1:v2:XX1:y1:qe",
		"d1:ad2:id20:" + id + "9:info_hash20:" + h + "6:noseedi1e6:scrapei1ee1:q9:get_peers2:roi0e1:t2:aa1:y1:qe",
		"d1:ad2:id20:" + id + "6:target20:" + h + "e1:q17:sample_infohashes1:t2:aa1:y1:qe",
		"d1:ad2:id20:" + id + "6:target20:" + h + "e1:q9:find_node1:t2:aa1:y1:qe", // for another: counted
		"d1:ad2:id20:" + id + "6:target20:" + self + "e1:q9:find_node1:t2:aa1:y1:qe",
		"d1:ad2:id20:" + id + "e1:q4:ping1:t2:aa1:y1:qe",
	} {
		a.send(q)
		a.raw()
	}
	sum := c.stop()
	got := read(t, c.store)
	port := netip.MustParseAddrPort(a.conn.LocalAddr().String()).Port()
	query := func(kind rawlog.Kind, n int64, q rawlog.Query) rawlog.Event {
		q.OurID, q.TheirID, q.HasTheirID = rawlog.ID(m.R.ID), a.id, true
		q.Addr, q.Port = netip.MustParseAddr("127.0.0.2"), port
		if kind != rawlog.FindNode {
			q.Infohash = hash
		}
		return rawlog.Event{Kind: kind, N: n, Query: q}
	}
	want := []rawlog.Event{
		query(rawlog.GetPeers, 1, rawlog.Query{}),
		query(rawlog.AnnouncePeer, 2, rawlog.Query{
			Version: []byte("LT\x02\x01"), ReadOnly: rawlog.True, AnnouncePort: 6881, ImpliedPort: rawlog.True,
			TokenValid: rawlog.True, Seed: rawlog.True, Name: []byte("a\xff\"\n\x00"),
		}),
		query(rawlog.AnnouncePeer, 3, rawlog.Query{
			Version: []byte("XX"), AnnouncePort: 7, ImpliedPort: rawlog.False, TokenValid: rawlog.False, Seed: rawlog.False,
		}),
		query(rawlog.GetPeers, 4, rawlog.Query{ReadOnly: rawlog.False, NoSeed: true, Scrape: true}),
		query(rawlog.SampleInfohashes, 5, rawlog.Query{}),
		query(rawlog.FindNode, 6, rawlog.Query{Infohash: rawlog.ID([]byte(self))}),
	}
	opts := cmp.Options{cmpopts.IgnoreFields(rawlog.Event{}, "T"), cmp.Comparer(func(a, b netip.Addr) bool { return a == b }), cmpopts.EquateEmpty()}
	if diff := cmp.Diff(want, got.events, opts); diff != "" {
		t.Error(diff)
	}
	if sum.Received != 8 || sum.Logged != 6 || sum.Dropped["not_kept"] != 2 {
		t.Errorf("%+v", sum)
	}
}

// TestSmallQueriesGetSmallAnswers: whoever may be forged is sent at most three
// times what he sent, until a token proves that answers reach him.
func TestSmallQueriesGetSmallAnswers(t *testing.T) {
	c := start(t, collect.Config{})
	a := newAsker(t, c.at, "127.0.0.2:0")
	m, _ := a.ask("get_peers", krpc.MsgArgs{InfoHash: hash})
	for i := range 60 { // a swarm that would fill an answer
		port := 1000 + i
		if m, _ := a.ask("announce_peer", krpc.MsgArgs{InfoHash: hash, Port: &port, Token: *m.R.Token}); m.Y != "r" {
			t.Fatalf("announce %d: %+v", i, m)
		}
	}
	proven, size := a.ask("get_peers", krpc.MsgArgs{InfoHash: hash, Scrape: 1})
	if len(proven.R.Values) < 40 || proven.R.BFsd == nil || size > 1400 {
		t.Errorf("who has proven himself gets %d peers in %d bytes", len(proven.R.Values), size)
	}
	stranger := newAsker(t, c.at, "127.0.9.9:0")
	stranger.wait = 400 * time.Millisecond // not all of it is answered
	for _, q := range []string{
		"d1:ad2:id20:" + string(a.id[:]) + "9:info_hash20:" + string(hash[:]) + "6:scrapei1ee1:q9:get_peers1:t1:a1:y1:qe",
		"d1:ad2:id20:" + string(a.id[:]) + "6:target20:" + string(hash[:]) + "e1:q17:sample_infohashes1:t1:a1:y1:qe",
		"d1:ad2:id20:" + string(a.id[:]) + "e1:q4:ping1:t1:a1:y1:qe",
		"d1:q4:ping1:t0:1:y1:qe",
		"d1:q1:x1:t64:" + strings.Repeat("t", 64) + "1:y1:qe",
	} {
		stranger.send(q)
		if answer := stranger.raw(); len(answer) > 3*len(q) {
			t.Errorf("%d bytes sent for %d received: %.50q", len(answer), len(q), q)
		}
	}
}

// TestFloodLeavesOthersServed: one address in a hurry is cut off, another is not.
func TestFloodLeavesOthersServed(t *testing.T) {
	c := start(t, collect.Config{Limits: collect.Limits{Address: 5, Network: 1000}})
	flooder, other := newAsker(t, c.at, "127.0.0.2:0"), newAsker(t, c.at, "127.0.0.3:0")
	ping := "d1:ad2:id20:" + strings.Repeat("x", 20) + "e1:q4:ping1:t2:aa1:y1:qe"
	began := time.Now()
	for range 500 {
		flooder.send(ping)
	}
	if m, _ := other.ask("ping", krpc.MsgArgs{}); m.Y != "r" {
		t.Errorf("%+v", m)
	}
	sum := c.stop()
	most := 22 + 5*time.Since(began).Seconds() // twenty at once and five a second for the flooder, one for the other
	if served := sum.Sent["response"]; served < 6 || float64(served) > most {
		t.Errorf("%d answers, want at most %.0f", served, most)
	}
	if sum.Received != 501 || sum.Dropped["rate_address"]+sum.Sent["response"] != 501 {
		t.Errorf("%+v", sum)
	}
}

func TestIDsAreKept(t *testing.T) {
	first := start(t, collect.Config{})
	// The id belongs to the address that was asked for, here 127.0.0.1:0.
	one, _ := newAsker(t, first.at, "127.0.0.2:0").ask("ping", krpc.MsgArgs{})
	first.stop()
	second := start(t, collect.Config{Spool: first.cfg.Spool})
	two, _ := newAsker(t, second.at, "127.0.0.2:0").ask("ping", krpc.MsgArgs{})
	if one.R.ID != two.R.ID {
		t.Errorf("the id was %x and is %x after a restart", one.R.ID, two.R.ID)
	}
}

func TestIPv6(t *testing.T) {
	c := start(t, collect.Config{Listen: []netip.AddrPort{netip.MustParseAddrPort("[::1]:0")}})
	a := newAsker(t, c.at, "[::1]:0")
	m, _ := a.ask("get_peers", krpc.MsgArgs{InfoHash: hash})
	a.announce(*m.R.Token, 99)
	m, _ = a.ask("get_peers", krpc.MsgArgs{InfoHash: hash})
	if len(m.R.Values) != 1 || m.R.Values[0].String() != "[::1]:99" {
		t.Errorf("values %v", m.R.Values)
	}
	c.stop()
	if got := read(t, c.store).events; len(got) != 3 || got[1].Query.Addr.String() != "::1" {
		t.Errorf("%+v", got)
	}
}

// TestSeveralAddresses listens on three at once: three nodes, one log.
func TestSeveralAddresses(t *testing.T) {
	c := start(t, collect.Config{Listen: []netip.AddrPort{
		netip.MustParseAddrPort("127.0.1.1:0"), netip.MustParseAddrPort("127.0.2.1:0"), netip.MustParseAddrPort("[::1]:0"),
	}})
	ids := map[krpc.ID]int{}
	for i, at := range c.all {
		from := "127.0.0.5:0"
		if at.Addr().Is6() {
			from = "[::1]:0"
		}
		a := newAsker(t, at, from)
		for range i + 1 {
			m, _ := a.ask("get_peers", krpc.MsgArgs{InfoHash: hash})
			ids[m.R.ID]++
		}
	}
	sum := c.stop()
	got := read(t, c.store)
	if len(ids) != 3 || len(got.events) != 6 || len(got.keys) != 1 || sum.Logged != 6 {
		t.Errorf("%d ids, %d events in %d segments: %+v", len(ids), len(got.events), len(got.keys), sum)
	}
	for _, s := range got.stats {
		ids[krpc.ID(s.OurID)] -= int(s.Received["get_peers"])
		if s.Gauges == nil { // of a second
			continue
		}
		if s.Gauges["asker_ids"] != 1 || s.Gauges["asker_addresses"] != 1 || s.Gauges["asker_ids_secure"] != 0 {
			t.Errorf("node %s measured %v of one asker", s.OurID, s.Gauges)
		}
	}
	for id, n := range ids {
		if n != 0 {
			t.Errorf("node %x was sent %d more than it says", id, n)
		}
	}
}

func (a *asker) announce(token string, port int) {
	a.t.Helper()
	if m, _ := a.ask("announce_peer", krpc.MsgArgs{InfoHash: hash, Port: &port, Token: token}); m.Y != "r" {
		a.t.Fatalf("announce: %+v", m.E)
	}
}

// TestEdge asks a collector that logs no addresses: nothing on its disk or in
// the lake tells who asked, but to who has the key.
func TestEdge(t *testing.T) {
	keys := lake.NewMemory()
	var heard []netip.Addr // who works beside the collector still learns where peers are
	c := start(t, collect.Config{Privacy: collect.Edge, Keys: keys, Heard: func(_ rawlog.Kind, _ int64, q *rawlog.Query) {
		heard = append(heard, q.Addr)
	}})
	a := newAsker(t, c.at, "127.0.0.2:0")
	m, _ := a.ask("get_peers", krpc.MsgArgs{InfoHash: hash})
	a.announce(*m.R.Token, 51413)
	m, _ = a.ask("get_peers", krpc.MsgArgs{InfoHash: hash})
	if len(m.R.Values) != 1 || m.R.Values[0].Port != 51413 { // peers are handed out all the same
		t.Errorf("values %v", m.R.Values)
	}
	c.stop()
	got := read(t, c.store)
	epoch, err := pseudonym.EpochName(lake.DayOf(got.events[0].T), pseudonym.Weekly)
	if err != nil {
		t.Fatal(err)
	}
	key, err := pseudonym.Load(t.Context(), keys, epoch)
	if err != nil {
		t.Fatal(err)
	}
	if h := got.summaries[0].Header; h.Privacy != "edge" || h.KeyEpoch != epoch || h.KeyPrint != key.Print() {
		t.Errorf("header %+v", h)
	}
	if len(got.events) != 3 {
		t.Fatalf("%d events", len(got.events))
	}
	addr := netip.MustParseAddr("127.0.0.2")
	if !slices.Equal(heard, []netip.Addr{addr, addr, addr}) {
		t.Errorf("heard from %v", heard)
	}
	for _, ev := range got.events {
		q := ev.Query
		if q.Addr.IsValid() || q.HasTheirID || q.Port != 0 || q.AnnouncePort != 0 || q.Requester != key.Requester(addr) || q.Network != key.Network(addr) {
			t.Errorf("%+v", q)
		}
	}
}
