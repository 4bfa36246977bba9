//go:build cgo && !noduck

package main

import (
	"context"
	"fmt"

	"github.com/boontorrent/boon/internal/duck"
	"github.com/boontorrent/boon/internal/lake"
)

type connectCommand struct {
	lakeFlag
	Secret bool `help:"Print the credentials of a lake on S3, too: keep what is printed to yourself."`
}

// Help is shown by boon connect --help.
func (connectCommand) Help() string {
	return `The SQL makes the views that boon query uses: a view for each table, torrents, heard,
and the macros of the period and the map. It names the Parquet files that are there
now; print it again for newer days. Nothing of Boon is needed to run it. For a lake on
S3 it makes a secret, too, and says how to fill it in.

Examples:
  boon connect > init.sql
  duckdb -init init.sql
  duckdb -init init.sql -f rankings.sql
  python3 -c "import duckdb; db = duckdb.connect(); db.execute(open('init.sql').read()); print(db.sql('FROM demand LIMIT 5'))"`
}

// Run prints the SQL.
func (cmd *connectCommand) Run(ctx context.Context, c console) error {
	s, err := lake.Open(cmd.Lake)
	if err != nil {
		return err
	}
	catalog, err := duck.ReadCatalog(ctx, s)
	if err != nil {
		return err
	}
	if err := catalog.Remote(ctx, s, cmd.Secret); err != nil {
		return err
	}
	noteEmpty(c, catalog, cmd.Lake)
	script, err := catalog.Script()
	if err != nil {
		return err
	}
	_, err = fmt.Fprint(c.out, script)
	return err
}

// noteEmpty warns of a lake without tables, which is often a mistyped name.
func noteEmpty(c console, catalog *duck.Catalog, name string) {
	if catalog.Empty() {
		fmt.Fprintf(c.err, "boon: the lake %s has no tables yet; is the name right? boon etl makes them\n", name)
	}
}
