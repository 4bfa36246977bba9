package etl

import (
	"fmt"
	"maps"
	"math/rand/v2"
	"slices"
	"testing"
	"time"
)

// keysOf makes keys of the kinds that are sorted, and of some that are not.
var keysOf = map[string]func(r *rand.Rand, n, i int) uint64{
	"pseudonyms": func(r *rand.Rand, _, _ int) uint64 { return r.Uint64() },
	"ranks, times": func(r *rand.Rand, n, i int) uint64 {
		return uint64(r.IntN(1+n/5))<<tsBits | uint64(i)*86400_000_000/uint64(n)
	},
	"ranks, any": func(r *rand.Rand, n, _ int) uint64 {
		return uint64(r.IntN(1+n/5))<<tsBits | uint64(r.IntN(86400_000_000))
	},
	"one asker":     func(r *rand.Rand, _, _ int) uint64 { return uint64(r.IntN(86400_000_000)) },
	"few values":    func(r *rand.Rand, _, _ int) uint64 { return uint64(r.IntN(7)) << 40 },
	"one value":     func(*rand.Rand, int, int) uint64 { return 5 },
	"one far away":  func(r *rand.Rand, _, i int) uint64 { return uint64(r.IntN(1000)) | uint64(1^min(i, 1))<<63 },
	"highest first": func(_ *rand.Rand, n, i int) uint64 { return uint64(n - i) },
}

func TestSortEntries(t *testing.T) {
	r := rand.New(rand.NewPCG(1, 2))
	var spare []entry
	for kind, key := range keysOf {
		for _, n := range []int{0, 1, 2, 24, 25, 100, 3000, 60_000} {
			entries := make([]entry, n)
			for i := range entries {
				entries[i] = entry{key: key(r, n, i), off: uint32(i), more: uint32(r.Uint64())}
			}
			want := slices.Clone(entries)
			slices.SortStableFunc(want, func(a, b entry) int {
				switch {
				case a.key < b.key:
					return -1
				case a.key > b.key:
					return 1
				}
				return 0
			})
			if got := sortEntries(entries, &spare); !slices.Equal(got, want) {
				t.Errorf("%d of %s: wrong order", n, kind)
			}
		}
	}
}

func BenchmarkSortEntries(b *testing.B) {
	for _, kind := range slices.Sorted(maps.Keys(keysOf)) {
		for _, n := range []int{10_000, 200_000} {
			b.Run(fmt.Sprintf("%s/%d", kind, n), func(b *testing.B) {
				r := rand.New(rand.NewPCG(1, 2))
				entries := make([]entry, n)
				for i := range entries {
					entries[i] = entry{key: keysOf[kind](r, n, i), off: uint32(i)}
				}
				var spare []entry
				work := make([]entry, n)
				least := time.Hour
				for b.Loop() {
					copy(work, entries)
					start := time.Now()
					work = sortEntries(work, &spare)
					least = min(least, time.Since(start))
				}
				b.ReportMetric(float64(least.Nanoseconds())/float64(n), "ns/entry")
			})
		}
	}
}
