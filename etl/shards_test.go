package etl_test

import (
	"errors"
	"fmt"
	"math/rand/v2"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	gocmp "github.com/google/go-cmp/cmp"
	"github.com/klauspost/compress/zstd"

	"github.com/boontorrent/boon/datasets"
	"github.com/boontorrent/boon/etl"
	"github.com/boontorrent/boon/internal/lake"
	"github.com/boontorrent/boon/internal/racetest"
	"github.com/boontorrent/boon/internal/rawlog"
)

// inSections is options with which even a small day has many sections.
func inSections() etl.Options {
	opts := options()
	opts.SectionBytes = 4 << 10
	return opts
}

// manifests lists what the manifests of the day say, but for when they were written.
func manifests(t testing.TB, store lake.Store) map[string]lake.Manifest {
	t.Helper()
	out := map[string]lake.Manifest{}
	for _, tab := range datasets.Tables() {
		m, _, err := lake.ReadManifest(t.Context(), store, tab.Name, testDay)
		if err != nil || m == nil {
			t.Fatalf("manifest of %s: %v %v", tab.Name, m, err)
		}
		m.Committed = time.Time{}
		out[tab.Name] = *m
	}
	return out
}

// share makes the day by n shards, in some order, some of them twice at once.
func share(t *testing.T, store lake.Store, n int, r *rand.Rand) etl.DayReport {
	t.Helper()
	p, err := etl.MakePlan(t.Context(), store, inSections(), testDay, n)
	if err != nil || p == nil {
		t.Fatalf("plan: %v, %v", p, err)
	}
	var wg sync.WaitGroup
	for _, shard := range append(r.Perm(n), r.IntN(n)) {
		wg.Go(func() {
			opts := inSections()
			opts.Workers = 1 + shard%3
			if err := etl.RunShard(t.Context(), store, opts, testDay, shard, n); err != nil {
				t.Errorf("shard %d/%d: %v", shard, n, err)
			}
		})
	}
	wg.Wait()
	report, err := etl.Commit(t.Context(), store, inSections(), testDay)
	if err != nil {
		t.Fatalf("commit: %v", err)
	}
	return report
}

// A day that is shared has the tables, and the manifests, of one that is not:
// with broken lines, repeats and lines that no shard can pass over unread.
func TestShardsMakeTheSameTables(t *testing.T) {
	events := swarm(21, 6000)
	events = append(events, events[:500]...)
	raw, whole := write(t, events, 7), lake.NewMemory()
	spoil(t, raw)
	copyRaw(t, raw, whole)
	opts := inSections()
	opts.AcceptRejects = true
	want := run(t, whole, opts)
	if want.Counts.RejectedTotal() < 4 {
		t.Fatalf("only %d lines were rejected: %v", want.Counts.RejectedTotal(), want.Counts.Rejected)
	}
	r := rand.New(rand.NewPCG(2, 2))
	for _, n := range []int{1, 2, 5, 40} {
		store := lake.NewMemory()
		copyRaw(t, raw, store)
		got := share(t, store, n, r)
		if diff := gocmp.Diff(want.Rows, got.Rows); diff != "" {
			t.Errorf("%d shards: rows: %s", n, diff)
		}
		if diff := gocmp.Diff(manifests(t, whole), manifests(t, store)); diff != "" {
			t.Errorf("%d shards: %s", n, diff)
		}
		if diff := gocmp.Diff(quarantine(t, whole), quarantine(t, store)); diff != "" {
			t.Errorf("%d shards: quarantine: %s", n, diff)
		}
		for info := range store.List(t.Context(), "shards/") {
			t.Errorf("%d shards: %s was left behind", n, info.Key)
		}
		if v, err := etl.Verify(t.Context(), store, nil); err != nil || len(v.Problems) > 0 {
			t.Errorf("%d shards: %v %q", n, err, v.Problems)
		}
	}
}

func quarantine(t *testing.T, store lake.Store) string {
	t.Helper()
	b, _, err := lake.ReadAll(t.Context(), store, "quarantine/day=2026-11-22/rejected.ndjson.zst", 1<<20)
	if err != nil {
		t.Fatal(err)
	}
	return string(b)
}

