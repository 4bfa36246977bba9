package collect

import (
	"net/netip"
	"os"
	"path/filepath"
	"sync/atomic"
	"syscall"
	"testing"

	"github.com/boontorrent/boon/internal/lake"
	"github.com/boontorrent/boon/internal/rawlog"
	"github.com/boontorrent/boon/internal/rawlog/rawlogtest"
	"github.com/boontorrent/boon/internal/spool"
)

// fullDisk is a file on a disk that has room for so many bytes more.
type fullDisk struct {
	spool.File
	room *int
}

func (d fullDisk) WriteAt(p []byte, off int64) (int, error) {
	if len(p) > *d.room { // as the kernel does, write what fits
		n, _ := d.File.WriteAt(p[:*d.room], off)
		return n, syscall.ENOSPC
	}
	*d.room -= len(p)
	return d.File.WriteAt(p, off)
}

// heard is one second of a node's life: queries, and at the end its counts.
func heardIn(n int, at int64) *batch {
	b := newBatch()
	for i := range n {
		ev := rawlog.Event{Kind: rawlog.GetPeers, T: at + int64(i), Query: rawlog.Query{
			OurID: rawlog.ID{1}, TheirID: rawlog.ID{2}, HasTheirID: true, Addr: netip.AddrFrom4([4]byte{5, 5, 5, 5}), Port: 1,
		}}
		for j := range ev.Query.Infohash { // does not pack
			ev.Query.Infohash[j] = byte((i + 1) * (j + 7) * (int(at/second) + 3) >> (j % 5))
		}
		b.entries = append(b.entries, entry{ev: ev})
	}
	m := &mark{at: at + second - 1, id: rawlog.ID{1}, nodes: 9}
	m.counts.received[getPeers] = int64(n)
	m.counts.drop(ping, notKept)
	b.entries = append(b.entries, entry{mark: m})
	return b
}

// account is what the files of a spool say.
type accountOfSpool struct {
	events, logged, received, dropped, lost int64
	segments, recovered                     int
	headers                                 []rawlog.Header
}

func readSpool(t *testing.T, s *spool.Spool) accountOfSpool {
	t.Helper()
	files, err := s.Sealed()
	if err != nil {
		t.Fatal(err)
	}
	var a accountOfSpool
	for _, f := range files {
		in, err := os.Open(s.Path(f.Name))
		if err != nil {
			t.Fatal(err)
		}
		segment := rawlogtest.Read(t, f.Name, in)
		in.Close()
		before := a
		for i := range segment.Events {
			ev := &segment.Events[i]
			if lake.DayOf(ev.T) != lake.DayOf(f.Key.Start) {
				t.Errorf("%s holds an event of %s", f.Name, lake.DayOf(ev.T))
			}
			if ev.Kind == rawlog.Stats {
				for _, n := range ev.Stats.Logged {
					a.logged += n
				}
				for _, n := range ev.Stats.Received {
					a.received += n
				}
				for _, n := range ev.Stats.Dropped {
					a.dropped += n
				}
				continue
			}
			a.events++
		}
		if a.logged-before.logged != a.events-before.events || a.received-before.received != a.logged-before.logged+a.dropped-before.dropped {
			t.Errorf("the sums of %s do not close: %+v, and before it %+v", f.Name, a, before)
		}
		a.lost += segment.Footer.Dropped["spool_full"]
		a.segments++
		a.headers = append(a.headers, segment.Header)
		if segment.Footer.Recovered {
			a.recovered++
		}
	}
	return a
}

func newTestJournal(t *testing.T, room *int) (*journal, *spool.Spool, *atomic.Bool) {
	t.Helper()
	s, err := spool.Open(filepath.Join(t.TempDir(), "spool"), 0)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(s.Close)
	s.NewFile = func(path string) (spool.File, error) {
		f, err := spool.NewFile(path)
		return fullDisk{f, room}, err
	}
	full := &atomic.Bool{}
	return newJournal(s, rawlog.Header{Collector: "test", Run: "r"}, 1, full, func() {}), s, full
}

const noon = 1795348800_000000 // 2026-11-22 12:00

