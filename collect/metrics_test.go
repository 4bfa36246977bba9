package collect_test

import (
	"fmt"
	"io"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/anacrolix/dht/v2/krpc"

	"github.com/boontorrent/boon/collect"
)

// TestMetrics scrapes a collector: the sums close, and nothing that an asker
// sent is in it.
func TestMetrics(t *testing.T) {
	where := make(chan string, 1)
	c := start(t, collect.Config{Metrics: "127.0.0.1:0", Say: func(format string, args ...any) {
		if line, ok := strings.CutPrefix(fmt.Sprintf(format, args...), "metrics on "); ok {
			where <- line
		}
	}})
	a := newAsker(t, c.at, "127.0.0.77:0")
	a.ask("get_peers", krpc.MsgArgs{InfoHash: hash})
	a.ask("ping", krpc.MsgArgs{})
	a.ask("mymethod", krpc.MsgArgs{})
	a.send("rubbish")
	time.Sleep(200 * time.Millisecond) // until the log has it
	res, err := http.Get(<-where)
	if err != nil {
		t.Fatal(err)
	}
	defer res.Body.Close()
	b, err := io.ReadAll(res.Body)
	if err != nil {
		t.Fatal(err)
	}
	page := string(b)
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
