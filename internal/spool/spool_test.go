package spool

import (
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"maps"
	"math/rand/v2"
	"net/netip"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"syscall"
	"testing"

	gocmp "github.com/google/go-cmp/cmp"

	"github.com/boontorrent/boon/internal/lake"
	"github.com/boontorrent/boon/internal/rawlog"
	"github.com/boontorrent/boon/internal/rawlog/rawlogtest"
)

const (
	noon     = 1795348800_000000 // 2026-11-22 12:00
	midnight = noon + 12*3600*second
)

// query is an event that hardly packs, so that each has bytes of its own.
func query(at int64) rawlog.Event {
	r := rand.New(rand.NewPCG(1, uint64(at)))
	ev := rawlog.Event{Kind: rawlog.GetPeers, T: at, Query: rawlog.Query{Addr: netip.AddrFrom4([4]byte{5, 5, 5, 5}), Port: 1}}
	for i := range ev.Query.Infohash {
		ev.Query.Infohash[i], ev.Query.OurID[i] = byte(r.Uint32()), 1
	}
	return ev
}

// tally is a ledger: each segment's stats events add up to its queries.
type tally struct{ queries int64 }

func newTally() Ledger { return &tally{} }

func (l *tally) Count(ev *rawlog.Event) {
	if ev.Kind == rawlog.Stats {
		l.queries -= ev.Stats.Logged["get_peers"]
	} else {
		l.queries++
	}
}

func (l *tally) Owed(last int64) []rawlog.Event {
	if l.queries == 0 {
		return nil
	}
	ev := rawlog.Event{Kind: rawlog.Stats, T: last, Stats: &rawlog.StatsEvent{Logged: map[string]int64{"get_peers": l.queries}}}
	l.queries = 0
	return []rawlog.Event{ev}
}

func open(t testing.TB, dir string, limit int64) *Spool {
	t.Helper()
	s, err := Open(dir, limit)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(s.Close)
	return s
}

// writer is a run that keeps the sums.
func writer(s *Spool) (*Segments, *tally) {
	w, l := NewSegments(s, rawlog.Header{Collector: "test", Run: "r"}), &tally{}
	w.Closing = func(last int64) (map[string]int64, error) {
		for _, ev := range l.Owed(last) {
			if err := w.Append(&ev); err != nil {
				return nil, err
			}
		}
		return map[string]int64{"reason": 1}, nil
	}
	return w, l
}

// add appends a query of that time, unless there is no room for it.
func add(t testing.TB, w *Segments, l *tally, at int64) bool {
	t.Helper()
	ready, err := w.Ready(at)
	if err != nil {
		t.Fatal(err)
	}
	if ready {
		ev := query(at)
		if err := w.Append(&ev); err != nil {
			t.Fatal(err)
		}
		l.Count(&ev)
	}
	return ready
}

// sealed reads what is sealed in a spool, and holds that the sums of each segment
// close and that its name is its content's. It gives the times of all queries.
func sealed(t testing.TB, s *Spool) (times []int64, segments []*rawlogtest.Segment) {
	t.Helper()
	files, err := s.Sealed()
	if err != nil {
		t.Fatal(err)
	}
	for _, f := range files {
		b, err := os.ReadFile(s.Path(f.Name))
		if err != nil {
			t.Fatal(err)
		}
		seg := rawlogtest.Read(t, f.Name, bytes.NewReader(b))
		if h := seg.Header; h.Start != f.Key.Start || h.Seq != f.Key.Seq || h.Collector != f.Key.Collector || f.Size != int64(len(b)) {
			t.Errorf("%s has %d bytes and the header %+v", f.Name, len(b), h)
		}
		if sum := sha8(b); f.Key.Sha8 != sum {
			t.Errorf("%s has the digest %s", f.Name, sum)
		}
		var l tally
		for i := range seg.Events {
			l.Count(&seg.Events[i])
			if seg.Events[i].Kind != rawlog.Stats {
				times = append(times, seg.Events[i].T)
			}
		}
		if l.queries != 0 {
			t.Errorf("%s: %d queries are in no stats event", f.Name, l.queries)
		}
		segments = append(segments, seg)
	}
	return times, segments
}

func sha8(b []byte) string {
	sum := sha256.Sum256(b)
	return hex.EncodeToString(sum[:4])
}

