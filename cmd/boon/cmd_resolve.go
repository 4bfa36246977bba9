package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net"
	"net/netip"
	"os"
	"time"

	"github.com/boontorrent/boon/internal/lake"
	"github.com/boontorrent/boon/resolve"
)

type resolveCommand struct {
	lakeFlag
	resolveFlags
	From      string        `help:"What to resolve: lake (what its segments say is asked for), a FILE with an info-hash or magnet link a line, or - for standard input." default:"lake" placeholder:"lake|FILE|-"`
	Recent    time.Duration `help:"With --from lake, how far back to read before going on with what comes." default:"24h" placeholder:"D"`
	Sample    bool          `help:"Also ask DHT nodes for samples of their info-hashes (BEP 51), each no more often than it allows."`
	Bootstrap []string      `help:"DHT nodes to ask first; default the well-known routers." placeholder:"HOST:PORT"`
	Collector string        `help:"Name of this resolver in the lake: a-z, 0-9, - and _. Each of yours needs its own." default:"resolver" placeholder:"NAME"`
	Spool     string        `help:"Folder where segments lie until the lake has them; default spool-NAME here." placeholder:"DIR"`
	SpoolMax  string        `help:"Bytes the spool may hold, as 500M or 20G; beyond, nothing is resolved." default:"20G" placeholder:"SIZE"`
	Metrics   string        `help:"Serve Prometheus metrics on this address." placeholder:"HOST:PORT"`
	Duration  time.Duration `help:"Stop after so long; 0 goes on until interrupted, or until the list is done." default:"0s" placeholder:"D"`

	AllowLoopback bool `help:"Ask 127.0.0.0/8 and ::1, for trying it out."`
}

// resolveFlags are those that boon collect --resolve has, too.
type resolveFlags struct {
	Listen       []string `help:"Addresses for DHT lookups, one node each; [::]:0 adds IPv6." default:"0.0.0.0:0" placeholder:"ADDR"`
	Concurrency  int      `help:"Info-hashes to try at once." default:"200" placeholder:"N"`
	Rate         float64  `help:"DHT packets a second to send at most." default:"500" placeholder:"N"`
	KeepTorrents bool     `help:"Store each info dictionary in the lake as torrents/ab/cd/INFOHASH.torrent, too."`
	Exclude      string   `help:"File of what not to ask for or keep: info-hashes, and words of titles, one a line." placeholder:"FILE"`
}

// Help shows examples.
func (resolveCommand) Help() string {
	return `Asks the peers of wanted torrents for their info dictionaries, and for nothing
else, and logs what came of it in segments under raw/ in the lake; boon etl makes
the tables torrents, files and failures of them. SIGTERM and Ctrl-C stop it in
order, and a kill loses no torrent: run it again to go on. What failed is tried
again after 10 minutes, 1, 6 and 24 hours, as long as it is asked for.

With a list, it ends when each info-hash is resolved or has failed once, prints
a line of JSON for each, and ends with code 3 if some failed.

Examples:
  boon resolve --lake /srv/boon
  boon resolve --lake /srv/boon --sample --keep-torrents --exclude optout.txt
  boon resolve --from wanted.txt > resolved.ndjson
  echo 'magnet:?xt=urn:btih:0123456789abcdef0123456789abcdef01234567' | boon resolve --from -`
}

// Run implements the verb.
func (cmd resolveCommand) Run(ctx context.Context, c console) error {
	cfg, err := cmd.config()
	if err != nil {
		return usageError{err}
	}
	if cfg.Store, err = lake.Open(cmd.Lake); err != nil {
		return err
	}
	list, err := cmd.source(&cfg, c.in)
	if err != nil {
		return err
	}
	defer list.Close()
	say := sayer(c)
	cfg.Say = say
	cfg.Ready = func(at []netip.AddrPort) {
		for _, a := range at {
			say("looking up from %s", a)
		}
		notifyReady(ctx)
	}
	out := json.NewEncoder(c.out)
	out.SetEscapeHTML(false)
	cfg.Report = func(r resolve.Report) { _ = out.Encode(r) } // the summary and the lake have it all the same
	running := ctx
	if cmd.Duration > 0 {
		var cancel context.CancelFunc
		running, cancel = context.WithTimeout(ctx, cmd.Duration)
		defer cancel()
	}
	sum, err := resolve.Run(running, cfg)
	if err != nil {
		return stopped{err}
	}
	say("%s", resolveText(&sum))
	if cfg.List != nil && running.Err() != nil {
		return partly{errors.New("it was stopped before the list was done; run it again for the rest")}
	}
	return cmd.verdict(&sum, cfg.List != nil)
}

