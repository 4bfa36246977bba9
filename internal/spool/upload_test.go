package spool

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"path"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"syscall"
	"testing"
	"testing/synctest"
	"time"

	gocmp "github.com/google/go-cmp/cmp"

	"github.com/boontorrent/boon/internal/lake"
	"github.com/boontorrent/boon/internal/rawlog"
	"github.com/boontorrent/boon/internal/rawlog/rawlogtest"
)

var errAway = errors.New("no route to the lake")

// lakes is a lake that may be away, and does something before each Put.
type lakes struct {
	lake.Store
	away   atomic.Bool
	before func(key string)
	puts   []string
}

func (l *lakes) Put(ctx context.Context, key string, c lake.Condition, write func(io.Writer) error) (lake.Info, error) {
	l.puts = append(l.puts, key)
	if l.before != nil {
		l.before(key)
	}
	if l.away.Load() {
		return lake.Info{}, errAway
	}
	return l.Store.Put(ctx, key, c, write)
}

// filled is a spool with so many sealed segments, of an hour each.
func filled(t testing.TB, n int) *Spool {
	t.Helper()
	s := open(t, t.TempDir(), 0)
	w, l := writer(s)
	for i := range int64(n) {
		add(t, w, l, noon+i*3600*second)
		if err := w.Close(); err != nil {
			t.Fatal(err)
		}
	}
	return s
}

func keysOf(t testing.TB, s *Spool) (keys []string) {
	t.Helper()
	files, err := s.Sealed()
	if err != nil {
		t.Fatal(err)
	}
	for _, f := range files {
		keys = append(keys, f.Key.String())
	}
	return keys
}

// Segments go to the lake oldest first, under their keys, and then from the spool.
func TestUpload(t *testing.T) {
	s, store := filled(t, 4), &lakes{Store: lake.NewMemory()}
	want, files := keysOf(t, s), contents(t, s.Dir())
	if err := NewUploader(s, store, nil, 0).All(t.Context()); err != nil {
		t.Fatal(err)
	}
	if diff := gocmp.Diff(want, store.puts); diff != "" || len(want) != 4 || s.Held() != 0 || len(contents(t, s.Dir())) > 0 {
		t.Errorf("%d bytes are held: %s", s.Held(), diff)
	}
	for i, seg := range rawlogtest.Lake(t, store) {
		if seg.Name != want[i] || seg.Header.Seq != uint64(i) {
			t.Errorf("%s has the header %+v", seg.Name, seg.Header)
		}
	}
	for name, b := range files {
		key, _ := keyOf(name)
		if got, _, err := lake.ReadAll(t.Context(), store, key.String(), 1<<20); err != nil || string(got) != b {
			t.Errorf("%s is not what it was in the spool: %v", key, err)
		}
	}
}

// Killed at any call to the lake, or between the lake and the spool: the next
// upload goes on, and the lake has each segment once.
func TestKilledWhileUploading(t *testing.T) {
	s := filled(t, 3)
	all, names := contents(t, s.Dir()), []string{}
	for _, key := range keysOf(t, s) {
		names = append(names, path.Base(key))
	}
	for uploaded := range len(names) + 1 {
		for removed := range uploaded + 1 {
			st, there := state{files: map[string]string{}}, lake.NewMemory()
			for i, name := range names {
				key, _ := keyOf(name)
				if i < uploaded {
					if _, err := lake.PutBytes(t.Context(), there, key.String(), lake.Absent(), []byte(all[name])); err != nil {
						t.Fatal(err)
					}
				}
				if i >= removed {
					st.files[name] = all[name]
				}
			}
			again := open(t, st.restore(t), 0)
			if _, err := again.Mend(newTally); err != nil {
				t.Fatal(err)
			}
			if err := NewUploader(again, there, nil, 0).All(t.Context()); err != nil || again.Held() != 0 || len(contents(t, again.Dir())) > 0 {
				t.Errorf("%d uploaded, %d removed: %d bytes are held, %v", uploaded, removed, again.Held(), err)
			}
			for _, name := range names {
				key, _ := keyOf(name)
				if b, _, err := lake.ReadAll(t.Context(), there, key.String(), 1<<20); err != nil || string(b) != all[name] {
					t.Errorf("%d uploaded, %d removed: %s is not what it was in the spool: %v", uploaded, removed, name, err)
				}
			}
			again.Close()
		}
	}
}

// While the lake is away nothing leaves the spool, and it is asked once a time.
func TestLakeIsAway(t *testing.T) {
	s, store := filled(t, 3), &lakes{Store: lake.NewMemory()}
	store.away.Store(true)
	before, held := contents(t, s.Dir()), s.Held()
	if err := NewUploader(s, store, nil, 0).All(t.Context()); !errors.Is(err, errAway) || len(store.puts) != 1 {
		t.Errorf("asked %d times: %v", len(store.puts), err)
	}
	if diff := gocmp.Diff(before, contents(t, s.Dir())); diff != "" || s.Held() != held {
		t.Errorf("%d bytes are held, %d before: %s", s.Held(), held, diff)
	}
}

