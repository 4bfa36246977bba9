package etl_test

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"io"
	"iter"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"sync/atomic"
	"syscall"
	"testing"

	gocmp "github.com/google/go-cmp/cmp"

	"github.com/boontorrent/boon/datasets"
	"github.com/boontorrent/boon/etl"
	"github.com/boontorrent/boon/internal/geo"
	"github.com/boontorrent/boon/internal/lake"
	"github.com/boontorrent/boon/internal/racetest"
	"github.com/boontorrent/boon/internal/rawlog"
)

var errStopped = errors.New("the store has stopped")

// stopping is a store that stops for good after a number of calls, as if the
// process had been killed there: the call that hits the end does nothing.
type stopping struct {
	lake.Store
	left atomic.Int64
}

func stopAfter(s lake.Store, calls int64) *stopping {
	st := &stopping{Store: s}
	st.left.Store(calls)
	return st
}

func (s *stopping) call() error {
	if s.left.Add(-1) < 0 {
		return errStopped
	}
	return nil
}

func (s *stopping) Open(ctx context.Context, key string) (lake.Object, error) {
	if err := s.call(); err != nil {
		return nil, err
	}
	return s.Store.Open(ctx, key)
}

func (s *stopping) Put(ctx context.Context, key string, c lake.Condition, write func(io.Writer) error) (lake.Info, error) {
	if err := s.call(); err != nil {
		return lake.Info{}, err
	}
	return s.Store.Put(ctx, key, c, write)
}

func (s *stopping) List(ctx context.Context, prefix string) iter.Seq2[lake.Info, error] {
	if err := s.call(); err != nil {
		return func(yield func(lake.Info, error) bool) { yield(lake.Info{}, err) }
	}
	return s.Store.List(ctx, prefix)
}

func (s *stopping) Stat(ctx context.Context, key string) (lake.Info, error) {
	if err := s.call(); err != nil {
		return lake.Info{}, err
	}
	return s.Store.Stat(ctx, key)
}

func (s *stopping) Delete(ctx context.Context, key string) error {
	if err := s.call(); err != nil {
		return err
	}
	return s.Store.Delete(ctx, key)
}

// whole fails unless every partition that exists is whole: its manifest's
// parts are there with the right bytes.
func whole(t *testing.T, store lake.Store) {
	t.Helper()
	for _, tab := range datasets.Tables() {
		m, _, err := lake.ReadManifest(context.Background(), store, tab.Name, testDay)
		if err != nil {
			t.Fatal(err)
		}
		if m == nil {
			continue
		}
		for _, p := range m.Parts {
			b, _, err := lake.ReadAll(context.Background(), store, p.Key, 1<<30)
			if err != nil {
				t.Fatalf("a reader that follows the manifest of %s finds no %s: %v", tab.Name, p.Key, err)
			}
			if sum := sha256.Sum256(b); hex.EncodeToString(sum[:]) != p.SHA256 {
				t.Fatalf("%s is not what its manifest says", p.Key)
			}
		}
	}
}

// Killed at any call to the store, on a new lake and on one that has the day
// already, then run again: the same bytes as undisturbed, and no moment at
// which a partition is half there.
func TestKilledAnywhere(t *testing.T) {
	events := swarm(6, 300)
	clean := write(t, events, 2)
	run(t, clean, options())
	want := digests(t, clean)
	step := int64(1)
	if racetest.Enabled { // make unit runs it without the detector, too
		step = 11
	}
	for _, earlier := range []int{0, 150} { // events that an earlier run saw
		for calls := int64(0); ; calls += step {
			store := lake.NewMemory()
			if earlier > 0 {
				copyRaw(t, write(t, events[:earlier], 1), store)
				run(t, store, options())
			}
			copyRaw(t, clean, store)
			report, err := etl.Run(t.Context(), stopAfter(store, calls), options())
			if err == nil && len(report.Days) == 1 && report.Days[0].Err == nil {
				if calls < 10 {
					t.Fatalf("the whole run made only %d calls", calls)
				}
				break
			}
			whole(t, store)
			again := options()
			again.Force = true
			got, err := etl.Run(t.Context(), store, again)
			if err != nil || got.Days[0].Err != nil {
				t.Fatalf("stopped after %d calls, then again: %v %v", calls, err, got.Days)
			}
			if earlier == 0 {
				if diff := gocmp.Diff(want, digests(t, store)); diff != "" {
					t.Fatalf("stopped after %d calls, then again: %s", calls, diff)
				}
			}
			v, err := etl.Verify(t.Context(), store, nil)
			if err != nil || len(v.Problems) > 0 {
				t.Fatalf("stopped after %d calls, then again: %v %q", calls, err, v.Problems)
			}
		}
	}
}

