package main

import (
	"bufio"
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"os"
	"os/exec"
	"slices"
	"strings"
	"unicode"

	"golang.org/x/text/unicode/norm"

	"github.com/boontorrent/boon/etl/release"
)

// Answer is what a parser says of one name.
type Answer [numFields][]string

// answer reads the names by package release, or by a command where one is given.
func answer(ctx context.Context, gold []Label, command []string) ([]Answer, error) {
	var names, out bytes.Buffer
	for i := range gold {
		names.WriteString(gold[i].Name)
		names.WriteByte('\n')
	}
	if len(command) == 0 {
		return ownAnswers(gold)
	}
	cmd := exec.CommandContext(ctx, command[0], command[1:]...)
	cmd.Stdin, cmd.Stdout, cmd.Stderr = &names, &out, os.Stderr
	if err := cmd.Run(); err != nil {
		return nil, fmt.Errorf("run %s: %w", command[0], err)
	}
	var answers []Answer
	s := bufio.NewScanner(&out)
	s.Buffer(nil, 1<<20)
	for s.Scan() {
		a, err := parseAnswer(s.Bytes())
		if err != nil {
			return nil, err
		}
		answers = append(answers, a)
	}
	if len(answers) != len(gold) {
		return nil, fmt.Errorf("%d names in, %d answers out", len(gold), len(answers))
	}
	return answers, s.Err()
}

func ownAnswers(gold []Label) ([]Answer, error) {
	answers := make([]Answer, len(gold))
	var p release.Parser
	var r release.Release
	var line []byte
	for i := range gold {
		p.Parse(gold[i].Name, &r)
		line = r.AppendJSON(line[:0])
		var err error
		if answers[i], err = parseAnswer(line); err != nil {
			return nil, err
		}
	}
	return answers, nil
}

func parseAnswer(line []byte) (Answer, error) {
	var row map[string]any
	if err := json.Unmarshal(line, &row); err != nil {
		return Answer{}, fmt.Errorf("answer %.100q: %w", line, err)
	}
	var a Answer
	title, _ := row["title"].(string)
	alt, _ := row["alt_title"].(string)
	artist, _ := row["artist"].(string)
	if title != "" {
		a[Title] = append(a[Title], fold(title))
		if alt != "" {
			a[Title] = append(a[Title], fold(title+alt))
		}
		if artist != "" {
			a[Title] = append(a[Title], fold(artist+title))
		}
	}
	for f, key := range [numFields]string{
		Year: "year", Season: "seasons", Episode: "episodes", Resolution: "resolution", Source: "source", Codec: "video_codec", Group: "release_group",
	} {
		if key != "" {
			a[f] = many(row[key])
		}
	}
	return a, nil
}

// fold makes spellings agree: letters and digits only, no case, no accents.
func fold(s string) string {
	var b strings.Builder
	for _, r := range norm.NFKD.String(strings.ReplaceAll(s, "&", "and")) {
		if unicode.IsLetter(r) || unicode.IsNumber(r) {
			b.WriteRune(unicode.ToLower(r))
		}
	}
	return b.String()
}

func folded(list []string) []string {
	out := make([]string, len(list))
	for i := range list {
		out[i] = fold(list[i])
	}
	return out
}

// Cell is a field's score.
type Cell struct{ Labelled, Right, Said int }

// Miss is a name with the fields that were read wrong.
type Miss struct {
	Name   string
	Key    bool // it counts against KEY
	Fields []string
}

func (m Miss) String() string {
	return fmt.Sprintf("  %s\n\t%s", m.Name, strings.Join(m.Fields, "\n\t"))
}

// Score is the result of one labelled file.
type Score struct {
	Name               string
	Names              int
	Fields             [numFields]Cell
	KeyRight, KeyNames int
	Misses             []Miss
}

// ScoreOf compares answers with labels.
func ScoreOf(gold []Label, answers []Answer) *Score {
	s := &Score{Names: len(gold)}
	for i := range gold {
		s.add(&gold[i], &answers[i])
	}
	return s
}

