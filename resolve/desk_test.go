package resolve

import (
	"encoding/binary"
	"net/netip"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/boontorrent/boon/internal/rawlog"
)

// clock is one that a test sets.
type clock struct{ t time.Time }

func (c *clock) now() time.Time { return c.t }

func newTestDesk(t *testing.T) (*desk, *clock) {
	t.Helper()
	st, err := openStore(filepath.Join(t.TempDir(), "db"))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = st.close() })
	c := &clock{time.Date(2026, 11, 22, 12, 0, 0, 0, time.UTC)}
	return newDesk(&Config{Now: c.now, Backlog: 1000, Exclude: &Exclusions{}}, st), c
}

// asked is a get_peers of the n-th requester.
func asked(d *desk, h rawlog.ID, n int) {
	a := ask{hash: h, at: d.seconds()}
	binary.BigEndian.PutUint64(a.requester[:], uint64(n))
	d.hear(&a)
}

// fail tries what is due, and lets it fail as the writer does.
func fail(t *testing.T, d *desk, reason string) {
	t.Helper()
	j, ok := d.tryTake()
	if !ok {
		t.Fatal("nothing is due")
	}
	now := d.seconds()
	r := []settled{{hash: j.hash, attempt: nextTry(j.tries, reason == malformed, now)}}
	if err := d.store.record(r, now); err != nil {
		t.Fatal(err)
	}
	d.settle(r)
}

// dueIn is after how long something is due, to the second; 0 where never within 40 days.
func dueIn(d *desk, c *clock) time.Duration {
	began := c.t
	for c.t.Sub(began) < 40*24*time.Hour {
		if j, ok := d.tryTake(); ok {
			d.putBack(j.hash)
			return c.t.Sub(began)
		}
		c.t = c.t.Add(10 * time.Second)
	}
	return 0
}

// TestTryingAgain: after 10 minutes, 1, 6 and 24 hours, then every 24, as long as
// somebody asks.
func TestTryingAgain(t *testing.T) {
	d, c := newTestDesk(t)
	h := numbered(1)
	asked(d, h, 1)
	asked(d, h, 2)
	for i, want := range []time.Duration{10 * time.Minute, time.Hour, 6 * time.Hour, 24 * time.Hour, 24 * time.Hour} {
		fail(t, d, "no_peers")
		asked(d, h, 1)
		if got := dueIn(d, c); got != want {
			t.Errorf("after failure %d it is due in %v, want %v", i+1, got, want)
		}
	}
	fail(t, d, "timeout")
	c.t = c.t.Add(time.Minute)
	if got := dueIn(d, c); got != 0 || d.forgotten.Load() != 1 {
		t.Errorf("nobody asks, and it is tried again after %v", got)
	}
}

// TestTryingAgainAfterRestart: what the store knows counts, what the desk knew does not.
func TestTryingAgainAfterRestart(t *testing.T) {
	d, c := newTestDesk(t)
	asked(d, numbered(1), 1)
	asked(d, numbered(1), 2)
	fail(t, d, "no_peers")
	d = newDesk(&Config{Now: c.now, Backlog: 1000, Exclude: &Exclusions{}}, d.store)
	asked(d, numbered(1), 1)
	asked(d, numbered(1), 2)
	if got := dueIn(d, c); got != 10*time.Minute {
		t.Errorf("due in %v, want 10m", got)
	}
}

// TestMalformedIsFinal: what is what it should be, and cannot be used, is not asked
// for again for a month.
func TestMalformedIsFinal(t *testing.T) {
	d, c := newTestDesk(t)
	asked(d, numbered(1), 1)
	asked(d, numbered(1), 2)
	fail(t, d, malformed)
	d.backlog.find(numbered(1)).heard = ^uint32(0) / 2 // it stays wanted
	if got := dueIn(d, c); got != 30*24*time.Hour {
		t.Errorf("due in %v", got)
	}
}

// TestWhatCounts: a torrent is what two ask for, or one announces; the most wanted
// comes first, by those who ask and not by how often.
func TestWhatCounts(t *testing.T) {
	d, _ := newTestDesk(t)
	for range 10 {
		asked(d, numbered(1), 1) // one client's upkeep
		asked(d, numbered(2), 1)
		asked(d, numbered(2), 2)
	}
	for n := range 5 {
		asked(d, numbered(3), n)
	}
	d.hear(&ask{hash: numbered(4), requester: [16]byte{9}, announce: true, at: d.seconds()})
	var got []rawlog.ID
	for j, ok := d.tryTake(); ok; j, ok = d.tryTake() {
		got = append(got, j.hash)
	}
	if diff := cmp.Diff([]rawlog.ID{numbered(3), numbered(2), numbered(4)}, got); diff != "" {
		t.Errorf("order (-want +got):\n%s", diff)
	}
	d.settle([]settled{{hash: numbered(3), resolved: true}})
	asked(d, numbered(3), 77)
	if d.asks.Load() != 5+2+1+1 || d.asksResolved.Load() != 6 {
		t.Errorf("%d asks, %d of them resolved; want 9 and 6", d.asks.Load(), d.asksResolved.Load())
	}
}