func copyRaw(t *testing.T, from, to lake.Store) {
	t.Helper()
	for info, err := range from.List(t.Context(), lake.RawPrefix) {
		if err != nil {
			t.Fatal(err)
		}
		b, _, err := lake.ReadAll(t.Context(), from, info.Key, 1<<30)
		if err != nil {
			t.Fatal(err)
		}
		if _, err := lake.PutBytes(t.Context(), to, info.Key, lake.Absent(), b); err != nil && !errors.Is(err, lake.ErrConflict) {
			t.Fatal(err)
		}
	}
}

// Without --force, a second run makes good what a stopped one left.
func TestStoppedRunIsNotUpToDate(t *testing.T) {
	store := write(t, swarm(7, 400), 1)
	for calls := int64(0); calls < 40; calls++ {
		report, err := etl.Run(t.Context(), stopAfter(store, calls), options())
		if err == nil && len(report.Days) == 1 && report.Days[0].Err == nil {
			break
		}
	}
	if _, err := etl.Run(t.Context(), store, options()); err != nil {
		t.Fatal(err)
	}
	if v, err := etl.Verify(t.Context(), store, nil); err != nil || len(v.Problems) > 0 || v.Partitions != len(datasets.Tables()) {
		t.Errorf("%+v, %v", v, err)
	}
}

func TestTwoRunsAtOnce(t *testing.T) {
	store := write(t, swarm(8, 3000), 4)
	var wg sync.WaitGroup
	for range 3 {
		wg.Go(func() {
			report, err := etl.Run(t.Context(), store, options())
			if err != nil {
				t.Error(err)
				return
			}
			for _, d := range report.Days {
				if d.Err != nil {
					t.Error(d.Err)
				}
			}
		})
	}
	wg.Wait()
	if v, err := etl.Verify(t.Context(), store, nil); err != nil || len(v.Problems) > 0 {
		t.Errorf("%q, %v", v.Problems, err)
	}
}

// full is a store without room for tables.
type full struct{ lake.Store }

func (f full) Put(ctx context.Context, key string, c lake.Condition, write func(io.Writer) error) (lake.Info, error) {
	if !strings.HasPrefix(key, lake.TablesPrefix) {
		return f.Store.Put(ctx, key, c, write)
	}
	return f.Store.Put(ctx, key, c, func(w io.Writer) error { return write(fullWriter{}) })
}

type fullWriter struct{}

func (fullWriter) Write([]byte) (int, error) { return 0, syscall.ENOSPC }

func TestFullDisk(t *testing.T) {
	store := write(t, swarm(9, 300), 1)
	report, err := etl.Run(t.Context(), full{store}, options())
	if err != nil || !errors.Is(report.Days[0].Err, syscall.ENOSPC) {
		t.Fatalf("%+v, %v", report, err)
	}
	for info := range store.List(t.Context(), lake.TablesPrefix) {
		t.Errorf("%s was left behind", info.Key)
	}
	opts := options()
	opts.TempDir = filepath.Join(t.TempDir(), "none")
	report, err = etl.Run(t.Context(), store, opts)
	if err != nil || !errors.Is(report.Days[0].Err, os.ErrNotExist) || !strings.Contains(report.Days[0].Err.Error(), "TMPDIR") {
		t.Errorf("without a temporary folder: %+v, %v", report, err)
	}
}

func TestInterrupted(t *testing.T) {
	store := write(t, swarm(10, 3000), 3)
	ctx, cancel := context.WithCancel(t.Context())
	opts := options()
	opts.Progress = func(p etl.Progress) {
		if p.Stage == "write" {
			cancel()
		}
	}
	if _, err := etl.Run(ctx, store, opts); !errors.Is(err, context.Canceled) {
		t.Errorf("interrupted: %v", err)
	}
	for info := range store.List(t.Context(), lake.TablesPrefix) {
		t.Errorf("%s was left behind", info.Key)
	}
}

