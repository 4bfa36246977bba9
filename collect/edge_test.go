package collect

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/parquet-go/parquet-go"

	"github.com/boontorrent/boon/datasets"
	"github.com/boontorrent/boon/etl"
	"github.com/boontorrent/boon/internal/geo"
	"github.com/boontorrent/boon/internal/lake"
	"github.com/boontorrent/boon/internal/pseudonym"
	"github.com/boontorrent/boon/internal/rawlog"
	"github.com/boontorrent/boon/internal/synth"
)

// TestEdgeTablesEqualPlain makes the tables of a synthetic day twice: from its
// log with addresses, and from what is left of it at the edge. They hold the
// same rows; the log at the edge holds no address, port or id.
func TestEdgeTablesEqualPlain(t *testing.T) {
	t.Parallel()
	const day = lake.Day(20_779)
	plain, blurred := lake.NewFile(filepath.Join(t.TempDir(), "plain")), lake.NewFile(filepath.Join(t.TempDir(), "edge"))
	if _, err := synth.Run(t.Context(), plain, synth.Config{Seed: 3, Start: day, Days: 1, Events: 10_000}); err != nil {
		t.Fatal(err)
	}
	places, err := geo.Open(plain.Path(geo.CityKey), plain.Path(geo.ASNKey))
	if err != nil {
		t.Fatal(err)
	}
	keys := newKeyring(Config{Keys: plain, Epoch: pseudonym.Weekly})
	if err := keys.fetch(t.Context(), day); err != nil {
		t.Fatal(err)
	}
	blurLog(t, plain, blurred, &edge{keys: keys, geo: places})
	options := etl.Options{Geo: places, Keys: plain, Now: time.Now, NewKey: func() (pseudonym.Key, error) {
		return pseudonym.Key{}, errors.New("there is a key")
	}}
	for _, store := range []lake.Store{plain, blurred} {
		if _, err := etl.Run(t.Context(), store, options); err != nil {
			t.Fatal(err)
		}
	}
	same[datasets.Query](t, "queries", plain, blurred)
	same[datasets.Requester](t, "requesters", plain, blurred)
	same[datasets.Demand](t, "demand", plain, blurred)
	same[datasets.Torrent](t, "torrents", plain, blurred)
	same[datasets.Probe](t, "probes", plain, blurred)
	same[datasets.Uptime](t, "uptime", plain, blurred)

	// With another key the day is refused, not mixed up.
	report, err := etl.Run(t.Context(), blurred, etl.Options{Geo: places, Now: time.Now, Force: true, AcceptNewKey: true, NewKey: func() (pseudonym.Key, error) {
		return pseudonym.Key{7}, nil
	}})
	if err == nil && (len(report.Days) != 1 || report.Days[0].Err == nil || !strings.Contains(report.Days[0].Err.Error(), "other_key")) {
		t.Errorf("pseudonyms of one key are taken for another's: %+v", report.Days)
	}
}

// blurLog copies a log as a collector with that edge would have written it.
func blurLog(t *testing.T, from, to lake.Store, e *edge) {
	t.Helper()
	for info, err := range from.List(t.Context(), lake.RawPrefix) {
		if err != nil {
			t.Fatal(err)
		}
		o, err := from.Open(t.Context(), info.Key)
		if err != nil {
			t.Fatal(err)
		}
		r, err := rawlog.NewReader(o)
		if err != nil {
			t.Fatal(err)
		}
		var log *rawlog.Log
		var ev rawlog.Event
		for err = r.Next(&ev); err == nil; err = r.Next(&ev) {
			if !e.ready(lake.DayOf(ev.T)) {
				t.Fatal("no key")
			}
			if log == nil {
				h := *r.Header()
				h.Privacy, h.KeyEpoch, h.KeyPrint = Edge, e.epoch, e.print
				log = rawlog.NewLog(to, h, 0)
			}
			if ev.Kind.IsQuery() || ev.Kind == rawlog.Probe {
				e.blur(&ev)
			}
			if err := log.Append(t.Context(), &ev); err != nil {
				t.Fatal(err)
			}
			line, err := rawlog.AppendEvent(nil, &ev)
			if err != nil || strings.Contains(string(line), "their_ip") || strings.Contains(string(line), "their_port") || strings.Contains(string(line), ",\"port\":") || strings.Contains(string(line), "their_id") {
				t.Fatalf("at the edge (%v): %s", err, line)
			}
		}
		if !errors.Is(err, io.EOF) {
			t.Fatal(err)
		}
		if err := log.Close(t.Context()); err != nil {
			t.Fatal(err)
		}
		r.Close()
		o.Close()
	}
}

