// Command names reads release names with another parser and answers in the form that etl/release/eval scores: names, one a
// line, on standard input, one JSON object a line on standard output. How fast the parser was goes to standard error; only
// parsing is timed.
//
//	names ptt|rls
package main

import (
	"bufio"
	"encoding/json"
	"fmt"
	"os"
	"strconv"
	"strings"
	"time"

	"github.com/MunifTanjim/go-ptt"
	"github.com/moistari/rls"
)

// answer is what etl/release/eval scores.
type answer struct {
	Title        string `json:"title"`
	AltTitle     string `json:"alt_title,omitempty"`
	Artist       string `json:"artist,omitempty"`
	Year         int    `json:"year,omitempty"`
	Seasons      []int  `json:"seasons,omitempty"`
	Episodes     []int  `json:"episodes,omitempty"`
	Resolution   int    `json:"resolution,omitempty"`
	Source       string `json:"source,omitempty"`
	VideoCodec   string `json:"video_codec,omitempty"`
	ReleaseGroup string `json:"release_group,omitempty"`
}

var parsers = map[string]func(string) answer{"ptt": readPTT, "rls": readRLS}

func main() {
	if len(os.Args) != 2 || parsers[os.Args[1]] == nil {
		fmt.Fprintln(os.Stderr, "usage: names ptt|rls < NAMES")
		os.Exit(2)
	}
	if err := run(os.Args[1]); err != nil {
		fmt.Fprintln(os.Stderr, "names:", err)
		os.Exit(1)
	}
}

func run(parser string) error {
	var names []string
	in := bufio.NewScanner(os.Stdin)
	in.Buffer(nil, 1<<20)
	for in.Scan() {
		names = append(names, in.Text())
	}
	if err := in.Err(); err != nil {
		return err
	}
	read := parsers[parser]
	if len(names) > 0 {
		read(names[0]) // what is built once is built before the clock starts
	}
	answers := make([]answer, len(names))
	start := time.Now()
	for i, name := range names {
		answers[i] = read(name)
	}
	took := time.Since(start)
	fmt.Fprintf(os.Stderr, "%s: %d names, %.0f a second\n", parser, len(names), float64(len(names))/took.Seconds())
	out := bufio.NewWriter(os.Stdout)
	enc := json.NewEncoder(out)
	for i := range answers {
		if err := enc.Encode(&answers[i]); err != nil {
			return err
		}
	}
	return out.Flush()
}

func readPTT(name string) answer {
	r := ptt.Parse(name)
	return answer{
		Title: r.Title, Year: number(r.Year), Seasons: r.Seasons, Episodes: r.Episodes, Resolution: lines(r.Resolution),
		Source: source(r.Quality), VideoCodec: codec(r.Codec), ReleaseGroup: r.Group,
	}
}

func readRLS(name string) answer {
	r := rls.ParseString(name)
	a := answer{
		Title: r.Title, AltTitle: r.Subtitle, Artist: r.Artist, Year: r.Year, Resolution: lines(r.Resolution), Source: source(r.Source),
		ReleaseGroup: r.Group,
	}
	if a.AltTitle == "" {
		a.AltTitle = r.Alt
	}
	for _, c := range r.Codec {
		if a.VideoCodec == "" {
			a.VideoCodec = codec(c)
		}
	}
	for _, pair := range r.SeriesEpisodes() {
		a.Seasons = append(a.Seasons, pair[0])
		if pair[1] > 0 {
			a.Episodes = append(a.Episodes, pair[1])
		}
	}
	if len(a.Seasons) == 0 && r.Series > 0 {
		a.Seasons = []int{r.Series}
	}
	if len(a.Episodes) == 0 && r.Episode > 0 {
		a.Episodes = []int{r.Episode}
	}
	if len(a.Seasons) > 0 && a.Seasons[0] == 0 && r.Series == 0 && r.Episode > 0 { // an episode without a season
		a.Seasons = nil
	}
	return a
}

// number reads the digits at the head of s.
func number(s string) int {
	end := 0
	for end < len(s) && s[end] >= '0' && s[end] <= '9' {
		end++
	}
	n, _ := strconv.Atoi(s[:end])
	return n
}

func lines(s string) int {
	switch s = strings.ToLower(s); s {
	case "4k", "uhd":
		return 2160
	case "8k":
		return 4320
	}
	if _, h, ok := strings.Cut(s, "x"); ok {
		return number(h)
	}
	return number(s)
}

// source folds a parser's word for a source into the ones that names are labelled with.
func source(s string) string {
	s = strings.NewReplacer("-", "", ".", "", " ", "", "_", "").Replace(strings.ToLower(s))
	for _, rule := range []struct{ has, is string }{
		{"hddvd", "hddvd"}, {"telesync", "telesync"}, {"hdts", "telesync"}, {"telecine", "telecine"}, {"hdtc", "telecine"}, {"cam", "cam"},
		{"workprint", "workprint"}, {"vhs", "vhs"}, {"ppv", "ppv"}, {"web", "web"}, {"vod", "web"}, {"blu", "bluray"}, {"bdr", "bluray"},
		{"brrip", "bluray"}, {"bd", "bluray"}, {"remux", "bluray"}, {"dvd", "dvd"}, {"scr", "dvd"}, {"tv", "tv"}, {"dsr", "tv"},
		{"dth", "tv"}, {"sat", "tv"}, {"dvb", "tv"},
	} {
		if strings.Contains(s, rule.has) {
			return rule.is
		}
	}
	switch s {
	case "ts":
		return "telesync"
	case "tc":
		return "telecine"
	case "wp":
		return "workprint"
	}
	return ""
}

// codec folds a parser's word for a video codec likewise.
func codec(s string) string {
	s = strings.NewReplacer("-", "", ".", "", " ", "").Replace(strings.ToLower(s))
	switch s {
	case "x264", "h264", "avc":
		return "h264"
	case "x265", "h265", "hevc":
		return "h265"
	case "xvid", "divx", "av1", "vc1", "mpeg2", "vp9", "mpeg4":
		return s
	}
	return ""
}
