package etl_test

import (
	"bytes"
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"iter"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	gocmp "github.com/google/go-cmp/cmp"

	"github.com/boontorrent/boon/etl"
	"github.com/boontorrent/boon/internal/lake"
	"github.com/boontorrent/boon/internal/process"
	"github.com/boontorrent/boon/internal/rawlog"
)

const leaseKey = "lease/etl.json"

// undeletable is a store that cannot delete parts: a run on it ends as if it had
// been killed between its last manifest and the sweep.
type undeletable struct{ lake.Store }

func (u undeletable) Delete(ctx context.Context, key string) error {
	if strings.HasSuffix(key, ".parquet") {
		return errStopped
	}
	return u.Store.Delete(ctx, key)
}

func late(t *testing.T, store lake.Store) {
	t.Helper()
	l := rawlog.NewLog(store, rawlog.Header{Collector: "late", Run: "r9"}, 0)
	ev := swarm(18, 1)[0]
	if err := l.Append(t.Context(), &ev); err != nil {
		t.Fatal(err)
	}
	if err := l.Close(t.Context()); err != nil {
		t.Fatal(err)
	}
}

func held(by string) etl.Options {
	opts := options()
	opts.Holder = by
	return opts
}

func verified(t *testing.T, store lake.Store) []string {
	t.Helper()
	v, err := etl.Verify(t.Context(), store, nil)
	if err != nil {
		t.Fatal(err)
	}
	return v.Problems
}

// Old parts that a killed run left beside the new ones, which readers of *.parquet
// count, are gone after the next run, though it has nothing to make.
func TestKilledBeforeTheSweep(t *testing.T) {
	for name, next := range map[string]func(lake.Store) error{
		"etl": func(s lake.Store) error {
			report, err := etl.Run(t.Context(), s, held("next"))
			if err == nil && len(report.Days) > 0 {
				t.Errorf("%d days were made", len(report.Days))
			}
			return err
		},
		"commit": func(s lake.Store) error {
			if _, err := etl.Commit(t.Context(), s, held("next"), testDay+1); !errors.Is(err, lake.ErrNotFound) {
				return err
			}
			return nil
		},
	} {
		store := write(t, swarm(51, 300), 2)
		run(t, store, options())
		late(t, store)
		report, err := etl.Run(t.Context(), undeletable{store}, held("first"))
		if err != nil || !errors.Is(report.Days[0].Err, errStopped) {
			t.Fatalf("%+v, %v", report, err)
		}
		if p := verified(t, store); len(p) != 8 || !strings.Contains(p[0], "no manifest names it") {
			t.Fatalf("after the killed run: %q", p)
		}
		planned := lake.PartKey("queries", testDay, "0a0b0c0d", 0) // a shard's, that waits for its commit
		put(t, store, planned, []byte("x"))
		put(t, store, lake.ShardsDayPrefix(testDay)+"plan.json", []byte(`{"digest":"0a0b0c0d"}`))
		foreign := lake.PartKey("queries", testDay+1, "0a0b0c0d", 0) // a folder that is being copied to here
		put(t, store, foreign, []byte("x"))
		if err := next(store); err != nil {
			t.Errorf("%s: %v", name, err)
		}
		for _, key := range []string{planned, foreign} {
			if err := store.Delete(t.Context(), key); err != nil {
				t.Fatal(err)
			}
		}
		if n := len(keysOf(t, store, lake.TablesPrefix)); n != 16 {
			t.Errorf("%s: %d objects instead of 8 parts and 8 manifests", name, n)
		}
		if p := verified(t, store); len(p) > 0 {
			t.Errorf("%s: %q", name, p)
		}
	}
}

