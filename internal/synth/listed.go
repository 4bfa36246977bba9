package synth

import (
	"fmt"
	"iter"
	"strings"

	"github.com/boontorrent/boon/internal/lake"
)

// Listed is a torrent of a synthetic swarm, for those who need many names and no swarm.
type Listed struct {
	Infohash    [20]byte
	Name, Title string
	Kind        string // as content types are called
	Year        int    // 0 where the name has none
	Size        int64
	Paths       []string
	Popularity  float64 // share of all lookups
}

// Torrents lists n torrents of a swarm, by works of falling popularity. Files are made
// up where withFiles says so; without them a size is that of one main file.
func Torrents(seed uint64, n int, withFiles bool) (iter.Seq[Listed], error) {
	start, err := lake.ParseDay("2026-11-22")
	if err != nil {
		return nil, err
	}
	if n < 1 {
		return nil, fmt.Errorf("list %d torrents: there must be one at least", n)
	}
	s := &swarm{cfg: Config{Seed: seed, Start: start, Torrents: n}, catalogue: newCatalogue(seed, n)}
	return func(yield func(Listed) bool) {
		for i := range uint32(n) {
			rel := s.release(i)
			l := Listed{
				Infohash: s.catalogue.hash[i], Name: rel.name, Title: rel.title, Kind: rel.kind, Year: rel.year,
				Popularity: float64(s.catalogue.weight[i]),
			}
			if withFiles {
				for _, f := range s.files(i, &rel) {
					l.Size += f.Length
					l.Paths = append(l.Paths, strings.Join(f.Path, "/"))
				}
			} else {
				sizes := fileList{rng: derive(seed, forFiles, uint64(i), 0), rel: &rel}
				l.Size = sizes.mainSize()
			}
			if !yield(l) {
				return
			}
		}
	}, nil
}
