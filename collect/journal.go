package collect

import (
	"fmt"
	"sync/atomic"

	"github.com/boontorrent/boon/internal/lake"
	"github.com/boontorrent/boon/internal/rawlog"
)

const (
	flushEvery  = 800 * second / 1000 // with the queue's wait, an event is on its way to disk within a second
	segmentSpan = 5 * minute
)

// journal writes what comes out of the queue into segments in the spool. One
// goroutine uses it.
type journal struct {
	spool  *spool
	header rawlog.Header // Collector, Run, Software, Privacy
	full   *atomic.Bool  // told to the sockets
	sealed func()        // called when there is a segment to upload
	live   *live         // may be nil

	w       *rawlog.Writer
	file    *segmentFile // nil between segments
	open    atomic.Pointer[segmentFile]
	start   int64 // of the open segment
	last    int64 // time of its last event
	flushed int64
	losses  map[string]int64 // of the open segment, for its footer
	ended   bool             // it has its footer, which waits for the disk to have room
	noFile  bool             // no segment could be begun
	n       int64
	seq     uint64
	nodes   []ledgerOfNode
	logged  atomic.Int64
}

// ledgerOfNode is what the journal counts of a node since its last stats event.
type ledgerOfNode struct {
	id       rawlog.ID
	logged   logCounts
	refused  logCounts // came out of the queue, and the spool was full
	reported logCounts // logged and already in a stats event, ahead of their minute
	owed     counts    // minutes that could not be written yet

	allRefused logCounts // since the start
}

func newJournal(s *spool, h rawlog.Header, nodes int, full *atomic.Bool, sealed func()) *journal {
	return &journal{spool: s, header: h, full: full, sealed: sealed, nodes: make([]ledgerOfNode, nodes)}
}

// consume writes a batch.
func (j *journal) consume(b *batch, now int64) error {
	for i := range b.entries {
		e := &b.entries[i]
		var err error
		if e.mark != nil {
			err = j.minute(e.node, e.mark)
		} else {
			err = j.event(e.node, &e.ev)
		}
		if err != nil {
			return err
		}
	}
	return j.upkeep(now)
}

// upkeep flushes, seals and looks whether the disk has room again.
func (j *journal) upkeep(now int64) error {
	if j.file != nil {
		if now-j.flushed >= flushEvery {
			j.flushed = now
			if err := j.flush(); err != nil {
				return err
			}
		}
		if j.file != nil && !j.stuck() && (now-j.start >= segmentSpan || lake.DayOf(now) > lake.DayOf(j.start) && now-j.last > second) {
			if err := j.seal(); err != nil {
				return err
			}
		}
	}
	j.full.Store(j.stuck() || j.noFile || j.spool.full())
	return nil
}

// flush ends the open frame, unless an earlier one still waits for room.
func (j *journal) flush() error {
	if ok, err := j.file.retry(); err != nil || !ok {
		return err
	}
	if j.ended {
		return j.finish()
	}
	return j.w.Flush()
}

// stuck reports whether a frame waits for the disk to have room.
func (j *journal) stuck() bool { return j.file != nil && len(j.file.pending) > 0 }

func (j *journal) event(node int, ev *rawlog.Event) error {
	l, k := &j.nodes[node], kindOf(ev.Kind)
	l.id = ev.Query.OurID
	ready := false
	if !j.spool.full() {
		var err error
		if ready, err = j.ready(ev.T); err != nil {
			return err
		}
	}
	if !ready {
		l.refused[k]++
		l.allRefused[k]++
		return nil
	}
	l.logged[k]++
	j.logged.Add(1)
	if j.live != nil {
		j.live.hear(&ev.Query)
	}
	return j.append(ev)
}

