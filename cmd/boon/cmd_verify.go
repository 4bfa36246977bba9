package main

import (
	"context"
	"fmt"

	"github.com/boontorrent/boon/etl"
	"github.com/boontorrent/boon/internal/lake"
)

type verifyCmd struct{ lakeFlag }

// Help shows an example.
func (verifyCmd) Help() string {
	return `Reads every part of every table and holds it against its manifest: bytes, SHA-256, rows, columns;
checks that the sums close (read = loaded + duplicate + rejected) and that a day's tables were made together.
Exit code 1 when something is wrong.

Example:
  boon verify --lake /var/lib/boon`
}

// Run implements the verb.
func (c verifyCmd) Run(ctx context.Context, con console) error {
	store, err := lake.Open(c.Lake)
	if err != nil {
		return err
	}
	bar := newBar(con.err)
	v, err := etl.Verify(ctx, store, func(p etl.Progress) { bar.show(p.Day.String()+" "+p.Stage, p.Done, p.Total) })
	bar.clear()
	if err != nil {
		return err
	}
	for _, n := range v.Notes {
		fmt.Fprintf(con.err, "note: %s\n", n)
	}
	for _, p := range v.Problems {
		fmt.Fprintln(con.out, p)
	}
	if len(v.Problems) > 0 {
		return fmt.Errorf("%d problems in the tables of %s", len(v.Problems), c.Lake)
	}
	if v.Partitions == 0 {
		fmt.Fprintf(con.out, "%s has no tables yet; boon etl makes them\n", c.Lake)
		return nil
	}
	fmt.Fprintf(con.out, "all is as the manifests say: %d partitions, %d parts, %d rows, %d bytes\n", v.Partitions, v.Parts, v.Rows, v.Bytes)
	return nil
}
