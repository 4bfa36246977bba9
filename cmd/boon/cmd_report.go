//go:build cgo && !noduck

package main

import (
	"cmp"
	"context"
	"fmt"
	"os"
	"strings"

	"github.com/boontorrent/boon/internal/lake"
	site "github.com/boontorrent/boon/report"
	"github.com/boontorrent/boon/resolve"
)

type reportCommand struct {
	duckFlags
	Out     string `help:"Folder of the site; a site that stands there is replaced as a whole." required:"" type:"path" placeholder:"DIR"`
	K       int    `help:"Show a row only where so many distinct networks asked." default:"20" placeholder:"N"`
	Exclude string `help:"File of info-hashes and words of titles, one a line, that the site must not name, as boon resolve takes; a line that begins with # is a comment." type:"existingfile" placeholder:"FILE"`
	Keys    string `help:"Folder or URL of the pseudonym keys instead of the lake's: the site is searched for them, and does not name a torrent that is called by the address of somebody who was heard." placeholder:"LAKE"`
	Magnets bool   `help:"Give the pages of torrents magnet links."`
}

// reportMemory is what DuckDB may take unless told otherwise. With its own default, most of
// the machine's, a build is no faster.
const reportMemory = "600MB"

// Help is shown by boon report --help.
func (reportCommand) Help() string {
	return `Examples:
  boon report --out site && boon serve --site site
  boon report --lake /var/lib/boon --out /var/www/boon --k 50
  boon report --out site --exclude takedowns.txt

DuckDB takes 600MB, unless --memory says otherwise, which an ordinary day of ten million
queries needs; the build takes half a gigabyte more for each million torrents. The same
lake gives the same bytes. What stands in the site already and has not changed is
taken over, so that a new day costs little. Any web server can hand the folder out.`
}

// Run builds the site.
func (cmd *reportCommand) Run(ctx context.Context, c console) error {
	if cmd.K < 1 {
		return usageError{fmt.Errorf("--k %d: at least one network must stand for a row", cmd.K)}
	}
	exclude, err := readExclusions(cmd.Exclude)
	if err != nil {
		return err
	}
	if cmd.Keys == "" {
		cmd.Keys = cmd.Lake
	}
	keys, err := lake.Open(cmd.Keys)
	if err != nil {
		return err
	}
	cmd.Memory = cmp.Or(cmd.Memory, reportMemory)
	db, err := cmd.open(ctx, c)
	if err != nil {
		return err
	}
	defer db.Close()
	noteEmpty(c, db.Catalog, cmd.Lake)
	stop := sayWaiting(ctx, c.err, "report")
	s, err := site.Build(ctx, db, site.Options{Out: cmd.Out, K: cmd.K, Exclude: exclude, Keys: keys, Magnets: cmd.Magnets})
	stop()
	if err != nil {
		return err
	}
	_, err = fmt.Fprintf(c.out, "%s: %d files, %s, data of %s\n", cmd.Out, s.Files, site.Bytes(s.Bytes), period(s.First, s.Last))
	return err
}

// readExclusions reads a file of titles and of info-hashes, in any form that boon
// resolve takes; it returns those in hex. None without a file. A line that was meant
// to be an info-hash and is none is an error, as it is there.
func readExclusions(path string) (lines []string, err error) {
	if path == "" {
		return nil, nil
	}
	text, err := os.ReadFile(path)
	if err != nil {
		return nil, err
	}
	n := 0
	for line := range strings.Lines(strings.TrimPrefix(string(text), "\ufeff")) {
		n++
		hashes, title, err := resolve.ParseExclusion(line)
		if err != nil {
			return nil, usageError{fmt.Errorf("--exclude %s, line %d: %w", path, n, err)}
		}
		for _, h := range hashes {
			lines = append(lines, h.String())
		}
		if title != "" {
			lines = append(lines, title)
		}
	}
	return lines, nil
}

func period(first, last string) string {
	switch first {
	case "":
		return "no day yet"
	case last:
		return first
	}
	return first + " to " + last
}