// A run whose lease was broken deletes nothing: the same parts may be another's,
// who has not committed them yet.
func TestBrokenLeaseDeletesNothing(t *testing.T) {
	store := write(t, swarm(52, 600), 2)
	first, second := held("first"), held("second")
	second.BreakLease = true
	failed := errors.New("the first fails")
	ctx, cancel := context.WithCancelCause(t.Context())
	running, begun := make(chan error, 1), make(chan struct{})
	first.Progress = func(p etl.Progress) {
		if p.Stage != "demand" || ctx.Err() != nil {
			return
		}
		close(begun)
		<-ctx.Done()
	}
	go func() {
		_, err := etl.Run(ctx, store, first)
		running <- err
	}()
	<-begun
	done := make(chan struct{})
	// The second has written parts: now the first fails.
	second.Progress = func(p etl.Progress) {
		if p.Stage == "demand" {
			cancel(failed)
			if err := <-running; !errors.Is(err, context.Canceled) {
				t.Errorf("the first: %v", err)
			}
			close(done)
		}
	}
	run(t, store, second)
	<-done
	if p := verified(t, store); len(p) > 0 {
		t.Errorf("after the second: %q", p)
	}
}

// A run that slept through its lease finds its parts swept away, and says so
// instead of naming what is not there.
func TestSleptThroughTheLease(t *testing.T) {
	store := write(t, swarm(53, 600), 2)
	run(t, store, options())
	late(t, store)
	sleeper, other := held("sleeper"), held("other")
	other.BreakLease = true
	var parts []string
	sleeper.Progress = func(p etl.Progress) {
		if p.Stage != "demand" || parts != nil {
			return
		}
		parts = keysOf(t, store, lake.TablesPrefix)
		day := testDay + 1
		other.Since = &day // it makes other days, and sweeps
		if _, err := etl.Run(t.Context(), store, other); err != nil {
			t.Error(err)
		}
	}
	report, err := etl.Run(t.Context(), store, sleeper)
	if err != nil || report.Days[0].Err == nil || !strings.Contains(report.Days[0].Err.Error(), "took the lease") {
		t.Fatalf("%+v, %v", report, err)
	}
	whole(t, store)
	run(t, store, held("next"))
	if p := verified(t, store); len(p) > 0 {
		t.Errorf("%q", p)
	}
}

// interrupted is a store that does something before a key is put, once.
type interrupted struct {
	lake.Store
	key string
	do  func()
}

func (i *interrupted) Put(ctx context.Context, key string, c lake.Condition, write func(io.Writer) error) (lake.Info, error) {
	if key == i.key && i.do != nil {
		do := i.do
		i.do = nil
		do()
	}
	return i.Store.Put(ctx, key, c, write)
}

// The same, but it wakes up with nothing left to do but to write the manifest.
func TestSweptBetweenPartsAndManifest(t *testing.T) {
	for _, table := range []string{"torrents", "queries"} { // the first and the last that are committed
		store := write(t, swarm(56, 600), 2)
		run(t, store, options())
		late(t, store)
		other := held("other")
		other.BreakLease = true
		day := testDay + 1
		other.Since = &day
		sleeper := &interrupted{Store: store, key: lake.ManifestKey(table, testDay), do: func() {
			if _, err := etl.Run(t.Context(), store, other); err != nil {
				t.Error(err)
			}
		}}
		report, err := etl.Run(t.Context(), sleeper, held("sleeper"))
		if err != nil || sleeper.do != nil || !errors.Is(report.Days[0].Err, lake.ErrConflict) {
			t.Errorf("%s: %+v, %v", table, report, err)
		}
		whole(t, store)
		run(t, store, held("next"))
		if p := verified(t, store); len(p) > 0 {
			t.Errorf("%s: %q", table, p)
		}
	}
}

// A lease keeps a second run out while the first is at work, and only then.
func TestLease(t *testing.T) {
	store := write(t, swarm(26, 500), 2)
	first, second := held("first"), held("second")
	tried := false
	first.Progress = func(etl.Progress) {
		if tried {
			return
		}
		tried = true
		if _, err := etl.Run(t.Context(), store, second); !errors.Is(err, etl.ErrLeased) || !strings.Contains(err.Error(), "first") {
			t.Errorf("a second run meanwhile: %v", err)
		}
	}
	run(t, store, first)
	if !tried {
		t.Error("the first run told nothing of its progress")
	}
	if report, err := etl.Run(t.Context(), store, second); err != nil || report.Current != 1 {
		t.Errorf("a second run afterwards: %+v, %v", report, err)
	}
	for info := range store.List(t.Context(), "lease/") {
		t.Errorf("%s was left behind", info.Key)
	}
}

