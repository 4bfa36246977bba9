package main

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"math/rand/v2"
	"os"
	"os/exec"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/boontorrent/boon/datasets"
	"github.com/boontorrent/boon/internal/lake"
	"github.com/boontorrent/boon/internal/lake/s3test"
)

// Two boon etl at once on one day of a lake, on S3 and in a folder, that make
// different tables of it (their epochs differ) and break each other's lease, one or
// both killed with SIGKILL at some moment, and boon gc beside them: a reader who
// follows manifests never finds a part gone or changed, and in the end the tables
// are what one undisturbed run makes.
func TestS3KilledAndRaced(t *testing.T) {
	if os.Getenv("BOON_S3_FAULTS") == "" {
		t.Skip("make test-s3 runs this")
	}
	clean := t.TempDir()
	mustRun(t, "synth", "--lake", clean, "--events", "30000", "--torrents", "400", "--seed", "9")
	mustRun(t, "etl", "--lake", clean, "--epoch", "day") // makes the day's key
	mustRun(t, "etl", "--lake", clean, "--force")
	server := s3test.Start(t)
	for name, url := range map[string]string{"S3": "s3://" + server.Bucket(t) + "/race", "folder": t.TempDir()} {
		t.Run(name, func(t *testing.T) { raceOn(t, url, lake.NewFile(clean)) })
	}
}

func raceOn(t *testing.T, url string, clean *lake.File) {
	store, err := lake.Open(url)
	if err != nil {
		t.Fatal(err)
	}
	for _, prefix := range []string{lake.RawPrefix, lake.KeysPrefix, "geo/"} {
		copyObjects(t, clean, store, prefix)
	}
	mustRun(t, "etl", "--lake", url)
	day := onlyDay(t, clean)
	watch, stop := context.WithCancel(t.Context())
	var watching sync.WaitGroup
	reads := 0
	watching.Go(func() {
		for ; watch.Err() == nil; reads++ {
			readByManifests(t, store, day)
		}
	})
	outcomes := raceRounds(t, url, 14)
	stop()
	watching.Wait()
	mustRun(t, "etl", "--lake", url, "--force", "--break-lease")
	mustRun(t, "verify", "--lake", url)
	if diff := cmp.Diff(partsOf(t, clean, day), partsOf(t, store, day)); diff != "" {
		t.Errorf("in the end: %s", diff)
	}
	t.Logf("%v; all tables were read %d times meanwhile", outcomes, reads)
	if outcomes["killed"] < 3 || outcomes["done"] < 3 || reads < 10 {
		t.Error("too little happened")
	}
}

// raceRounds lets pairs of runs at each other and tells how they ended.
func raceRounds(t *testing.T, url string, rounds int) map[string]int {
	r := rand.New(rand.NewPCG(1, 2))
	outcomes := map[string]int{}
	var mu sync.Mutex
	for round := range rounds {
		var runs sync.WaitGroup
		for i, epoch := range []string{"week", "day"} {
			wait, life := time.Duration(r.IntN(250))*time.Millisecond, time.Minute
			if (round+i)%3 == 0 {
				life = time.Duration(50+r.IntN(1200)) * time.Millisecond
			}
			runs.Go(func() {
				time.Sleep(wait)
				outcome := runFor(t, life, "etl", "--lake", url, "--epoch", epoch, "--force", "--break-lease")
				mu.Lock()
				defer mu.Unlock()
				outcomes[outcome]++
			})
		}
		runs.Go(func() { runFor(t, time.Minute, "gc", "--lake", url, "--keep-raw", "100000") })
		runs.Wait()
	}
	return outcomes
}

func mustRun(t *testing.T, args ...string) {
	t.Helper()
	if out, err := exec.Command("boon", args...).CombinedOutput(); err != nil {
		t.Fatalf("boon %s: %v\n%s", strings.Join(args, " "), err, out)
	}
}

// runFor runs the program, kills it once it has lived so long, and tells how it
// ended: done, killed, or lost to the other.
func runFor(t *testing.T, life time.Duration, args ...string) string {
	ctx, cancel := context.WithTimeout(t.Context(), life)
	defer cancel()
	out, err := exec.CommandContext(ctx, "boon", args...).CombinedOutput()
	switch {
	case err == nil:
		return "done"
	case ctx.Err() != nil:
		return "killed"
	case bytes.Contains(out, []byte("another boon etl")):
		return "lost"
	}
	t.Errorf("boon %s: %v\n%s", strings.Join(args, " "), err, out)
	return "failed"
}

func onlyDay(t *testing.T, store lake.Store) lake.Day {
	t.Helper()
	for info, err := range store.List(t.Context(), lake.TablesPrefix) {
		if err != nil {
			t.Fatal(err)
		}
		if day, ok := lake.DayOfKey(info.Key); ok {
			return day
		}
	}
	t.Fatal("the lake has no tables")
	return 0
}

func copyObjects(t *testing.T, from, to lake.Store, prefix string) {
	t.Helper()
	for info, err := range from.List(t.Context(), prefix) {
		if err != nil {
			t.Fatal(err)
		}
		b, _, err := lake.ReadAll(t.Context(), from, info.Key, 1<<30)
		if err != nil {
			t.Fatal(err)
		}
		if _, err := lake.PutBytes(t.Context(), to, info.Key, lake.Absent(), b); err != nil {
			t.Fatal(err)
		}
	}
}

// partsOf is the digests of the parts of all tables.
func partsOf(t *testing.T, store lake.Store, day lake.Day) map[string]string {
	t.Helper()
	out := map[string]string{}
	for _, table := range datasets.Tables() {
		m, _, err := lake.ReadManifest(t.Context(), store, table.Name, day)
		if err != nil || m == nil {
			t.Fatalf("%s: %v, %v", table.Name, m, err)
		}
		for _, p := range m.Parts {
			out[p.Key] = p.SHA256
		}
	}
	return out
}

// readByManifests reads all tables as their manifests say. A part may only be
// gone where the manifest has been replaced since.
func readByManifests(t *testing.T, store lake.Store, day lake.Day) {
	for _, table := range datasets.Tables() {
		for {
			m, info, err := lake.ReadManifest(t.Context(), store, table.Name, day)
			if err != nil || m == nil {
				t.Errorf("%s: %v, %v", table.Name, m, err)
				return
			}
			if err = readParts(t.Context(), store, m); err == nil {
				break
			}
			now, serr := store.Stat(t.Context(), lake.ManifestKey(table.Name, day))
			if serr != nil || now.ETag == info.ETag {
				t.Errorf("a reader who follows the manifest of %s: %v", table.Name, errors.Join(err, serr))
				return
			}
		}
	}
}

func readParts(ctx context.Context, store lake.Store, m *lake.Manifest) error {
	for _, p := range m.Parts {
		b, _, err := lake.ReadAll(ctx, store, p.Key, 1<<30)
		if err != nil {
			return err
		}
		if sum := sha256.Sum256(b); hex.EncodeToString(sum[:]) != p.SHA256 {
			return fmt.Errorf("%s has other bytes than its manifest says", p.Key)
		}
	}
	return nil
}
