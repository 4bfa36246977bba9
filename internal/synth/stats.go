package synth

import (
	"bytes"
	"cmp"
	"context"
	"slices"

	"github.com/boontorrent/boon/internal/rawlog"
)

func sortAttempts(plan []attempt) {
	slices.SortFunc(plan, func(a, b attempt) int {
		return cmp.Or(cmp.Compare(a.t, b.t), cmp.Compare(a.torrent, b.torrent))
	})
}

// minuteStats counts what a collector did in a minute.
type minuteStats struct {
	logged [rawlog.ResolveFailed + 1]int64
}

// endMinute writes the statistics of the minute, and of some hours a probe.
func (w *dayWriter) endMinute(ctx context.Context) error {
	t := w.start + (w.minute+1)*minute - 1
	r := derive(w.s.cfg.Seed, forStats, uint64(w.start/minute+w.minute), uint64(w.collector))
	if w.minute%240 == 30 {
		w.event = w.probe(t)
		if err := w.append(ctx); err != nil {
			return err
		}
	}
	w.event = rawlog.Event{Kind: rawlog.Stats, T: t, Stats: w.stats.event(&r)}
	w.stats = minuteStats{}
	w.minute++
	w.event.N = 0
	return w.log.Append(ctx, &w.event)
}

// event is the minute's account. For every type of query, received = logged +
// dropped; the reasons are:
//
//	not_kept      pings, and find_nodes by which no node looks for itself
//	rate_limited  get_peers from addresses that send too many
//	malformed     packets that are no queries; received under the same name
func (m *minuteStats) event(r *rng) *rawlog.StatsEvent {
	logged := map[string]int64{}
	for kind, n := range m.logged {
		if n > 0 {
			logged[rawlog.Kind(kind).String()] = n
		}
	}
	queries := m.logged[rawlog.GetPeers] + m.logged[rawlog.AnnouncePeer]
	pings, finds := int64(r.poisson(float64(queries)*0.4+3)), int64(r.poisson(float64(queries)*0.8+3))
	limited, malformed := int64(r.poisson(float64(queries)*0.01)), int64(r.poisson(float64(queries)*0.003))
	received := map[string]int64{
		"ping":              pings,
		"find_node":         finds + m.logged[rawlog.FindNode],
		"get_peers":         limited + m.logged[rawlog.GetPeers],
		"announce_peer":     m.logged[rawlog.AnnouncePeer],
		"sample_infohashes": m.logged[rawlog.SampleInfohashes],
		"malformed":         malformed,
	}
	answered := pings + finds + queries + m.logged[rawlog.FindNode] + m.logged[rawlog.SampleInfohashes]
	return &rawlog.StatsEvent{
		Received: received,
		Logged:   logged,
		Sent:     map[string]int64{"response": answered, "error": malformed, "ping": int64(r.between(20, 60)), "find_node": int64(r.between(10, 40))},
		Dropped:  map[string]int64{"not_kept": pings + finds, "rate_limited": limited, "malformed": malformed},
		Nodes:    int64(r.between(900, 1300)),
	}
}

// probe is a lookup of our own, which asks nodes ever nearer its target.
func (w *dayWriter) probe(t int64) rawlog.Event {
	r := derive(w.s.cfg.Seed, forProbe, uint64(t), uint64(w.collector))
	p := &rawlog.ProbeEvent{Family: r.one("libtorrent", "kademlia")}
	r.fill(p.Target[:])
	for step := range r.between(12, 20) {
		p.Queried = append(p.Queried, rawlog.Queried{ID: sharing(&r, p.Target, min(step+r.below(3), 16)), OK: r.chance(0.75)})
	}
	for _, n := range w.s.nodes {
		d := distance(&p.Target, &n.id)
		if r.chance(asked(d)) { // we are nodes like others
			p.Queried = append(p.Queried, rawlog.Queried{ID: n.id, OK: true})
		}
	}
	slices.SortStableFunc(p.Queried, func(a, b rawlog.Queried) int { // from far to near
		return bytes.Compare(xor(b.ID, p.Target), xor(a.ID, p.Target))
	})
	return rawlog.Event{Kind: rawlog.Probe, T: t, Probe: p}
}

func xor(a, b rawlog.ID) []byte {
	for i := range a {
		a[i] ^= b[i]
	}
	return a[:]
}
