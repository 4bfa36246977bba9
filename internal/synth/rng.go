package synth

import (
	"math"
	"math/bits"
)

// rng is splitmix64: small, fast, and the same everywhere. One is derived for
// each thing that is random (a torrent, a requester, a minute), so that it can
// be made again without remembering it.
type rng uint64

// The purposes for which generators are derived.
const (
	forKeys = iota + 1
	forNodes
	forNetworks
	forRequester
	forCatalogue
	forWork
	forRelease
	forFiles
	forDay
	forSwarm
	forCrawler
	forUpkeep
	forSelf
	forEvent
	forResolve
	forStats
	forProbe
	forOnline
)

const gamma = 0x9e3779b97f4a7c15

func mix(z uint64) uint64 {
	z = (z ^ z>>30) * 0xbf58476d1ce4e5b9
	z = (z ^ z>>27) * 0x94d049bb133111eb
	return z ^ z>>31
}

// derive returns the generator of one thing: a purpose and up to two numbers.
func derive(seed, purpose, a, b uint64) rng {
	h := mix(seed + gamma)
	h = mix(h ^ purpose*gamma)
	h = mix(h + a*gamma + 1)
	return rng(mix(h ^ (b+3)*gamma))
}

func (r *rng) next() uint64 {
	*r += gamma
	return mix(uint64(*r))
}

// float is uniform in [0, 1).
func (r *rng) float() float64 { return float64(r.next()>>11) / (1 << 53) }

// below is uniform in [0, n).
func (r *rng) below(n int) int {
	hi, _ := bits.Mul64(r.next(), uint64(n))
	return int(hi)
}

// between is uniform in [a, b].
func (r *rng) between(a, b int) int { return a + r.below(b-a+1) }

// chance is true with probability p.
func (r *rng) chance(p float64) bool { return r.float() < p }

// fill writes random bytes.
func (r *rng) fill(b []byte) {
	for len(b) > 0 {
		v := r.next()
		for i := 0; i < 8 && i < len(b); i++ {
			b[i] = byte(v >> (8 * i))
		}
		b = b[min(8, len(b)):]
	}
}

// one returns one of the strings.
func (r *rng) one(of ...string) string { return of[r.below(len(of))] }

// normal has mean 0 and deviation 1.
func (r *rng) normal() float64 {
	return math.Sqrt(-2*math.Log(1-r.float())) * math.Cos(2*math.Pi*r.float())
}

// logNormal has the given median; nineteen in twenty are within a factor spread of it.
func (r *rng) logNormal(median, spread float64) float64 {
	return median * math.Exp(r.normal()*math.Log(spread)/2)
}

// poisson counts what happens mean times on average.
func (r *rng) poisson(mean float64) int {
	if mean > 30 {
		return max(0, int(mean+math.Sqrt(mean)*r.normal()+0.5))
	}
	n, p, limit := 0, r.float(), math.Exp(-mean)
	for p > limit {
		n++
		p *= r.float()
	}
	return n
}

// skip is the number of failures before the next success of probability p.
func (r *rng) skip(p float64) int64 {
	if p >= 1 {
		return 0
	}
	return int64(min(math.Log(1-r.float())/math.Log1p(-p), 1<<60))
}

// choice draws from a fixed distribution in constant time (Walker's alias method).
type choice struct {
	accept []float64
	alias  []int32
}

func newChoice(weights []float64) choice {
	n := len(weights)
	total := 0.0
	for _, w := range weights {
		total += w
	}
	c := choice{accept: make([]float64, n), alias: make([]int32, n)}
	var small, large []int32
	for i, w := range weights {
		c.accept[i] = w * float64(n) / total
		if c.accept[i] < 1 {
			small = append(small, int32(i))
		} else {
			large = append(large, int32(i))
		}
	}
	for len(small) > 0 && len(large) > 0 {
		s, l := small[len(small)-1], large[len(large)-1]
		small = small[:len(small)-1]
		c.alias[s] = l
		c.accept[l] -= 1 - c.accept[s]
		if c.accept[l] < 1 {
			large = large[:len(large)-1]
			small = append(small, l)
		}
	}
	for _, rest := range [][]int32{small, large} {
		for _, i := range rest {
			c.accept[i], c.alias[i] = 1, i
		}
	}
	return c
}

func (c *choice) draw(r *rng) int {
	i := r.below(len(c.accept))
	if r.float() < c.accept[i] {
		return i
	}
	return int(c.alias[i])
}
