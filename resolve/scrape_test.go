package resolve

import (
	"context"
	"net"
	"testing"

	"github.com/anacrolix/dht/v2/krpc"

	"github.com/boontorrent/boon/resolve/fetch"
)

// TestScrape puts together what nodes say of a swarm: the same address in two
// filters counts once, and a filter that is full of ones says nothing.
func TestScrape(t *testing.T) {
	filter := func(from, to int) *krpc.ScrapeBloomFilter {
		f := &krpc.ScrapeBloomFilter{}
		for i := from; i < to; i++ {
			f.AddIp(net.IPv4(5, 5, byte(i>>8), byte(i)).To4())
		}
		return f
	}
	full := &krpc.ScrapeBloomFilter{}
	for i := range full {
		full[i] = 0xff
	}
	sc := &scrape{}
	if s, l := sc.estimates(); s != -1 || l != -1 {
		t.Errorf("nobody has said anything, and there are %d and %d", s, l)
	}
	found := make(chan fetch.Peer, 500)
	add := func(seeds, others *krpc.ScrapeBloomFilter, peers int) {
		r := &krpc.Return{BFsd: seeds, BFpe: others}
		for i := range peers {
			r.Values = append(r.Values, krpc.NodeAddr{IP: net.IPv4(6, 6, 6, byte(i)), Port: 1 + i})
		}
		r.Values = append(r.Values, krpc.NodeAddr{IP: net.IPv4(6, 6, 6, 6)}) // port 0
		sc.add(context.Background(), r, found)
	}
	add(filter(0, 60), filter(0, 10), 150)
	add(filter(40, 100), filter(0, 0), 150)
	add(full, full, 0)
	add(nil, nil, 0)
	seeders, leechers := sc.estimates()
	if seeders < 97 || seeders > 103 || leechers < 9 || leechers > 11 {
		t.Errorf("%d seeders, %d leechers; want about 100 and 10", seeders, leechers)
	}
	if len(found) != lookupPeers {
		t.Errorf("%d peers were handed on, want %d of 300", len(found), lookupPeers)
	}
	for range len(found) {
		if p := <-found; p.Addr.Port() == 0 || !p.Addr.Addr().Is4() {
			t.Fatalf("%v", p)
		}
	}
}