func contents(t testing.TB, dir string) map[string]string {
	t.Helper()
	entries, err := os.ReadDir(dir)
	if err != nil {
		t.Fatal(err)
	}
	all := map[string]string{}
	for _, e := range entries {
		if e.Type().IsRegular() && e.Name() != lockName {
			b, err := os.ReadFile(filepath.Join(dir, e.Name()))
			if err != nil {
				t.Fatal(err)
			}
			all[e.Name()] = string(b)
		}
	}
	return all
}

// state is a folder as a process left it that was killed, which had promised to
// keep so many queries.
type state struct {
	files map[string]string
	kept  int
}

func (st *state) restore(t testing.TB) string {
	t.Helper()
	dir := t.TempDir()
	for name, b := range st.files {
		if err := os.WriteFile(filepath.Join(dir, name), []byte(b), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	return dir
}

// watched is a file that lets its folder be looked at before each call, and in the
// middle of a write.
type watched struct {
	File
	look func()
}

func (w watched) WriteAt(p []byte, off int64) (int, error) {
	w.look()
	if n, err := w.File.WriteAt(p[:len(p)/2], off); err != nil {
		return n, err
	}
	w.look()
	return w.File.WriteAt(p, off)
}

func (w watched) Sync() error  { w.look(); return nil }
func (w watched) Close() error { w.look(); return w.File.Close() }

// unsynced saves the disk some work: a process that is killed takes nothing from
// what it wrote.
type unsynced struct{ File }

func (unsynced) Sync() error { return nil }

// watch makes each state of the spool's folder known.
func watch(t testing.TB, s *Spool, seen func(map[string]string)) (look func()) {
	var last map[string]string
	look = func() {
		if now := contents(t, s.Dir()); last == nil || !maps.Equal(now, last) {
			last = now
			seen(now)
		}
	}
	s.NewFile = func(path string) (File, error) {
		look()
		f, err := NewFile(path)
		return watched{f, look}, err
	}
	return look
}

// Killed at any call, in the middle of a write, and while what an earlier kill left
// is being mended: what was flushed is there, once, in order, and nothing is half.
func TestKilledAnywhere(t *testing.T) {
	s := open(t, t.TempDir(), 0)
	var states []state
	kept := 0
	look := watch(t, s, func(files map[string]string) { states = append(states, state{files, kept}) })
	w, l := writer(s)
	n := 0
	for i := range int64(24) { // two segments end, one of old age and one at midnight
		at := midnight - 400*second + i*25*second
		for j := range int64(3) {
			if !add(t, w, l, at+j) {
				t.Fatal("no room")
			}
			n++
		}
		look()
		if err := w.Upkeep(at + second); err != nil {
			t.Fatal(err)
		}
		kept = n
		states = append(states, state{contents(t, s.Dir()), kept})
	}
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	look()
	if len(states) < 60 {
		t.Fatalf("only %d states were seen", len(states))
	}
	want, segments := sealed(t, s)
	if len(segments) != 3 || len(want) != n || segments[0].Footer.Dropped["reason"] != 1 {
		t.Fatalf("undisturbed: %d segments, %d queries of %d", len(segments), len(want), n)
	}
	for i := range states {
		mendAnywhere(t, &states[i], want)
	}
}

// mendAnywhere mends a state, and what it is if it is killed in the middle of that.
func mendAnywhere(t *testing.T, st *state, want []int64) {
	s := open(t, st.restore(t), 0)
	defer s.Close()
	var half []state
	watch(t, s, func(files map[string]string) { half = append(half, state{files, st.kept}) })
	got := mended(t, s, st, want)
	if len(half) > 0 { // the sealed copy is there, and the open segment not yet gone
		both := contents(t, s.Dir())
		for name, b := range st.files {
			if strings.HasSuffix(name, OpenSuffix) {
				both[name] = b
			}
		}
		half = append(half, state{both, st.kept})
	}
	for i := range half {
		again := open(t, half[i].restore(t), 0)
		again.NewFile = func(path string) (File, error) {
			f, err := NewFile(path)
			return unsynced{f}, err
		}
		if diff := gocmp.Diff(got, mended(t, again, &half[i], want)); diff != "" {
			t.Fatalf("killed while it was mended: %s", diff)
		}
		again.Close()
	}
}

// mended mends a spool twice and returns its content.
func mended(t *testing.T, s *Spool, st *state, want []int64) map[string]string {
	t.Helper()
	if _, err := s.Mend(newTally); err != nil {
		t.Fatal(err)
	}
	got, _ := sealed(t, s)
	if len(got) < st.kept || !slices.Equal(got, want[:len(got)]) {
		t.Fatalf("%d queries were kept, %d are there: %v of %v", st.kept, len(got), got, slices.Collect(maps.Keys(st.files)))
	}
	files, size := contents(t, s.Dir()), int64(0)
	for name, b := range files {
		if _, ok := keyOf(name); ok {
			size += int64(len(b))
		} else if !strings.HasSuffix(name, unreadableSuffix) { // half of a first frame
			t.Fatalf("%s is left", name)
		}
	}
	if s.Held() != size {
		t.Fatalf("%d bytes are held, not %d", s.Held(), size)
	}
	if n, err := s.Mend(newTally); n != 0 || err != nil {
		t.Fatalf("mended again: %d records, %v", n, err)
	}
	if diff := gocmp.Diff(files, contents(t, s.Dir())); diff != "" {
		t.Fatalf("mended again: %s", diff)
	}
	return files
}

// synced is a file of which a power cut leaves what was synced.
type synced struct {
	File
	written, safe *int64
}

func (f synced) WriteAt(p []byte, off int64) (int, error) {
	n, err := f.File.WriteAt(p, off)
	*f.written = max(*f.written, off+int64(n))
	return n, err
}

func (f synced) Sync() error {
	*f.safe = *f.written
	return f.File.Sync()
}

// What was synced outlives a power cut, wherever the rest of the file ends then.
func TestPowerCut(t *testing.T) {
	s := open(t, t.TempDir(), 0)
	var size, safe int64
	s.NewFile = func(path string) (File, error) {
		f, err := NewFile(path)
		return synced{f, &size, &safe}, err
	}
	w, l := writer(s)
	for i := range int64(9) {
		add(t, w, l, noon+i*second)
		if err := w.Flush(); err != nil {
			t.Fatal(err)
		}
		if i == 5 {
			if err := w.Sync(); err != nil {
				t.Fatal(err)
			}
		}
	}
	if safe == 0 || safe == size {
		t.Fatalf("%d of %d bytes are safe", safe, size)
	}
	names, err := s.Names(OpenSuffix)
	if err != nil || len(names) != 1 {
		t.Fatal(names, err)
	}
	whole := contents(t, s.Dir())[names[0]]
	for at := safe; at <= size; at += 3 {
		for _, zeros := range []string{"", strings.Repeat("\x00", int(size-at))} { // as some file systems leave it
			st := state{files: map[string]string{names[0]: whole[:at] + zeros}}
			cut := open(t, st.restore(t), 0)
			cut.NewFile = func(path string) (File, error) {
				f, err := NewFile(path)
				return unsynced{f}, err
			}
			if _, err := cut.Mend(newTally); err != nil {
				t.Fatal(err)
			}
			if got, _ := sealed(t, cut); len(got) < 6 {
				t.Fatalf("cut to %d bytes, and %d zeros: %d queries", at, len(zeros), len(got))
			}
			cut.Close()
		}
	}
}

// limitedDisk has room for so many bytes more.
type limitedDisk struct {
	File
	room *int
}

func (d limitedDisk) WriteAt(p []byte, off int64) (int, error) {
	fits := min(len(p), *d.room)
	n, err := d.File.WriteAt(p[:fits], off)
	if *d.room -= n; err == nil && fits < len(p) {
		err = syscall.ENOSPC
	}
	return n, err
}

// A disk that is full after any number of bytes, and has room again later: what
// was taken is there, and nothing else.
func TestFullAfterAnyNumberOfBytes(t *testing.T) {
	refusedEver := false
	for room := 0; room < 4000; room += 41 {
		s, left := open(t, t.TempDir(), 0), room
		s.NewFile = func(path string) (File, error) {
			if left == 0 { // nor for a name
				return nil, &os.PathError{Op: "open", Path: path, Err: syscall.ENOSPC}
			}
			f, err := NewFile(path)
			return limitedDisk{f, &left}, err
		}
		w, l := writer(s)
		var taken []int64
		for i := range int64(40) {
			if i == 30 {
				left = 1 << 20
			}
			at := noon + i*20*second
			if add(t, w, l, at) {
				taken = append(taken, at)
			} else {
				refusedEver = true
				if i > 31 {
					t.Fatalf("%d bytes: still full", room)
				}
			}
			if err := w.Upkeep(at + second); err != nil {
				t.Fatalf("%d bytes: %v", room, err)
			}
		}
		if err := w.Close(); err != nil || w.Full() {
			t.Fatalf("%d bytes: full %v, %v", room, w.Full(), err)
		}
		if got, _ := sealed(t, s); !slices.Equal(got, taken) {
			t.Fatalf("%d bytes: %v were taken, %v are there", room, taken, got)
		}
		s.Close()
	}
	if !refusedEver {
		t.Error("the disk never was full")
	}
}

// A disk that fails is an error, and not a full one.
func TestBrokenDisk(t *testing.T) {
	s := open(t, t.TempDir(), 0)
	s.NewFile = func(path string) (File, error) {
		f, err := NewFile(path)
		return brokenDisk{f}, err
	}
	w, l := writer(s)
	add(t, w, l, noon)
	if err := w.Flush(); !errors.Is(err, syscall.EIO) || !w.Failed() || w.Full() {
		t.Errorf("%v; failed %v, full %v", err, w.Failed(), w.Full())
	}
}

type brokenDisk struct{ File }

func (brokenDisk) WriteAt([]byte, int64) (int, error) { return 0, syscall.EIO }

// A clock that is set back by hours neither keeps what is written from the disk
// nor a segment from its end.
func TestClockSetBack(t *testing.T) {
	s := open(t, t.TempDir(), 0)
	w, l := writer(s)
	add(t, w, l, noon)
	flushed := func() int64 {
		size := int64(0)
		for _, b := range contents(t, s.Dir()) {
			size += int64(len(b))
		}
		return size
	}
	if err := w.Upkeep(noon + second); err != nil {
		t.Fatal(err)
	}
	before := flushed()
	add(t, w, l, noon-100*second)
	if err := w.Upkeep(noon - 99*second); err != nil {
		t.Fatal(err)
	}
	if now := flushed(); now <= before {
		t.Errorf("%d bytes on disk, %d before", now, before)
	}
	add(t, w, l, noon-7200*second)
	if err := w.Upkeep(noon - 7199*second); err != nil {
		t.Fatal(err)
	}
	if got, _ := sealed(t, s); len(got) != 3 {
		t.Errorf("%d queries are sealed", len(got))
	}
}

// What is no segment of ours stays as it is, and is not taken for one.
func TestForeignFiles(t *testing.T) {
	w, l := writer(open(t, t.TempDir(), 0))
	add(t, w, l, noon)
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	good := contents(t, w.spool.Dir())
	var name, segment string
	for name, segment = range good {
	}
	dir := t.TempDir()
	foreign := map[string]string{
		"notes.txt": "x", "resolved.db": "x", ".hidden": "x", "a.torrent": "x", strings.Replace(name, "20261122", "20261399", 1): segment,
		strings.Replace(name, "test", "te st", 1): segment, strings.TrimSuffix(name, ".zst"): segment, "-----.ndjson.zst": segment,
		"x-1-2-3.ndjson.zst": segment, name + ".open.txt": segment,
	}
	for n, b := range foreign {
		if err := os.WriteFile(filepath.Join(dir, n), []byte(b), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	target := filepath.Join(t.TempDir(), "elsewhere")
	err := errors.Join(os.Mkdir(filepath.Join(dir, "b"+name), 0o755), os.Mkdir(filepath.Join(dir, "b.open"), 0o755),
		os.WriteFile(target, []byte(segment), 0o600), os.Symlink(target, filepath.Join(dir, "c"+name)), syscall.Mkfifo(filepath.Join(dir, "d"+name), 0o600))
	if err != nil {
		t.Fatal(err)
	}
	s, store := open(t, dir, 0), lake.NewMemory()
	if n, err := s.Mend(newTally); n != 0 || err != nil || s.Held() != 0 {
		t.Errorf("mended %d, held %d: %v", n, s.Held(), err)
	}
	if err := NewUploader(s, store, nil, 0).All(t.Context()); err != nil {
		t.Error(err)
	}
	for info := range store.List(t.Context(), "") {
		t.Errorf("%s was uploaded", info.Key)
	}
	if diff := gocmp.Diff(foreign, contents(t, dir)); diff != "" {
		t.Error(diff)
	}
}

// Open segments without a whole record: an empty one goes, what may hold something
// is put aside, and neither keeps the others from being mended.
func TestNothingToMend(t *testing.T) {
	w, l := writer(open(t, t.TempDir(), 0))
	add(t, w, l, noon)
	if err := w.Flush(); err != nil {
		t.Fatal(err)
	}
	one := contents(t, w.spool.Dir())["r-000000.open"]
	st := state{files: map[string]string{
		"a.open": "", "b.open": "noise", "c.open": strings.Repeat("\x00", 5000), "d.open": one, "e.open": one[:len(one)/3], "f.mending": one,
		"g.open.unreadable": "earlier",
	}}
	s := open(t, st.restore(t), 0)
	n, err := s.Mend(newTally)
	if got, _ := sealed(t, s); n != 2 || err != nil || len(got) != 1 { // the query, and its stats
		t.Errorf("mended %d, %d queries: %v", n, len(got), err)
	}
	left := contents(t, s.Dir())
	maps.DeleteFunc(left, func(name, _ string) bool { _, ok := keyOf(name); return ok })
	want := map[string]string{
		"b.open.unreadable": "noise", "c.open.unreadable": st.files["c.open"], "e.open.unreadable": st.files["e.open"], "g.open.unreadable": "earlier",
	}
	if diff := gocmp.Diff(want, left); diff != "" {
		t.Error(diff)
	}
}

// The limit is of what lies in the folder: the open segment counts, what the lake
// has does not, and after a new start it is what it was.
func TestLimit(t *testing.T) {
	dir := t.TempDir()
	s := open(t, dir, 3000)
	w, l := writer(s)
	at := int64(noon)
	for ; !w.Full(); at += second {
		if s.Held() >= 3000 {
			t.Fatalf("%d bytes are held, and it is not full", s.Held())
		}
		add(t, w, l, at)
		if err := w.Flush(); err != nil {
			t.Fatal(err)
		}
	}
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	held := s.Held()
	s.Close()
	s = open(t, dir, 3000)
	if n, err := s.Mend(newTally); n != 0 || err != nil || s.Held() != held || !s.Full() {
		t.Errorf("after a new start %d bytes are held, %d before: mended %d, %v", s.Held(), held, n, err)
	}
	if err := NewUploader(s, lake.NewMemory(), nil, 0).All(t.Context()); err != nil || s.Held() != 0 || s.Full() {
		t.Errorf("with all in the lake %d bytes are held: %v", s.Held(), err)
	}
}

// A folder is one process's alone; a start that fails gives it free.
func TestOneProcess(t *testing.T) {
	dir := t.TempDir()
	s := open(t, dir, 0)
	if _, err := Open(dir, 0); err == nil || !strings.Contains(err.Error(), "another process writes to the spool "+dir) {
		t.Errorf("a second one: %v", err)
	}
	s.Close()
	if err := os.WriteFile(filepath.Join(dir, "a.open"), []byte("noise"), 0o600); err != nil {
		t.Fatal(err)
	}
	if err := os.Mkdir(filepath.Join(dir, "a.open.unreadable"), 0o755); err != nil { // in the way
		t.Fatal(err)
	}
	say := func(format string, args ...any) { t.Logf(format, args...) }
	if _, _, err := Begin(t.Context(), dir, 0, lake.NewMemory(), say, newTally); err == nil {
		t.Error("it begins though a segment cannot be mended")
	}
	if err := os.Remove(filepath.Join(dir, "a.open.unreadable")); err != nil {
		t.Fatal(err)
	}
	s, n, err := Begin(t.Context(), dir, 0, lake.NewMemory(), say, newTally)
	if err != nil || n != 0 {
		t.Fatal(n, err)
	}
	s.Close()
}

func TestRunName(t *testing.T) {
	if _, err := RunName(bytes.NewReader([]byte("abc")), lake.Day(0).Time()); err == nil {
		t.Error("a name of three random bytes")
	}
	name, err := RunName(bytes.NewReader([]byte{0xde, 0xad, 0xbe, 0xef}), lake.Day(0).Time())
	if err != nil || name != "19700101T000000Z-deadbeef" {
		t.Error(name, err)
	}
	if _, ok := keyOf(fmt.Sprintf("%s-000000%s", name, OpenSuffix)); ok {
		t.Error("an open segment is taken for a sealed one")
	}
}
