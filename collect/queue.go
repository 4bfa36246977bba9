package collect

import (
	"sync"

	"github.com/boontorrent/boon/internal/rawlog"
)

// Bounds of the queue between sockets and disk. Two of each are held.
const (
	queueEvents = 1 << 15 // a second and a half at 20,000 a second
	queueBytes  = 4 << 20 // of names and versions
)

// entry is an event of a node, or its counts.
type entry struct {
	node int
	ev   rawlog.Event
	mark *mark
}

// mark is what a node counted since its last one.
type mark struct {
	at     int64 // the last microsecond of the time it is about
	id     rawlog.ID
	counts counts

	minute bool // it ends a minute, which the rest is about
	nodes  int64
	gauges map[string]int64 // of the sample
}

// batch is what a queue hands over at once. Slices of its events point into text.
type batch struct {
	entries []entry
	text    []byte
}

func newBatch() *batch {
	return &batch{entries: make([]entry, 0, queueEvents), text: make([]byte, 0, queueBytes)}
}

// queue stands between the sockets and the disk. It is bounded: when it is
// full, put refuses what is newest. The disk's side takes all there is at once,
// several times a second, so that an event wakes nobody.
type queue struct {
	mu      sync.Mutex
	filling *batch
	marks   []entry // kept though the queue be full: a handful a minute
	half    chan struct{}
}

func newQueue() *queue { return &queue{filling: newBatch(), half: make(chan struct{}, 1)} }

// put adds an event and copies what it points to; false where there is no room.
func (q *queue) put(node int, ev *rawlog.Event) bool {
	q.mu.Lock()
	defer q.mu.Unlock()
	b := q.filling
	need := len(ev.Query.Version) + len(ev.Query.Name)
	if len(b.entries) == cap(b.entries) || len(b.text)+need > cap(b.text) || len(q.marks) > 0 {
		return false
	}
	b.entries = append(b.entries, entry{node: node, ev: *ev})
	query := &b.entries[len(b.entries)-1].ev.Query
	query.Version = b.keep(query.Version)
	query.Name = b.keep(query.Name)
	if len(b.entries) == cap(b.entries)/2 {
		q.wake()
	}
	return true
}

// putMark adds what was counted, after all events that came before it. False where
// there is no room: the ends of minutes alone are kept all the same.
func (q *queue) putMark(node int, m *mark) bool {
	q.mu.Lock()
	defer q.mu.Unlock()
	e := entry{node: node, mark: m}
	switch {
	case len(q.filling.entries) < cap(q.filling.entries):
		q.filling.entries = append(q.filling.entries, e)
	case m.minute:
		q.marks = append(q.marks, e)
	default:
		return false
	}
	return true
}

func (q *queue) wake() {
	select {
	case q.half <- struct{}{}:
	default:
	}
}

func (b *batch) keep(s []byte) []byte {
	if s == nil {
		return nil
	}
	n := len(b.text)
	b.text = append(b.text, s...)
	return b.text[n:len(b.text):len(b.text)]
}

// take returns what is in the queue, and gives it the empty batch to fill.
func (q *queue) take(empty *batch) *batch {
	empty.entries, empty.text = empty.entries[:0], empty.text[:0]
	q.mu.Lock()
	defer q.mu.Unlock()
	full := q.filling
	full.entries = append(full.entries, q.marks...)
	q.marks = nil
	q.filling = empty
	return full
}