// idle are options of a run that takes the lease and makes no day. Its work can be
// timed in a bubble of synctest, which the writers' pools outlive.
func idle(by string) etl.Options {
	opts := held(by)
	day := testDay + 1
	opts.Since = &day
	return opts
}

// atWork is a store on which a run works for as long as a function.
type atWork struct {
	lake.Store
	work func()
}

func (a atWork) List(ctx context.Context, prefix string) iter.Seq2[lake.Info, error] {
	if prefix == lake.RawPrefix {
		a.work()
	}
	return a.Store.List(ctx, prefix)
}

// foreign is the lease of a process on another machine.
func foreign(holder string) []byte {
	return fmt.Appendf(nil, `{"holder":%q,"until":"1970-01-01T00:00:00Z","seconds":120,"process":{"boot":"b","namespaces":"n","pid":7,"start":1}}`, holder)
}

// Nobody knows whether the holder of a lease on another machine is alive, but by
// watching it. What its clock says is of no account.
func TestLeaseOfAnotherMachine(t *testing.T) {
	const never = time.Duration(-1)
	for name, c := range map[string]struct {
		lease    string
		renewed  time.Duration // when it is renewed
		given    time.Duration // when it is given up
		takes    time.Duration // from when on the run has the lease, or knows that it has not
		leased   bool
		longLeft time.Duration // the first time left that is told
	}{
		"dead":                            {string(foreign("far")), never, never, 2 * time.Minute, false, 2 * time.Minute},
		"alive":                           {string(foreign("far")), 29 * time.Second, never, 30 * time.Second, true, 2 * time.Minute},
		"alive, renewed at the last":      {string(foreign("far")), 119 * time.Second, never, 2 * time.Minute, true, 2 * time.Minute},
		"done":                            {string(foreign("far")), never, 12 * time.Second, 15 * time.Second, false, 2 * time.Minute},
		"an earlier version":              {`{"holder":"far","until":"2099-01-01T00:00:00Z"}`, never, never, 10 * time.Minute, false, 10 * time.Minute},
		"an earlier version, alive":       {`{"holder":"far","until":"2099-01-01T00:00:00Z"}`, 202 * time.Second, never, 205 * time.Second, true, 10 * time.Minute},
		"an earlier version, long ago":    {`{"holder":"far","until":"1970-01-01T00:00:00Z"}`, never, never, 10 * time.Minute, false, 10 * time.Minute},
		"one that wants to hold for ever": {`{"holder":"far","seconds":99999999999}`, never, never, 10 * time.Minute, false, 10 * time.Minute},
		"no lease at all":                 {`[`, never, never, 10 * time.Minute, false, 10 * time.Minute},
	} {
		synctest.Test(t, func(t *testing.T) {
			raw := lake.NewMemory()
			put(t, raw, leaseKey, []byte(c.lease))
			began := time.Now()
			if c.renewed != never {
				time.AfterFunc(c.renewed, func() { put(t, raw, leaseKey, append(foreign("far"), ' ')) })
			}
			if c.given != never {
				time.AfterFunc(c.given, func() {
					if err := raw.Delete(t.Context(), leaseKey); err != nil {
						t.Error(err)
					}
				})
			}
			opts := idle("near")
			var told []time.Duration
			opts.Waiting = func(_ string, left time.Duration) { told = append(told, left) }
			_, err := etl.Run(t.Context(), raw, opts)
			if took := time.Since(began); took != c.takes {
				t.Errorf("%s: after %v, want %v", name, took, c.takes)
			}
			if c.leased && (!errors.Is(err, etl.ErrLeased) || !strings.Contains(err.Error(), "far")) || !c.leased && err != nil {
				t.Errorf("%s: %v", name, err)
			}
			if len(told) == 0 || told[0] != c.longLeft || !slices.IsSortedFunc(told, func(a, b time.Duration) int { return cmp.Compare(b, a) }) {
				t.Errorf("%s: time left: %v", name, told)
			}
		})
	}
}

