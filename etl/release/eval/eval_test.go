package main

import (
	"bytes"
	"context"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// TestNames holds what the parser has reached on the labelled names: those here, and the NDJSON files in the folder
// $BOON_NAMES where it is set.
func TestNames(t *testing.T) {
	files, err := filepath.Glob(filepath.Join("testdata", "*.txt"))
	if err != nil || len(files) == 0 {
		t.Fatal("no labelled names", err)
	}
	if dir := os.Getenv("BOON_NAMES"); dir != "" {
		more, err := filepath.Glob(filepath.Join(dir, "*.ndjson"))
		if err != nil || len(more) == 0 {
			t.Fatalf("BOON_NAMES=%s holds no labelled names: %v", dir, err)
		}
		files = append(files, more...)
	}
	var sum Score
	for _, file := range files {
		gold, err := ReadLabels(file)
		if err != nil {
			t.Fatal(err)
		}
		answers, err := answer(context.Background(), gold, nil)
		if err != nil {
			t.Fatal(err)
		}
		s := ScoreOf(gold, answers)
		s.Name = filepath.Base(file)
		t.Log(s)
		if key := share(s.KeyRight, s.KeyNames); key < 90 {
			t.Errorf("%s: KEY %.1f, want at least 90", s.Name, key)
		}
		for f, c := range s.Fields {
			sum.Fields[f].Labelled += c.Labelled
			sum.Fields[f].Right += c.Right
		}
	}
	for f, least := range map[Field]float64{Title: 94, Season: 95, Episode: 95, Resolution: 99, Source: 90, Group: 85} {
		if got := share(sum.Fields[f].Right, sum.Fields[f].Labelled); got < least {
			t.Errorf("%s: %.1f, want at least %.0f", fieldNames[f], got, least)
		}
	}
}

// TestScore works the figures out by hand: of four names one has a wrong episode, one a year that is not there.
func TestScore(t *testing.T) {
	var gold []Label
	for _, line := range []string{
		"A Film 2001 720p => title=A Film; year=2001; resolution=720; type=movie",
		"A Show S01E02-03 => title=A Show|Show; seasons=1; episodes=2-3; type=tv",
		"B Show S01E02 => title=B Show; seasons=1; episodes=2; type=tv",
		"B Film => title=B Film; type=movie",
	} {
		l, err := parseText(line)
		if err != nil {
			t.Fatal(err)
		}
		gold = append(gold, l)
	}
	answers := make([]Answer, len(gold))
	for i, line := range []string{
		`{"title":"a film","year":2001,"resolution":720}`, `{"title":"SHOW","seasons":[1],"episodes":[3,2]}`,
		`{"title":"B Show","seasons":[1],"episodes":[3]}`, `{"title":"B Film","year":1999,"source":null}`,
	} {
		var err error
		if answers[i], err = parseAnswer([]byte(line)); err != nil {
			t.Fatal(err)
		}
	}
	s := ScoreOf(gold, answers)
	s.Name = "names"
	want := "names: 4 names; title 100.0 (100.0); year 100.0 (50.0); season 100.0 (100.0); episode 50.0 (50.0); resolution 100.0 (100.0); KEY 50.0 of 4"
	if s.String() != want {
		t.Errorf("got  %s\nwant %s", s, want)
	}
	if worst := s.Worst(1); len(worst) != 1 || worst[0].Name != "B Show S01E02" {
		t.Errorf("worst %v", worst)
	}
}

// TestCommand holds that another parser is asked through its standard input and answers a line a name.
func TestCommand(t *testing.T) {
	file := filepath.Join(t.TempDir(), "gold.ndjson")
	line := `{"name":"x","type":"movie","title":["x","y"],"year":null,"season":[],"episode":[],"codec":["h264"]}` + "\n"
	if err := os.WriteFile(file, []byte(line), 0o600); err != nil {
		t.Fatal(err)
	}
	var out bytes.Buffer
	if err := run(context.Background(), []string{file, "--", "sed", `s/.*/{"title":"y","video_codec":"h264"}/`}, &out); err != nil {
		t.Fatal(err)
	}
	if got := out.String(); !strings.Contains(got, "title 100.0") || !strings.Contains(got, "KEY 100.0 of 1") {
		t.Error(got)
	}
	if err := run(context.Background(), []string{file, "--", "true"}, &out); err == nil {
		t.Error("no answer for a name, and no error")
	}
	if err := run(context.Background(), nil, &out); err == nil {
		t.Error("no file, and no error")
	}
}
