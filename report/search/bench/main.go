// Command bench makes a search index of synthetic names and a thousand queries for it,
// for report/web/js/test/bench.js to ask:
//
//	go run ./report/search/bench -out DIR [-torrents N] [-queries N] [-seed N] [-files]
//
// A query is words of a torrent's name. Seven of ten are of a torrent drawn by
// popularity, the others of any; most have two to four words, some one, some all, some
// a phrase, some a word that is in hardly any name.
package main

import (
	"cmp"
	"context"
	"encoding/json"
	"flag"
	"fmt"
	"io/fs"
	"math"
	"math/rand/v2"
	"os"
	"path/filepath"
	"runtime"
	"slices"
	"sort"
	"strings"
	"time"

	"github.com/boontorrent/boon/internal/synth"
	"github.com/boontorrent/boon/report/search"
)

func main() {
	out := flag.String("out", "", "folder of the index and the queries")
	n := flag.Int("torrents", 1_000_000, "names")
	queries := flag.Int("queries", 1000, "queries")
	seed := flag.Uint64("seed", 1, "of the names and queries")
	files := flag.Bool("files", false, "index file names too")
	flag.Parse()
	if *out == "" || flag.NArg() > 0 {
		flag.Usage()
		os.Exit(2)
	}
	if err := run(*out, *n, *queries, *seed, *files); err != nil {
		fmt.Fprintln(os.Stderr, "bench:", err)
		os.Exit(1)
	}
}

// wanted is what all torrents together are asked for in a week, by distinct requesters:
// seven million queries a day, of which somebody who wants a torrent sends two.
const wanted = 20_000_000

// report is what bench.js adds its figures to.
type report struct {
	Folder    string           `json:"folder"`
	Torrents  int              `json:"torrents"`
	Shown     int              `json:"shown"`
	NameBytes int64            `json:"nameBytes"`
	FileCount int64            `json:"fileCount"`
	Seconds   float64          `json:"seconds"`
	Bytes     map[string]int64 `json:"bytes"` // of the index's parts
	Queries   []string         `json:"queries"`
}

func run(out string, n, queries int, seed uint64, files bool) error {
	listed, err := synth.Torrents(seed, n, files)
	if err != nil {
		return err
	}
	var docs []search.Doc
	var paths [][]string
	var weights []float64
	r := report{Torrents: n}
	for l := range listed {
		d := search.Doc{Infohash: l.Infohash, Name: l.Name, Title: l.Title, Type: l.Kind, Year: l.Year, Size: l.Size, Files: 1, Day: 20_000 + len(docs)%700, Adult: l.Kind == "adult"}
		if asked := math.Round(l.Popularity*wanted/10) * 10; asked >= 20 && (!d.Adult || asked >= 100) {
			d.Demand = int64(asked)
			r.Shown++
		}
		r.NameBytes += int64(len(l.Name))
		r.FileCount += int64(len(l.Paths))
		docs, weights = append(docs, d), append(weights, l.Popularity)
		if files {
			paths = append(paths, l.Paths)
		}
	}
	r.Queries = ask(docs, weights, queries, seed)
	var hashes [][20]byte
	if files {
		for i := range docs {
			hashes = append(hashes, docs[i].Infohash)
		}
	}
	ctx := context.Background()
	start := time.Now()
	b, err := search.NewBuilder(ctx, docs, search.Options{Dir: out, Workers: runtime.NumCPU(), K: 20, Since: "2026-11-16", Until: "2026-11-22"})
	if err != nil {
		return err
	}
	defer b.Close()
	for i, p := range paths {
		if err := b.Files(ctx, hashes[i], p); err != nil {
			return err
		}
	}
	s, err := b.Finish(ctx)
	if err != nil {
		return err
	}
	r.Seconds, r.Folder = time.Since(start).Seconds(), s.Folder
	r.Bytes, err = weigh(filepath.Join(out, s.Folder))
	if err != nil {
		return err
	}
	text, err := json.Marshal(r)
	if err != nil {
		return err
	}
	return os.WriteFile(filepath.Join(out, "bench.json"), text, 0o644)
}

// weigh adds up the files of each part of an index.
func weigh(dir string) (map[string]int64, error) {
	parts := map[string]string{"n": "names", "f": "file names", "r": "rows", "w": "rows by word", "c": "columns"}
	sums := map[string]int64{}
	err := filepath.WalkDir(dir, func(path string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() {
			return err
		}
		info, err := d.Info()
		rest, _ := filepath.Rel(dir, path)
		rest = filepath.ToSlash(rest)
		first, _, _ := strings.Cut(rest, "/")
		if strings.Contains(rest, "/w/") {
			first = "w"
		}
		sums[cmp.Or(parts[first], "root")] += info.Size()
		return err
	})
	return sums, err
}

// ask makes up queries.
func ask(docs []search.Doc, weights []float64, n int, seed uint64) (queries []string) {
	r := rand.New(rand.NewPCG(seed, 8))
	sums := make([]float64, len(weights))
	total := 0.0
	for i, w := range weights {
		total += w
		sums[i] = total
	}
	for len(queries) < n {
		i := r.IntN(len(docs))
		if r.Float64() < 0.7 {
			i = min(len(docs)-1, sort.SearchFloat64s(sums, r.Float64()*total))
		}
		if docs[i].Adult {
			continue
		}
		if q := words(r, docs[i].Name); q != "" {
			queries = append(queries, q)
		}
	}
	return queries
}

// words takes some of a name's words, in their order: mostly from its beginning, where
// titles are.
func words(r *rand.Rand, name string) string {
	all := strings.FieldsFunc(name, func(c rune) bool { return strings.ContainsRune(" .-_[]()", c) })
	if len(all) == 0 {
		return ""
	}
	switch p := r.Float64(); {
	case p < 0.12:
		return all[r.IntN(len(all))]
	case p < 0.18:
		return strings.Join(all, " ")
	case p < 0.24:
		return `"` + strings.Join(all[:min(len(all), 2+r.IntN(3))], " ") + `"`
	case p < 0.60:
		return strings.Join(all[:min(len(all), 2+r.IntN(3))], " ")
	}
	picked := r.Perm(len(all))[:min(len(all), 2+r.IntN(3))]
	slices.Sort(picked)
	var some []string
	for _, i := range picked {
		some = append(some, all[i])
	}
	return strings.Join(some, " ")
}
