package collect_test

import (
	"fmt"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/anacrolix/dht/v2/krpc"

	"github.com/boontorrent/boon/collect"
	"github.com/boontorrent/boon/internal/metrics/metricstest"
)

// TestMetrics scrapes a collector: the sums close, and nothing that an asker
// sent is in it.
func TestMetrics(t *testing.T) {
	cfg, url := metered(collect.Config{})
	c := start(t, cfg)
	a := newAsker(t, c.at, "127.0.0.77:0")
	a.ask("get_peers", krpc.MsgArgs{InfoHash: hash})
	a.ask("ping", krpc.MsgArgs{})
	a.ask("mymethod", krpc.MsgArgs{})
	a.send("rubbish")
	page := ""
	for began := time.Now(); time.Since(began) < time.Minute; time.Sleep(10 * time.Millisecond) {
		page = metricstest.Get(t, url())
		if strings.Contains(page, "boon_logged_total 1") && strings.Contains(page, `reason="malformed"`) {
			break
		}
	}
	for _, want := range []string{
		`boon_received_total{kind="get_peers",node="1"} 1`, `boon_received_total{kind="other_method",node="1"} 1`, `boon_logged_total 1`,
		`boon_dropped_total{kind="ping",node="1",reason="not_kept"} 1`, `boon_dropped_total{kind="malformed",node="1",reason="malformed"} 1`,
		`boon_sent_total{kind="error",node="1"} 1`, "go_goroutines", "boon_spool_bytes",
	} {
		if !strings.Contains(page, want) {
			t.Errorf("no %s", want)
		}
	}
	for _, never := range []string{"127.0.0.77", "mymethod"} {
		if strings.Contains(page, never) {
			t.Errorf("the metrics have %s", never)
		}
	}
}

// metered makes a collector serve metrics; where, it tells once it runs.
func metered(cfg collect.Config) (_ collect.Config, url func() string) {
	where := make(chan string, 1)
	cfg.Metrics, cfg.Say = "127.0.0.1:0", func(format string, args ...any) {
		if line, ok := strings.CutPrefix(fmt.Sprintf(format, args...), "metrics on "); ok {
			where <- line
		}
	}
	return cfg, sync.OnceValue(func() string { return <-where })
}
