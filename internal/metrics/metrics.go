// Package metrics serves Prometheus metrics of a long-running verb, and those of
// the process, on an address of the operator's choice.
package metrics

import (
	"context"
	"fmt"
	"net"
	"net/http"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/collectors"
	"github.com/prometheus/client_golang/prometheus/promhttp"
)

// Serve answers /metrics on host:port until ctx ends.
func Serve(ctx context.Context, at string, say func(format string, args ...any), what ...prometheus.Collector) error {
	var lc net.ListenConfig
	l, err := lc.Listen(ctx, "tcp", at)
	if err != nil {
		return fmt.Errorf("serve metrics: %w", err)
	}
	registry := prometheus.NewRegistry()
	registry.MustRegister(what...)
	registry.MustRegister(collectors.NewGoCollector(), collectors.NewProcessCollector(collectors.ProcessCollectorOpts{}))
	mux := http.NewServeMux()
	mux.Handle("GET /metrics", promhttp.HandlerFor(registry, promhttp.HandlerOpts{}))
	server := &http.Server{Handler: mux, ReadHeaderTimeout: 5 * time.Second, ReadTimeout: 10 * time.Second, WriteTimeout: 30 * time.Second, MaxHeaderBytes: 16 << 10}
	done := make(chan error, 1)
	go func() { done <- server.Serve(l) }()
	say("metrics on http://%s/metrics", l.Addr())
	select {
	case <-ctx.Done():
		return server.Close() // a scrape that is cut off comes again, or has nothing more to ask
	case err := <-done:
		return fmt.Errorf("serve metrics: %w", err)
	}
}
