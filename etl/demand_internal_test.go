package etl

import (
	"bufio"
	"bytes"
	"errors"
	"hash/maphash"
	"io"
	"math/rand/v2"
	"testing"

	"github.com/boontorrent/boon/internal/lake"
)

// Asks add up to the same, in the same order, whichever way they are put in order,
// with numbers that travel with their keys and numbers that do not.
func TestAsksAddUp(t *testing.T) {
	r := rand.New(rand.NewPCG(5, 5))
	e := &emitter{cols: newQueryColumns(&names{}, "", lake.DayOf(0)), networks: 40}
	e.cols.reset()
	type pair struct {
		hash    [20]byte
		country string
	}
	countries := []string{"", "US", "DE", "A"}
	asked := map[pair]map[uint32]*ask{} // by network, the numbers of all its requesters
	requesters := map[pair]int64{}
	for range 5000 {
		p := pair{[20]byte{byte(r.IntN(20)), 9: byte(r.IntN(20))}, countries[r.IntN(4)]}
		a := ask{
			hash: e.cols.hash.of(p.hash[:], maphash.Bytes(seed, p.hash[:])), country: e.cols.country.of(p.country), network: uint32(r.IntN(40)),
			queries: r.Uint32() >> (12 + r.IntN(20)), announces: r.Uint32() >> (12 + r.IntN(20)), seeds: uint32(r.IntN(2)),
		}
		e.asks = append(e.asks, a)
		if asked[p] == nil {
			asked[p] = map[uint32]*ask{}
		}
		sum := asked[p][a.network]
		if sum == nil {
			sum = &ask{}
			asked[p][a.network] = sum
		}
		sum.queries, sum.announces, sum.seeds = sum.queries+a.queries, sum.announces+a.announces, sum.seeds+a.seeds
		requesters[p]++
	}
	k := e.askKeys()
	byKeys := e.sumOrdered(k.netBits, e.orderByKeys(&k))
	if byPairs := e.sumOrdered(k.netBits, e.orderByPairs(&k)); !bytes.Equal(byKeys, byPairs) {
		t.Error("ordered by keys and by pairs, asks add up to different demand")
	}
	w := wants{in: bufio.NewReader(bytes.NewReader(byKeys)), countries: map[string]string{}}
	last, n := want{}, 0
	for ; ; n++ {
		err := w.next()
		if errors.Is(err, io.EOF) {
			break
		}
		if err != nil {
			t.Fatal(err)
		}
		if n > 0 && last.compare(&w.now) >= 0 {
			t.Fatalf("%+v comes after %+v", w.now, last)
		}
		last = w.now
		p := pair{w.now.hash, w.now.country}
		sum := want{hash: w.now.hash, country: w.now.country, requesters: requesters[p], networks: int64(len(asked[p]))}
		for _, a := range asked[p] {
			sum.queries, sum.announces, sum.seeders = sum.queries+int64(a.queries), sum.announces+int64(a.announces), sum.seeders+int64(a.seeds)
		}
		if w.now != sum {
			t.Errorf("%+v, want %+v", w.now, sum)
		}
	}
	if n != len(asked) || n < 100 {
		t.Errorf("%d pairs of info-hash and country, want %d", n, len(asked))
	}
}
