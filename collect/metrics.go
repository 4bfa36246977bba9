package collect

import (
	"context"
	"fmt"
	"net"
	"net/http"
	"strconv"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/collectors"
	"github.com/prometheus/client_golang/prometheus/promhttp"
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
		received: desc("received_total", "Packets received, by kind. Received = logged + dropped.", "node", "kind"),
		logged:   desc("logged_total", "Queries written to the log."),
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
	gauge(g.spool, g.c.spool.held.Load())
	if files, err := g.c.spool.sealed(); err == nil {
		gauge(g.segments, int64(len(files)))
	}
}

// serveMetrics answers /metrics until ctx ends.
func (c *collector) serveMetrics(ctx context.Context) error {
	var lc net.ListenConfig
	l, err := lc.Listen(ctx, "tcp", c.cfg.Metrics)
	if err != nil {
		return fmt.Errorf("serve metrics: %w", err)
	}
	registry := prometheus.NewRegistry()
	registry.MustRegister(newGauges(c), collectors.NewGoCollector(), collectors.NewProcessCollector(collectors.ProcessCollectorOpts{}))
	mux := http.NewServeMux()
	mux.Handle("GET /metrics", promhttp.HandlerFor(registry, promhttp.HandlerOpts{}))
	server := &http.Server{Handler: mux, ReadHeaderTimeout: 5 * time.Second, ReadTimeout: 10 * time.Second, WriteTimeout: 30 * time.Second, MaxHeaderBytes: 16 << 10}
	done := make(chan error, 1)
	go func() { done <- server.Serve(l) }()
	c.cfg.Say("metrics on http://%s/metrics", l.Addr())
	select {
	case <-ctx.Done():
		return server.Close() // a scrape that is cut off comes again, or has nothing more to ask
	case err := <-done:
		return fmt.Errorf("serve metrics: %w", err)
	}
}
