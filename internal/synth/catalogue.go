package synth

import (
	"math"

	"github.com/boontorrent/boon/internal/rawlog"
)

// catalogue is what there is to ask for: works, each with several torrents, by
// falling popularity. A torrent's name and files are made when they are needed.
type catalogue struct {
	hash   []rawlog.ID
	weight []float32 // share of all lookups
	first  []uint32  // torrent of a work; one more than there are works
	work   []uint32  // of a torrent
	kinds  []contentType
	tongue []language
	byType choice // contentType
	byTone choice // language
}

func (c *catalogue) works() int { return len(c.first) - 1 }

// contentType is a kind of work and its share of all.
type contentType struct {
	name   string
	weight float64
}

func contentTypes() []contentType {
	return []contentType{
		{"movie", 25}, {"tv", 19}, {"anime", 8}, {"music", 10}, {"audiobook", 2.5}, {"book", 6}, {"comic", 2.5}, {"game", 6}, {"software", 5},
		{"course", 2.5}, {"adult", 9}, {"other", 4.5},
	}
}

// newCatalogue makes up n torrents. A work's popularity is one over its rank
// (Zipf-Mandelbrot); its first release has most of it.
func newCatalogue(seed uint64, n int) *catalogue {
	c := &catalogue{
		hash: make([]rawlog.ID, n), weight: make([]float32, n), work: make([]uint32, n),
		kinds: contentTypes(), tongue: languages(),
	}
	var types, tongues []float64
	for _, k := range c.kinds {
		types = append(types, k.weight)
	}
	for _, l := range c.tongue {
		tongues = append(tongues, l.weight)
	}
	c.byType, c.byTone = newChoice(types), newChoice(tongues)
	r := derive(seed, forCatalogue, 0, 0)
	total := 0.0
	for i := 0; i < n; {
		w := len(c.first)
		c.first = append(c.first, uint32(i))
		popularity := math.Pow(float64(w)+6, -0.85)
		for k := range min(releases(&r), n-i) {
			r.fill(c.hash[i][:])
			c.work[i] = uint32(w)
			v := popularity / math.Pow(float64(k)+1, 1.2) * r.logNormal(1, 3)
			c.weight[i] = float32(v)
			total += float64(c.weight[i])
			i++
		}
	}
	c.first = append(c.first, uint32(n))
	for i := range c.weight {
		c.weight[i] = float32(float64(c.weight[i]) / total)
	}
	return c
}

// releases is a work's number of torrents: 1 to 30, three on average.
func releases(r *rng) int {
	n := 1
	for n < 30 && r.chance(0.67) {
		n++
	}
	return n
}

// creation is a work, as far as all its releases share it.
type creation struct {
	kind     string
	language *language
	title    string
	creator  string // artist, author, studio
	year     int
	seasons  int // of a series
	episodes int // of a season
	serial   int
}

// plainTitles is the number of works, the most popular ones, that may have a
// plain title; more would share titles too often.
const plainTitles = 60

// describe makes up the work w.
func (s *swarm) describe(w uint32) creation {
	cat := s.catalogue
	r := derive(s.cfg.Seed, forWork, uint64(w), 0)
	kind := cat.kinds[cat.byType.draw(&r)].name
	tongue := &cat.tongue[cat.byTone.draw(&r)]
	switch {
	case kind == "anime" && r.chance(0.7): // mostly under their English names
		tongue = &cat.tongue[0]
	case kind == "software" || kind == "course" || kind == "adult" || kind == "other" || kind == "game" && r.chance(0.8):
		tongue = &cat.tongue[0]
	}
	made := s.cfg.Start.Time().Year()
	return creation{
		kind: kind, language: tongue, title: tongue.title(&r, w > plainTitles), creator: tongue.person(&r),
		year: made - int(math.Min(60, -math.Log(1-r.float())*7)), seasons: 1 + r.below(6), episodes: r.between(6, 24), serial: int(w),
	}
}

// audience is, for each language, from which countries a lookup comes.
func audiences(countries []country, tongues []language) map[string]*choice {
	out := map[string]*choice{}
	for _, l := range tongues {
		var weights []float64
		for _, c := range countries {
			w := c.weight
			switch {
			case l.code == "en" && c.language == "en":
				w *= 2
			case l.code == "ja": // anime travels
			case c.language == l.code:
				w *= 25
			case l.code != "en":
				w *= 0.5
			}
			weights = append(weights, w)
		}
		c := newChoice(weights)
		out[l.code] = &c
	}
	return out
}
