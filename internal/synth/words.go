package synth

import (
	_ "embed"
	"strconv"
	"strings"
)

//go:embed words.txt
var wordsText string

//go:embed world.txt
var worldText string

// language is a grammar of titles: a head, a join and a tail.
type language struct {
	code         string
	weight       float64
	join, and    string
	heads, tails []string
}

// languages reads words.txt.
func languages() []language {
	var all []language
	for line := range dataLines(wordsText) {
		f := strings.Split(line, "|")
		all = append(all, language{
			code: f[0], weight: mustFloat(f[1]),
			join: strings.ReplaceAll(f[2], "_", " "), and: strings.ReplaceAll(f[3], "_", " "),
			heads: strings.Split(f[4], ","), tails: strings.Split(f[5], ","),
		})
	}
	return all
}

// title invents one. A language has some hundreds of plain titles; the longer
// ones, with two tails, are for swarms of many works.
func (l *language) title(r *rng, long bool) string {
	head, tail := l.heads[r.below(len(l.heads))], l.tails[r.below(len(l.tails))]
	title := head + l.join + tail
	if !long && r.chance(0.8) {
		return title
	}
	if second := l.tails[r.below(len(l.tails))]; second != tail {
		title += l.and + second
	}
	return title
}

// country is where requesters live.
type country struct {
	code, name, language string
	weight               float64
	cities               []city
}

type city struct {
	name, region string
	lat, lon     float64
	offset       int64 // of local time from UTC, µs
	weight       float64
}

// world reads world.txt.
func world() []country {
	var all []country
	for line := range dataLines(worldText) {
		f := strings.Split(strings.TrimPrefix(line, " "), "|")
		if line[0] != ' ' {
			all = append(all, country{code: f[0], name: f[1], weight: mustFloat(f[2]), language: f[3]})
			continue
		}
		c := &all[len(all)-1]
		c.cities = append(c.cities, city{
			name: f[0], region: f[1], lat: mustFloat(f[2]), lon: mustFloat(f[3]),
			offset: int64(mustFloat(f[4]) * float64(hour)), weight: mustFloat(f[5]),
		})
	}
	return all
}

// dataLines yields the lines that are neither empty nor comments.
func dataLines(text string) func(func(string) bool) {
	return func(yield func(string) bool) {
		for line := range strings.Lines(text) {
			line = strings.TrimRight(line, "\n")
			if line != "" && line[0] != '#' && !yield(line) {
				return
			}
		}
	}
}

// mustFloat reads a number of the embedded files, which the tests read too.
func mustFloat(s string) float64 {
	v, err := strconv.ParseFloat(s, 64)
	if err != nil {
		panic("synth: embedded data: " + err.Error())
	}
	return v
}