// TestFullDisk lets the disk fill up in the middle of a segment and have room
// again later. What was logged is there, the rest is counted.
func TestFullDisk(t *testing.T) {
	room := 4000
	j, s, full := newTestJournal(t, &room)
	wasFull := false
	for i := range int64(60) {
		if i == 40 {
			room = 1 << 20
		}
		if err := j.consume(heardIn(10, noon+i*second), noon+(i+1)*second); err != nil {
			t.Fatal(err)
		}
		wasFull = wasFull || full.Load()
	}
	if err := j.segments.Close(); err != nil {
		t.Fatal(err)
	}
	a := readSpool(t, s)
	if !wasFull || a.events == 600 || a.events < 200 || a.received != 660 || a.lost != 600-a.events || full.Load() {
		t.Errorf("was full %v, is full %v: %+v", wasFull, full.Load(), a)
	}
}

// TestDiskFullToTheEnd stops on a full disk: that is an error, and what is on
// the disk can be mended.
func TestDiskFullToTheEnd(t *testing.T) {
	room := 2000
	j, s, _ := newTestJournal(t, &room)
	for i := range int64(20) {
		if err := j.consume(heardIn(10, noon+i*second), noon+(i+1)*second); err != nil {
			t.Fatal(err)
		}
	}
	if j.segments.Close() == nil {
		t.Error("no error though events could not be written")
	}
	s.NewFile = spool.NewFile
	mended, err := s.Mend(newAfterCrash)
	a := readSpool(t, s)
	if err != nil || mended == 0 || a.recovered != 1 || a.events == 0 || a.events >= 200 {
		t.Errorf("mended %d (%v): %+v", mended, err, a)
	}
}

// TestSegmentsEnd: after five minutes, and at midnight UTC to the microsecond.
// The sums of each close, though the five minutes end within a minute.
func TestSegmentsEnd(t *testing.T) {
	room := 1 << 30
	j, s, _ := newTestJournal(t, &room)
	midnight := int64(noon + 12*60*minute)
	for i := int64(-450); i < 180; i++ {
		at := midnight + i*second
		b := heardIn(3, at)
		b.entries[3].mark.counts.received[getPeers] = 3 * 60
		if i == -421 { // the first minute is half a one
			b.entries[3].mark.counts.received[getPeers] = 3 * 30
		}
		if (i+450)%60 != 29 { // the minute goes on
			b.entries = b.entries[:3]
		}
		if i == -1 {
			b.entries[2].ev.T = midnight - 1
		}
		if err := j.consume(b, at+second); err != nil {
			t.Fatal(err)
		}
	}
	if err := j.segments.Close(); err != nil {
		t.Fatal(err)
	}
	if a := readSpool(t, s); a.segments != 3 || a.events != 1890 || a.dropped != 11 {
		t.Errorf("%+v, want three segments: of five minutes, two and a half, and three", a)
	}
}

// TestMendCutAnywhere cuts an open segment at every byte, as a power cut may:
// what is left is sealed, its sums close, and mending again changes nothing.
func TestMendCutAnywhere(t *testing.T) {
	t.Parallel()
	room := 1 << 30
	j, s, _ := newTestJournal(t, &room)
	for i := range int64(3) {
		b := heardIn(4, noon+i*second)
		b.entries[4].mark.counts.received[probed]++
		if i == 2 {
			b.entries = b.entries[:4] // the crash comes before the minute ends
		}
		probe := rawlog.Event{Kind: rawlog.Probe, T: noon + i*second, Probe: &rawlog.ProbeEvent{Family: "wide"}}
		probe.Query.OurID = rawlog.ID{1}
		b.entries = append([]entry{{ev: probe}}, b.entries...)
		if err := j.consume(b, noon+(i+1)*second); err != nil {
			t.Fatal(err)
		}
	}
	names, err := s.Names(spool.OpenSuffix)
	if err != nil || len(names) != 1 {
		t.Fatal(names, err)
	}
	whole, err := os.ReadFile(s.Path(names[0]))
	if err != nil {
		t.Fatal(err)
	}
	before := int64(0)
	for size := range len(whole) + 1 {
		mended, err := spool.Open(filepath.Join(t.TempDir(), "spool"), 0)
		if err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(mended.Path(names[0]), whole[:size], 0o600); err != nil {
			t.Fatal(err)
		}
		if _, err := mended.Mend(newAfterCrash); err != nil {
			t.Fatalf("cut to %d bytes: %v", size, err)
		}
		a := readSpool(t, mended)
		if a.events < before {
			t.Errorf("cut to %d bytes: %d events, and %d of fewer bytes", size, a.events, before)
		}
		before = a.events
		if n, err := mended.Mend(newAfterCrash); n != 0 || err != nil {
			t.Errorf("mending again: %d records, %v", n, err)
		}
		mended.Close()
	}
	if before != 15 {
		t.Errorf("%d events of the whole file, want 12 queries and 3 probes", before)
	}
}
