package main

import (
	"context"
	"fmt"
	"net/netip"
	"time"

	"golang.org/x/sync/errgroup"

	"github.com/boontorrent/boon/collect"
	"github.com/boontorrent/boon/internal/lake"
	"github.com/boontorrent/boon/resolve"
)

// resolving is a resolver beside a collector. The two know nothing of each other:
// a feed brings what the one hears to the other.
type resolving struct {
	cfg   resolve.Config
	again time.Duration // after a failure
}

func (cmd collectCommand) resolver(store lake.Store, say func(string, ...any)) (resolving, error) {
	cfg, err := cmd.resolveFlags.config()
	if err != nil {
		return resolving{}, fmt.Errorf("--resolve: %w", err)
	}
	cfg.Collector = cmd.Collector + "-resolver"
	if !lake.CollectorName(cfg.Collector) {
		return resolving{}, fmt.Errorf("--collector %q is too long to have -resolver behind it", cmd.Collector)
	}
	cfg.Store, cfg.Spool, cfg.Bootstrap, cfg.AllowLoopback = store, "spool-"+cfg.Collector, cmd.Bootstrap, cmd.AllowLoopback
	if cmd.Spool != "" {
		cfg.Spool = cmd.Spool + "-resolver"
	}
	if cfg.SpoolMax, err = parseSize(cmd.SpoolMax); err != nil {
		return resolving{}, fmt.Errorf("--spool-max: %w", err)
	}
	cfg.Say = func(format string, args ...any) { say("resolver: "+format, args...) }
	return resolving{cfg, time.Minute}, nil
}

// beside runs both until ctx ends, the collector fails, or either cannot begin.
func (r resolving) beside(ctx context.Context, cfg collect.Config) (sum collect.Summary, err error) {
	r.cfg.Feed, r.cfg.Gauges = resolve.NewFeed(), &resolve.Metrics{}
	cfg.Heard, cfg.Beside = r.cfg.Feed.Hear, append(cfg.Beside, r.cfg.Gauges)
	both, ctx := errgroup.WithContext(ctx)
	both.Go(func() (err error) {
		sum, err = collect.Run(ctx, cfg)
		return err
	})
	both.Go(func() error { return r.run(ctx) })
	err = both.Wait()
	return sum, err
}

// run resolves until ctx ends. What stops it once its sockets were open, as a lake
// that is away or a full disk, does not stop the collector: it begins anew.
func (r resolving) run(ctx context.Context) error {
	began := false
	r.cfg.Ready = func([]netip.AddrPort) { began = true }
	for {
		done, err := resolve.Run(ctx, r.cfg)
		switch {
		case err == nil:
			r.cfg.Say("%s", resolveText(&done))
			return nil
		case !began || ctx.Err() != nil:
			return fmt.Errorf("resolver: %w", err)
		}
		r.cfg.Say("%v; the collector goes on, and the resolver begins anew in %v", err, r.again)
		select {
		case <-ctx.Done():
			return nil
		case <-time.After(r.again):
		}
	}
}
