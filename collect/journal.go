package collect

import (
	"sync/atomic"

	"github.com/boontorrent/boon/internal/lake"
	"github.com/boontorrent/boon/internal/rawlog"
	"github.com/boontorrent/boon/internal/spool"
)

// journal writes what comes out of the queue into segments in the spool, and
// keeps the account of what was logged. One goroutine uses it.
type journal struct {
	spool    *spool.Spool
	segments *spool.Segments
	full     *atomic.Bool // told to the sockets
	live     *live        // may be nil
	heard    func(rawlog.Kind, int64, *rawlog.Query)
	edge     *edge // nil where addresses are logged

	losses map[string]int64 // of the open segment, for its footer
	nodes  []ledgerOfNode
	logged atomic.Int64
}

// ledgerOfNode is what the journal counts of a node since its last stats event.
type ledgerOfNode struct {
	id       rawlog.ID
	logged   logCounts
	refused  counts    // came out of the queue and could not be written: dropped alone is used
	reported logCounts // logged and already in a stats event, ahead of their mark
	owed     counts    // what could not be written yet

	allRefused counts // since the start
}

func newJournal(s *spool.Spool, h rawlog.Header, nodes int, full *atomic.Bool, sealed func()) *journal {
	j := &journal{
		spool: s, segments: spool.NewSegments(s, h), full: full,
		losses: map[string]int64{}, nodes: make([]ledgerOfNode, nodes), heard: func(rawlog.Kind, int64, *rawlog.Query) {},
	}
	j.segments.Closing = j.closing
	j.segments.Begin = func(h *rawlog.Header) {
		if j.edge != nil {
			h.KeyEpoch, h.KeyPrint = j.edge.epoch, j.edge.print
		}
	}
	j.segments.Sealed = func() {
		j.losses = map[string]int64{}
		sealed()
	}
	return j
}

// consume writes a batch.
func (j *journal) consume(b *batch, now int64) error {
	for i := range b.entries {
		e := &b.entries[i]
		var err error
		if e.mark != nil {
			err = j.counted(e.node, e.mark)
		} else {
			err = j.event(e.node, &e.ev)
		}
		if err != nil {
			return err
		}
	}
	if err := j.segments.Upkeep(now); err != nil {
		return err
	}
	j.full.Store(j.segments.Full())
	return nil
}

func (j *journal) event(node int, ev *rawlog.Event) error {
	l, k := &j.nodes[node], kindOf(ev.Kind)
	l.id = ev.Query.OurID
	why, err := j.admit(ev.T)
	if err != nil {
		return err
	}
	if why != kept {
		l.refused.dropped[k][why]++
		l.allRefused.dropped[k][why]++
		return nil
	}
	l.logged[k]++
	j.logged.Add(1)
	if ev.Kind.IsQuery() {
		if j.live != nil {
			j.live.hear(&ev.Query)
		}
		j.heard(ev.Kind, ev.T, &ev.Query)
	}
	if j.edge != nil {
		j.edge.blur(ev)
	}
	return j.segments.Append(ev)
}

// admit sees to it that an event of that time can be written.
func (j *journal) admit(t int64) (reason, error) {
	if j.spool.Full() {
		return spoolFull, nil
	}
	return j.ready(t)
}

// ready is admit without regard to --spool-max.
func (j *journal) ready(t int64) (reason, error) {
	if j.edge != nil && !j.edge.ready(lake.DayOf(t)) {
		return noKey, nil
	}
	ready, err := j.segments.Ready(t)
	if err != nil || ready {
		return kept, err
	}
	return spoolFull, nil
}

// counted writes a node's stats event. While it cannot be written it is put off:
// the counts go into the next one. Beyond --spool-max there is one a minute.
func (j *journal) counted(node int, m *mark) error {
	l := &j.nodes[node]
	l.id = m.id
	for k := range kinds {
		m.counts.received[k] -= l.reported[k]
	}
	m.counts.add(&l.refused)
	l.reported, l.refused = logCounts{}, counts{}
	l.owed.add(&m.counts)
	if !m.minute && j.spool.Full() {
		return nil
	}
	if why, err := j.ready(m.at); err != nil || why != kept {
		return err
	}
	if err := j.stats(l, &l.owed, m.at, m.nodes, m.gauges); err != nil {
		return err
	}
	l.owed = counts{}
	return nil
}

// stats writes a stats event.
func (j *journal) stats(l *ledgerOfNode, c *counts, at, nodes int64, gauges map[string]int64) error {
	ev := rawlog.Event{Kind: rawlog.Stats, T: at, Stats: c.event(l.id, &l.logged, nodes)}
	ev.Stats.Gauges = gauges
	for _, r := range [...]reason{queueFull, spoolFull, noKey, socketFull} {
		put(j.losses, r.String(), j.losses[r.String()]+c.droppedBy(r))
	}
	l.logged = logCounts{}
	return j.segments.Append(&ev)
}

// closing puts what a segment holds of minutes that are not over into stats
// events of its own, so that the sums of each segment close: a crash later on
// cannot open them again.
func (j *journal) closing(last int64) (map[string]int64, error) {
	for i := range j.nodes {
		l := &j.nodes[i]
		if l.logged == (logCounts{}) {
			continue
		}
		early := counts{received: l.logged}
		for k := range kinds {
			l.reported[k] += l.logged[k]
		}
		if err := j.stats(l, &early, last, 0, nil); err != nil {
			return nil, err
		}
	}
	return j.losses, nil
}
