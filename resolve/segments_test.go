package resolve

import (
	"context"
	"errors"
	"fmt"
	"net/netip"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/boontorrent/boon/internal/lake"
	"github.com/boontorrent/boon/internal/rawlog"
)

// hiccup is a lake of which so many reads fail.
type hiccup struct {
	lake.Store
	fails int
}

func (h *hiccup) Open(ctx context.Context, key string) (lake.Object, error) {
	if h.fails--; h.fails >= 0 {
		return nil, errors.New("no answer")
	}
	return h.Store.Open(ctx, key)
}

// TestSegmentReadAgain: a segment that cannot be read is read the next time; one that
// never can is passed over at last.
func TestSegmentReadAgain(t *testing.T) {
	for fails, want := range map[int][]bool{0: {true, true}, 2: {false, false, true, true}, 3: {false, false, false, false}} {
		d, c := newTestDesk(t)
		h := &hiccup{Store: lake.NewMemory(), fails: fails}
		log := rawlog.NewLog(h, rawlog.Header{Collector: "fra1", Run: "r", Privacy: "plain"}, 0)
		for i := range 2 {
			ev := rawlog.Event{Kind: rawlog.GetPeers, T: c.t.UnixMicro(), Query: rawlog.Query{Infohash: numbered(1), Addr: netip.AddrFrom4([4]byte{5, 5, 5, byte(i)}), Port: 1}}
			if err := log.Append(t.Context(), &ev); err != nil {
				t.Fatal(err)
			}
		}
		if err := log.Close(t.Context()); err != nil {
			t.Fatal(err)
		}
		var said string
		say := func(format string, args ...any) { said += fmt.Sprintf(format, args...) + "\n" }
		r := &reader{store: h, back: time.Hour, desk: d, now: c.now, say: say, seen: map[string]struct{}{}}
		var got []bool
		for range want {
			if err := r.recent(t.Context()); err != nil {
				t.Fatal(err)
			}
			got = append(got, d.backlog.find(numbered(1)) != nil)
		}
		if !slices.Equal(got, want) || strings.Count(said, "trying again") != min(fails, 2) || strings.Contains(said, "passed over") != (fails == 3) {
			t.Errorf("%d failures: read %v, want %v; said\n%s", fails, got, want, said)
		}
	}
}
