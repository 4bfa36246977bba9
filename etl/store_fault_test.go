package etl_test

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"iter"
	"maps"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"

	gocmp "github.com/google/go-cmp/cmp"

	"github.com/boontorrent/boon/etl"
	"github.com/boontorrent/boon/internal/lake"
	"github.com/boontorrent/boon/internal/racetest"
)

// errServer is what a store says that has given up asking its server again.
var errServer = errors.New("503 SlowDown, in 6 attempts")

// fault is something that goes wrong with one call to a store.
type fault struct {
	// before it acts: the call fails and does nothing.
	refuse bool
	// after it acted: the answer is lost.
	lose error
	// of an object or a listing, half comes and then an error.
	cut bool
	// the answer names another ETag.
	etag bool
}

var storeFaults = map[string]fault{
	"refused":               {refuse: true},
	"answer lost":           {lose: errServer},
	"conflict with oneself": {lose: lake.ErrConflict},
	"body cut":              {cut: true},
	"wrong ETag":            {etag: true},
}

// faulty is a store of which one call goes wrong: the one that at counts down to.
type faulty struct {
	lake.Store
	fault fault
	at    atomic.Int64
	hit   atomic.Bool      // something did go wrong
	after func(lake.Store) // is called after each change to the store
	mu    sync.Mutex       // of after
}

// strike reports whether this call is the one.
func (f *faulty) strike() bool { return f.at.Add(-1) == -1 }

func (f *faulty) changed() {
	if f.after != nil {
		f.mu.Lock()
		defer f.mu.Unlock()
		f.after(f.Store)
	}
}

func (f *faulty) fail(op, key string, cause error) error {
	f.hit.Store(true)
	return fmt.Errorf("%s %s in s3://bucket/p: %w", op, key, cause)
}

func (f *faulty) spoil(info lake.Info) lake.Info {
	f.hit.Store(true)
	info.ETag += "x"
	return info
}

func (f *faulty) Open(ctx context.Context, key string) (lake.Object, error) {
	strike := f.strike()
	if strike && f.fault.refuse {
		return nil, f.fail("open", key, errServer)
	}
	o, err := f.Store.Open(ctx, key)
	switch {
	case err != nil || !strike:
		return o, err
	case f.fault.cut:
		return &cutObject{Object: o, f: f, left: o.Info().Size / 2}, nil
	case f.fault.etag:
		return otherETag{o, f.spoil(o.Info())}, nil
	}
	return o, nil
}

type otherETag struct {
	lake.Object
	info lake.Info
}

func (o otherETag) Info() lake.Info { return o.info }

// cutObject ends, with an error, after half of its bytes.
type cutObject struct {
	lake.Object
	f    *faulty
	left int64
}

func (o *cutObject) Read(p []byte) (int, error) {
	if o.left == 0 {
		return 0, o.f.fail("read", o.Info().Key, io.ErrUnexpectedEOF)
	}
	n, err := o.Object.Read(p[:min(int64(len(p)), o.left)])
	o.left -= int64(n)
	return n, err
}

func (o *cutObject) ReadAt([]byte, int64) (int, error) {
	return 0, o.f.fail("read", o.Info().Key, io.ErrUnexpectedEOF)
}

func (f *faulty) Put(ctx context.Context, key string, c lake.Condition, write func(io.Writer) error) (lake.Info, error) {
	strike := f.strike()
	if strike && f.fault.refuse {
		return lake.Info{}, f.fail("put", key, errServer)
	}
	info, err := f.Store.Put(ctx, key, c, write)
	if err != nil {
		return info, err
	}
	f.changed()
	switch {
	case strike && f.fault.etag:
		return f.spoil(info), nil
	case strike && f.fault.lose != nil && (c != lake.Condition{} || !errors.Is(f.fault.lose, lake.ErrConflict)):
		return lake.Info{}, f.fail("put", key, f.fault.lose)
	}
	return info, nil
}