func packed(t *testing.T, text string) []byte {
	t.Helper()
	enc, err := zstd.NewWriter(nil)
	if err != nil {
		t.Fatal(err)
	}
	return enc.EncodeAll([]byte(text), nil)
}

// spoil adds a segment of lines that are wrong behind a sound beginning, or in
// another order than ours.
func spoil(t *testing.T, store lake.Store) {
	t.Helper()
	const id = "00112233445566778899aabbccddeeff00112233"
	at := testDay.Start() + 1
	lines := []string{fmt.Sprintf(`{"type":"segment","v":5,"collector":"c9","run":"r9","seq":0,"start":%d,"software":"x","privacy":"plain"}`, at)}
	for i, rest := range []string{`"infohash":"short"}`, `"infohash":"` + id + `","ro":7}`, `"infohash":"` + id + `"`, `"infohash":"` + id + `"}`, `"infohash":"` + strings.ToUpper(id) + `"}`} {
		for net := range 6 {
			lines = append(lines, fmt.Sprintf(`{"type":"get_peers","t":%d,"n":%d,"our_id":%q,"their_ip":"7.7.%d.%d","their_port":1,%s`, at+int64(i), 6*i+net+1, id, net, i, rest))
		}
	}
	lines = append(lines, `{"n":99,"type":"get_peers","infohash":"`+id+`","our_id":"`+id+`","their_ip":"7.9.9.9","t":`+fmt.Sprint(at)+`}`, "no JSON", `{"type":"odd","t":1}`)
	put(t, store, lake.HourPrefix(testDay, 3)+"odd.ndjson.zst", packed(t, strings.Join(lines, "\n")+"\n"))
}

func TestCommitSaysWhatIsMissing(t *testing.T) {
	store := write(t, swarm(22, 900), 2)
	if _, err := etl.Commit(t.Context(), store, inSections(), testDay); !errors.Is(err, lake.ErrNotFound) || !strings.Contains(err.Error(), "boon etl plan") {
		t.Errorf("without a plan: %v", err)
	}
	if _, err := etl.MakePlan(t.Context(), store, inSections(), testDay, 3); err != nil {
		t.Fatal(err)
	}
	if err := etl.RunShard(t.Context(), store, inSections(), testDay, 1, 4); err == nil || !strings.Contains(err.Error(), "0/3 to 2/3") {
		t.Errorf("a shard of another plan: %v", err)
	}
	for _, i := range []int{0, 2} {
		if err := etl.RunShard(t.Context(), store, inSections(), testDay, i, 3); err != nil {
			t.Fatal(err)
		}
	}
	_, err := etl.Commit(t.Context(), store, inSections(), testDay)
	if !errors.Is(err, etl.ErrIncomplete) || !strings.Contains(err.Error(), "boon etl shard 1/3 --day 2026-11-22") || strings.Contains(err.Error(), "0/3") {
		t.Errorf("with a shard missing: %v", err)
	}
	if m, _, _ := lake.ReadManifest(t.Context(), store, "queries", testDay); m != nil {
		t.Error("the day was committed")
	}
	if err := etl.RunShard(t.Context(), store, inSections(), testDay, 1, 3); err != nil {
		t.Fatal(err)
	}
	if _, err := etl.Commit(t.Context(), store, inSections(), testDay); err != nil {
		t.Error(err)
	}
	if p, err := etl.MakePlan(t.Context(), store, inSections(), testDay, 3); p != nil || err != nil {
		t.Errorf("a plan for a day that is up to date: %+v, %v", p, err)
	}
}