// A process that was killed on this machine is waited for no more.
func TestLeaseOfADeadProcess(t *testing.T) {
	self := process.Self()
	if self == (process.ID{}) {
		t.Skip("this system does not tell processes apart")
	}
	dead := exec.Command("true")
	if err := dead.Run(); err != nil {
		t.Fatal(err)
	}
	self.Number = dead.Process.Pid
	id, err := json.Marshal(self)
	if err != nil {
		t.Fatal(err)
	}
	store := write(t, swarm(59, 100), 1)
	put(t, store, leaseKey, fmt.Appendf(nil, `{"holder":"near","until":"2099-01-01T00:00:00Z","seconds":120,"process":%s}`, id))
	opts := held("next")
	opts.Waiting = func(string, time.Duration) { t.Error("it waits") }
	run(t, store, opts)
	if left := keysOf(t, store, lake.LeasePrefix); len(left) > 0 {
		t.Errorf("left behind: %v", left)
	}
}

// Of many who wait for the same dead one, one takes its lease.
func TestManyWaitForALease(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		raw := lake.NewMemory()
		put(t, raw, leaseKey, foreign("far"))
		var took, late atomic.Int64
		var all sync.WaitGroup
		for i := range 5 {
			all.Go(func() {
				time.Sleep(time.Duration(i/2) * time.Second)               // some at the same instant
				working := atWork{raw, func() { time.Sleep(time.Minute) }} // longer than the others wait for a renewal
				_, err := etl.Run(t.Context(), working, idle(fmt.Sprint("waiter ", i)))
				switch {
				case errors.Is(err, etl.ErrLeased):
					late.Add(1)
				case err != nil:
					t.Error(err)
				default:
					took.Add(1)
				}
			})
		}
		all.Wait()
		if took.Load() != 1 || late.Load() != 4 {
			t.Errorf("%d took the lease, %d were late", took.Load(), late.Load())
		}
		if left := keysOf(t, raw, lake.LeasePrefix); len(left) > 0 {
			t.Errorf("left behind: %v", left)
		}
	})
}

// Who waits can be stopped, or be told not to wait.
func TestWaitingEnds(t *testing.T) {
	store := write(t, swarm(61, 100), 1)
	put(t, store, leaseKey, foreign("far"))
	ctx, cancel := context.WithCancel(t.Context())
	opts := held("near")
	opts.Waiting = func(string, time.Duration) { cancel() }
	if _, err := etl.Run(ctx, store, opts); !errors.Is(err, context.Canceled) {
		t.Errorf("stopped: %v", err)
	}
	if b, _, err := lake.ReadAll(t.Context(), store, leaseKey, 1<<10); err != nil || string(b) != string(foreign("far")) {
		t.Errorf("the lease of the other: %s, %v", b, err)
	}
	opts.Waiting = func(string, time.Duration) { t.Error("it waits") }
	opts.BreakLease = true
	run(t, store, opts)
}

// elsewhere is a store as another machine sees it: it knows nothing of the
// process that holds the lease.
type elsewhere struct{ lake.Store }

func (e elsewhere) Open(ctx context.Context, key string) (lake.Object, error) {
	o, err := e.Store.Open(ctx, key)
	if err != nil || key != leaseKey {
		return o, err
	}
	b, err := io.ReadAll(o)
	return strangerLease{o, bytes.NewReader(bytes.Replace(b, []byte(`"boot":"`), []byte(`"boot":"not `), 1))}, err
}

type strangerLease struct {
	lake.Object
	text io.Reader
}

func (s strangerLease) Read(p []byte) (int, error) { return s.text.Read(p) }

// unreachable is a store that is not there at times.
type unreachable struct {
	lake.Store
	now atomic.Bool
}

func (u *unreachable) Open(ctx context.Context, key string) (lake.Object, error) {
	if u.now.Load() {
		return nil, errServer
	}
	return u.Store.Open(ctx, key)
}

func (u *unreachable) Put(ctx context.Context, key string, c lake.Condition, write func(io.Writer) error) (lake.Info, error) {
	if u.now.Load() {
		return lake.Info{}, errServer
	}
	return u.Store.Put(ctx, key, c, write)
}