// ready sees to it that a segment for that time is open; false where the disk
// has no room for it.
func (j *journal) ready(t int64) (bool, error) {
	if j.stuck() {
		return false, nil
	}
	if j.file != nil && (lake.DayOf(t) != lake.DayOf(j.start) || j.w.Size() >= rawlog.SegmentBytes) {
		if err := j.seal(); err != nil || j.file != nil {
			return false, err
		}
	}
	if j.file == nil {
		err := j.begin(t)
		j.noFile = err != nil
		if noRoom(err) {
			return false, nil
		}
		return err == nil, err
	}
	return true, nil
}

// append writes an event into the open segment.
func (j *journal) append(ev *rawlog.Event) error {
	j.n++
	ev.N, j.last = j.n, ev.T
	return j.w.Append(ev)
}

func (j *journal) begin(start int64) error {
	f, err := j.spool.create(fmt.Sprintf("%s-%06d%s", j.header.Run, j.seq, openSuffix))
	if err != nil {
		return err
	}
	h := j.header
	h.Seq, h.Start = j.seq, start
	if j.w == nil {
		j.w, err = rawlog.NewWriter(f, h)
	} else {
		err = j.w.Reset(f, h)
	}
	if err != nil {
		return err
	}
	j.file, j.start, j.last, j.flushed, j.losses = f, start, start, start, map[string]int64{}
	j.open.Store(f)
	return nil
}

// minute writes a node's stats event. While the disk is full it is put off: the
// counts go into the next one.
func (j *journal) minute(node int, m *mark) error {
	l := &j.nodes[node]
	l.id = m.id
	for k := range kinds {
		m.counts.received[k] -= l.reported[k]
		m.counts.dropped[k][spoolFull] += l.refused[k]
	}
	l.reported, l.refused = logCounts{}, logCounts{}
	l.owed.add(&m.counts)
	ready, err := j.ready(m.at)
	if err != nil || !ready {
		return err
	}
	if err := j.stats(l, &l.owed, m.at, m.nodes); err != nil {
		return err
	}
	l.owed = counts{}
	return nil
}

// stats writes a stats event.
func (j *journal) stats(l *ledgerOfNode, c *counts, at, nodes int64) error {
	ev := rawlog.Event{Kind: rawlog.Stats, T: at, Stats: c.event(l.id, &l.logged, nodes)}
	for _, r := range [...]reason{queueFull, spoolFull, socketFull} {
		put(j.losses, r.String(), j.losses[r.String()]+c.droppedBy(r))
	}
	l.logged = logCounts{}
	return j.append(&ev)
}

// seal ends the open segment. What it holds of minutes that are not over is
// put into stats events of its own, so that the sums of each segment close: a
// crash later on cannot open them again. While the disk is full, the segment
// stays open.
func (j *journal) seal() error {
	for i := range j.nodes {
		l := &j.nodes[i]
		if l.logged == (logCounts{}) {
			continue
		}
		early := counts{received: l.logged}
		for k := range kinds {
			l.reported[k] += l.logged[k]
		}
		if err := j.stats(l, &early, j.last, 0); err != nil {
			return err
		}
	}
	if ok, err := j.file.retry(); err != nil || !ok {
		return err
	}
	j.ended = true
	if err := j.w.Close(rawlog.Footer{Dropped: j.losses, End: j.last}); err != nil {
		return err
	}
	return j.finish()
}

// finish names the segment, once all of it is on disk.
func (j *journal) finish() error {
	if ok, err := j.file.retry(); err != nil || !ok {
		return err
	}
	j.open.Store(nil)
	f := j.file
	j.file, j.ended = nil, false
	if err := f.seal(lake.SegmentKey{Collector: j.header.Collector, Start: j.start, Seq: j.seq}); err != nil {
		return err
	}
	j.seq++
	j.sealed()
	return nil
}

// close seals what is open.
func (j *journal) close() error {
	if j.file == nil {
		return nil
	}
	if err := j.seal(); err != nil {
		return err
	}
	if j.file != nil {
		return fmt.Errorf("the disk of the spool %s is full: %d bytes of the open segment could not be written and are lost; make room before the next start",
			j.spool.dir, len(j.file.pending))
	}
	return nil
}
