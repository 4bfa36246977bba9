package main

import (
	"context"

	"github.com/boontorrent/boon/etl/release"
)

type nameCmd struct{}

// Help shows an example.
func (nameCmd) Help() string {
	return `One JSON object a line, in the order of the names; fields that the name does not hold are left out.

Example:
  echo 'Some.Film.2019.1080p.BluRay.x264-GRP' | boon name`
}

// Run implements the verb.
func (nameCmd) Run(ctx context.Context, c console) error {
	return release.Stream(ctx, c.in, c.out)
}
