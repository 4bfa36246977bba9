package main

import (
	"context"
	"errors"

	"github.com/boontorrent/boon/etl/release"
)

type nameCmd struct {
	Names []string `arg:"" optional:"" hidden:""`
}

// Help shows an example.
func (nameCmd) Help() string {
	return `One JSON object a line, in the order of the names; fields that the name does not hold are left out.

Example:
  echo 'Some.Film.2019.1080p.BluRay.x264-GRP' | boon name`
}

// Run implements the verb.
func (cmd nameCmd) Run(ctx context.Context, c console) error {
	if len(cmd.Names) > 0 {
		return usageError{errors.New("names come on standard input, one a line: echo 'NAME' | boon name")}
	}
	return release.Stream(ctx, c.in, c.out)
}
