package main

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"maps"
	"net"
	"net/netip"
	"os"
	"slices"
	"strconv"
	"strings"
	"sync"
	"time"

	"github.com/alecthomas/kong"

	"github.com/boontorrent/boon/collect"
	"github.com/boontorrent/boon/internal/geo"
	"github.com/boontorrent/boon/internal/lake"
	"github.com/boontorrent/boon/internal/pseudonym"
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
	RotateIDs     time.Duration `name:"rotate-ids" help:"Move to another node id after so long, an hour at least; 0 keeps the place in the network." default:"0s" placeholder:"D"`
	Probes        int           `help:"Lookups of our own a day, evenly spread, for random targets in the manner of several clients: they tell how far a lookup is heard." default:"0" placeholder:"N"`
	Duration      time.Duration `help:"Stop after so long; 0 goes on until interrupted." default:"0s" placeholder:"D"`
	Metrics       string        `help:"Serve Prometheus metrics on this address." placeholder:"HOST:PORT"`
	Live          string        `help:"Lake for live/NAME.json, what was heard in the last two minutes by place; none turns it off." default:"" placeholder:"LAKE|none"`
	LiveK         int           `name:"live-k" help:"The live view shows a place, country or client only where so many distinct networks asked." default:"20" placeholder:"N"`
	Privacy       string        `help:"plain logs addresses; edge logs pseudonyms and places in their stead, and no address is ever on disk." default:"plain" enum:"plain,edge" placeholder:"plain|edge"`
	Keys          string        `help:"With --privacy edge: folder or URL of the pseudonym keys instead of the lake's; boon etl needs the same." placeholder:"LAKE"`
	Epoch         string        `help:"With --privacy edge: how long a pseudonym key lives, day, week, month or study; boon etl needs the same." default:"week" enum:"day,week,month,study" placeholder:"EPOCH"`
	Geo           string        `help:"City database (.mmdb) for the live view and --privacy edge instead of the lake's geo/city.mmdb." placeholder:"FILE"`
	ASN           string        `name:"asn" help:"Network database (.mmdb) for --privacy edge instead of the lake's geo/asn.mmdb." placeholder:"FILE"`
	AllowLoopback bool          `help:"Hear and answer 127.0.0.0/8 and ::1, for trying it out."`

	Resolve      bool `help:"Also resolve what is asked for, as boon resolve does, and ask those who announce it first. Writes as NAME-resolver, by way of a spool of its own."`
	resolveFlags `embed:"" prefix:"resolve-"`
}

// Help shows an example.
func (collectCommand) Help() string {
	return `Takes part in the BitTorrent DHT as a polite node and logs what it is asked, in
sealed segments under raw/ in the lake. SIGTERM and Ctrl-C stop it in order and
lose nothing; run it again to go on with the same node ids. docs/operations.md
tells how to run one for a month, docs/ethics.md what it does and does not do.

Examples:
  boon collect --contact dht@example.org --lake /srv/boon --collector fra1
  boon collect --contact dht@example.org --listen 0.0.0.0:6881 --listen '[::]:6881' --probes 288
  boon collect --contact dht@example.org --lake s3://raw --privacy edge --keys /etc/boon-keys
  boon collect --contact dht@example.org --resolve --resolve-exclude optout.txt
  boon collect --contact me --listen 127.0.0.1:0 --allow-loopback --bootstrap 127.0.0.1:7000 --duration 1m`
}

// AfterApply finds flags of a resolver where none is wanted.
func (cmd collectCommand) AfterApply(given *kong.Context) error {
	for _, at := range given.Path {
		if at.Flag != nil && strings.HasPrefix(at.Flag.Name, "resolve-") && !cmd.Resolve {
			return fmt.Errorf("--%s goes with --resolve", at.Flag.Name)
		}
	}
	return nil
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
	if err := cmd.live(&cfg); err != nil {
		return err
	}
	say := sayer(c)
	say("contact: %s", cmd.Contact)
	cfg.Say = say
	if err := cmd.places(ctx, &cfg); err != nil {
		return err
	}
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
	run := collect.Run
	if cmd.Resolve {
		resolving, err := cmd.resolver(cfg.Store, say)
		if err != nil {
			return usageError{err}
		}
		run = resolving.beside
	}
	sum, err := run(ctx, cfg)
	if err != nil {
		return stopped{err}
	}
	fmt.Fprintf(c.out, "run %s: received %d, logged %d, dropped %d%s\n", sum.Run, sum.Received, sum.Logged, total(sum.Dropped), reasons(sum.Dropped))
	if sum.Spooled > 0 {
		return stopped{partly{fmt.Errorf("%d bytes of segments wait in the spool %s for the lake %s; the next start uploads them", sum.Spooled, cfg.Spool, cmd.Lake)}}
	}
	return nil
}

