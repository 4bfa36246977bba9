package etl_test

import (
	"slices"
	"strings"
	"testing"

	"github.com/boontorrent/boon/etl"
	"github.com/boontorrent/boon/internal/lake"
	"github.com/boontorrent/boon/internal/pseudonym"
	"github.com/boontorrent/boon/internal/rawlog"
)

func keysOf(t *testing.T, s lake.Store, prefix string) []string {
	t.Helper()
	var keys []string
	for info, err := range s.List(t.Context(), prefix) {
		if err != nil {
			t.Fatal(err)
		}
		keys = append(keys, info.Key)
	}
	return keys
}

func TestCollect(t *testing.T) {
	store := write(t, swarm(13, 300), 3)
	run(t, store, options())
	put(t, store, lake.PartKey("queries", testDay, "0ddba11f", 0), []byte("left by a run that was killed"))
	put(t, store, "quarantine/day=2026-11-22/rejected.ndjson.zst", []byte("x"))
	before := len(keysOf(t, store, lake.TablesPrefix))
	collect := func(today lake.Day, change func(*etl.GCOptions)) *etl.Collected {
		t.Helper()
		opts := etl.GCOptions{Today: today, KeepRaw: 30}
		if change != nil {
			change(&opts)
		}
		got, err := etl.Collect(t.Context(), store, opts)
		if err != nil {
			t.Fatal(err)
		}
		return got
	}

	// Thirty days on, raw logs stay; the orphan goes.
	got := collect(testDay+30, nil)
	if len(keysOf(t, store, lake.RawPrefix)) != 3 || len(keysOf(t, store, lake.QuarantinePrefix)) != 1 {
		t.Errorf("raw logs of 30 days were deleted: %v", got.Deleted)
	}
	if len(keysOf(t, store, lake.TablesPrefix)) != before-1 || len(got.Deleted) != 1 {
		t.Errorf("deleted %v, want the orphaned part alone", got.Deleted)
	}

	// A segment that is not in the tables keeps its day.
	late := rawlog.NewLog(store, rawlog.Header{Collector: "late", Run: "r9"}, 0)
	ev := swarm(14, 1)[0]
	if err := late.Append(t.Context(), &ev); err != nil {
		t.Fatal(err)
	}
	if err := late.Close(t.Context()); err != nil {
		t.Fatal(err)
	}
	if got := collect(testDay+31, nil); len(got.Kept) != 1 || len(keysOf(t, store, lake.RawPrefix)) != 4 {
		t.Errorf("kept %v, %d segments are left", got.Kept, len(keysOf(t, store, lake.RawPrefix)))
	}
	run(t, store, options())

	// So do tables that are not what their manifests say.
	part := keysOf(t, store, "tables/demand/")[1]
	whole, _, err := lake.ReadAll(t.Context(), store, part, 1<<30)
	if err != nil {
		t.Fatal(err)
	}
	put(t, store, part, whole[:len(whole)-1])
	if got := collect(testDay+31, nil); len(got.Kept) != 1 || !strings.Contains(got.Kept[0], part) {
		t.Errorf("with a spoilt part: kept %v", got.Kept)
	}
	put(t, store, part, whole)

	// A dry run only tells; the real one deletes, and the tables stay.
	dry := collect(testDay+31, func(o *etl.GCOptions) { o.DryRun = true })
	if len(dry.Deleted) != 4 || len(keysOf(t, store, lake.RawPrefix)) != 4 {
		t.Errorf("a dry run: %v", dry.Deleted)
	}
	put(t, store, "quarantine/day=2026-11-22/rejected.ndjson.zst", []byte("x"))
	collect(testDay+31, nil)
	if left := append(keysOf(t, store, lake.RawPrefix), keysOf(t, store, lake.QuarantinePrefix)...); len(left) != 0 {
		t.Errorf("left: %v", left)
	}
	if v, err := etl.Verify(t.Context(), store, nil); err != nil || len(v.Problems) > 0 || len(v.Notes) == 0 {
		t.Errorf("after gc: %+v, %v", v, err)
	}
	if report, err := etl.Run(t.Context(), store, options()); err != nil || len(report.Days) != 0 {
		t.Errorf("etl after gc: %+v, %v", report, err)
	}

	// Keys go only when asked for, and only of epochs that have ended.
	if keys := keysOf(t, store, lake.KeysPrefix); len(keys) != 1 {
		t.Fatalf("keys: %v", keys)
	}
	put(t, store, pseudonym.KeyName("study"), make([]byte, 32))
	collect(testDay+40, func(o *etl.GCOptions) { o.EndedKeys = true })
	if keys := keysOf(t, store, lake.KeysPrefix); !slices.Equal(keys, []string{"keys/study.key"}) {
		t.Errorf("keys left: %v", keys)
	}
}
