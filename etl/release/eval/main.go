// Command eval scores a parser of release names against names labelled by hand, field by field, and lists what it gets
// wrong. It is how make eval-names and bench/names measure; the figures of the README come from here.
//
//	eval [-worst N] [-row NAME] LABELLED… [-- COMMAND [ARG…]]
//
// Without a command the names are read by package release. With one, the command gets one name a line on its standard input
// and answers one JSON object a line, in the same order, with the fields that `boon name` has: title, alt_title, artist,
// year, seasons, episodes, resolution, source, video_codec, release_group.
//
// A labelled file is text (name => title=…; year=…; seasons=1,2; episodes=1-12; …; type=movie, where a title may have several
// spellings with a bar between them and what is not labelled is not in the name) or NDJSON (name, set, type, title, year,
// season, episode, episode_or, resolution, source, codec, group; what has no key is not labelled, null is not in the name).
//
// Per field it prints the share found right where the label has a value (recall) and the share right of all that was
// answered (precision). KEY is the share of videos whose title, seasons and episodes are all right, and of films the year.
package main

import (
	"context"
	"flag"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"slices"
)

func main() {
	if err := run(context.Background(), os.Args[1:], os.Stdout); err != nil {
		fmt.Fprintln(os.Stderr, "eval:", err)
		os.Exit(1)
	}
}

func run(ctx context.Context, args []string, out io.Writer) error {
	flags := flag.NewFlagSet("eval", flag.ContinueOnError)
	worst := flags.Int("worst", 0, "how many of the misses to list for each file")
	row := flags.String("row", "", "print one row of a Markdown table with this name in front")
	var command []string
	if i := slices.Index(args, "--"); i >= 0 {
		args, command = args[:i], args[i+1:]
	}
	if err := flags.Parse(args); err != nil {
		return err
	}
	if flags.NArg() == 0 {
		return fmt.Errorf("no labelled file given")
	}
	var all []*Score
	for _, path := range flags.Args() {
		gold, err := ReadLabels(path)
		if err != nil {
			return err
		}
		answers, err := answer(ctx, gold, command)
		if err != nil {
			return fmt.Errorf("%s: %w", path, err)
		}
		s := ScoreOf(gold, answers)
		s.Name = filepath.Base(path)
		all = append(all, s)
	}
	if *row != "" {
		return printRow(out, *row, all)
	}
	return report(out, all, *worst)
}

// report prints the scores and the worst misses: those with most fields wrong first.
func report(out io.Writer, all []*Score, worst int) error {
	for _, s := range all {
		if _, err := fmt.Fprintln(out, s); err != nil {
			return err
		}
		for _, m := range s.Worst(worst) {
			if _, err := fmt.Fprintln(out, m); err != nil {
				return err
			}
		}
	}
	if len(all) > 1 {
		ok, n := total(all)
		_, err := fmt.Fprintf(out, "KEY over all: %.1f of %d\n", share(ok, n), n)
		return err
	}
	return nil
}

func total(all []*Score) (ok, n int) {
	for _, s := range all {
		ok, n = ok+s.KeyRight, n+s.KeyNames
	}
	return ok, n
}

// printRow prints KEY of each file, then over all files titles, seasons with episodes, resolution, source, codec, group.
func printRow(out io.Writer, name string, all []*Score) error {
	cells := "| " + name
	var sum Score
	for _, s := range all {
		cells += fmt.Sprintf(" | %.1f", share(s.KeyRight, s.KeyNames))
		for f := range numFields {
			sum.Fields[f].Labelled += s.Fields[f].Labelled
			sum.Fields[f].Right += s.Fields[f].Right
		}
	}
	for _, f := range [...]Field{Title, Year, Season, Episode, Resolution, Source, Codec, Group} {
		cells += fmt.Sprintf(" | %.1f", share(sum.Fields[f].Right, sum.Fields[f].Labelled))
	}
	_, err := fmt.Fprintln(out, cells+" |")
	return err
}
