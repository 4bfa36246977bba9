package main

import (
	"context"
	"fmt"

	"github.com/boontorrent/boon/internal/lake"
	"github.com/boontorrent/boon/internal/synth"
)

type synthCommand struct {
	lakeFlag
	Days     int      `help:"How many days." default:"1" placeholder:"N"`
	Events   int      `help:"How many queries, all days together. Resolves, failures and statistics come on top." default:"300000" placeholder:"N"`
	Torrents int      `help:"How many torrents there are; 0 is one for every fifteen events." default:"0" placeholder:"N"`
	Seed     uint64   `help:"The swarm follows from this number." default:"1" placeholder:"N"`
	Start    string   `help:"The first day." default:"2026-01-05" placeholder:"YYYY-MM-DD"`
	Epochs   []string `help:"Lengths of pseudonym epochs to write keys for: day, week, month, study." default:"week" enum:"day,week,month,study" placeholder:"EPOCH"`
}

// Help shows an example.
func (synthCommand) Help() string {
	return `Makes up a swarm and writes what two collectors would have heard of it, with the
place and network databases of its addresses and its pseudonym keys, into an
empty lake. What is true of it lies in synth/truth.json. The same flags give the
same bytes.

Examples:
  boon synth --lake ./try --days 1 --events 300000 --seed 1
  boon synth --lake ./big --days 7 --events 10000000 --torrents 1000000 --seed 7`
}

// Run implements the verb.
func (cmd synthCommand) Run(ctx context.Context, c console) error {
	start, err := lake.ParseDay(cmd.Start)
	if err != nil {
		return usageError{fmt.Errorf("--start: %w", err)}
	}
	cfg := synth.Config{
		Seed: cmd.Seed, Start: start, Days: cmd.Days, Events: cmd.Events, Torrents: cmd.Torrents, Epochs: cmd.Epochs, Software: "boon " + version,
	}
	if err := cfg.Check(); err != nil {
		return usageError{err}
	}
	store, err := lake.Open(cmd.Lake)
	if err != nil {
		return err
	}
	bar := newBar(c.err)
	cfg.Progress = func(events int) { bar.show("synth", int64(events), int64(cfg.Events)) }
	res, err := synth.Run(ctx, store, cfg)
	bar.clear()
	if err != nil {
		return err
	}
	fmt.Fprintf(c.out, "%d queries (%d records with resolves and statistics) of %d days from %s\n", res.Events, res.Records, cmd.Days, start)
	fmt.Fprintf(c.out, "%d segments written, %d were there already\n", res.Segments, res.Present)
	fmt.Fprintf(c.out, "the truth is %s in %s\n", synth.TruthKey, store.URL())
	return nil
}
