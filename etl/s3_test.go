package etl_test

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"os"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	gocmp "github.com/google/go-cmp/cmp"

	"github.com/boontorrent/boon/etl"
	"github.com/boontorrent/boon/internal/lake"
	"github.com/boontorrent/boon/internal/lake/s3test"
)

var s3Faults = map[string]s3test.Fault{
	"500":               s3test.Status(500, "InternalError"),
	"503":               s3test.Status(503, "SlowDown"),
	"reset":             s3test.Reset,
	"lost answer":       s3test.LoseAnswer,
	"cut body":          s3test.Cut(2 << 10),
	"spoilt on its way": s3test.SpoilRequest,
	"slow":              slow,
}

// slow is a server that takes its time.
func slow(w http.ResponseWriter, r *http.Request, next http.Handler) {
	time.Sleep(30 * time.Millisecond)
	next.ServeHTTP(w, r)
}

// onS3 opens a new lake that hardly waits before it asks again.
func onS3(t *testing.T, server *s3test.Server, attempts int) *lake.S3 {
	t.Helper()
	s, err := lake.NewS3(t.Context(), server.Bucket(t), "p", lake.S3Options{Attempts: attempts, MaxBackoff: 5 * time.Millisecond, Idle: 5 * time.Second})
	if err != nil {
		t.Fatal(err)
	}
	return s
}

func needQuiet(t *testing.T) {
	t.Helper()
	if os.Getenv("BOON_S3_FAULTS") == "" {
		t.Skip("make test-s3 runs this")
	}
}

// prepared brings the day's segments into the lake, and its tables as they are of
// a third of them; it returns the digests that those of all have.
func prepared(t *testing.T, store lake.Store) (want map[string]string) {
	t.Helper()
	events := swarm(61, 600)
	raw := write(t, events, 3)
	copyRaw(t, write(t, events[:200], 1), store)
	if err := nightly(t.Context(), store); err != nil {
		t.Fatal(err)
	}
	copyRaw(t, raw, store)
	undisturbed := lake.NewMemory()
	copyRaw(t, raw, undisturbed)
	if err := nightly(t.Context(), undisturbed); err != nil {
		t.Fatal(err)
	}
	return digests(t, undisturbed)
}

// Every third request goes wrong: the run asks again and makes the same tables,
// on one machine and by shards.
func TestS3FaultsAreOvercome(t *testing.T) {
	needQuiet(t)
	server := s3test.Start(t)
	for pipeline, do := range map[string]func(context.Context, lake.Store) error{"one machine": nightly, "shards": shared} {
		for name, fault := range s3Faults {
			proxy := s3test.NewProxy(t, server)
			store := onS3(t, server, 12)
			want := prepared(t, store)
			var n, hit atomic.Int64
			proxy.Break(1<<40, func(*http.Request) bool { return n.Add(1)%3 == 0 }, func(w http.ResponseWriter, r *http.Request, next http.Handler) {
				hit.Add(1)
				fault(w, r, next)
			})
			if err := do(t.Context(), store); err != nil {
				t.Errorf("%s, %s: %v", pipeline, name, err)
			}
			proxy.Mend()
			whole(t, store)
			if diff := gocmp.Diff(want, digests(t, store)); diff != "" {
				t.Errorf("%s, %s: %s", pipeline, name, diff)
			}
			if p := verified(t, store); len(p) > 0 {
				t.Errorf("%s, %s: %q", pipeline, name, p)
			}
			if left := append(keysOf(t, store, lake.LeasePrefix), keysOf(t, store, lake.ShardsPrefix)...); len(left) > 0 {
				t.Errorf("%s, %s: left behind: %v", pipeline, name, left)
			}
			if hit.Load() < 20 {
				t.Errorf("%s, %s: only %d requests went wrong", pipeline, name, hit.Load())
			}
		}
	}
}

// From some request on nothing is answered: the error says what, where and what
// to do; what is committed is whole; and when the server is back, the same tables.
func TestS3Outage(t *testing.T) {
	needQuiet(t)
	server := s3test.Start(t)
	for pipeline, do := range map[string]func(context.Context, lake.Store) error{"one machine": nightly, "shards": shared} {
		failed := 0
		for after, over := int64(0), false; !over; after += 11 {
			proxy := s3test.NewProxy(t, server)
			store := onS3(t, server, 2)
			want := prepared(t, store)
			from := proxy.Calls() + after
			proxy.Break(1<<40, func(*http.Request) bool { return proxy.Calls() > from }, s3test.Status(503, "SlowDown"))
			err := do(t.Context(), store)
			over = proxy.Calls() <= from
			proxy.Mend()
			where := fmt.Sprintf("%s, an outage after %d requests (%v)", pipeline, after, err)
			whole(t, store)
			if err != nil {
				failed++
				if !strings.Contains(err.Error(), store.URL()) || !strings.Contains(err.Error(), "did not serve in 2 attempts; try again later") {
					t.Errorf("%s: the error does not say what to do", where)
				}
			}
			again(t, where, store, do)
			if diff := gocmp.Diff(want, digests(t, store)); diff != "" {
				t.Errorf("%s: %s", where, diff)
			}
		}
		if failed < 5 {
			t.Errorf("%s: only %d outages were noticed", pipeline, failed)
		}
	}
}

// A server that answers with wrong ETags: nothing is made from what may be
// another object, and nothing is committed over another run's work.
func TestS3WrongETags(t *testing.T) {
	needQuiet(t)
	server := s3test.Start(t)
	told := 0
	for nth := range int64(25) {
		proxy := s3test.NewProxy(t, server)
		store := onS3(t, server, 3)
		want := prepared(t, store)
		var n atomic.Int64
		proxy.Break(1, func(r *http.Request) bool { return r.Method != http.MethodDelete && n.Add(1) > 3*nth }, s3test.WrongETag)
		err := nightly(t.Context(), store)
		proxy.Mend()
		if err != nil {
			told++
			if !strings.Contains(err.Error(), "replaced since") && !errors.Is(err, lake.ErrConflict) && !errors.Is(err, etl.ErrLeased) {
				t.Errorf("at request %d: %v", 3*nth, err)
			}
		}
		whole(t, store)
		again(t, fmt.Sprintf("a wrong ETag at request %d (%v)", 3*nth, err), store, nightly)
		if diff := gocmp.Diff(want, digests(t, store)); diff != "" {
			t.Errorf("at request %d: %s", 3*nth, diff)
		}
	}
	if told == 0 {
		t.Error("no wrong ETag was noticed")
	}
}
