package etl_test

import (
	"errors"
	"maps"
	"strings"
	"testing"

	gocmp "github.com/google/go-cmp/cmp"

	"github.com/boontorrent/boon/etl"
	"github.com/boontorrent/boon/internal/lake"
)

// spoilers do to a committed day what people and disks do; each table's object
// that is hit is named in what the next run says.
var spoilers = map[string]func(t *testing.T, s lake.Store, table string) (key string){
	"part gone": func(t *testing.T, s lake.Store, table string) string {
		key := partOf(t, s, table)
		if err := s.Delete(t.Context(), key); err != nil {
			t.Fatal(err)
		}
		return key
	},
	"part cut": func(t *testing.T, s lake.Store, table string) string {
		key := partOf(t, s, table)
		b, _, err := lake.ReadAll(t.Context(), s, key, 1<<30)
		if err != nil {
			t.Fatal(err)
		}
		put(t, s, key, b[:len(b)-1])
		return key
	},
	"manifest empty":    manifestOf(func(string) string { return "" }),
	"manifest cut":      manifestOf(func(m string) string { return m[:len(m)/2] }),
	"manifest null":     manifestOf(func(string) string { return "null" }),
	"manifest of noise": manifestOf(func(string) string { return "\x00\xff{" }),
	"another day's":     manifestOf(func(m string) string { return strings.ReplaceAll(m, testDay.String(), (testDay + 1).String()) }),
	"other folder's parts": manifestOf(func(m string) string {
		return strings.Replace(m, `"key": "tables/`, `"key": "tables/../keys/tables/`, 1)
	}),
	"other bytes' parts": manifestOf(func(m string) string {
		return strings.Replace(m, "/part-", "/../part-", 1)
	}),
}

func manifestOf(change func(string) string) func(*testing.T, lake.Store, string) string {
	return func(t *testing.T, s lake.Store, table string) string {
		key := lake.ManifestKey(table, testDay)
		b, _, err := lake.ReadAll(t.Context(), s, key, 1<<20)
		if err != nil {
			t.Fatal(err)
		}
		put(t, s, key, []byte(change(string(b))))
		return key
	}
}

func partOf(t *testing.T, s lake.Store, table string) string {
	t.Helper()
	m, _, err := lake.ReadManifest(t.Context(), s, table, testDay)
	if err != nil || m == nil {
		t.Fatal(m, err)
	}
	return m.Parts[0].Key
}

// What a committed day has lost is found by the next run, told, and made good.
func TestDamagedDayIsMadeAgain(t *testing.T) {
	for name, spoil := range spoilers {
		for _, table := range []string{"queries", "files"} { // the committer and another
			store := write(t, swarm(62, 300), 2)
			run(t, store, options())
			want := digests(t, store)
			hit := spoil(t, store, table)
			if len(verified(t, store)) == 0 {
				t.Errorf("%s of %s: boon verify sees nothing", name, table)
			}
			if got, err := etl.Collect(t.Context(), store, etl.GCOptions{Today: testDay + 31, KeepRaw: 30}); err != nil || len(got.Kept) != 1 {
				t.Errorf("%s of %s: boon gc: %+v, %v", name, table, got, err)
			}
			got := run(t, store, held("nightly"))
			if len(got.Damage) == 0 || !strings.Contains(got.Damage[0], hit) {
				t.Errorf("%s of %s: %q", name, table, got.Damage)
			}
			if diff := gocmp.Diff(want, digests(t, store)); diff != "" {
				t.Errorf("%s of %s: %s", name, table, diff)
			}
			if problems := verified(t, store); len(problems) > 0 {
				t.Errorf("%s of %s: %q", name, table, problems)
			}
			if report, err := etl.Run(t.Context(), store, held("nightly")); err != nil || report.Current != 1 {
				t.Errorf("%s of %s, once more: %+v, %v", name, table, report, err)
			}
		}
	}
}

// But not from less than the day was made from: that is told, and nothing changes.
func TestDamagedDayWithoutItsSegments(t *testing.T) {
	for name, spoil := range spoilers {
		for _, table := range []string{"queries", "files"} {
			store := write(t, swarm(62, 300), 2)
			run(t, store, options())
			hit := spoil(t, store, table)
			if err := store.Delete(t.Context(), keysOf(t, store, lake.RawPrefix)[0]); err != nil {
				t.Fatal(err)
			}
			before := maps.Collect(objects(t, store))
			report, err := etl.Run(t.Context(), store, held("nightly"))
			if err != nil || len(report.Days) != 1 || !errors.Is(report.Days[0].Err, etl.ErrMissing) || !strings.Contains(strings.Join(report.Days[0].Damage, "\n"), hit) {
				t.Errorf("%s of %s: %+v, %v", name, table, report, err)
			}
			if diff := gocmp.Diff(before, maps.Collect(objects(t, store))); diff != "" {
				t.Errorf("%s of %s: the lake changed: %s", name, table, diff)
			}
		}
	}
}

// A day of whose tables some are of another making, since a run was killed between
// its manifests, is not up to date.
func TestKilledBetweenManifests(t *testing.T) {
	store := write(t, swarm(63, 300), 2)
	run(t, store, options())
	other := options()
	other.Force, other.Epoch = true, "day"
	for calls := int64(0); ; calls++ {
		report, err := etl.Run(t.Context(), stopAfter(store, calls), other)
		if err == nil && report.Days[0].Err == nil {
			t.Fatal("never between the manifests")
		}
		m, _, err := lake.ReadManifest(t.Context(), store, "queries", testDay)
		if err != nil {
			t.Fatal(err)
		}
		f, _, err := lake.ReadManifest(t.Context(), store, "files", testDay)
		if err != nil {
			t.Fatal(err)
		}
		if m.Digest != f.Digest {
			break
		}
	}
	if got := run(t, store, options()); !strings.Contains(strings.Join(got.Damage, "\n"), "another making") {
		t.Errorf("%q", got.Damage)
	}
	if problems := verified(t, store); len(problems) > 0 {
		t.Errorf("%q", problems)
	}
}

// A lake that was copied is as up to date as the one it was copied from. Only of
// a segment whose key does not vouch for its content nobody knows that.
func TestCopiedLake(t *testing.T) {
	store := write(t, swarm(64, 300), 2)
	copied := func() lake.Store {
		c := lake.NewMemory()
		put(t, c, "moves/etags", nil)
		for key, b := range objects(t, store) {
			put(t, c, key, b)
		}
		return c
	}
	run(t, store, options())
	if report, err := etl.Run(t.Context(), copied(), held("nightly")); err != nil || report.Current != 1 {
		t.Errorf("%+v, %v", report, err)
	}
	segment := keysOf(t, store, lake.RawPrefix)[0]
	b, _, err := lake.ReadAll(t.Context(), store, segment, 1<<30)
	if err != nil {
		t.Fatal(err)
	}
	if err := store.Delete(t.Context(), segment); err != nil {
		t.Fatal(err)
	}
	put(t, store, lake.HourPrefix(testDay, 0)+"mine.ndjson.zst", b)
	opts := options()
	opts.AcceptMissing = true
	run(t, store, opts)
	if report, err := etl.Run(t.Context(), store, held("nightly")); err != nil || report.Current != 1 {
		t.Errorf("with a segment of another name: %+v, %v", report, err)
	}
	run(t, copied(), held("nightly"))
}