// A run of many hours keeps its lease, over a store that fails now and then, for
// as long as nobody breaks it.
func TestLeaseIsRenewed(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		raw := lake.NewMemory()
		f := &faulty{Store: raw, fault: fault{lose: errServer}}
		f.at.Store(1 << 40)
		flaky := &unreachable{Store: f}
		asked := 0
		ask := func() {
			if _, err := etl.Run(t.Context(), elsewhere{raw}, idle("other")); !errors.Is(err, etl.ErrLeased) || !strings.Contains(err.Error(), "long") {
				t.Errorf("asked %d times: %v", asked, err)
			}
			asked++
		}
		long := atWork{flaky, func() {
			for range 12 {
				f.at.Store(0) // the renewal is the only call meanwhile
				time.Sleep(29 * time.Minute)
				ask()
				f.at.Store(1 << 40)
				time.Sleep(time.Second)
				flaky.now.Store(true)
				back := time.AfterFunc(91*time.Second, func() { flaky.now.Store(false) }) // three renewals
				ask()
				back.Stop()
				flaky.now.Store(false)
			}
		}}
		if _, err := etl.Run(t.Context(), long, idle("long")); err != nil {
			t.Error(err)
		}
		if asked != 24 || !f.hit.Load() {
			t.Errorf("asked %d times, the store failed: %v", asked, f.hit.Load())
		}
		if left := keysOf(t, raw, lake.LeasePrefix); len(left) > 0 {
			t.Errorf("left behind: %v", left)
		}
	})
}

// gc leaves parts alone while a run is at work, which may be about to name them.
func TestCollectBesideARun(t *testing.T) {
	store := write(t, swarm(54, 300), 1)
	run(t, store, options())
	orphan := lake.PartKey("queries", testDay, "0ddba11f", 0)
	put(t, store, orphan, []byte("x"))
	opts := etl.GCOptions{Today: testDay + 20, KeepRaw: 30, Holder: "gc", Now: options().Now}
	busy := held("etl")
	busy.Force = true
	asked := false
	busy.Progress = func(etl.Progress) {
		if asked {
			return
		}
		asked = true
		put(t, store, orphan, []byte("x")) // the run itself has swept
		if got, err := etl.Collect(t.Context(), store, opts); err != nil || len(got.Deleted) > 0 || !got.Busy {
			t.Errorf("beside a run: %+v, %v", got, err)
		}
		if _, err := store.Stat(t.Context(), orphan); err != nil {
			t.Error(err)
		}
	}
	run(t, store, busy)
	put(t, store, orphan, []byte("x"))
	if got, err := etl.Collect(t.Context(), store, opts); err != nil || got.Busy || !asked || gocmp.Diff([]string{orphan}, got.Deleted) != "" {
		t.Errorf("afterwards: %+v, %v", got, err)
	}
	if left := keysOf(t, store, lake.LeasePrefix); len(left) > 0 {
		t.Errorf("left behind: %v", left)
	}
}

// gc deletes the files that killed programs left in a folder, but none that may
// still be written.
func TestCollectLeftovers(t *testing.T) {
	store := lake.NewFile(t.TempDir())
	copyRaw(t, write(t, swarm(55, 100), 1), store)
	run(t, store, options())
	dir := filepath.Dir(store.Path(lake.ManifestKey("queries", testDay)))
	today := testDay.Time().Add(20 * 24 * time.Hour)
	for name, age := range map[string]time.Duration{".boon-tmp-1": 25 * time.Hour, ".boon-tmp-2": 23 * time.Hour} {
		path := filepath.Join(dir, name)
		if err := errors.Join(os.WriteFile(path, []byte("abc"), 0o600), os.Chtimes(path, today, today.Add(-age))); err != nil {
			t.Fatal(err)
		}
	}
	for _, dry := range []bool{true, false} {
		got, err := etl.Collect(t.Context(), store, etl.GCOptions{Today: testDay + 20, KeepRaw: 30, DryRun: dry})
		if err != nil || len(got.Deleted) != 1 || !strings.HasSuffix(got.Deleted[0], "/.boon-tmp-1") || got.Bytes != 3 {
			t.Errorf("dry %v: %+v, %v", dry, got, err)
		}
	}
	left, err := filepath.Glob(filepath.Join(dir, ".boon-tmp-*"))
	if err != nil || len(left) != 1 || filepath.Base(left[0]) != ".boon-tmp-2" {
		t.Errorf("left: %v, %v", left, err)
	}
}
