package collect

import (
	"bytes"
	"maps"
	"slices"

	"github.com/boontorrent/boon/internal/rawlog"
	"github.com/boontorrent/boon/internal/spool"
)

// afterCrash is the account of a segment that a crash left open: how much each
// node logged since its last stats event. What was received besides, in
// the seconds since then, is not known any more.
type afterCrash map[rawlog.ID]*logCounts

func newAfterCrash() spool.Ledger { return afterCrash{} }

// Count implements spool.Ledger. A probe does not say which node made it: those
// that no stats event has accounted for yet are owed under no id.
func (a afterCrash) Count(ev *rawlog.Event) {
	switch {
	case ev.Kind == rawlog.Stats:
		delete(a, ev.Stats.OurID)
		if n := ev.Stats.Logged[probed.String()]; n > 0 {
			a.of(rawlog.ID{})[probed] -= n
		}
	case ev.Kind.IsQuery():
		a.of(ev.Query.OurID)[kindOf(ev.Kind)]++
	case ev.Kind == rawlog.Probe:
		a.of(rawlog.ID{})[probed]++
	}
}

func (a afterCrash) of(id rawlog.ID) *logCounts {
	if a[id] == nil {
		a[id] = &logCounts{}
	}
	return a[id]
}

// Owed implements spool.Ledger with stats events.
func (a afterCrash) Owed(last int64) []rawlog.Event {
	ids := slices.SortedFunc(maps.Keys(a), func(x, y rawlog.ID) int { return bytes.Compare(x[:], y[:]) })
	var owed []rawlog.Event
	for _, id := range ids { // in order, so that mending twice gives the same bytes
		if *a[id] == (logCounts{}) {
			continue
		}
		c := counts{received: *a[id]}
		owed = append(owed, rawlog.Event{Kind: rawlog.Stats, T: last, Stats: c.event(id, a[id], 0)})
	}
	return owed
}
