package main

import (
	"context"
	"fmt"
	"time"

	"github.com/boontorrent/boon/etl"
	"github.com/boontorrent/boon/internal/lake"
)

type gcCommand struct {
	lakeFlag
	KeepRaw   int    `help:"Days for which raw logs are kept." default:"30" placeholder:"DAYS"`
	Keys      string `help:"Folder or URL of the pseudonym keys instead of the lake's." placeholder:"LAKE"`
	EndedKeys bool   `help:"Also delete the pseudonym keys of epochs whose raw logs are gone. This cannot be undone."`
	DryRun    bool   `help:"Only say what would be deleted."`
}

// Help shows an example.
func (gcCommand) Help() string {
	return `Deletes raw logs older than 30 days, whose addresses end with them, but only of days whose
tables hold every segment and pass the checks of boon verify; rejected lines of that age;
parts of tables that no manifest names any more, unless a boon etl is at work; files that
killed programs left half written; and what shards left for a commit that did not come
within a week.

Examples:
  boon gc --lake /var/lib/boon --dry-run
  boon gc --lake /var/lib/boon --keep-raw 30 --ended-keys`
}

// Run implements the verb.
func (cmd gcCommand) Run(ctx context.Context, c console) error {
	store, err := lake.Open(cmd.Lake)
	if err != nil {
		return err
	}
	if cmd.KeepRaw < 1 {
		return usageError{fmt.Errorf("--keep-raw %d: raw logs must be kept for a day at least", cmd.KeepRaw)}
	}
	opts := etl.GCOptions{
		Today: lake.DayOf(time.Now().UnixMicro()), KeepRaw: cmd.KeepRaw, EndedKeys: cmd.EndedKeys, DryRun: cmd.DryRun, Holder: holder(), Now: time.Now,
	}
	if cmd.Keys != "" {
		if opts.Keys, err = lake.Open(cmd.Keys); err != nil {
			return err
		}
	}
	bar := newBar(c.err)
	opts.Progress = func(p etl.Progress) { bar.show(p.Day.String()+" "+p.Stage, p.Done, p.Total) }
	opts.Waiting = bar.waiting
	got, err := etl.Collect(ctx, store, opts)
	bar.clear()
	if got != nil {
		what := "deleted"
		if cmd.DryRun {
			what = "would delete"
			for _, key := range got.Deleted {
				fmt.Fprintln(c.out, key)
			}
		}
		for _, k := range got.Kept {
			fmt.Fprintf(c.err, "kept %s\n", k)
		}
		if got.Busy {
			fmt.Fprintln(c.err, "a boon etl is at work: parts that no manifest names stay until the next boon gc")
		}
		fmt.Fprintf(c.out, "%s %d objects, %d bytes\n", what, len(got.Deleted), got.Bytes)
	}
	if err == nil && got != nil && len(got.Kept) > 0 {
		return partly{fmt.Errorf("raw logs of %d days are old but were kept", len(got.Kept))}
	}
	return err
}