// Damage to segments costs what was damaged, and is told.
func TestDamagedSegments(t *testing.T) {
	var file bytes.Buffer
	w, err := rawlog.NewWriter(&file, rawlog.Header{Collector: "c1", Run: "r", Start: testDay.Start()})
	if err != nil {
		t.Fatal(err)
	}
	events := swarm(11, 1000)
	for i := range events {
		if err := w.Append(&events[i]); err != nil {
			t.Fatal(err)
		}
		if i%100 == 99 {
			if err := w.Flush(); err != nil {
				t.Fatal(err)
			}
		}
	}
	if err := w.Close(rawlog.Footer{}); err != nil {
		t.Fatal(err)
	}
	key := lake.SegmentKey{Collector: "c1", Start: testDay.Start(), Sha8: "00000000"}.String()
	flipped := bytes.Clone(file.Bytes())
	flipped[len(flipped)/2] ^= 0x10
	for name, c := range map[string]struct {
		file []byte
		note string
	}{
		"cut":     {file.Bytes()[:file.Len()/2], "cut short"},
		"flipped": {flipped, "damaged"},
		"no log":  {[]byte("hello"), "no raw log"},
		"empty":   {nil, "no raw log"},
	} {
		store := lake.NewMemory()
		if _, err := lake.PutBytes(t.Context(), store, key, lake.Absent(), c.file); err != nil {
			t.Fatal(err)
		}
		opts := options()
		opts.AcceptRejects = true
		got := run(t, store, opts)
		if !strings.Contains(strings.Join(got.Notes, "\n"), c.note) {
			t.Errorf("%s: notes %q do not say %q", name, got.Notes, c.note)
		}
		if name == "flipped" && (got.Counts.Loaded < 800 || got.Counts.Loaded+got.Counts.Lost+got.Counts.RejectedTotal() != 1000) {
			t.Errorf("flipped: %+v", got.Counts)
		}
		if name == "cut" && got.Counts.Loaded < 400 {
			t.Errorf("cut: %+v", got.Counts)
		}
	}
}

// A day is not made anew from less than it was made from, nor with another key.
func TestNothingIsLostByMakingADayAnew(t *testing.T) {
	store := write(t, swarm(15, 900), 3)
	run(t, store, options())
	before := digests(t, store)
	for info, err := range store.List(t.Context(), lake.RawPrefix) {
		if err != nil {
			t.Fatal(err)
		}
		if err := store.Delete(t.Context(), info.Key); err != nil { // gc took them
			t.Fatal(err)
		}
	}
	late := rawlog.NewLog(store, rawlog.Header{Collector: "late", Run: "r9"}, 0)
	ev := swarm(16, 1)[0]
	if err := late.Append(t.Context(), &ev); err != nil {
		t.Fatal(err)
	}
	if err := late.Close(t.Context()); err != nil {
		t.Fatal(err)
	}
	report, err := etl.Run(t.Context(), store, options())
	if err != nil || !errors.Is(report.Days[0].Err, etl.ErrMissing) {
		t.Errorf("a late segment of a day whose raw logs are gone: %+v, %v", report, err)
	}
	if diff := gocmp.Diff(before, digests(t, store)); diff != "" {
		t.Errorf("the tables changed: %s", diff)
	}
	opts := options()
	opts.AcceptMissing = true
	if err := store.Delete(t.Context(), "keys/2026-W47.key"); err != nil {
		t.Fatal(err)
	}
	report, err = etl.Run(t.Context(), store, opts)
	if err != nil || report.Days[0].Err == nil || !strings.Contains(report.Days[0].Err.Error(), "keys/2026-W47.key") {
		t.Errorf("without the key: %+v, %v", report, err)
	}
	opts.AcceptNewKey = true
	if got := run(t, store, opts); got.Counts.Read != 1 {
		t.Errorf("as asked: %+v", got.Counts)
	}
}

