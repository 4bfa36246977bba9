package resolve

import (
	"fmt"
	"maps"
	"slices"
	"strings"
	"sync"

	"github.com/prometheus/client_golang/prometheus"

	"github.com/boontorrent/boon/internal/spool"
	"github.com/boontorrent/boon/resolve/fetch"
)

// counts is what a run counts of its tries; any goroutine may use it.
type counts struct {
	mu       sync.Mutex
	resolved int64
	excluded int64
	failed   map[string]int64 // by reason

	known, excludedOfList, badLines int64 // of the list
	failedOfList                    map[string]int64

	network *network
	fetcher *fetch.Fetcher
}

// count takes in what became of a try.
func (c *counts) count(o *outcome) {
	c.mu.Lock()
	defer c.mu.Unlock()
	switch {
	case o.excluded:
		c.excluded++
	case o.event != nil:
		c.resolved++
	default:
		c.failed[o.reason]++
		if o.source == fromList {
			c.failedOfList[o.reason]++
		}
	}
}

func (c *counts) ofList(n *int64) {
	c.mu.Lock()
	defer c.mu.Unlock()
	*n++
}

// list is what became of the list besides. Who types it may still be read from.
func (c *counts) list() (known, excluded, badLines int64, failed map[string]int64) {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.known, c.excludedOfList, c.badLines, maps.Clone(c.failedOfList)
}

// tries are what was resolved, and what failed by reason.
func (c *counts) tries() (resolved, excluded int64, failed map[string]int64) {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.resolved, c.excluded, maps.Clone(c.failed)
}

// traffic is what was sent so far.
func (c *counts) traffic() traffic {
	packets, _, _, _ := c.network.traffic()
	return traffic{packets: packets, connections: c.fetcher.Stats().Tried}
}

// report is what the operator is told of an info-hash of the list.
func (o *outcome) report() Report {
	r := Report{Infohash: o.hash.String(), State: "failed", Reason: o.reason, Peers: o.peers}
	switch {
	case o.excluded:
		r.State, r.Reason = excluded, ""
	case o.event != nil:
		ev := o.event
		r.State, r.Reason, r.Name, r.Peers, r.FoundBy = "resolved", "", ev.Name, ev.Peers, ev.FoundBy
		for _, f := range ev.Files {
			if !strings.Contains(f.Attr, "p") {
				r.Size += f.Length
				r.Files++
			}
		}
		if ev.Seeders >= 0 {
			r.Seeders, r.Leechers = &ev.Seeders, &ev.Leechers
		}
	}
	return r
}

// gauges are what is measured once a minute, for the uptime table.
func (r *resolver) gauges() map[string]int64 {
	wanted, due, _ := r.desk.sizes()
	return map[string]int64{
		"wanted": int64(wanted), "due": int64(due), "in_flight": r.desk.trying.Load(), "oldest_due_seconds": r.desk.oldest(),
		"demand_heard": r.desk.asks.Load(), "demand_resolved": r.desk.asksResolved.Load(),
	}
}

// line is what the operator is told once a minute.
func (r *resolver) line(perSecond, triedPerSecond float64) string {
	resolved, _, failed := r.counts.tries()
	g := r.gauges()
	var tried int64
	var why []string
	for _, reason := range slices.Sorted(maps.Keys(failed)) {
		tried += failed[reason]
		why = append(why, fmt.Sprintf("%s %d", reason, failed[reason]))
	}
	return fmt.Sprintf("resolved %d (%.1f/s) of %d tried (%.1f/s), failed: %s; %d in flight, %d wanted, %d due, the oldest for %d s; %.1f%% of demand resolved",
		resolved, perSecond, resolved+tried, triedPerSecond, or0(strings.Join(why, ", ")), g["in_flight"], g["wanted"], g["due"], g["oldest_due_seconds"],
		100*r.desk.resolvedShare())
}

func or0(s string) string {
	if s == "" {
		return "0"
	}
	return s
}

// Metrics makes Prometheus metrics of what is counted anyway, when it is asked.
// Labels have few values; nothing that others send becomes one. Given to Run, it
// can be served beside others.
type Metrics struct {
	mu sync.Mutex
	r  *resolver // nil before and after the run
}

