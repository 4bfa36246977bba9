package collect

import (
	"encoding/hex"
	"fmt"
	"os"
	"strings"
	"testing"

	"github.com/anacrolix/dht/v2/krpc"
	"github.com/anacrolix/torrent/bencode"
	"github.com/google/go-cmp/cmp"
)

const (
	idA   = "aaaaaaaaaaaaaaaaaaaa"
	hashH = "hhhhhhhhhhhhhhhhhhhh"
)

// realGetPeers is a packet as libtorrent 2.1 sends it.
const realGetPeers = "d1:ad4:bs33i0e2:id20:" + idA + "9:info_hash20:" + hashH + "6:noseedi1e4:wantl2:n42:n6ee1:q9:get_peers2:roi1e1:t2:\x01\x021:v4:LT\x02\x011:y1:qe"

const realAnnounce = "d1:ad2:id20:" + idA + "12:implied_porti1e9:info_hash20:" + hashH + "4:name8:a film.x4:porti6881e4:seedi1e5:token4:tokne1:q13:announce_peer1:t2:aa1:v4:LT\x02\x011:y1:qe"

// realPackets are packets that other programs sent.
func realPackets(t testing.TB) [][]byte {
	t.Helper()
	text, err := os.ReadFile("testdata/packets.hex")
	if err != nil {
		t.Fatal(err)
	}
	var packets [][]byte
	for line := range strings.Lines(string(text)) {
		if strings.HasPrefix(line, "#") {
			continue
		}
		p, err := hex.DecodeString(strings.TrimSpace(line))
		if err != nil {
			t.Fatal(err)
		}
		packets = append(packets, p)
	}
	return packets
}

// TestParseRealPackets reads what other programs sent, and holds every field
// against what another implementation reads.
func TestParseRealPackets(t *testing.T) {
	kinds := map[kind]int{}
	for _, p := range realPackets(t) {
		var m message
		k := parse(p, &m)
		kinds[k]++
		var want krpc.Msg
		if err := bencode.Unmarshal(p, &want); err != nil {
			t.Fatal(err)
		}
		if want.Y == "r" {
			if string(m.id) != string(want.R.ID[:]) || len(m.nodes) != 26*len(want.R.Nodes) || string(m.t) != want.T {
				t.Errorf("%q: id %x, %d bytes of nodes", p, m.id, len(m.nodes))
			}
			continue
		}
		port := int64(-1)
		if want.A.Port != nil {
			port = int64(*want.A.Port)
		}
		got := fmt.Sprintf("%x %x %s %d %v", m.id, m.infohash, m.token, m.port, m.implied == yes)
		if w := fmt.Sprintf("%x %x %s %d %v", want.A.ID[:], want.A.InfoHash[:], want.A.Token, port, want.A.ImpliedPort); k != ping && got != w {
			t.Errorf("%q is read as %s, want %s", p, got, w)
		}
	}
	if want := map[kind]int{ping: 1, getPeers: 2, announcePeer: 2, response: 1}; !cmp.Equal(kinds, want) {
		t.Errorf("kinds %v, want %v", kinds, want)
	}
}

func TestParseReadsRealQueries(t *testing.T) {
	var m message
	if k := parse([]byte(realGetPeers), &m); k != getPeers {
		t.Fatalf("kind %v", k)
	}
	got := fmt.Sprintf("%s %s %q %q ro=%d noseed=%d want4=%v want6=%v port=%d", m.id, m.infohash, m.t, m.v, m.readOnly, m.noseed, m.want4, m.want6, m.port)
	want := idA + " " + hashH + ` "\x01\x02" "LT\x02\x01" ro=2 noseed=2 want4=true want6=true port=-1`
	if diff := cmp.Diff(want, got); diff != "" {
		t.Error(diff)
	}
	if k := parse([]byte(realAnnounce), &m); k != announcePeer {
		t.Fatalf("kind %v", k)
	}
	got = fmt.Sprintf("%s %s %s %s %d implied=%d seed=%d ro=%d", m.id, m.infohash, m.token, m.name, m.port, m.implied, m.seed, m.readOnly)
	if want := idA + " " + hashH + " tokn a film.x 6881 implied=2 seed=2 ro=0"; got != want {
		t.Errorf("got %s, want %s", got, want)
	}
}