// Days made without places are made anew once there is a database.
func TestPlacesComeLater(t *testing.T) {
	store, _ := synthetic(t, 2000)
	db, err := geo.Open(store.(*lake.File).Path(geo.CityKey), store.(*lake.File).Path(geo.ASNKey))
	if err != nil {
		t.Fatal(err)
	}
	opts := options()
	opts.Force = true
	run(t, store, opts)
	opts = options()
	opts.Geo = db
	run(t, store, opts)
	if report, err := etl.Run(t.Context(), store, options()); err != nil || len(report.Days) != 0 {
		t.Errorf("places that are there were taken away: %+v, %v", report, err)
	}
}

// A run that read less does not replace what one that read more has committed.
func TestSlowRunLoses(t *testing.T) {
	store := write(t, swarm(17, 600), 2)
	opts := options()
	raced := false
	opts.Progress = func(p etl.Progress) {
		if raced || p.Stage != "demand" {
			return
		}
		raced = true
		late := rawlog.NewLog(store, rawlog.Header{Collector: "late", Run: "r9"}, 0)
		ev := swarm(18, 1)[0]
		if err := late.Append(t.Context(), &ev); err != nil {
			t.Error(err)
		}
		if err := late.Close(t.Context()); err != nil {
			t.Error(err)
		}
		run(t, store, options())
	}
	report, err := etl.Run(t.Context(), store, opts)
	if err != nil || !errors.Is(report.Days[0].Err, lake.ErrConflict) {
		t.Errorf("the slow run: %+v, %v", report, err)
	}
	if v, err := etl.Verify(t.Context(), store, nil); err != nil || len(v.Problems) > 0 {
		t.Errorf("%q, %v", v.Problems, err)
	}
	if m, _, err := lake.ReadManifest(t.Context(), store, "queries", testDay); err != nil || m.Counts.Read != 601 {
		t.Errorf("%+v, %v", m.Counts, err)
	}
}

func TestVerifyFindsWhatIsWrong(t *testing.T) {
	for name, c := range map[string]struct {
		spoil func(*testing.T, lake.Store, *lake.Manifest)
		want  string
	}{
		"byte changed": {func(t *testing.T, s lake.Store, m *lake.Manifest) {
			b, _, err := lake.ReadAll(t.Context(), s, m.Parts[0].Key, 1<<30)
			if err != nil {
				t.Fatal(err)
			}
			b[len(b)/2] ^= 1
			put(t, s, m.Parts[0].Key, b)
		}, "sha256"},
		"part gone": {func(t *testing.T, s lake.Store, m *lake.Manifest) {
			if err := s.Delete(t.Context(), m.Parts[0].Key); err != nil {
				t.Fatal(err)
			}
		}, "no such object"},
		"stranger": {func(t *testing.T, s lake.Store, m *lake.Manifest) {
			put(t, s, lake.PartKey("queries", testDay, "00000000", 7), []byte("x"))
		}, "no manifest names it"},
		"manifest gone": {func(t *testing.T, s lake.Store, m *lake.Manifest) {
			if err := s.Delete(t.Context(), lake.ManifestKey("files", testDay)); err != nil {
				t.Fatal(err)
			}
		}, "is missing"},
		"manifest spoilt": {func(t *testing.T, s lake.Store, m *lake.Manifest) {
			put(t, s, lake.ManifestKey("files", testDay), []byte("{"))
		}, "manifest.json"},
		"sums": {func(t *testing.T, s lake.Store, m *lake.Manifest) {
			_, info, err := lake.ReadManifest(t.Context(), s, "queries", testDay)
			if err != nil {
				t.Fatal(err)
			}
			m.Counts.Loaded--
			if _, err := lake.WriteManifest(t.Context(), s, m, info); err != nil {
				t.Fatal(err)
			}
		}, "read 300 records"},
	} {
		store := write(t, swarm(12, 300), 1)
		run(t, store, options())
		m, _, err := lake.ReadManifest(t.Context(), store, "queries", testDay)
		if err != nil {
			t.Fatal(err)
		}
		c.spoil(t, store, m)
		v, err := etl.Verify(t.Context(), store, nil)
		if err != nil || !strings.Contains(strings.Join(v.Problems, "\n"), c.want) {
			t.Errorf("%s: %v, problems %q", name, err, v.Problems)
		}
	}
}

func put(t *testing.T, s lake.Store, key string, b []byte) {
	t.Helper()
	if _, err := lake.PutBytes(t.Context(), s, key, lake.Condition{}, b); err != nil {
		t.Fatal(err)
	}
}