// TestShare: what a list names counts as asked for, whether it is resolved now or was
// before; what is excluded by its title counts as little as what is by its info-hash.
func TestShare(t *testing.T) {
	d, _ := newTestDesk(t)
	for n := range uint64(4) {
		if got := d.want(numbered(n), nil, fromList); got != taken {
			t.Fatalf("%d: %v", n, got)
		}
	}
	for _, ok := d.tryTake(); ok; _, ok = d.tryTake() {
	}
	d.settle([]settled{{hash: numbered(0), resolved: true}, {hash: numbered(1)}, {hash: numbered(2), resolved: true, excluded: true}, {hash: numbered(3), resolved: true, excluded: true}})
	if got := d.resolvedShare(); got != 0.5 {
		t.Errorf("of one that is resolved and one that failed, %v are resolved", got)
	}
	if got := d.want(numbered(0), nil, fromList); got != resolvedAlready {
		t.Fatalf("%v", got)
	}
	if got := d.resolvedShare(); got != 2.0/3 {
		t.Errorf("with one that was resolved before, %v are resolved", got)
	}
	asked(d, numbered(2), 1) // later asks, too
	asked(d, numbered(2), 2)
	if got := d.want(numbered(3), nil, fromList); got != excludedAlready {
		t.Errorf("%v", got)
	}
	if got := d.resolvedShare(); got != 2.0/3 || d.asks.Load() != 3 || d.excluded.Load() != 3 {
		t.Errorf("%v of %d asks are resolved, %d were for what is excluded", got, d.asks.Load(), d.excluded.Load())
	}
}

// TestExcludedAfterRestart: what turned out to be excluded is, after a restart,
// neither resolved nor asked for again.
func TestExcludedAfterRestart(t *testing.T) {
	d, c := newTestDesk(t)
	if err := d.store.record([]settled{{hash: numbered(1), resolved: true, excluded: true}, {hash: numbered(2), resolved: true}}, d.seconds()); err != nil {
		t.Fatal(err)
	}
	d = newDesk(&Config{Now: c.now, Backlog: 1000, Exclude: &Exclusions{}}, d.store)
	if err := d.store.eachDone(d.settledBefore); err != nil {
		t.Fatal(err)
	}
	if one, two := d.want(numbered(1), nil, fromList), d.want(numbered(2), nil, fromList); one != excludedAlready || two != resolvedAlready {
		t.Errorf("%v, %v", one, two)
	}
}

// TestListBesideSamples: an info-hash of the list that a sample has named before is of
// the list from then on, also while it waits to be tried again.
func TestListBesideSamples(t *testing.T) {
	d, _ := newTestDesk(t)
	d.want(numbered(1), nil, fromSample)
	j, _ := d.tryTake()
	if got := d.want(numbered(1), nil, fromList); got != triedNow || d.open() != 0 {
		t.Errorf("while it is tried: %v, %d open", got, d.open())
	}
	d.settle([]settled{{hash: j.hash, attempt: nextTry(0, false, d.seconds())}})
	if got := d.want(numbered(1), nil, fromList); got != taken || d.open() != 1 {
		t.Errorf("%v, %d open", got, d.open())
	}
	if got := d.want(numbered(1), nil, fromList); got != wantedAlready || d.open() != 1 {
		t.Errorf("again: %v, %d open", got, d.open())
	}
	j, ok := d.tryTake()
	if !ok || j.source != fromList || j.wanted != 1 {
		t.Fatalf("%v %+v", ok, j)
	}
	d.settle([]settled{{hash: j.hash, resolved: true}})
	if d.open() != 0 || d.resolvedShare() != 1 {
		t.Errorf("%d open, %v resolved", d.open(), d.resolvedShare())
	}
}

