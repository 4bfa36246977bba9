package collect_test

import (
	"context"
	"errors"
	"io"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/boontorrent/boon/collect"
	"github.com/boontorrent/boon/internal/lake"
	"github.com/boontorrent/boon/internal/metrics/metricstest"
)

// outage is a lake that fails for a while: before it has got anything, and
// after it has got an object but could not say so.
type outage struct {
	lake.Store
	mu     sync.Mutex
	before int // Puts that fail at once
	after  int // Puts that fail after the object is there
	order  []string
}

var errDown = errors.New("503 slow down")

func (o *outage) Put(ctx context.Context, key string, cond lake.Condition, write func(io.Writer) error) (lake.Info, error) {
	o.mu.Lock()
	defer o.mu.Unlock()
	if o.before > 0 {
		o.before--
		return lake.Info{}, errDown
	}
	info, err := o.Store.Put(ctx, key, cond, write)
	if err == nil {
		o.order = append(o.order, key)
	}
	if o.after > 0 && err == nil {
		o.after--
		return lake.Info{}, errDown
	}
	return info, err
}

// recover waits until the outage is over: the uploader tries again after a
// millisecond, two, four …
func (o *outage) recover(t *testing.T) {
	t.Helper()
	for began := time.Now(); ; time.Sleep(time.Millisecond) {
		o.mu.Lock()
		over := o.before == 0 && o.after == 0
		o.mu.Unlock()
		if over {
			return
		}
		if time.Since(began) > time.Minute {
			t.Fatal("the uploader does not try again")
		}
	}
}

// TestLakeThatIsDown collects four times while the lake is away: nothing is
// lost, nothing comes twice, and what is oldest comes first.
func TestLakeThatIsDown(t *testing.T) {
	store := &outage{Store: lake.NewMemory(), before: 1 << 30}
	spool := filepath.Join(t.TempDir(), "spool")
	var sent []uint64
	for run := range 4 {
		if run == 3 {
			store.mu.Lock()
			store.before, store.after = 2, 2
			store.mu.Unlock()
		}
		c := start(t, collect.Config{Store: store, Spool: spool, UploadWait: time.Millisecond})
		a := newAsker(t, c.at, "127.0.0.2:0")
		for range 20 {
			sent = append(sent, uint64(len(sent)+1))
			a.send(numberedQuery(sent[len(sent)-1]))
			a.raw()
		}
		if run == 3 {
			store.recover(t)
		}
		if sum := c.stop(); (run < 3) != (sum.Spooled > 0) {
			t.Errorf("run %d: %d bytes left in the spool", run, sum.Spooled)
		}
	}
	checkNumbered(t, store.Store, sent, sent)
	if len(store.order) != 4 || !slices.IsSorted(store.order) {
		t.Errorf("uploaded in the order %v", store.order)
	}
}

// TestSpoolMax fills the spool while the lake is away: what comes then is
// answered, counted and not logged, and what was there before is kept.
func TestSpoolMax(t *testing.T) {
	store := &outage{Store: lake.NewMemory(), before: 1 << 30}
	cfg, url := metered(collect.Config{Store: store, SpoolMax: 1000, UploadWait: time.Hour, Limits: collect.Limits{Address: 1e6, Network: 1e6, All: 1e6}})
	c := start(t, cfg)
	a := newAsker(t, c.at, "127.0.0.2:0")
	page, n := url(), uint64(0)
	for full := false; !full && n < 100_000; {
		for range 10 {
			a.send(numberedQuery(n))
			if n++; a.raw() == nil {
				t.Fatal("no answer")
			}
		}
		full = strings.Contains(metricstest.Get(t, page), `reason="spool_full"`)
	}
	sum := c.stop()
	if sum.Dropped["spool_full"] == 0 || sum.Logged == 0 || sum.Received != int64(n) || sum.Logged+sum.Dropped["spool_full"] != int64(n) {
		t.Errorf("%d sent: %+v", n, sum)
	}
	store.before = 0
	start(t, collect.Config{Store: store, Spool: c.cfg.Spool}).stop()
	if got := read(t, store.Store); int64(len(got.events)) != sum.Logged {
		t.Errorf("%d events in the lake, want the %d that were logged", len(got.events), sum.Logged)
	}
}