// TestParseBadInput goes through what may arrive; nothing here may be taken for
// a sound query of another meaning.
func TestParseBadInput(t *testing.T) {
	query := func(args string) string { return "d1:a" + args + "1:q9:get_peers1:t2:aa1:y1:qe" }
	deep := strings.Repeat("l", 5000) + strings.Repeat("e", 5000)
	for _, c := range []struct {
		name, packet string
		want         kind
	}{
		{"empty", "", malformed},
		{"not a dictionary", "i1e", malformed},
		{"an HTTP request", "GET / HTTP/1.0\r\n\r\n", malformed},
		{"a µTP header", "\x21\x02\x4b\x1c\x00\x00", malformed},
		{"truncated", realGetPeers[:len(realGetPeers)-1], malformed},
		{"65,000 bytes", realGetPeers + strings.Repeat("x", 65000), malformed},
		{"deeply nested value", "d1:x" + deep + "1:t2:aa1:y1:qe", malformed},
		{"nested dictionaries", "d1:x" + strings.Repeat("d1:a", 900), malformed},
		{"seven levels", "d1:xlllllllleeeeeeee1:q4:ping1:t1:a1:y1:qe", malformed},
		{"three levels", "d1:xlllee" + "e1:q4:ping1:t1:a1:y1:qe", ping},
		{"giant length", "d99999999999:a1:q4:ping1:t2:aa1:y1:qe", malformed},
		{"length past the end", "d1:q90:ping1:t2:aa1:y1:qe", malformed},
		{"negative length", "d-1:a1:q4:ping1:t2:aa1:y1:qe", malformed},
		{"no length", "d:1:q4:ping1:t2:aa1:y1:qe", malformed},
		{"giant integer", query("d4:porti999999999999999999999999ee"), malformed},
		{"giant integer that nobody reads", query("d5:extrai999999999999999999999999ee"), getPeers},
		{"empty integer", query("d4:portiee"), malformed},
		{"integer without an end", "d1:xi1", malformed},
		{"a minus alone", query("d5:extrai-ee"), malformed},
		{"key that is no string", "di1e1:ae", malformed},
		{"no a", "d1:q9:get_peers1:t2:aa1:y1:qe", getPeers},
		{"a is a list", query("l2:ide"), getPeers},
		{"no t", "d1:q4:ping1:y1:qe", malformed},
		{"t of 0 bytes", "d1:q4:ping1:t0:1:y1:qe", ping},
		{"t of 1,000 bytes", "d1:q4:ping1:t1000:" + strings.Repeat("t", 1000) + "1:y1:qe", malformed},
		{"t is a number", "d1:q4:ping1:ti5e1:y1:qe", malformed},
		{"no y", "d1:q4:ping1:t2:aae", malformed},
		{"unknown y", "d1:q4:ping1:t2:aa1:y1:ze", malformed},
		{"no q", "d1:t2:aa1:y1:qe", malformed},
		{"unknown method", "d1:q8:conquer!1:t2:aa1:y1:qe", otherMethod},
		{"reply without r", "d1:t2:aa1:y1:re", malformed},
		{"error", "d1:eli201e3:whye1:t2:aa1:y1:ee", failure},
		{"unsorted keys", "d1:y1:q1:t2:aa1:q4:ping1:ad2:id20:" + idA + "ee", ping},
		{"bytes after the end", "d1:q4:ping1:t2:aa1:y1:qe\x00\x00", ping},
	} {
		t.Run(c.name, func(t *testing.T) {
			var m message
			if got := parse([]byte(c.packet), &m); got != c.want {
				t.Errorf("parse says %v, want %v", got, c.want)
			}
		})
	}
}

func TestParseFirstOfTwoCounts(t *testing.T) {
	var m message
	parse([]byte("d1:ad2:id20:"+idA+"2:id20:"+hashH+"4:porti1e4:porti2ee1:ad2:id1:xe1:q4:ping1:q9:get_peers1:t2:aa1:y1:qe"), &m)
	if string(m.id) != idA || m.port != 1 || string(m.q) != "ping" {
		t.Errorf("id %q, port %d, q %q; want the first of each", m.id, m.port, m.q)
	}
}

func TestParseAllocatesNothing(t *testing.T) {
	packets := [][]byte{[]byte(realGetPeers), []byte(realAnnounce), []byte("d1:xlllleeee1:q4:ping1:t1:a1:y1:qe")}
	var m message
	if n := allocations(100, func() {
		for _, p := range packets {
			parse(p, &m)
		}
	}); n != 0 {
		t.Errorf("%v allocations", n)
	}
}

// FuzzParse compares with another implementation: what anacrolix/dht reads of a
// query, we read alike. Where a key stands twice it takes the last one.
func FuzzParse(f *testing.F) {
	for _, p := range realPackets(f) {
		f.Add(p)
	}
	f.Add([]byte(realGetPeers))
	f.Add([]byte(realAnnounce))
	f.Add([]byte("d1:rd2:id20:" + idA + "5:nodes26:" + idA + "\x01\x02\x03\x04\x1a\xe1e1:t2:aa1:y1:re"))
	f.Add([]byte("d1:eli203e3:bade1:t2:aa1:y1:ee"))
	f.Add([]byte("d1:ad2:id20:" + idA + "6:target20:" + hashH + "e1:q17:sample_infohashes1:t2:aa1:y1:qe"))
	f.Fuzz(func(t *testing.T, packet []byte) {
		var m message
		k := parse(packet, &m)
		if k == malformed {
			return
		}
		if len(m.t) > maxT || m.port < -1 {
			t.Errorf("out of bounds: t of %d bytes, port %d", len(m.t), m.port)
		}
		var theirs krpc.Msg
		if bencode.Unmarshal(packet, &theirs) != nil || theirs.Y != "q" || theirs.A == nil || keysTwice(packet) {
			return
		}
		if theirs.T != string(m.t) || theirs.Q != string(m.q) {
			t.Errorf("t %q and q %q; anacrolix/dht reads %q and %q", m.t, m.q, theirs.T, theirs.Q)
		}
		if len(m.id) == 20 && string(theirs.A.ID[:]) != string(m.id) {
			t.Errorf("id %x; anacrolix/dht reads %x", m.id, theirs.A.ID)
		}
		if len(m.infohash) == 20 && string(theirs.A.InfoHash[:]) != string(m.infohash) {
			t.Errorf("info_hash %x; anacrolix/dht reads %x", m.infohash, theirs.A.InfoHash)
		}
	})
}

// keysTwice reports whether a key may stand twice in a sound message: what is
// read of it, written again, is shorter.
func keysTwice(packet []byte) bool {
	var all map[string]any
	if err := bencode.Unmarshal(packet, &all); err != nil {
		return true
	}
	again, err := bencode.Marshal(all)
	return err != nil || len(again) != len(packet)
}

func BenchmarkParse(b *testing.B) {
	p := []byte(realGetPeers)
	var m message
	b.ReportAllocs()
	for b.Loop() {
		parse(p, &m)
	}
}