// What shards left and was damaged until the commit is made again by those who
// are named, or by another plan; a damaged plan keeps no other day from being made.
func TestCommitOfWhatIsDamaged(t *testing.T) {
	whole := write(t, swarm(65, 150), 2)
	run(t, whole, inSections())
	left := func() lake.Store {
		store := lake.NewMemory()
		copyRaw(t, whole, store)
		copyKeys(t, whole, store)
		if _, err := etl.MakePlan(t.Context(), store, inSections(), testDay, 3); err != nil {
			t.Fatal(err)
		}
		for i := range 3 {
			if err := etl.RunShard(t.Context(), store, inSections(), testDay, i, 3); err != nil {
				t.Fatal(err)
			}
		}
		return store
	}
	damages := map[string]func([]byte) []byte{
		"gone":   nil,
		"cut":    func(b []byte) []byte { return b[:len(b)/2] },
		"empty":  func([]byte) []byte { return nil },
		"null":   func([]byte) []byte { return []byte("null") },
		"no one": func([]byte) []byte { return []byte(`{"unit":0,"parts":{"nonsense":[{}]}}`) },
	}
	n := 0
	for _, key := range keysOf(t, left(), "") {
		if strings.HasPrefix(key, lake.RawPrefix) || strings.HasPrefix(key, lake.KeysPrefix) {
			continue
		}
		for name, damage := range damages {
			if n++; racetest.Enabled && n%5 != 0 { // make unit runs it without the detector, too
				continue
			}
			store := left()
			b, _, err := lake.ReadAll(t.Context(), store, key, 1<<30)
			if err != nil {
				t.Fatal(err)
			}
			if strings.HasSuffix(key, ".parquet") && name != "gone" && name != "cut" {
				continue // the size tells
			}
			if len(b) == 0 || strings.HasPrefix(key, lake.QuarantinePrefix) && name == "null" {
				continue // as it was, or as good: nothing was rejected
			}
			if damage != nil {
				put(t, store, key, damage(b))
			} else if err := store.Delete(t.Context(), key); err != nil {
				t.Fatal(err)
			}
			_, err = etl.Commit(t.Context(), store, inSections(), testDay)
			if strings.HasSuffix(key, "plan.json") {
				if err == nil || !strings.Contains(err.Error(), "plan again") && !strings.Contains(err.Error(), "boon etl plan") {
					t.Errorf("%s %s: %v", key, name, err)
				}
				share(t, store, 3, rand.New(rand.NewPCG(1, 1)))
			} else {
				if !errors.Is(err, etl.ErrIncomplete) {
					t.Fatalf("%s %s: %v", key, name, err)
				}
				for i := range 3 {
					if !strings.Contains(err.Error(), fmt.Sprintf("shard %d/3", i)) {
						continue
					}
					if err := etl.RunShard(t.Context(), store, inSections(), testDay, i, 3); err != nil {
						t.Fatal(err)
					}
				}
				if _, err := etl.Commit(t.Context(), store, inSections(), testDay); err != nil {
					t.Errorf("%s %s, made again: %v", key, name, err)
				}
			}
			if diff := gocmp.Diff(digests(t, whole), digests(t, store)); diff != "" {
				t.Errorf("%s %s, made again: %s", key, name, diff)
			}
		}
	}
}

// A damaged plan keeps nobody from making its day, or another.
func TestDamagedPlan(t *testing.T) {
	store := write(t, swarm(66, 300), 2)
	run(t, store, options())
	stray := lake.PartKey("queries", testDay, "0a0b0c0d", 0)
	put(t, store, stray, []byte("x"))
	put(t, store, lake.ShardsDayPrefix(testDay)+"plan.json", []byte("{"))
	if report, err := etl.Run(t.Context(), store, held("nightly")); err != nil || report.Current != 1 {
		t.Errorf("%+v, %v", report, err)
	}
	if problems := verified(t, store); len(problems) > 0 {
		t.Errorf("%q", problems)
	}
	put(t, store, stray, []byte("x"))
	if got, err := etl.Collect(t.Context(), store, etl.GCOptions{Today: testDay + 9, KeepRaw: 30}); err != nil || len(got.Deleted) < 1 || got.Deleted[len(got.Deleted)-1] != stray {
		t.Errorf("%+v, %v", got, err)
	}
}

