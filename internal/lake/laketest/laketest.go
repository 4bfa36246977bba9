// Package laketest is the suite that every lake.Store must pass.
package laketest

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"strings"
	"sync"
	"sync/atomic"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/boontorrent/boon/internal/lake"
)

// Run tests the stores that open returns; each call must give an empty one.
func Run(t *testing.T, open func(t *testing.T) lake.Store) {
	for _, c := range []struct {
		name string
		test func(*testing.T, lake.Store)
	}{
		{"PutThenOpen", putThenOpen},
		{"AbsentObject", absentObject},
		{"FailedPutLeavesNothing", failedPut},
		{"CancelledPutLeavesNothing", cancelledPut},
		{"Conditions", conditions},
		{"OneWinner", oneWinner},
		{"ListInOrder", listInOrder},
		{"BadKeys", badKeys},
		{"LargeObject", largeObject},
		{"ReaderKeepsWhatItOpened", readerKeeps},
		{"Manifest", manifest},
	} {
		t.Run(c.name, func(t *testing.T) { c.test(t, open(t)) })
	}
}

func put(t *testing.T, s lake.Store, key, text string) lake.Info {
	t.Helper()
	info, err := lake.PutBytes(t.Context(), s, key, lake.Condition{}, []byte(text))
	if err != nil {
		t.Fatalf("put %s: %v", key, err)
	}
	return info
}

func read(t *testing.T, s lake.Store, key string) string {
	t.Helper()
	b, _, err := lake.ReadAll(t.Context(), s, key, 1<<20)
	if err != nil {
		t.Fatalf("read %s: %v", key, err)
	}
	return string(b)
}

func keys(t *testing.T, s lake.Store, prefix string) []string {
	t.Helper()
	var got []string
	for info, err := range s.List(t.Context(), prefix) {
		if err != nil {
			t.Fatalf("list %q: %v", prefix, err)
		}
		got = append(got, info.Key)
	}
	return got
}

func putThenOpen(t *testing.T, s lake.Store) {
	put(t, s, "a/b.txt", "one")
	info := put(t, s, "a/b.txt", "second")
	if got := read(t, s, "a/b.txt"); got != "second" {
		t.Errorf("read %q after the second put", got)
	}
	st, err := s.Stat(t.Context(), "a/b.txt")
	if err != nil {
		t.Fatal(err)
	}
	if st.Size != 6 || st.ETag != info.ETag || st.ETag == "" || st.Key != "a/b.txt" {
		t.Errorf("Stat says %+v, Put said %+v", st, info)
	}
	o, err := s.Open(t.Context(), "a/b.txt")
	if err != nil {
		t.Fatal(err)
	}
	defer o.Close()
	part := make([]byte, 3)
	if _, err := o.ReadAt(part, 2); err != nil || string(part) != "con" {
		t.Errorf("ReadAt(2) = %q, %v", part, err)
	}
	if o.Info() != st {
		t.Errorf("the open object's Info is %+v, Stat's %+v", o.Info(), st)
	}
}

func absentObject(t *testing.T, s lake.Store) {
	if _, err := s.Open(t.Context(), "none"); !errors.Is(err, lake.ErrNotFound) {
		t.Errorf("Open: %v", err)
	}
	if _, err := s.Stat(t.Context(), "none"); !errors.Is(err, lake.ErrNotFound) {
		t.Errorf("Stat: %v", err)
	}
	if err := s.Delete(t.Context(), "none"); err != nil {
		t.Errorf("Delete: %v", err)
	}
	put(t, s, "x", "1")
	if err := s.Delete(t.Context(), "x"); err != nil {
		t.Fatal(err)
	}
	if _, err := s.Stat(t.Context(), "x"); !errors.Is(err, lake.ErrNotFound) {
		t.Errorf("Stat after Delete: %v", err)
	}
}

func failedPut(t *testing.T, s lake.Store) {
	put(t, s, "kept", "old")
	boom := errors.New("boom")
	for _, key := range []string{"kept", "new"} {
		_, err := s.Put(t.Context(), key, lake.Condition{}, func(w io.Writer) error {
			_, _ = io.WriteString(w, "half")
			return boom
		})
		if !errors.Is(err, boom) {
			t.Errorf("Put returned %v", err)
		}
	}
	if got := read(t, s, "kept"); got != "old" {
		t.Errorf("a failed put changed the object to %q", got)
	}
	if diff := cmp.Diff([]string{"kept"}, keys(t, s, "")); diff != "" {
		t.Errorf("objects after failed puts: %s", diff)
	}
}

func cancelledPut(t *testing.T, s lake.Store) {
	ctx, cancel := context.WithCancel(t.Context())
	_, err := s.Put(ctx, "new", lake.Condition{}, func(w io.Writer) error {
		cancel()
		_, err := io.WriteString(w, "text")
		return err
	})
	if err == nil {
		t.Error("a cancelled Put succeeded")
	}
	if got := keys(t, s, ""); len(got) != 0 {
		t.Errorf("a cancelled put left %v", got)
	}
}

