package collect

import (
	"strconv"

	"github.com/prometheus/client_golang/prometheus"
)

// gauges makes metrics of what is counted anyway, when it is asked. Labels have
// few values: kinds, reasons and the numbers of our nodes; nothing that others
// send becomes one.
type gauges struct {
	c                                     *collector
	received, logged, dropped, sent       *prometheus.Desc
	nodes, swarms, peers, spool, segments *prometheus.Desc
}

func newGauges(c *collector) *gauges {
	desc := func(name, help string, labels ...string) *prometheus.Desc {
		return prometheus.NewDesc("boon_"+name, help, labels, nil)
	}
	return &gauges{
		c:        c,
		received: desc("received_total", "Packets received, by kind, and lookups of our own that ended (probe). Received = logged + dropped.", "node", "kind"),
		logged:   desc("logged_total", "Queries and probes written to the log."),
		dropped:  desc("dropped_total", "Packets received and not logged, by kind and reason.", "node", "kind", "reason"),
		sent:     desc("sent_total", "Packets sent, by kind.", "node", "kind"),
		nodes:    desc("nodes", "Nodes in the routing table that replied of late.", "node"),
		swarms:   desc("store_swarms", "Info-hashes in the peer store."),
		peers:    desc("store_peers", "Peers in the peer store."),
		spool:    desc("spool_bytes", "Bytes of segments that the lake does not have yet."),
		segments: desc("spool_segments", "Sealed segments that the lake does not have yet."),
	}
}

// Describe implements prometheus.Collector.
func (g *gauges) Describe(ch chan<- *prometheus.Desc) { prometheus.DescribeByCollect(g, ch) }

// Collect implements prometheus.Collector.
func (g *gauges) Collect(ch chan<- prometheus.Metric) {
	counter := func(d *prometheus.Desc, n int64, labels ...string) {
		ch <- prometheus.MustNewConstMetric(d, prometheus.CounterValue, float64(n), labels...)
	}
	gauge := func(d *prometheus.Desc, n int64, labels ...string) {
		ch <- prometheus.MustNewConstMetric(d, prometheus.GaugeValue, float64(n), labels...)
	}
	for _, n := range g.c.nodes {
		node, counted := strconv.Itoa(n.number+1), n.counted()
		for k := range kinds {
			counter(g.received, counted.received[k], node, k.String())
			for r := kept + 1; r < reasons; r++ {
				if counted.dropped[k][r] > 0 {
					counter(g.dropped, counted.dropped[k][r], node, k.String(), r.String())
				}
			}
		}
		for k, name := range sentNames {
			counter(g.sent, counted.sent[k], node, name)
		}
		gauge(g.nodes, n.knownNodes(), node)
	}
	counter(g.logged, g.c.journal.logged.Load())
	swarms, peers := g.c.peers.size()
	gauge(g.swarms, int64(swarms))
	gauge(g.peers, int64(peers))
	gauge(g.spool, g.c.spool.Held())
	if files, err := g.c.spool.Sealed(); err == nil {
		gauge(g.segments, int64(len(files)))
	}
}
