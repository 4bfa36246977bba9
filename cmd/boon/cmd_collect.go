package main

import (
	"cmp"
	"context"
	"fmt"
	"maps"
	"net"
	"net/netip"
	"os"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/boontorrent/boon/collect"
	"github.com/boontorrent/boon/internal/geo"
	"github.com/boontorrent/boon/internal/lake"
)

type collectCommand struct {
	lakeFlag
	Listen        []string      `help:"Addresses to listen on, one DHT node each; 0.0.0.0:6881 and [::]:6881 stand for all of a family." default:"0.0.0.0:6881" placeholder:"ADDR"`
	Contact       string        `help:"Who answers for this collector: a mail address or a page. Goes into the log lines here, never into packets." required:"" placeholder:"WHO"`
	Collector     string        `help:"Name of this collector in the lake: a-z, 0-9, - and _. Each of yours needs its own." default:"local" placeholder:"NAME"`
	Bootstrap     []string      `help:"Nodes to ask first; default the well-known routers." placeholder:"HOST:PORT"`
	Rate          float64       `help:"Packets a second to send at most, all together; queries beyond are dropped and counted." default:"5000" placeholder:"N"`
	Spool         string        `help:"Folder where segments lie until the lake has them; default spool-NAME here." placeholder:"DIR"`
	SpoolMax      string        `help:"Bytes the spool may hold, as 500M or 20G; what is heard beyond is counted, not logged." default:"20G" placeholder:"SIZE"`
	RotateIDs     time.Duration `name:"rotate-ids" help:"Move to another node id after so long; 0 keeps the place in the network." default:"0s" placeholder:"D"`
	Duration      time.Duration `help:"Stop after so long; 0 goes on until interrupted." default:"0s" placeholder:"D"`
	Metrics       string        `help:"Serve Prometheus metrics on this address." placeholder:"HOST:PORT"`
	Live          string        `help:"Lake for live/NAME.json, what was heard in the last two minutes by place; none turns it off." default:"" placeholder:"LAKE|none"`
	Geo           string        `help:"City database (.mmdb) for the live view instead of the lake's geo/city.mmdb." placeholder:"FILE"`
	AllowLoopback bool          `help:"Hear and answer 127.0.0.0/8 and ::1, for trying it out."`
}

// Help shows an example.
func (collectCommand) Help() string {
	return `Takes part in the BitTorrent DHT as a polite node and logs what it is asked, in
sealed segments under raw/ in the lake. SIGTERM and Ctrl-C stop it in order and
lose nothing; run it again to go on with the same node ids. docs/operations.md
tells how to run one for a month, docs/ethics.md what it does and does not do.

Examples:
  boon collect --contact dht@example.org --lake /srv/boon --collector fra1
  boon collect --contact dht@example.org --listen 0.0.0.0:6881 --listen '[::]:6881'
  boon collect --contact me --listen 127.0.0.1:0 --allow-loopback --bootstrap 127.0.0.1:7000 --duration 1m`
}

// Run implements the verb.
func (cmd collectCommand) Run(ctx context.Context, c console) error {
	cfg, err := cmd.config()
	if err != nil {
		return usageError{err}
	}
	if cfg.Store, err = lake.Open(cmd.Lake); err != nil {
		return err
	}
	if err := cmd.live(ctx, &cfg); err != nil {
		return err
	}
	say := sayer(c)
	say("contact: %s", cmd.Contact)
	cfg.Say = say
	cfg.Ready = func(at []netip.AddrPort) {
		for _, a := range at {
			say("listening on %s", a)
		}
		notifyReady(ctx)
	}
	if cmd.Duration > 0 {
		var cancel context.CancelFunc
		ctx, cancel = context.WithTimeout(ctx, cmd.Duration)
		defer cancel()
	}
	sum, err := collect.Run(ctx, cfg)
	if err != nil {
		return err
	}
	fmt.Fprintf(c.out, "run %s: received %d, logged %d, dropped %d%s\n", sum.Run, sum.Received, sum.Logged, total(sum.Dropped), reasons(sum.Dropped))
	if sum.Spooled > 0 {
		return partly{fmt.Errorf("%d bytes of segments wait in the spool %s for the lake %s; the next start uploads them", sum.Spooled, cfg.Spool, cmd.Lake)}
	}
	return nil
}