// same holds that a table has the same rows in both lakes, in whatever order.
func same[Row any](t *testing.T, table string, a, b *lake.File) {
	t.Helper()
	want, got := rowsOf[Row](t, a, table), rowsOf[Row](t, b, table)
	if len(want) == 0 {
		t.Errorf("%s has no rows", table)
	}
	if !slices.Equal(want, got) {
		t.Errorf("%s differs: %d rows, and %d at the edge; %s", table, len(want), len(got), cmp.Diff(want[:min(len(want), 20)], got[:min(len(got), 20)]))
	}
}

func rowsOf[Row any](t *testing.T, store *lake.File, table string) []string {
	t.Helper()
	var rows []string
	for info, err := range store.List(t.Context(), lake.TablesPrefix+table+"/") {
		if err != nil {
			t.Fatal(err)
		}
		if !strings.HasSuffix(info.Key, ".parquet") {
			continue
		}
		read, err := parquet.ReadFile[Row](store.Path(info.Key))
		if err != nil {
			t.Fatal(err)
		}
		for _, row := range read {
			line, err := json.Marshal(row)
			if err != nil {
				t.Fatal(err)
			}
			rows = append(rows, string(line))
		}
	}
	slices.Sort(rows)
	return rows
}

// TestKeysRollOver goes from one week to the next: each has its key, the one
// fetched the day before, and each segment says which. While there is no key,
// nothing is written, and all of it is counted.
func TestKeysRollOver(t *testing.T) {
	room := 1 << 30
	j, s, _ := newTestJournal(t, &room)
	store := lake.NewMemory()
	keys := newKeyring(Config{Keys: store, Epoch: pseudonym.Weekly, Random: strings.NewReader(strings.Repeat("a", 32) + strings.Repeat("b", 32))})
	j.edge = &edge{keys: keys}
	const sunday = int64(noon) // 2026-11-22; Monday begins another ISO week
	monday := sunday + lake.MicrosPerDay
	hear := func(at int64) {
		t.Helper()
		if err := j.consume(heardIn(10, at), at+second); err != nil {
			t.Fatal(err)
		}
	}
	fetch := func(at int64) {
		t.Helper()
		if err := keys.fetch(t.Context(), lake.DayOf(at)); err != nil {
			t.Fatal(err)
		}
	}
	hear(sunday) // before there is a key
	fetch(sunday)
	hear(sunday + minute)
	hear(monday) // its key has not come
	fetch(monday)
	keys.forget(lake.DayOf(sunday))
	hear(monday + minute)
	if err := j.segments.Close(); err != nil {
		t.Fatal(err)
	}
	a := readSpool(t, s)
	if a.segments != 2 || a.events != 20 || a.received != 44 || a.received != a.logged+a.dropped {
		t.Errorf("%+v; want two segments, 20 events, 40 queries and 4 pings received", a)
	}
	var prints []string
	for _, h := range a.headers {
		prints = append(prints, h.KeyEpoch+" "+h.KeyPrint)
	}
	a1, b1 := pseudonym.Key([]byte(strings.Repeat("a", 32))), pseudonym.Key([]byte(strings.Repeat("b", 32)))
	if want := []string{"2026-W47 " + a1.Print(), "2026-W48 " + b1.Print()}; !slices.Equal(prints, want) {
		t.Errorf("segments say %v, want %v", prints, want)
	}
	keys.forget(lake.DayOf(monday) + 1)
	if _, _, ok := keys.of(lake.DayOf(sunday)); ok || len(keys.keys) != 1 {
		t.Errorf("the key of a week that is over is still held: %d", len(keys.keys))
	}
}

// TestKeysAreKept: the keys of today and tomorrow are fetched before they are
// needed, also where they cannot be had at first, and those of the past are
// forgotten.
func TestKeysAreKept(t *testing.T) {
	var said []string
	day := lake.DayOf(noon)
	keys := newKeyring(Config{Keys: closed{lake.NewMemory()}, Epoch: pseudonym.Daily, Random: strings.NewReader(strings.Repeat("a", 200))})
	keys.keys["2026-11-01"] = pseudonym.Key{}
	tick := func() {
		keys.tend(t.Context(), day, func(format string, args ...any) { said = append(said, fmt.Sprintf(format, args...)) })
	}
	tick()
	if _, _, ok := keys.of(day); ok || len(said) != 2 || !strings.Contains(said[0], "no entry; trying again in 1m0s") || len(keys.keys) != 0 {
		t.Errorf("while keys cannot be had: said %q, held %v", said, ok)
	}
	keys.store = lake.NewMemory()
	tick()
	for d, want := range map[lake.Day]bool{day - 1: false, day: true, day + 1: true, day + 2: false} {
		if _, _, ok := keys.of(d); ok != want {
			t.Errorf("the key of %s is held: %v", d, ok)
		}
	}
	if len(said) != 2 {
		t.Errorf("said %q", said[2:])
	}
}

// closed is a store that nothing can be read from.
type closed struct{ lake.Store }

func (closed) Open(context.Context, string) (lake.Object, error) { return nil, errors.New("no entry") }
