package main

import (
	"context"
	"errors"
	"fmt"
	"net"
	"os"

	"github.com/boontorrent/boon/internal/lake"
	site "github.com/boontorrent/boon/report"
)

type serveCommand struct {
	lakeFlag
	Site string `help:"Folder of the site, as boon report built it." required:"" type:"path" placeholder:"DIR"`
	Addr string `help:"Address and port to listen on." default:"127.0.0.1:8080" placeholder:"HOST:PORT"`
}

// Help is shown by boon serve --help.
func (serveCommand) Help() string {
	return `Examples:
  boon serve --site site
  boon serve --site /var/www/boon --lake /var/lib/boon --addr :8080

The lake is only asked for its live files. Ctrl-C stops it; requests are not logged.`
}

// Run serves until it is interrupted.
func (cmd *serveCommand) Run(ctx context.Context, c console) error {
	st, err := os.Stat(cmd.Site)
	if err != nil {
		return fmt.Errorf("serve %s: %w; build the site with boon report --out %s", cmd.Site, errors.Unwrap(err), cmd.Site)
	}
	if !st.IsDir() {
		return usageError{fmt.Errorf("serve %s: it is no folder", cmd.Site)}
	}
	if !site.IsSite(cmd.Site) { // a lake, say, whose raw logs hold addresses
		return usageError{fmt.Errorf("serve %s: it is not a site (it has no .boon-site, which boon report writes); build one with boon report --out DIR", cmd.Site)}
	}
	live, err := lake.Open(cmd.Lake)
	if err != nil {
		return err
	}
	l, err := new(net.ListenConfig).Listen(ctx, "tcp", cmd.Addr)
	if err != nil {
		return fmt.Errorf("serve %s: %w; choose another address with --addr", cmd.Site, err)
	}
	fmt.Fprintf(c.err, "boon: serving %s at http://%s/\n", cmd.Site, l.Addr())
	return site.Serve(ctx, l, site.Handler(cmd.Site, live))
}
