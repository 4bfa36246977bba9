//go:build cgo && !noduck

package main

import (
	"context"
	"fmt"

	site "github.com/boontorrent/boon/report"
)

type reportCommand struct {
	duckFlags
	Out string `help:"Folder of the site; a site that stands there is replaced as a whole." required:"" type:"path" placeholder:"DIR"`
	K   int    `help:"Show a row only where so many distinct networks asked." default:"20" placeholder:"N"`
}

// Help is shown by boon report --help.
func (reportCommand) Help() string {
	return `Examples:
  boon report --out site && boon serve --site site
  boon report --lake /var/lib/boon --out /var/www/boon --k 50

The same lake gives the same bytes. Any web server can hand the folder out.`
}

// Run builds the site.
func (cmd *reportCommand) Run(ctx context.Context, c console) error {
	if cmd.K < 1 {
		return usageError{fmt.Errorf("--k %d: at least one network must stand for a row", cmd.K)}
	}
	db, err := cmd.open(ctx, c)
	if err != nil {
		return err
	}
	defer db.Close()
	noteEmpty(c, db.Catalog, cmd.Lake)
	stop := sayWaiting(ctx, c.err, "report")
	s, err := site.Build(ctx, db, site.Options{Out: cmd.Out, K: cmd.K})
	stop()
	if err != nil {
		return err
	}
	_, err = fmt.Fprintf(c.out, "%s: %d files, %s, data of %s\n", cmd.Out, s.Files, site.Bytes(s.Bytes), period(s.First, s.Last))
	return err
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
