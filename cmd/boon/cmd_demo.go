package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"time"
)

type demoCommand struct {
	Dir    string `help:"Folder for the lake and the site; what an earlier demo left there is removed." default:"./demo" placeholder:"DIR"`
	Events int    `help:"How many queries to make up." default:"300000" placeholder:"N"`
	Seed   uint64 `help:"The swarm follows from this number." default:"1" placeholder:"N"`
}

// Help shows an example.
func (demoCommand) Help() string {
	return `Makes up a day of DHT traffic, turns it into tables, asks for the ten torrents most
wanted and builds the site: the whole way from raw logs to pages, on this machine
and without the network.

Example:
  boon demo --dir ./demo`
}

// demoMark tells that a folder is a demo's, and may be removed by the next.
const demoMark = "made-by-boon-demo"

// Run implements the verb: it runs other verbs, and says which.
func (d demoCommand) Run(ctx context.Context, c console) error {
	lakeDir, site := filepath.Join(d.Dir, "lake"), filepath.Join(d.Dir, "site")
	if err := d.clean(lakeDir, site); err != nil {
		return err
	}
	for _, step := range []struct {
		what string
		args []string
	}{
		{"a synthetic day", []string{"synth", "--lake", lakeDir, "--events", strconv.Itoa(d.Events), "--seed", strconv.FormatUint(d.Seed, 10)}},
		{"raw logs to tables", []string{"etl", "--lake", lakeDir}},
		{"what is in them", []string{"query", "totals", "--lake", lakeDir}},
		{"the ten torrents most wanted", []string{"query", "rankings", "--param", "top=10", "--lake", lakeDir}},
		{"the site", []string{"report", "--lake", lakeDir, "--out", site}},
	} {
		began := time.Now()
		fmt.Fprintf(c.out, "\n== %s: boon %s\n", step.what, strings.Join(step.args, " "))
		if code := run(ctx, step.args, c); code != exitDone {
			if ctx.Err() != nil {
				return ctx.Err()
			}
			return fmt.Errorf("boon %s ended with code %d", step.args[0], code)
		}
		fmt.Fprintf(c.err, "   (%.1f s)\n", time.Since(began).Seconds())
	}
	fmt.Fprintf(c.out, "\nThe site is in %s. To look at it:\n  boon serve --lake %s --site %s\nTo ask more:\n  boon query --list\n  boon query countries_top --lake %s\n",
		site, lakeDir, site, lakeDir)
	return nil
}

// clean removes an earlier demo, and nothing else.
func (d demoCommand) clean(dirs ...string) error {
	mark := filepath.Join(d.Dir, demoMark)
	if _, err := os.Stat(mark); err == nil {
		for _, dir := range dirs {
			if err := os.RemoveAll(dir); err != nil {
				return err
			}
		}
	}
	for _, dir := range dirs {
		if _, err := os.Stat(dir); err == nil {
			return usageError{fmt.Errorf("%s exists and no demo made it; name another folder with --dir", dir)}
		} else if !errors.Is(err, os.ErrNotExist) {
			return err
		}
	}
	if err := os.MkdirAll(d.Dir, 0o755); err != nil {
		return err
	}
	return os.WriteFile(mark, nil, 0o644)
}