func (cmd collectCommand) config() (collect.Config, error) {
	cfg := collect.Config{
		Collector: cmd.Collector, Software: "boon " + version, Spool: cmd.Spool, Bootstrap: cmd.Bootstrap,
		Limits: collect.Limits{All: cmd.Rate}, Metrics: cmd.Metrics, AllowLoopback: cmd.AllowLoopback, RotateIDs: cmd.RotateIDs,
		Probes: cmd.Probes, Privacy: cmd.Privacy, Epoch: cmd.Epoch,
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
	if cmd.Probes < 0 || cmd.Probes > collect.MaxProbes {
		return cfg, fmt.Errorf("--probes %d: use 0 to %d", cmd.Probes, collect.MaxProbes)
	}
	if cfg.Spool == "" {
		cfg.Spool = "spool-" + cmd.Collector
	}
	var err error
	if cfg.SpoolMax, err = parseSize(cmd.SpoolMax); err != nil {
		return cfg, fmt.Errorf("--spool-max: %w", err)
	}
	if cfg.Listen, err = cmd.addresses(); err != nil {
		return cfg, err
	}
	if err := cmd.checkRest(); err != nil {
		return cfg, err
	}
	return cfg, checkHosts(cmd.Bootstrap)
}

// addresses are those to listen on.
func (cmd collectCommand) addresses() ([]netip.AddrPort, error) {
	var all []netip.AddrPort
	for _, s := range cmd.Listen {
		at, err := netip.ParseAddrPort(s)
		if err != nil {
			return nil, fmt.Errorf("--listen %q: write address and port, as 0.0.0.0:6881 or [::]:6881", s)
		}
		if at.Port() != 0 && slices.Contains(all, at) {
			return nil, fmt.Errorf("--listen %s stands there twice", at)
		}
		all = append(all, at)
	}
	return all, nil
}

// shortestID is how long a node keeps an id at least: with more of them than
// that, it would be many nodes.
const shortestID = time.Hour

// checkRest refuses times that make no sense, and flags that would do nothing:
// who names keys may think that the log has pseudonyms.
func (cmd collectCommand) checkRest() error {
	switch {
	case cmd.Duration < 0:
		return fmt.Errorf("--duration %v: use 0 to go on until interrupted, or a time as 24h", cmd.Duration)
	case cmd.RotateIDs != 0 && cmd.RotateIDs < shortestID:
		return fmt.Errorf("--rotate-ids %v: an id is kept for an hour at least; use 0 to keep it, or a time as 24h", cmd.RotateIDs)
	case cmd.Privacy != collect.Edge && (cmd.Keys != "" || cmd.ASN != "" || cmd.Epoch != pseudonym.Weekly):
		return errors.New("--keys, --epoch and --asn go with --privacy edge: without it the log has addresses")
	}
	if cmd.Metrics == "" {
		return nil
	}
	_, port, err := net.SplitHostPort(cmd.Metrics)
	if err == nil {
		_, err = strconv.ParseUint(port, 10, 16)
	}
	if err != nil {
		return fmt.Errorf("--metrics %q: write address and port, as 127.0.0.1:9106", cmd.Metrics)
	}
	return nil
}

// live opens where the live view goes.
func (cmd collectCommand) live(cfg *collect.Config) error {
	if cmd.LiveK < 1 {
		return usageError{fmt.Errorf("--live-k %d: at least one network must stand for a place", cmd.LiveK)}
	}
	cfg.LiveK = cmd.LiveK
	switch cmd.Live {
	case "none":
	case "":
		cfg.Live = cfg.Store
	default:
		var err error
		if cfg.Live, err = lake.Open(cmd.Live); err != nil {
			return fmt.Errorf("--live: %w", err)
		}
	}
	return nil
}

// places opens what the live view and privacy "edge" know places from, and
// where the keys of "edge" lie.
func (cmd collectCommand) places(ctx context.Context, cfg *collect.Config) error {
	edge := cmd.Privacy == collect.Edge
	if cfg.Live == nil && !edge {
		return nil
	}
	if !edge && cmd.Geo == "" && lakeAway(ctx, cfg) {
		return nil
	}
	lakes, done, err := lakeGeo(ctx, cfg.Store, cmd.Geo == "", edge && cmd.ASN == "")
	if err != nil {
		return fmt.Errorf("place databases: %w", err)
	}
	defer done() // geo reads databases into memory
	city, asn := cmp.Or(cmd.Geo, lakes.city), ""
	if edge {
		asn = cmp.Or(cmd.ASN, lakes.asn)
		if city == "" || asn == "" {
			return fmt.Errorf("--privacy edge needs a city and a network database, since a place cannot be found later: make geo LAKE=%s fetches free ones, --geo FILE and --asn FILE name others", cfg.Store.URL())
		}
		cfg.Keys = cfg.Store
		if cmd.Keys != "" {
			if cfg.Keys, err = lake.Open(cmd.Keys); err != nil {
				return fmt.Errorf("--keys: %w", err)
			}
		}
	}
	if cfg.Geo, err = geo.Open(city, asn); err != nil {
		return fmt.Errorf("place databases: %w", err)
	}
	return nil
}

// lakeWait is how long a lake may take to say whether it has place databases.
const lakeWait = 5 * time.Second

// lakeAway reports whether the lake cannot be asked for place databases now. That is
// no reason not to listen, nor to begin late.
func lakeAway(ctx context.Context, cfg *collect.Config) bool {
	ctx, cancel := context.WithTimeout(ctx, lakeWait)
	defer cancel()
	_, err := cfg.Store.Stat(ctx, geo.CityKey)
	if !errors.Is(err, lake.ErrAway) && !errors.Is(err, context.DeadlineExceeded) {
		return false
	}
	cfg.Say("place databases: %v; the live view has no map until the next start", err)
	return true
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