func conditions(t *testing.T, s lake.Store) {
	ctx := t.Context()
	first, err := lake.PutBytes(ctx, s, "m", lake.Absent(), []byte("1"))
	if err != nil {
		t.Fatal(err)
	}
	if _, err := lake.PutBytes(ctx, s, "m", lake.Absent(), []byte("2")); !errors.Is(err, lake.ErrConflict) {
		t.Errorf("Absent on an object that is there: %v", err)
	}
	second, err := lake.PutBytes(ctx, s, "m", lake.Unchanged(first.ETag), []byte("3"))
	if err != nil {
		t.Errorf("Unchanged on an unchanged object: %v", err)
	}
	if second.ETag == first.ETag {
		t.Error("two contents have one ETag")
	}
	if _, err := lake.PutBytes(ctx, s, "m", lake.Unchanged(first.ETag), []byte("4")); !errors.Is(err, lake.ErrConflict) {
		t.Errorf("Unchanged on a changed object: %v", err)
	}
	if _, err := lake.PutBytes(ctx, s, "gone", lake.Unchanged(first.ETag), []byte("5")); !errors.Is(err, lake.ErrConflict) {
		t.Errorf("Unchanged on an absent object: %v", err)
	}
	if got := read(t, s, "m"); got != "3" {
		t.Errorf("the object is %q, want 3", got)
	}
}

func oneWinner(t *testing.T, s lake.Store) {
	var wins atomic.Int32
	var wg sync.WaitGroup
	for i := range 8 {
		wg.Go(func() {
			_, err := lake.PutBytes(t.Context(), s, "lease", lake.Absent(), fmt.Append(nil, i))
			switch {
			case err == nil:
				wins.Add(1)
			case !errors.Is(err, lake.ErrConflict):
				t.Errorf("put: %v", err)
			}
		})
	}
	wg.Wait()
	if wins.Load() != 1 {
		t.Errorf("%d of 8 conditional puts won, want 1", wins.Load())
	}
}

func listInOrder(t *testing.T, s lake.Store) {
	all := []string{"a-b/1", "a/1", "a/2/x", "a/2=y", "ab", "b/c"}
	for _, k := range all {
		put(t, s, k, k)
	}
	for prefix, want := range map[string][]string{
		"":      {"a-b/1", "a/1", "a/2/x", "a/2=y", "ab", "b/c"},
		"a/":    {"a/1", "a/2/x", "a/2=y"},
		"a":     {"a-b/1", "a/1", "a/2/x", "a/2=y", "ab"},
		"a/2":   {"a/2/x", "a/2=y"},
		"c":     nil,
		"a/1/":  nil,
		"../":   nil,
		"b/c/d": nil,
	} {
		if diff := cmp.Diff(want, keys(t, s, prefix)); diff != "" {
			t.Errorf("List(%q): %s", prefix, diff)
		}
	}
	for _, err := range s.List(t.Context(), "") {
		if err != nil {
			t.Error(err)
		}
		break // stopping early must be possible
	}
}

func badKeys(t *testing.T, s lake.Store) {
	for _, k := range []string{"", "/a", "a/", "a//b", "../a", "a/../b", ".", "a/./b", "a b", "a\\b", "a\x00", "é", strings.Repeat("x", 601)} {
		if _, err := lake.PutBytes(t.Context(), s, k, lake.Condition{}, nil); !errors.Is(err, lake.ErrBadKey) {
			t.Errorf("Put(%q): %v", k, err)
		}
		if _, err := s.Open(t.Context(), k); !errors.Is(err, lake.ErrBadKey) {
			t.Errorf("Open(%q): %v", k, err)
		}
	}
}

func largeObject(t *testing.T, s lake.Store) {
	chunk := bytes.Repeat([]byte("0123456789abcdef"), 1<<16) // 1 MiB
	_, err := s.Put(t.Context(), "large", lake.Condition{}, func(w io.Writer) error {
		for range 20 {
			if _, err := w.Write(chunk); err != nil {
				return err
			}
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	o, err := s.Open(t.Context(), "large")
	if err != nil {
		t.Fatal(err)
	}
	defer o.Close()
	n, err := io.Copy(io.Discard, o)
	if err != nil || n != 20<<20 {
		t.Errorf("read %d bytes, %v", n, err)
	}
	if _, err := o.ReadAt(make([]byte, 4), 20<<20-2); !errors.Is(err, io.EOF) {
		t.Errorf("ReadAt over the end: %v, want EOF", err)
	}
}

func readerKeeps(t *testing.T, s lake.Store) {
	put(t, s, "k", "before")
	o, err := s.Open(t.Context(), "k")
	if err != nil {
		t.Fatal(err)
	}
	defer o.Close()
	put(t, s, "k", "after!")
	b, err := io.ReadAll(o)
	// A store may refuse to go on once the object changed; it may not mix the two.
	if err == nil && string(b) != "before" && string(b) != "after!" {
		t.Errorf("read %q", b)
	}
}

func manifest(t *testing.T, s lake.Store) {
	day, err := lake.ParseDay("2026-11-22")
	if err != nil {
		t.Fatal(err)
	}
	m, old, err := lake.ReadManifest(t.Context(), s, "queries", day)
	if m != nil || err != nil {
		t.Fatalf("an absent manifest reads as %v, %v", m, err)
	}
	want := &lake.Manifest{Table: "queries", Day: day.String(), Counts: lake.Counts{Read: 3, Loaded: 2, Duplicate: 1}}
	if _, err := lake.WriteManifest(t.Context(), s, want, old); err != nil {
		t.Fatal(err)
	}
	if _, err := lake.WriteManifest(t.Context(), s, want, old); !errors.Is(err, lake.ErrConflict) {
		t.Errorf("a second writer who saw no manifest: %v", err)
	}
	got, info, err := lake.ReadManifest(t.Context(), s, "queries", day)
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("read back: %s", diff)
	}
	if _, err := lake.WriteManifest(t.Context(), s, want, info); err != nil {
		t.Errorf("a writer who saw the manifest: %v", err)
	}
}
