package main

import (
	"bufio"
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
)

// Field is one of the fields that are scored.
type Field int

// The fields, in the order of the report.
const (
	Title Field = iota
	Year
	Season
	Episode
	Resolution
	Source
	Codec
	Group
	numFields
)

var fieldNames = [numFields]string{"title", "year", "season", "episode", "resolution", "source", "codec", "group"}

// Label is what a reader says of one name. Values[f] is nil where field f was not looked at, and empty where the name does
// not hold it.
type Label struct {
	Name      string
	Set       string
	Type      string
	Values    [numFields][]string
	EpisodeOr []string // episodes that are as right: of a pack that tells its total
}

// ReadLabels reads a labelled file of either form.
func ReadLabels(path string) ([]Label, error) {
	f, err := os.Open(path)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	parse := parseText
	if filepath.Ext(path) == ".ndjson" {
		parse = parseJSON
	}
	var labels []Label
	s := bufio.NewScanner(f)
	s.Buffer(nil, 1<<20)
	for n := 1; s.Scan(); n++ {
		if s.Text() == "" || s.Text()[0] == '#' {
			continue
		}
		l, err := parse(s.Text())
		if err != nil {
			return nil, fmt.Errorf("%s, line %d: %w", path, n, err)
		}
		labels = append(labels, l)
	}
	return labels, s.Err()
}

var textKeys = [numFields]string{"title", "year", "seasons", "episodes", "resolution", "source", "video_codec", "release_group"}

func parseText(line string) (Label, error) {
	name, rest, ok := strings.Cut(line, " => ")
	if !ok {
		return Label{}, fmt.Errorf("no => in %q", line)
	}
	l := Label{Name: name}
	for f := range l.Values {
		l.Values[f] = []string{}
	}
	for pair := range strings.SplitSeq(rest, "; ") {
		key, value, _ := strings.Cut(pair, "=")
		if f := slices.Index(textKeys[:], key); f >= 0 && value == "?" { // a reader could say either
			l.Values[f] = nil
			continue
		}
		var err error
		switch key {
		case "title":
			l.Values[Title] = strings.Split(value, "|")
		case "year":
			l.Values[Year] = []string{value}
		case "seasons":
			l.Values[Season], err = numbers(value)
		case "episodes":
			l.Values[Episode], err = numbers(value)
		case "resolution":
			l.Values[Resolution] = strings.Split(value, ",")
		case "source":
			l.Values[Source] = strings.Split(value, ",")
		case "video_codec":
			l.Values[Codec] = []string{value}
		case "release_group":
			l.Values[Group] = strings.Split(value, "|")
		case "type":
			l.Type = value
		default:
			err = fmt.Errorf("no field is called %q", key)
		}
		if err != nil {
			return Label{}, fmt.Errorf("%s: %w", name, err)
		}
	}
	return l, nil
}

// numbers reads 1,2,5-8.
func numbers(s string) ([]string, error) {
	var list []string
	for part := range strings.SplitSeq(s, ",") {
		from, to, isRange := strings.Cut(part, "-")
		if !isRange {
			to = from
		}
		a, err := strconv.Atoi(from)
		if err != nil {
			return nil, err
		}
		b, err := strconv.Atoi(to)
		if err != nil {
			return nil, err
		}
		for n := a; n <= b; n++ {
			list = append(list, strconv.Itoa(n))
		}
	}
	return list, nil
}

var goldKeys = [numFields]string{"title", "year", "season", "episode", "resolution", "source", "codec", "group"}

func parseJSON(line string) (Label, error) {
	var row map[string]any
	if err := json.Unmarshal([]byte(line), &row); err != nil {
		return Label{}, err
	}
	l := Label{EpisodeOr: many(row["episode_or"])}
	l.Name, _ = row["name"].(string)
	l.Name = strings.ReplaceAll(l.Name, "\n", " ")
	l.Set, _ = row["set"].(string)
	l.Type, _ = row["type"].(string)
	for f, key := range goldKeys {
		if v, ok := row[key]; ok {
			l.Values[f] = append([]string{}, many(v)...)
		}
	}
	return l, nil
}

// many writes a JSON value as a list.
func many(v any) []string {
	switch v := v.(type) {
	case nil:
		return nil
	case []any:
		var list []string
		for _, e := range v {
			list = append(list, many(e)...)
		}
		return list
	case float64:
		return []string{strconv.FormatFloat(v, 'f', -1, 64)}
	case string:
		if v == "" {
			return nil
		}
		return []string{v}
	default:
		return []string{fmt.Sprint(v)}
	}
}
