//go:build cgo && !noduck

package main

import (
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
)

// checkUnresolved: of two torrents announced once each, one is resolved, and why
// the other is not is told; the resolver's sums close, and its measures are there.
func checkUnresolved(t *testing.T, c *terminal, lakeDir string) {
	t.Helper()
	got := c.run(t, t.Context(), "query", "unresolved", "--lake", lakeDir, "--format", "csv")
	// How many ask depends on whether the resolver's own lookup came by the collector.
	want := regexp.MustCompile(`^state,infohashes,infohash_share,requesters,demand_share,failed_tries\nresolved,1,0.5,[12],0.[0-9]+,0\nrefused,1,0.5,[12],0.[0-9]+,1\n$`)
	if !want.MatchString(got) {
		t.Errorf("unresolved:\n%s", got)
	}
	sql := filepath.Join(t.TempDir(), "measures.sql")
	if err := os.WriteFile(sql, []byte("SELECT type, max(value) AS value FROM uptime WHERE value IS NOT NULL AND collector = 'one-resolver' GROUP BY type ORDER BY type"), 0o600); err != nil {
		t.Fatal(err)
	}
	got = c.run(t, t.Context(), "query", sql, "--lake", lakeDir, "--format", "csv")
	if !regexp.MustCompile(`(?s)^type,value\ndemand_heard,[2-4]\ndemand_resolved,[12]\ndue,0\nin_flight,0\noldest_due_seconds,0\nwanted,1\n$`).MatchString(got) {
		t.Errorf("what the resolver measured:\n%s", got)
	}
	got = c.run(t, t.Context(), "query", "uptime", "--lake", lakeDir, "--format", "csv")
	if !strings.Contains(got, ",one-resolver,") {
		t.Errorf("uptime has no resolver:\n%s", got)
	}
	for _, line := range strings.Split(got, "\n") {
		if f := strings.Split(line, ","); len(f) > 11 && f[1] == "one-resolver" && (f[8] != "0" || f[9] != f[10] || f[11] != "0") {
			t.Errorf("the sums of a resolver do not close: %s", line)
		}
	}
}
