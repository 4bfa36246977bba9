package collect

import (
	"encoding/binary"
	"math"
	"net/netip"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/boontorrent/boon/internal/keyspace"
	"github.com/boontorrent/boon/internal/rawlog"
)

// TestSketch counts numbers of distinct things from one to a million, each
// several times.
func TestSketch(t *testing.T) {
	for _, n := range []int{0, 1, 2, 10, 300, 5000, 12_000, 100_000, 1_000_000} {
		s := newQuality().ids
		var b [8]byte
		for i := range 2 * n {
			binary.LittleEndian.PutUint64(b[:], uint64(i%n))
			s.add(b[:])
		}
		if got := s.count(); math.Abs(float64(got)-float64(n)) > 0.08*float64(n) || n <= 10 && got != int64(n) {
			t.Errorf("%d are counted as %d", n, got)
		}
	}
}

// TestQuality asks a node and holds each figure of its minute against what was asked.
func TestQuality(t *testing.T) {
	n := newTestNode(t)
	n.id = rawlog.ID{}
	a, b := netip.MustParseAddr("8.8.8.8"), netip.MustParseAddr("8.8.4.4")
	fits := keyspace.Fit(rawlog.ID{19: 1}, a)
	send := func(from netip.Addr, id rawlog.ID, q, args string) {
		n.receive([]byte("d1:ad2:id20:"+string(id[:])+args+"e1:q"+q+"1:t2:aa1:y1:qe"), netip.AddrPortFrom(from, 6881), now, nil)
	}
	hash := func(first byte) string {
		return "9:info_hash20:" + string([]byte{first, 19: 0})
	}
	token := string(n.tokens.appendToken(nil, a))
	send(a, fits, "4:ping", "")
	send(a, fits, "9:get_peers", hash(0x80))
	send(a, rawlog.ID{2}, "9:get_peers", hash(0xff))
	send(b, rawlog.ID{3}, "9:get_peers", hash(0x01))
	send(a, fits, "13:announce_peer", hash(0x40)+"4:porti7e5:token4:"+token)
	send(b, fits, "13:announce_peer", hash(0x40)+"4:porti7e5:token4:"+token)
	send(b, rawlog.ID{4}, "4:sing", "") // not sound: not counted
	n.countSent(sentPing)
	n.countSent(sentResponse)
	n.end(now + 1)
	entries := n.queue.take(newBatch()).entries
	got := entries[len(entries)-1].mark.gauges
	want := map[string]int64{
		"asker_ids": 3, "asker_ids_secure": 1, "asker_addresses": 2, "announces": 2, "announces_valid": 1, "asked": 1,
		"distance_159": 2, "distance_158": 2, "distance_152": 1,
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Error(diff)
	}
	n.end(now + 2)
	entries = n.queue.take(newBatch()).entries
	if got := entries[0].mark.gauges; len(got) != 0 {
		t.Errorf("a minute of silence: %v", got)
	}
}