// TestAnnouncers come with the job, the latest first, and bring what failed back
// sooner, but not within ten minutes.
func TestAnnouncers(t *testing.T) {
	d, c := newTestDesk(t)
	h := numbered(1)
	announced := func(p string) {
		d.hear(&ask{hash: h, requester: [16]byte{1}, announce: true, peer: netip.MustParseAddrPort(p), at: d.seconds()})
	}
	announced("5.5.5.5:1")
	announced("5.5.5.6:2")
	j, ok := d.tryTake()
	if !ok || len(j.peers) != 2 || j.peers[0].Addr != netip.MustParseAddrPort("5.5.5.6:2") || j.peers[0].Source != "announce" {
		t.Fatalf("%+v", j)
	}
	d.putBack(h)
	fail(t, d, "refused")
	c.t = c.t.Add(10 * time.Minute)
	fail(t, d, "refused") // the second failure: due in an hour
	announced("5.5.5.7:3")
	if _, ok := d.tryTake(); ok {
		t.Error("tried again at once")
	}
	c.t = c.t.Add(11 * time.Minute)
	announced("5.5.5.8:4")
	j, ok = d.tryTake()
	if !ok || len(j.peers) != 2 {
		t.Errorf("fresh peers after eleven minutes: %v %+v", ok, j)
	}
}

func TestAskOf(t *testing.T) {
	q := rawlog.Query{Infohash: numbered(1), Addr: netip.MustParseAddr("5.5.5.5"), Port: 7, AnnouncePort: 9, TokenValid: rawlog.True, ImpliedPort: rawlog.False}
	for name, c := range map[string]struct {
		kind rawlog.Kind
		edit func(q *rawlog.Query)
		ok   bool
		peer string
	}{
		"announce":         {rawlog.AnnouncePeer, func(*rawlog.Query) {}, true, "5.5.5.5:9"},
		"implied port":     {rawlog.AnnouncePeer, func(q *rawlog.Query) { q.ImpliedPort = rawlog.True }, true, "5.5.5.5:7"},
		"bad token":        {rawlog.AnnouncePeer, func(q *rawlog.Query) { q.TokenValid = rawlog.False }, true, "invalid AddrPort"},
		"unknown token":    {rawlog.AnnouncePeer, func(q *rawlog.Query) { q.TokenValid = rawlog.Unknown }, true, "invalid AddrPort"},
		"port 0":           {rawlog.AnnouncePeer, func(q *rawlog.Query) { q.AnnouncePort = 0 }, true, "invalid AddrPort"},
		"get_peers":        {rawlog.GetPeers, func(*rawlog.Query) {}, true, "invalid AddrPort"},
		"upkeep":           {rawlog.GetPeers, func(q *rawlog.Query) { q.HasTheirID, q.TheirID = true, q.Infohash }, false, ""},
		"sample":           {rawlog.SampleInfohashes, func(*rawlog.Query) {}, false, ""},
		"a pseudonym":      {rawlog.GetPeers, func(q *rawlog.Query) { q.Addr, q.HasPseudonym = netip.Addr{}, true }, true, "invalid AddrPort"},
		"nobody to be had": {rawlog.GetPeers, func(q *rawlog.Query) { q.Addr = netip.Addr{} }, false, ""},
	} {
		q := q
		c.edit(&q)
		a, ok := askOf(c.kind, 5e6, &q)
		if ok != c.ok || ok && (a.peer.String() != c.peer || a.at != 5) {
			t.Errorf("%s: %v %+v", name, ok, a)
		}
	}
}

func TestDemandIsDistinct(t *testing.T) {
	d := newDemand()
	first := 0
	for round := range 3 {
		for n := range uint64(20_000) {
			h := numbered(n % 100)
			var who [16]byte
			binary.BigEndian.PutUint64(who[:], n)
			if d.firstAsk((*[20]byte)(&h), who[:], uint32(100+round)) {
				first++
			}
		}
	}
	if first < 19_900 || first > 20_000 {
		t.Errorf("%d first asks of 20000", first)
	}
	if h, who := numbered(1), [16]byte{7: 101}; !d.firstAsk((*[20]byte)(&h), who[:], 100+2*filterLasts+2) && !d.firstAsk((*[20]byte)(&h), who[:], 100+4*filterLasts) {
		t.Error("two days later, who asks counts again")
	}
}

func TestKnown(t *testing.T) {
	k := known{limit: 5000}
	for n := range uint64(6000) {
		h := numbered(n)
		if k.has((*[20]byte)(&h)) {
			t.Fatalf("%d is there before it came", n)
		}
		if k.add((*[20]byte)(&h)) != (n < 5000) {
			t.Fatalf("adding %d", n)
		}
	}
	for n := range uint64(6000) {
		if h := numbered(n); k.has((*[20]byte)(&h)) != (n < 5000) {
			t.Fatalf("%d is there: %v", n, n >= 5000)
		}
	}
}