func (f *faulty) Stat(ctx context.Context, key string) (lake.Info, error) {
	strike := f.strike()
	if strike && f.fault.refuse {
		return lake.Info{}, f.fail("stat", key, errServer)
	}
	info, err := f.Store.Stat(ctx, key)
	if err == nil && strike && f.fault.etag {
		return f.spoil(info), nil
	}
	return info, err
}

func (f *faulty) Delete(ctx context.Context, key string) error {
	strike := f.strike()
	if strike && f.fault.refuse {
		return f.fail("delete", key, errServer)
	}
	err := f.Store.Delete(ctx, key)
	f.changed()
	if err == nil && strike && errors.Is(f.fault.lose, errServer) {
		return f.fail("delete", key, errServer)
	}
	return err
}

func (f *faulty) List(ctx context.Context, prefix string) iter.Seq2[lake.Info, error] {
	strike := f.strike()
	return func(yield func(lake.Info, error) bool) {
		n := 0
		for info, err := range f.Store.List(ctx, prefix) {
			if n++; strike && (f.fault.refuse || f.fault.cut && n == 2) {
				yield(lake.Info{}, f.fail("list", prefix, errServer))
				return
			}
			if strike && f.fault.etag && n == 1 {
				info = f.spoil(info)
			}
			if !yield(info, err) {
				return
			}
		}
	}
}

// nightly makes the day as cron does.
func nightly(ctx context.Context, store lake.Store) error {
	opts := inSections()
	opts.Holder = "nightly"
	report, err := etl.Run(ctx, store, opts)
	if err != nil {
		return err
	}
	for _, d := range report.Days {
		err = errors.Join(err, d.Err)
	}
	return err
}

// shared makes it by two shards.
func shared(ctx context.Context, store lake.Store) error {
	opts := inSections()
	opts.Holder = "commit"
	p, err := etl.MakePlan(ctx, store, opts, testDay, 2)
	if err != nil {
		return err
	}
	for shard := range 2 {
		if p == nil { // the day is there: only a commit may have to be repeated
			break
		}
		if err := etl.RunShard(ctx, store, opts, testDay, shard, 2); err != nil {
			return err
		}
	}
	_, err = etl.Commit(ctx, store, opts, testDay)
	if p == nil && errors.Is(err, lake.ErrNotFound) { // it was not: there is no plan
		return nil
	}
	return err
}

// Whatever goes wrong with whichever call: what is committed is whole at every
// moment, the error says what and where, and the same done again gives the
// same bytes as undisturbed.
func TestStoreFaults(t *testing.T) {
	events := swarm(31, 90)
	early, raw := write(t, events[:45], 1), write(t, events, 2)
	for name, pipeline := range map[string]func(context.Context, lake.Store) error{"one machine": nightly, "shards": shared} {
		step := int64(1)
		if name == "shards" { // which make twice as many calls, most of them of the same code
			step = 3
		}
		if racetest.Enabled { // make unit runs it without the detector, too
			step *= 23
		}
		undisturbed := lake.NewMemory()
		copyRaw(t, early, undisturbed)
		if err := nightly(t.Context(), undisturbed); err != nil {
			t.Fatal(err)
		}
		before := maps.Collect(objects(t, undisturbed))
		copyRaw(t, raw, undisturbed)
		if err := pipeline(t.Context(), undisturbed); err != nil {
			t.Fatal(err)
		}
		want := digests(t, undisturbed)
		for _, kind := range slices.Sorted(maps.Keys(storeFaults)) {
			hits, told := 0, 0
			for call, over := int64(len(kind))%step, false; !over; call += step {
				store := lake.NewMemory()
				for key, b := range before {
					put(t, store, key, b)
				}
				copyRaw(t, raw, store)
				f := &faulty{Store: store, fault: storeFaults[kind], after: func(s lake.Store) { whole(t, s) }}
				f.at.Store(call)
				err := pipeline(t.Context(), f)
				where := fmt.Sprintf("%s, %s at call %d (%v)", name, kind, call, err)
				over = f.at.Load() >= 0 // there are no more calls
				if f.hit.Load() {
					hits++
				}
				if err != nil {
					told++
					explains(t, where, err)
				}
				again(t, where, store, pipeline)
				if diff := gocmp.Diff(want, digests(t, store)); diff != "" {
					t.Fatalf("%s, then again: %s", where, diff)
				}
			}
			t.Logf("%s, %s: went wrong at %d calls, %d of them were told", name, kind, hits, told)
			if hits < 3 && !racetest.Enabled {
				t.Errorf("%s, %s: only %d calls went wrong", name, kind, hits)
			}
		}
	}
}