func (cmd collectCommand) config() (collect.Config, error) {
	cfg := collect.Config{
		Collector: cmd.Collector, Software: "boon " + version, Spool: cmd.Spool, Bootstrap: cmd.Bootstrap,
		Limits: collect.Limits{All: cmd.Rate}, Metrics: cmd.Metrics, AllowLoopback: cmd.AllowLoopback, RotateIDs: cmd.RotateIDs,
	}
	if strings.TrimSpace(cmd.Contact) == "" {
		return cfg, fmt.Errorf("--contact is empty: say who answers for this collector")
	}
	if !lake.CollectorName(cmd.Collector) {
		return cfg, fmt.Errorf("--collector %q: use 1 to 64 of a-z, 0-9, - and _", cmd.Collector)
	}
	if cmd.Rate <= 0 {
		return cfg, fmt.Errorf("--rate %v: a collector sends at least something", cmd.Rate)
	}
	if cfg.Spool == "" {
		cfg.Spool = "spool-" + cmd.Collector
	}
	var err error
	if cfg.SpoolMax, err = parseSize(cmd.SpoolMax); err != nil {
		return cfg, fmt.Errorf("--spool-max: %w", err)
	}
	for _, s := range cmd.Listen {
		at, err := netip.ParseAddrPort(s)
		if err != nil {
			return cfg, fmt.Errorf("--listen %q: write address and port, as 0.0.0.0:6881 or [::]:6881", s)
		}
		cfg.Listen = append(cfg.Listen, at)
	}
	for _, s := range cmd.Bootstrap {
		if _, _, err := net.SplitHostPort(s); err != nil {
			return cfg, fmt.Errorf("--bootstrap %q: write host and port, as router.example.org:6881", s)
		}
	}
	return cfg, nil
}

// live opens where the live view goes and what it knows places from.
func (cmd collectCommand) live(ctx context.Context, cfg *collect.Config) error {
	if cmd.Live == "none" {
		return nil
	}
	cfg.Live = cfg.Store
	if cmd.Live != "" {
		var err error
		if cfg.Live, err = lake.Open(cmd.Live); err != nil {
			return fmt.Errorf("--live: %w", err)
		}
	}
	lakes, done, err := lakeGeo(ctx, cfg.Store, cmd.Geo == "", false)
	if err != nil {
		return fmt.Errorf("places for the live view: %w", err)
	}
	defer done()
	if cfg.Geo, err = geo.Open(cmp.Or(cmd.Geo, lakes.city), ""); err != nil {
		return fmt.Errorf("places for the live view: %w", err)
	}
	return nil
}

// parseSize reads bytes, or K, M, G or T (of 1024) of them.
func parseSize(s string) (int64, error) {
	var n, unit int64
	digits := strings.TrimRight(s, "KMGT")
	if _, err := fmt.Sscanf(digits, "%d", &n); err != nil || n < 0 || fmt.Sprint(n) != digits {
		return 0, fmt.Errorf("%q is not a size; write it as 500M or 20G", s)
	}
	switch strings.TrimPrefix(s, digits) {
	case "":
		unit = 1
	case "K":
		unit = 1 << 10
	case "M":
		unit = 1 << 20
	case "G":
		unit = 1 << 30
	case "T":
		unit = 1 << 40
	}
	if unit == 0 || n > 1<<62/unit {
		return 0, fmt.Errorf("%q is not a size; write it as 500M or 20G", s)
	}
	return n * unit, nil
}

// sayer writes lines with the time before them; any goroutine may call it.
func sayer(c console) func(format string, args ...any) {
	var mu sync.Mutex
	return func(format string, args ...any) {
		mu.Lock()
		defer mu.Unlock()
		fmt.Fprintf(c.err, "%s %s\n", time.Now().UTC().Format(time.RFC3339), fmt.Sprintf(format, args...))
	}
}

func total(counts map[string]int64) int64 {
	var n int64
	for _, v := range counts {
		n += v
	}
	return n
}

// reasons lists counts by name, as " (not_kept 12, malformed 3)".
func reasons(counts map[string]int64) string {
	var parts []string
	for _, name := range slices.Sorted(maps.Keys(counts)) {
		parts = append(parts, fmt.Sprintf("%s %d", name, counts[name]))
	}
	if len(parts) == 0 {
		return ""
	}
	return " (" + strings.Join(parts, ", ") + ")"
}

// notifyReady tells systemd that the sockets are open, where it asks to be told
// (sd_notify(3)).
func notifyReady(ctx context.Context) {
	path := os.Getenv("NOTIFY_SOCKET")
	if path == "" {
		return
	}
	var d net.Dialer
	conn, err := d.DialContext(ctx, "unixgram", path)
	if err != nil {
		return // nobody listens: not run by systemd after all
	}
	defer conn.Close()
	_, _ = conn.Write([]byte("READY=1"))
}
