package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"maps"
	"slices"
	"strings"
	"time"

	"github.com/boontorrent/boon/imports"
	"github.com/boontorrent/boon/internal/lake"
)

type importCommand struct {
	Boonlog  importBoonlogCommand  `cmd:"" help:"Import logs of 2018, versions 3 and 4."`
	Torrents importTorrentsCommand `cmd:"" help:"Import .torrent files as resolved torrents."`
}

// importFlags are those of every import.
type importFlags struct {
	lakeFlag
	Paths     []string `arg:"" name:"path" help:"Files, and folders with all that lies below."`
	Time      string   `help:"Time of what has none of its own, as 2018-04-30T17:59:50Z." placeholder:"TIME"`
	Collector string   `help:"Collector that the events are put down to." placeholder:"NAME"`
}

type importBoonlogCommand struct {
	importFlags
}

// Help is shown by boon import boonlog --help.
func (importBoonlogCommand) Help() string {
	return `Logs are JSON objects, one a line or run together, plain, .gz or .zst.
Version 4 has a time in every record. Version 3 has none: it is taken from the
file's name (boonlog-firehose-1-2018-04-30-17-59-50-...), or else from --time.
Importing a log twice adds nothing.

Examples:
  boon import boonlog logs/2018/ --lake ./lake
  boon import boonlog sample.ndjson --time 2018-04-30T17:59:50Z

What cannot be converted is counted by reason and kept in the lake, below
quarantine/import/. The exit code is then 3.`
}

// Run imports.
func (cmd *importBoonlogCommand) Run(ctx context.Context, c console) error {
	return cmd.importWith(ctx, c, imports.Boonlog)
}

type importTorrentsCommand struct {
	importFlags
}

// Help is shown by boon import torrents --help.
func (importTorrentsCommand) Help() string {
	return `Each file becomes a resolve event, dated --time, or else when the file was last
changed. In folders, files named .torrent are read. Importing a file twice adds nothing.

Examples:
  boon import torrents ~/torrents --lake ./lake
  boon import torrents film.torrent --time 2026-11-22T12:00:00Z

Malformed files are listed with a reason and kept in the lake, below
quarantine/import/. The exit code is then 3.`
}

// Run imports.
func (cmd *importTorrentsCommand) Run(ctx context.Context, c console) error {
	return cmd.importWith(ctx, c, imports.Torrents)
}

type importer func(context.Context, lake.Store, []string, imports.Options) (imports.Report, error)

func (f *importFlags) importWith(ctx context.Context, c console, do importer) error {
	// Without the version: an import done again by a newer program adds nothing either.
	opt := imports.Options{Collector: f.Collector, Software: "boon"}
	if f.Time != "" {
		t, err := time.Parse(time.RFC3339, f.Time)
		if err != nil {
			return usageError{fmt.Errorf("--time %q is not a time; write it as 2018-04-30T17:59:50Z", f.Time)}
		}
		opt.Time = t
	}
	store, err := lake.Open(f.Lake)
	if err != nil {
		return err
	}
	line := &progressLine{out: c.err, last: time.Now(), terminal: isTerminal(c.err)}
	opt.Progress = line.show
	rep, err := do(ctx, store, f.Paths, opt)
	line.clear()
	printImport(c, store, &rep)
	switch {
	case err != nil:
		return err
	case rep.Whole():
		return nil
	case rep.Events() == 0:
		return errors.New("nothing was imported; the reasons are above")
	}
	return partly{fmt.Errorf("%s records rejected, %d files damaged or unreadable", thousands(rep.RejectedTotal()), rep.Damaged)}
}

// maxProblemLines bounds the lines about single files.
const maxProblemLines = 50

func printImport(c console, store lake.Store, rep *imports.Report) {
	for i, p := range rep.Problems {
		if i == maxProblemLines {
			fmt.Fprintf(c.err, "… and %s more\n", thousands(int64(len(rep.Problems)-i)))
			break
		}
		fmt.Fprintf(c.err, "%s: %s\n", safeText(p.Path), safeText(p.What))
	}
	for i, n := range rep.Notes {
		if i == maxProblemLines {
			break
		}
		fmt.Fprintf(c.err, "%s: %s\n", safeText(n.Path), safeText(n.What))
	}
	if rep.Inputs == 0 {
		return
	}
	fmt.Fprintf(c.out, "read      %s records of %s files\n", thousands(rep.Read), thousands(int64(rep.Inputs)))
	fmt.Fprintf(c.out, "imported  %s%s\n", thousands(rep.Events()), listed(rep.Imported))
	fmt.Fprintf(c.out, "rejected  %s%s\n", thousands(rep.RejectedTotal()), listed(rep.Rejected))
	if rep.Repeated > 0 {
		fmt.Fprintf(c.out, "left out  %s files with the content of another\n", thousands(int64(rep.Repeated)))
	}
	if rep.Ignored > 0 {
		fmt.Fprintf(c.out, "ignored   %s links, hidden files and files of other kinds\n", thousands(int64(rep.Ignored)))
	}
	fmt.Fprintf(c.out, "segments  %s written, %s in the lake already (%s)\n", thousands(int64(rep.Segments)), thousands(int64(rep.Present)), safeText(store.URL()))
	for i, key := range rep.Quarantine {
		if i == maxProblemLines {
			fmt.Fprintf(c.out, "          … and %s more\n", thousands(int64(len(rep.Quarantine)-i)))
			break
		}
		fmt.Fprintf(c.out, "rejects   %s\n", key)
	}
}

// listed names counts, largest first: ": 3 get_peers, 1 resolve".
func listed(counts map[string]int64) string {
	names := slices.SortedFunc(maps.Keys(counts), func(a, b string) int {
		if counts[a] != counts[b] {
			return int(max(-1, min(1, counts[b]-counts[a])))
		}
		return strings.Compare(a, b)
	})
	for i, name := range names {
		names[i] = thousands(counts[name]) + " " + name
	}
	if len(names) == 0 {
		return ""
	}
	return ": " + strings.Join(names, ", ")
}

// progressLine shows how far an import is: on a terminal one line that is
// rewritten, elsewhere a line now and then.
type progressLine struct {
	out      io.Writer
	last     time.Time
	terminal bool
	shown    bool
}

func (l *progressLine) show(p imports.Progress) {
	every := 10 * time.Second
	if l.terminal {
		every = 100 * time.Millisecond
	}
	if now := time.Now(); now.Sub(l.last) >= every {
		l.last = now
		text := fmt.Sprintf("file %s of %s, %s records", thousands(int64(p.Done+1)), thousands(int64(p.Inputs)), thousands(p.Read))
		if l.terminal {
			fmt.Fprintf(l.out, "\r\x1b[K%s", text)
			l.shown = true
		} else {
			fmt.Fprintf(l.out, "%s: %s\n", safeText(p.Input), text)
		}
	}
}

func (l *progressLine) clear() {
	if l.shown {
		fmt.Fprint(l.out, "\r\x1b[K")
	}
}