// Describe implements prometheus.Collector.
func (m *Metrics) Describe(ch chan<- *prometheus.Desc) { prometheus.DescribeByCollect(m, ch) }

func (m *Metrics) set(r *resolver) {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.r = r
}

// Collect implements prometheus.Collector.
func (m *Metrics) Collect(ch chan<- prometheus.Metric) {
	m.mu.Lock()
	defer m.mu.Unlock()
	send := func(kind prometheus.ValueType, n float64, name, help string, labels ...string) {
		var keys, values []string
		for i := 0; i+1 < len(labels); i += 2 {
			keys, values = append(keys, labels[i]), append(values, labels[i+1])
		}
		ch <- prometheus.MustNewConstMetric(prometheus.NewDesc("boon_resolve_"+name, help, keys, nil), kind, n, values...)
	}
	counter := func(n int64, name, help string, labels ...string) {
		send(prometheus.CounterValue, float64(n), name, help, labels...)
	}
	gauge := func(n int64, name, help string) { send(prometheus.GaugeValue, float64(n), name, help) }
	if m.r == nil {
		gauge(0, "up", "Whether a resolver runs.")
		return
	}
	gauge(1, "up", "Whether a resolver runs.")
	m.r.collect(counter, gauge)
	send(prometheus.GaugeValue, m.r.desk.resolvedShare(), "demand_resolved_share", "Part of what was asked for, by distinct requesters, that is resolved.")
}

// collect sends a resolver's figures.
func (r *resolver) collect(counter func(n int64, name, help string, labels ...string), gauge func(n int64, name, help string)) {
	resolved, excluded, failed := r.counts.tries()
	counter(resolved, "resolved_total", "Info dictionaries had and written to the log.")
	for _, reason := range fetch.Reasons() {
		counter(failed[reason.String()], "failed_total", "Tries that failed, by reason.", "reason", reason.String())
	}
	counter(excluded+r.desk.excluded.Load(), "excluded_total", "Asks for what is excluded, and titles that are.")
	counter(r.desk.refused.Load(), "refused_total", "Info-hashes for which the backlog had no room.")
	counter(r.desk.forgotten.Load(), "forgotten_total", "Info-hashes that nobody wants any more.")
	if r.cfg.Feed != nil {
		counter(r.cfg.Feed.lost.Load(), "feed_lost_total", "Queries of the collector that came too fast.")
	}
	g := r.gauges()
	gauge(g["wanted"], "wanted", "Info-hashes that are wanted and not resolved.")
	gauge(g["due"], "due", "Info-hashes that are due to be tried.")
	gauge(g["in_flight"], "in_flight", "Info-hashes being tried.")
	gauge(g["oldest_due_seconds"], "oldest_due_seconds", "For how long the info-hash that waits longest has been due.")
	sent, received, refused, nodes := r.network.traffic()
	counter(sent, "dht_sent_total", "DHT packets sent.")
	counter(received, "dht_received_total", "DHT packets received.")
	counter(refused, "dht_refused_total", "DHT packets received that were no sound replies to us.")
	gauge(nodes, "dht_nodes", "Nodes in the routing tables.")
	f := r.fetcher.Stats()
	gauge(f.Conns, "peers", "Peers being asked.")
	gauge(f.Memory, "fetch_memory_bytes", "Bytes of info dictionaries not yet checked.")
	counter(f.Tried, "peers_total", "Peers connected to or attempted.")
	for _, reason := range fetch.Reasons() {
		counter(f.Dropped[reason], "peers_dropped_total", "Peers given up, by reason.", "reason", reason.String())
	}
	gauge(r.spool.Held(), "spool_bytes", "Bytes of segments that the lake does not have yet.")
	spooled(r.spool, gauge)
}

func spooled(s *spool.Spool, gauge func(n int64, name, help string)) {
	if files, err := s.Sealed(); err == nil {
		gauge(int64(len(files)), "spool_segments", "Sealed segments that the lake does not have yet.")
	}
}