// A segment that cannot be uploaded holds up no other: one of which the lake has
// another, and one that went away meanwhile.
func TestUnfitSegment(t *testing.T) {
	s, store := filled(t, 4), &lakes{Store: lake.NewMemory()}
	keys := keysOf(t, s)
	if _, err := lake.PutBytes(t.Context(), store, keys[0], lake.Absent(), []byte("cut")); err != nil {
		t.Fatal(err)
	}
	store.puts = nil
	store.before = func(string) {
		_ = os.Remove(s.Path(path.Base(keys[2]))) // by hand
	}
	err := NewUploader(s, store, nil, 0).All(t.Context())
	if err == nil || !strings.Contains(err.Error(), keys[0]+" has 3 bytes in memory: and") || !errors.Is(err, os.ErrNotExist) {
		t.Errorf("the error is %v", err)
	}
	if diff := gocmp.Diff([]string{keys[0], keys[1], keys[3]}, store.puts); diff != "" {
		t.Errorf("tried: %s", diff)
	}
	if diff := gocmp.Diff(keys[:1], keysOf(t, s)); diff != "" {
		t.Errorf("left: %s", diff)
	}
	if b, _, err := lake.ReadAll(t.Context(), store, keys[0], 100); err != nil || string(b) != "cut" {
		t.Errorf("what the lake had: %q, %v", b, err)
	}
}

// Run tries again, after longer and longer waits, says why, uploads what comes
// when it is told, and ends when it is to.
func TestRunUploads(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s, store := filled(t, 1), &lakes{Store: lake.NewMemory()}
		store.away.Store(true)
		began := time.Now()
		var mu sync.Mutex // of both
		var tried []time.Duration
		var said []string
		store.before = func(string) {
			mu.Lock()
			defer mu.Unlock()
			tried = append(tried, time.Since(began))
		}
		u := NewUploader(s, store, func(format string, args ...any) {
			mu.Lock()
			defer mu.Unlock()
			said = append(said, fmt.Sprintf(format, args...))
		}, FirstWait)
		ctx, stop := context.WithCancel(t.Context())
		ended := make(chan struct{})
		go func() { u.Run(ctx); close(ended) }()
		time.Sleep(10 * time.Minute)
		synctest.Wait()
		var want []time.Duration
		for _, seconds := range []int{0, 1, 3, 7, 15, 31, 63, 127, 247, 367, 487} { // each wait twice the last, up to two minutes
			want = append(want, time.Duration(seconds)*time.Second)
		}
		mu.Lock()
		if diff := gocmp.Diff(want, tried); diff != "" || len(said) != len(want) || !strings.HasSuffix(said[1], "trying again in 2s") {
			t.Errorf("said %q; tried at %s", said, diff)
		}
		mu.Unlock()
		store.away.Store(false)
		time.Sleep(2 * time.Minute)
		synctest.Wait()
		if left := keysOf(t, s); len(left) > 0 {
			t.Errorf("left: %v", left)
		}
		w, l := writer(s)
		w.header.Run = "another"
		w.Sealed = u.Notify
		add(t, w, l, noon+second)
		if err := w.Close(); err != nil {
			t.Fatal(err)
		}
		synctest.Wait()
		if left := keysOf(t, s); len(left) > 0 {
			t.Errorf("left: %v", left)
		}
		stop()
		<-ended
	})
}

// Where there is no room to mend what a crash left open, sealed segments go to the
// lake first and make room. While the lake is away the start fails, and all stays.
func TestMendMakesRoom(t *testing.T) {
	s := open(t, t.TempDir(), 0)
	w, l := writer(s)
	add(t, w, l, noon)
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	add(t, w, l, noon+600*second)
	if err := w.Flush(); err != nil {
		t.Fatal(err)
	}
	s.NewFile = func(path string) (File, error) { // the sealed segment takes the room
		f, err := NewFile(path)
		if len(keysOf(t, s)) == 0 {
			return f, err
		}
		return limitedDisk{f, new(int)}, err
	}
	store := &lakes{Store: lake.NewMemory()}
	store.away.Store(true)
	var said []string
	say := func(format string, _ ...any) { said = append(said, format) }
	before := contents(t, s.Dir())
	if n, err := s.mendOrMakeRoom(t.Context(), store, say, newTally); n != 0 || !errors.Is(err, syscall.ENOSPC) || !errors.Is(err, errAway) || len(said) != 1 {
		t.Errorf("mended %d with a lake that is away: %v; said %q", n, err, said)
	}
	if diff := gocmp.Diff(before, contents(t, s.Dir())); diff != "" {
		t.Error(diff)
	}
	store.away.Store(false)
	n, err := s.mendOrMakeRoom(t.Context(), store, say, newTally)
	if got, segments := sealed(t, s); n != 2 || err != nil || len(got) != 1 || len(segments) != 1 || !segments[0].Footer.Recovered {
		t.Errorf("mended %d (%v): %v", n, err, got)
	}
	if files, err := s.Sealed(); err != nil || s.Held() != files[0].Size {
		t.Errorf("%d bytes are held, want %d (%v)", s.Held(), files[0].Size, err)
	}
}

// Begin makes an account for each segment that it mends, and tells what it mended.
func TestBegin(t *testing.T) {
	s := open(t, t.TempDir(), 0)
	for _, run := range []string{"a", "b"} {
		w := NewSegments(s, rawlog.Header{Collector: "test", Run: run})
		add(t, w, &tally{}, noon)
		if err := w.Flush(); err != nil {
			t.Fatal(err)
		}
	}
	s.Close()
	var said []string
	say := func(format string, args ...any) { said = append(said, fmt.Sprintf(format, args...)) }
	s, n, err := Begin(t.Context(), s.Dir(), 0, lake.NewMemory(), say, newTally)
	if err != nil || n != 4 || !slices.Equal(said, []string{"mended 4 records that a crash left open"}) {
		t.Fatalf("mended %d, said %q: %v", n, said, err)
	}
	defer s.Close()
	if got, segments := sealed(t, s); len(got) != 2 || len(segments) != 2 {
		t.Errorf("%d queries in %d segments", len(got), len(segments))
	}
}