// A store that fails does not make boon verify say that all is well, nor boon gc
// delete the segments of a day whose tables are spoilt.
func TestFaultsWhileVerifying(t *testing.T) {
	store := write(t, swarm(32, 200), 2)
	run(t, store, inSections())
	spoilt := lake.NewMemory()
	for key, b := range objects(t, store) {
		if strings.HasPrefix(key, "tables/files/") && strings.HasSuffix(key, ".parquet") {
			b[len(b)/2] ^= 1
		}
		put(t, spoilt, key, b)
	}
	raw := keysOf(t, spoilt, lake.RawPrefix)
	for _, kind := range []string{"refused", "body cut"} {
		hits := 0
		for call, over := int64(0), false; !over; call++ {
			f := &faulty{Store: store, fault: storeFaults[kind]}
			f.at.Store(call)
			v, err := etl.Verify(t.Context(), f, nil)
			over = f.at.Load() >= 0
			if f.hit.Load() {
				hits++
				if err == nil && len(v.Problems) == 0 {
					t.Errorf("%s at call %d: all is well", kind, call)
				}
			}
			f = &faulty{Store: spoilt, fault: storeFaults[kind]}
			f.at.Store(call)
			_, err = etl.Collect(t.Context(), f, etl.GCOptions{Today: testDay + 31, KeepRaw: 30})
			if diff := gocmp.Diff(raw, keysOf(t, spoilt, lake.RawPrefix)); diff != "" {
				t.Fatalf("%s at call %d: boon gc deleted raw segments (%v): %s", kind, call, err, diff)
			}
			over = over && f.at.Load() >= 0
		}
		if hits < 10 {
			t.Errorf("%s: only %d calls went wrong", kind, hits)
		}
	}
}

// explains fails unless the error names an object of the lake.
func explains(t *testing.T, where string, err error) {
	t.Helper()
	for _, folder := range []string{lake.RawPrefix, lake.TablesPrefix, lake.KeysPrefix, lake.LeasePrefix, lake.ShardsPrefix, lake.QuarantinePrefix} {
		if strings.Contains(err.Error(), strings.TrimSuffix(folder, "/")) {
			return
		}
	}
	t.Errorf("%s: the error does not say where", where)
}

// again runs the pipeline once more, without faults, and verifies.
func again(t *testing.T, where string, store lake.Store, pipeline func(context.Context, lake.Store) error) {
	t.Helper()
	err := pipeline(t.Context(), store)
	if errors.Is(err, etl.ErrLeased) { // the fault hit the end of the lease
		if err := store.Delete(t.Context(), "lease/etl.json"); err != nil {
			t.Fatal(err)
		}
		err = pipeline(t.Context(), store)
	}
	if err != nil {
		t.Fatalf("%s, then again: %v", where, err)
	}
	v, err := etl.Verify(t.Context(), store, nil)
	if err != nil || len(v.Problems) > 0 {
		t.Fatalf("%s, then again: %v %q", where, err, v.Problems)
	}
	for info := range store.List(t.Context(), lake.ShardsPrefix) {
		t.Fatalf("%s, then again: %s was left behind", where, info.Key)
	}
}

// objects yields all objects of a store.
func objects(t *testing.T, store lake.Store) iter.Seq2[string, []byte] {
	t.Helper()
	return func(yield func(string, []byte) bool) {
		for info, err := range store.List(t.Context(), "") {
			if err != nil {
				t.Fatal(err)
			}
			b, _, err := lake.ReadAll(t.Context(), store, info.Key, 1<<30)
			if err != nil {
				t.Fatal(err)
			}
			if !yield(info.Key, bytes.Clone(b)) {
				return
			}
		}
	}
}