func (s *Score) add(g *Label, a *Answer) {
	miss := Miss{Name: g.Name}
	for f := range numFields {
		want := g.Values[f]
		if want == nil {
			continue
		}
		c := &s.Fields[f]
		if len(a[f]) > 0 {
			c.Said++
		}
		ok := right(f, g, a)
		if len(want) > 0 {
			c.Labelled++
			if ok {
				c.Right++
			}
		}
		if !ok && !(len(want) == 0 && len(a[f]) == 0) {
			miss.Fields = append(miss.Fields, fmt.Sprintf("%s %s, want %s", fieldNames[f], brief(a[f]), brief(want)))
		}
	}
	if counted(g) {
		s.KeyNames++
		if right(Title, g, a) && right(Season, g, a) && right(Episode, g, a) && !(g.Type == "movie" && g.Values[Year] != nil && !yearRight(g, a)) {
			s.KeyRight++
		} else {
			miss.Key = true
		}
	}
	if len(miss.Fields) > 0 {
		s.Misses = append(s.Misses, miss)
	}
}

// counted tells whether a name counts for KEY: a video whose title, season and episode were labelled.
func counted(g *Label) bool {
	if len(g.Values[Title]) == 0 || g.Values[Title][0] == "" || g.Values[Season] == nil || g.Values[Episode] == nil {
		return false
	}
	switch g.Type {
	case "movie", "episode", "series", "tv", "anime":
		return true
	}
	return g.Type == "" && g.Set != "rls"
}

// yearRight tells whether a film's year is right: one of those labelled, none where none is.
func yearRight(g *Label, a *Answer) bool {
	if len(a[Year]) == 0 {
		return len(g.Values[Year]) == 0
	}
	for _, y := range a[Year] {
		if !slices.Contains(g.Values[Year], y) {
			return false
		}
	}
	return true
}

// right tells whether the answer for field f agrees with the label: seasons and episodes all of them, of the rest one.
func right(f Field, g *Label, a *Answer) bool {
	want, got := g.Values[f], a[f]
	switch f {
	case Season:
		return same(want, got)
	case Episode:
		return same(want, got) || len(g.EpisodeOr) > 0 && same(g.EpisodeOr, got)
	case Title:
		want = folded(want)
	case Group:
		want, got = folded(want), folded(got)
	}
	for _, w := range want {
		if slices.Contains(got, w) {
			return true
		}
	}
	return false
}

func same(a, b []string) bool {
	a, b = slices.Clone(a), slices.Clone(b)
	slices.Sort(a)
	slices.Sort(b)
	return slices.Equal(slices.Compact(a), slices.Compact(b))
}

func brief(list []string) string {
	if len(list) == 0 {
		return "-"
	}
	if len(list) > 8 {
		list = append(slices.Clone(list[:8]), "…")
	}
	return strings.Join(list, ",")
}

func share(ok, n int) float64 {
	if n == 0 {
		return 0
	}
	return 100 * float64(ok) / float64(n)
}

func (s *Score) String() string {
	var b strings.Builder
	fmt.Fprintf(&b, "%s: %d names", s.Name, s.Names)
	for f, c := range s.Fields {
		if c.Labelled > 0 && c.Said > 0 {
			fmt.Fprintf(&b, "; %s %.1f (%.1f)", fieldNames[f], share(c.Right, c.Labelled), share(c.Right, c.Said))
		}
	}
	if s.KeyNames > 0 {
		fmt.Fprintf(&b, "; KEY %.1f of %d", share(s.KeyRight, s.KeyNames), s.KeyNames)
	}
	return b.String()
}

// Worst lists n misses: those against KEY first, and of these those with most fields wrong.
func (s *Score) Worst(n int) []Miss {
	list := slices.Clone(s.Misses)
	slices.SortStableFunc(list, func(a, b Miss) int {
		if a.Key != b.Key {
			if a.Key {
				return -1
			}
			return 1
		}
		return len(b.Fields) - len(a.Fields)
	})
	return list[:min(n, len(list))]
}