// A shard that finds no room leaves nothing that a commit would take for done.
func TestShardOnAFullDisk(t *testing.T) {
	store := write(t, swarm(27, 600), 2)
	if _, err := etl.MakePlan(t.Context(), store, inSections(), testDay, 1); err != nil {
		t.Fatal(err)
	}
	if err := etl.RunShard(t.Context(), full{store}, inSections(), testDay, 0, 1); !errors.Is(err, syscall.ENOSPC) {
		t.Errorf("a full disk: %v", err)
	}
	if _, err := etl.Commit(t.Context(), store, inSections(), testDay); !errors.Is(err, etl.ErrIncomplete) {
		t.Errorf("commit after that: %v", err)
	}
	if err := etl.RunShard(t.Context(), store, inSections(), testDay, 0, 1); err != nil {
		t.Fatal(err)
	}
	part := ""
	for info, err := range store.List(t.Context(), "tables/requesters/") {
		if err != nil {
			t.Fatal(err)
		}
		part = info.Key
	}
	if err := store.Delete(t.Context(), part); err != nil {
		t.Fatal(err)
	}
	if _, err := etl.Commit(t.Context(), store, inSections(), testDay); !errors.Is(err, etl.ErrIncomplete) || !strings.Contains(err.Error(), "shard 0/1") {
		t.Errorf("commit without %s: %v", part, err)
	}
}

// What changed since the plan is not mixed into the day.
func TestPlanIsHeldTo(t *testing.T) {
	store := write(t, swarm(23, 900), 2)
	if _, err := etl.MakePlan(t.Context(), store, inSections(), testDay, 2); err != nil {
		t.Fatal(err)
	}
	late := rawlog.NewLog(store, rawlog.Header{Collector: "late", Run: "r9"}, 0)
	ev := swarm(24, 1)[0]
	if err := errors.Join(late.Append(t.Context(), &ev), late.Close(t.Context())); err != nil {
		t.Fatal(err)
	}
	for i := range 2 {
		if err := etl.RunShard(t.Context(), store, inSections(), testDay, i, 2); err != nil {
			t.Fatal(err)
		}
	}
	run(t, store, inSections()) // takes the late segment in
	if _, err := etl.Commit(t.Context(), store, inSections(), testDay); !errors.Is(err, etl.ErrMissing) {
		t.Errorf("a plan older than what is committed: %v", err)
	}
	if m, _, err := lake.ReadManifest(t.Context(), store, "queries", testDay); err != nil || m.Counts.Read != 901 {
		t.Errorf("%+v, %v", m, err)
	}
}

// Killed at any call to the store, in a shard or in the commit, and run again:
// the same bytes, and never half a day.
func TestShardsKilledAnywhere(t *testing.T) {
	clean := write(t, swarm(25, 250), 2)
	run(t, clean, inSections())
	want := digests(t, clean)
	const n = 2
	attempt := func(s lake.Store) error {
		if _, err := etl.MakePlan(t.Context(), s, inSections(), testDay, n); err != nil {
			return err
		}
		for i := range n {
			if err := etl.RunShard(t.Context(), s, inSections(), testDay, i, n); err != nil {
				return err
			}
		}
		_, err := etl.Commit(t.Context(), s, inSections(), testDay)
		return err
	}
	for calls := int64(0); ; calls += 1 + calls/16 { // every call at first, then fewer
		store := lake.NewMemory()
		copyRaw(t, clean, store)
		if err := attempt(stopAfter(store, calls)); err == nil {
			if calls < 60 {
				t.Fatalf("the whole way made only %d calls", calls)
			}
			return
		}
		whole(t, store)
		if m, _, err := lake.ReadManifest(t.Context(), store, "queries", testDay); err != nil {
			t.Fatal(err)
		} else if m == nil {
			if err := attempt(store); err != nil {
				t.Fatalf("stopped after %d calls, then again: %v", calls, err)
			}
		}
		if diff := gocmp.Diff(want, digests(t, store)); diff != "" {
			t.Fatalf("stopped after %d calls, then again: %s", calls, diff)
		}
	}
}
