package etl_test

import (
	"context"
	"errors"
	"io"
	"io/fs"
	"strings"
	"sync/atomic"
	"syscall"
	"testing"

	gocmp "github.com/google/go-cmp/cmp"

	"github.com/boontorrent/boon/internal/lake"
	"github.com/boontorrent/boon/internal/racetest"
)

// limited is a store with room for so many bytes and no more.
type limited struct {
	lake.Store
	room atomic.Int64
}

func (l *limited) Put(ctx context.Context, key string, c lake.Condition, write func(io.Writer) error) (lake.Info, error) {
	return l.Store.Put(ctx, key, c, func(w io.Writer) error { return write(limitedWriter{l, w}) })
}

type limitedWriter struct {
	l   *limited
	out io.Writer
}

func (w limitedWriter) Write(p []byte) (int, error) {
	if left := w.l.room.Add(-int64(len(p))); left < 0 {
		n, err := w.out.Write(p[:max(0, int64(len(p))+left)])
		return n, errors.Join(err, &fs.PathError{Op: "write", Path: "/srv/boon", Err: syscall.ENOSPC})
	}
	return w.out.Write(p)
}

// A disk that is full after any number of bytes: the error says so, what is
// committed is whole, nothing is left behind, and with room the same bytes.
func TestFullAfterAnyNumberOfBytes(t *testing.T) {
	events := swarm(41, 400)
	early, raw := write(t, events[:200], 1), write(t, events, 2)
	want := lake.NewMemory()
	copyRaw(t, raw, want)
	if err := nightly(t.Context(), want); err != nil {
		t.Fatal(err)
	}
	step, failed := int64(1000), 0
	if racetest.Enabled { // make unit runs it without the detector, too
		step = 12_000
	}
	for room := int64(0); ; room += step {
		store := lake.NewMemory()
		copyRaw(t, early, store)
		run(t, store, inSections())
		before := len(keysOf(t, store, lake.TablesPrefix))
		copyRaw(t, raw, store)
		l := &limited{Store: store}
		l.room.Store(room)
		err := nightly(t.Context(), l)
		whole(t, store)
		if err == nil {
			break
		}
		failed++
		if !errors.Is(err, syscall.ENOSPC) || !strings.Contains(err.Error(), "put ") {
			t.Fatalf("%d bytes: %v", room, err)
		}
		if !strings.Contains(err.Error(), "manifest.json") { // before the first of them
			if now := len(keysOf(t, store, lake.TablesPrefix)); now != before {
				t.Fatalf("%d bytes: %d objects in tables, %d before", room, now, before)
			}
		}
		again(t, "full, then with room", store, nightly)
		if diff := gocmp.Diff(digests(t, want), digests(t, store)); diff != "" {
			t.Fatalf("%d bytes, then again: %s", room, diff)
		}
	}
	t.Logf("%d sizes of disk were too small", failed)
	if failed < 5 {
		t.Errorf("only %d sizes of disk were too small", failed)
	}
}
