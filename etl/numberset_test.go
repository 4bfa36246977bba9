package etl

import (
	"math/rand/v2"
	"testing"
)

// A set agrees with a map, whatever comes, and starts anew after reset.
func TestNumberSet(t *testing.T) {
	var s numberSet
	r := rand.New(rand.NewPCG(3, 3))
	for _, size := range []int{10, 5000, 20} {
		s.reset()
		want, next := map[uint32]uint32{}, uint32(0)
		for range size {
			if r.IntN(10) == 0 {
				if got := s.skip(); got != next {
					t.Fatalf("skip gives %d, want %d", got, next)
				}
				next++
				continue
			}
			v := uint32(r.IntN(size)) << r.IntN(20)
			n, fresh := s.number(v)
			if _, ok := want[v]; ok == fresh {
				t.Fatalf("%d is new: %v", v, fresh)
			}
			if fresh {
				want[v] = next
				next++
			}
			if n != want[v] {
				t.Fatalf("%d has number %d, want %d", v, n, want[v])
			}
		}
	}
}
