package synth_test

import (
	"context"
	"crypto/sha256"
	"encoding/binary"
	"math"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/boontorrent/boon/internal/lake"
	"github.com/boontorrent/boon/internal/synth"
)

var small = synth.Config{Seed: 7, Days: 2, Events: 30_000, Torrents: 2500}

// digests are the sums of all objects of a lake.
func digests(t *testing.T, store lake.Store) map[string][32]byte {
	t.Helper()
	out := map[string][32]byte{}
	for info, err := range store.List(context.Background(), "") {
		if err != nil {
			t.Fatal(err)
		}
		b, _, err := lake.ReadAll(context.Background(), store, info.Key, 1<<30)
		if err != nil {
			t.Fatal(err)
		}
		out[info.Key] = sha256.Sum256(b)
	}
	return out
}

func TestSameSeedSameBytes(t *testing.T) {
	ctx := context.Background()
	run := func(store lake.Store, seed uint64) synth.Result {
		cfg := small
		cfg.Seed, cfg.Days, cfg.Events, cfg.Torrents = seed, 1, 3000, 200
		res, err := synth.Run(ctx, store, cfg)
		if err != nil {
			t.Fatal(err)
		}
		return res
	}
	a, b, c := lake.NewMemory(), lake.NewMemory(), lake.NewMemory()
	first := run(a, 7)
	run(b, 7)
	run(c, 8)
	before := digests(t, a)
	if diff := cmp.Diff(before, digests(t, b)); diff != "" {
		t.Errorf("the same seed made two different lakes:\n%s", diff)
	}
	for key := range digests(t, c) {
		if _, both := before[key]; both && strings.HasPrefix(key, lake.RawPrefix) {
			t.Errorf("another seed made the same segment %s", key)
		}
	}
	again := run(a, 7)
	if again.Segments != 0 || again.Present != first.Segments {
		t.Errorf("made again in the same lake: %+v, at first %+v", again, first)
	}
	if diff := cmp.Diff(before, digests(t, a)); diff != "" {
		t.Errorf("making it again changed the lake:\n%s", diff)
	}
}

func TestRunRefuses(t *testing.T) {
	ctx := context.Background()
	for name, cfg := range map[string]synth.Config{
		"no days":           {Days: 0, Events: 10_000},
		"few events":        {Days: 30, Events: 10_000},
		"too many events":   {Days: 1, Events: math.MaxInt},
		"too many torrents": {Days: 1, Events: 10_000, Torrents: 2_000_000},
		"before the DHT":    {Days: 1, Events: 10_000, Start: 4000},
		"unknown epochs":    {Days: 1, Events: 10_000, Epochs: []string{"fortnight"}},
	} {
		if _, err := synth.Run(ctx, lake.NewMemory(), cfg); err == nil {
			t.Errorf("%s: no error", name)
		}
	}
	for _, key := range []string{"geo/city.mmdb", "geo/asn.mmdb", "keys/2026-W02.key"} {
		store := lake.NewMemory()
		if _, err := lake.PutBytes(ctx, store, key, lake.Condition{}, binary.BigEndian.AppendUint64(make([]byte, 24), 1)); err != nil {
			t.Fatal(err)
		}
		_, err := synth.Run(ctx, store, synth.Config{Seed: 7, Days: 1, Events: 1000})
		if err == nil || !strings.Contains(err.Error(), "empty lake") || !strings.Contains(err.Error(), key) {
			t.Errorf("a lake with another %s: %v", key, err)
		}
	}
	stopped, stop := context.WithCancel(ctx)
	stop()
	if _, err := synth.Run(stopped, lake.NewMemory(), small); err == nil {
		t.Error("a run that was stopped says nothing")
	}
}

func TestScanRefuses(t *testing.T) {
	for _, s := range []string{"", "[]", "{}", `{"format":"another"}`, `{"format":"boon synth truth 1","torrents":[{"infohash":7}]}`, `{"format":"boon synth truth 1"`} {
		if _, err := synth.Scan(strings.NewReader(s), func(*synth.Torrent) error { return nil }); err == nil {
			t.Errorf("%q is taken for a truth file", s)
		}
	}
}

// BenchmarkRun makes a day of 300,000 events, as make demo does.
func BenchmarkRun(b *testing.B) {
	for b.Loop() {
		store := lake.NewFile(b.TempDir())
		if _, err := synth.Run(context.Background(), store, synth.Config{Seed: 1, Days: 1, Events: 300_000}); err != nil {
			b.Fatal(err)
		}
	}
}