func TestParseLine(t *testing.T) {
	const hex40, hex64 = "0123456789abcdef0123456789abcdef01234567", "0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef"
	for line, want := range map[string]string{
		hex40:                              hex40,
		strings.ToUpper(hex40):             hex40,
		"AERUKZ4JVPG66AJDIVTYTK6N54ASGRLH": hex40, // the same in base32
		"aerukz4jvpg66ajdivtytk6n54asgrlh": hex40,
		hex64:                              hex40,
		"magnet:?xt=urn:btih:" + hex40:     hex40,
		"MAGNET:?dn=a+b&xt=urn:btih:AERUKZ4JVPG66AJDIVTYTK6N54ASGRLH&tr=udp%3A%2F%2Fx": hex40,
		"magnet:?xt=urn:btmh:1220" + hex64:                                             hex40,
		"magnet:?xt.1=urn:btmh:1220" + hex64 + "&xt.2=urn:btih:" + hex40[1:] + "8":     hex40[1:] + "8",
		"magnet:?xt=URN:BTIH:" + hex40:                                                 hex40,
		"magnet:?dn=a;b&xt=urn:btih:" + hex40:                                          hex40,
		"magnet:?xt=urn:btmh:1114" + hex40:                                             "",
		"magnet:?xt=urn:btih:12":                                                       "",
		"magnet:?dn=x":                                                                 "",
		"magnet:?xt=%zz":                                                               "",
		"g" + hex40[1:]:                                                                "",
		"xyz":                                                                          "",
		"":                                                                             "",
	} {
		got, err := ParseLine(line)
		if err != nil != (want == "") || err == nil && got.Infohash.String() != want {
			t.Errorf("%q: %v %v, want %q", line, got.Infohash, err, want)
		}
	}
	got, err := ParseLine("magnet:?xt=urn:btih:" + hex40 + "&x.pe=5.5.5.5:1&x.pe=[2a01::1]:2&x.pe=host:3&x.pe=6")
	if err != nil || len(got.Peers) != 2 {
		t.Errorf("%+v %v", got, err)
	}
}

func FuzzParseLine(f *testing.F) {
	f.Add("magnet:?xt=urn:btih:0123456789abcdef0123456789abcdef01234567&x.pe=5.5.5.5:1")
	f.Add("AERUKZ4JVPG66AJDIVTYTK6N54ASGRLH")
	f.Fuzz(func(t *testing.T, line string) {
		got, err := ParseLine(line)
		if err != nil {
			return
		}
		if again, err := ParseLine(got.Infohash.String()); err != nil || again.Infohash != got.Infohash || len(got.Peers) > maxLinkPeers {
			t.Errorf("%q: %+v, then %+v %v", line, got, again, err)
		}
	})
}

func TestExclusions(t *testing.T) {
	const hash, hash64 = "0123456789abcdef0123456789abcdef01234567", "f123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef"
	x, err := ReadExclusions(strings.NewReader("\ufeff# list\r\n\r\nfoo bar\r\nÉtude\nΟδυσσεύς\nmagnet:?xt=urn:btih:" + hash + "&xt=urn:btmh:1220" + hash64 + "\n"))
	if err != nil {
		t.Fatal(err)
	}
	for title, want := range map[string]bool{
		"The.Foo.Bar.2020.mkv": true, "FOO_BAR": true, "foo baz bar": false, "foobar": false, "foo": false, "bar foo": false,
		"etude in C": true, "E\u0301TUDE": true, "studetude": false, "": false, "a list": false, "ΟΔΥΣΣΕΥΣ 1997": true,
	} {
		if x.titles.In(title) != want {
			t.Errorf("%q is excluded: %v", title, !want)
		}
	}
	for _, s := range []string{hash, hash64[:40]} {
		if h, _ := rawlog.ParseID(s); !x.hash(h) {
			t.Errorf("info-hash %s on the list is not excluded", s)
		}
	}
	if hashes, phrases := x.Len(); hashes != 2 || phrases != 3 {
		t.Errorf("%d hashes, %d phrases", hashes, phrases)
	}
	first, err := ReadExclusions(strings.NewReader("\ufeff" + hash))
	if h, _ := rawlog.ParseID(hash); err != nil || !first.hash(h) {
		t.Errorf("an info-hash after a byte order mark is not excluded: %v", err)
	}
}

// TestExclusionsMistaken: what was meant as an info-hash is not taken for a title.
func TestExclusionsMistaken(t *testing.T) {
	const hash = "0123456789abcdef0123456789abcdef01234567"
	for _, line := range []string{hash + "8", hash[1:], hash + " # mail of 5 May", "magnet:?xt=urn:btih:12", "urn:btih:" + hash, `"` + hash + `"`, "---"} {
		if x, err := ReadExclusions(strings.NewReader("foo\n" + line)); err == nil || !strings.Contains(err.Error(), "line 2") {
			t.Errorf("%q: %+v %v", line, x, err)
		}
	}
	if _, err := ReadExclusions(strings.NewReader("Facade 1234567890 dead beef\nbad-faced")); err != nil {
		t.Error(err)
	}
}
