package main

import (
	"testing"

	"github.com/boontorrent/boon/resolve"
)

// TestListVerdict: a list is done in part where some of it failed, whatever became of
// what samples named besides.
func TestListVerdict(t *testing.T) {
	one := map[string]int64{"no_peers": 1}
	for want, sum := range map[string]*resolve.Summary{
		"": {Failed: one},
		"1 failed (no_peers 1), 0 lines of the list were no info-hashes": {Failed: one, Unmet: one},
		"0 failed, 2 lines of the list were no info-hashes":              {BadLines: 2},
	} {
		got := ""
		if err := (resolveCommand{}).verdict(sum, true); err != nil {
			got = err.Error()
		}
		if got != want {
			t.Errorf("%q, want %q", got, want)
		}
	}
}