// verdict is the error that the exit code comes from.
func (cmd resolveCommand) verdict(sum *resolve.Summary, list bool) error {
	switch failed := total(sum.Unmet); {
	case list && failed+sum.BadLines > 0:
		return partly{fmt.Errorf("%d failed%s, %d lines of the list were no info-hashes", failed, reasons(sum.Unmet), sum.BadLines)}
	case sum.Spooled > 0:
		return stopped{partly{fmt.Errorf("%d bytes wait in the spool for the lake %s; the next start uploads them", sum.Spooled, cmd.Lake)}}
	}
	return nil
}

func resolveText(sum *resolve.Summary) string {
	return fmt.Sprintf("run %s: resolved %d, failed %d%s, known %d, excluded %d; %.1f%% of what was asked for is resolved",
		sum.Run, sum.Resolved, total(sum.Failed), reasons(sum.Failed), sum.Known, sum.Excluded, 100*sum.Share)
}

func (cmd resolveCommand) config() (resolve.Config, error) {
	cfg, err := cmd.resolveFlags.config()
	if err != nil {
		return cfg, err
	}
	cfg.Collector, cfg.Spool, cfg.Bootstrap, cfg.Metrics = cmd.Collector, cmd.Spool, cmd.Bootstrap, cmd.Metrics
	cfg.Sample, cfg.AllowLoopback = cmd.Sample, cmd.AllowLoopback
	if !lake.CollectorName(cmd.Collector) {
		return cfg, fmt.Errorf("--collector %q: use 1 to 64 of a-z, 0-9, - and _", cmd.Collector)
	}
	if cmd.Recent < 0 {
		return cfg, fmt.Errorf("--recent %v: write how far back to read, as 24h", cmd.Recent)
	}
	if cfg.Spool == "" {
		cfg.Spool = "spool-" + cmd.Collector
	}
	if cfg.SpoolMax, err = parseSize(cmd.SpoolMax); err != nil {
		return cfg, fmt.Errorf("--spool-max: %w", err)
	}
	return cfg, checkHosts(cmd.Bootstrap)
}

func checkHosts(bootstrap []string) error {
	for _, s := range bootstrap {
		if _, _, err := net.SplitHostPort(s); err != nil {
			return fmt.Errorf("--bootstrap %q: write host and port, as router.example.org:6881", s)
		}
	}
	return nil
}

// config is what the flags that both verbs have say.
func (f resolveFlags) config() (resolve.Config, error) {
	cfg := resolve.Config{Software: "boon " + version, Concurrency: f.Concurrency, Rate: f.Rate, KeepTorrents: f.KeepTorrents}
	if f.Concurrency < 1 || f.Concurrency > 10_000 {
		return cfg, fmt.Errorf("concurrency %d: choose from 1 to 10000", f.Concurrency)
	}
	if f.Rate <= 0 {
		return cfg, fmt.Errorf("rate %v: a resolver sends at least something", f.Rate)
	}
	for _, s := range f.Listen {
		at, err := netip.ParseAddrPort(s)
		if err != nil {
			return cfg, fmt.Errorf("listen %q: write address and port, as 0.0.0.0:0 or [::]:0", s)
		}
		cfg.Listen = append(cfg.Listen, at)
	}
	if f.Exclude != "" {
		in, err := os.Open(f.Exclude)
		if err != nil {
			return cfg, fmt.Errorf("exclusions: %w", err)
		}
		defer in.Close()
		if cfg.Exclude, err = resolve.ReadExclusions(in); err != nil {
			return cfg, fmt.Errorf("exclusions in %s: %w", f.Exclude, err)
		}
	}
	return cfg, nil
}

// source opens what --from names.
func (cmd resolveCommand) source(cfg *resolve.Config, in io.Reader) (io.Closer, error) {
	switch cmd.From {
	case "lake":
		cfg.Lake = cmd.Recent
		if cmd.Recent == 0 {
			cfg.Lake = time.Second
		}
	case "-":
		cfg.List = in
	default:
		f, err := os.Open(cmd.From)
		if err != nil {
			return nil, fmt.Errorf("--from: %w", err)
		}
		if info, err := f.Stat(); err == nil && info.IsDir() {
			_ = f.Close()
			return nil, usageError{fmt.Errorf("--from %s: it is a folder; name a file with info-hashes or magnet links, or lake", cmd.From)}
		}
		cfg.List = f
		return f, nil
	}
	return io.NopCloser(nil), nil
}
