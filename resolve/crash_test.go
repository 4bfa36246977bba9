package resolve_test

import (
	"bufio"
	"context"
	"encoding/json"
	"fmt"
	"math/rand/v2"
	"os"
	"os/exec"
	"path/filepath"
	"testing"
	"time"

	"github.com/boontorrent/boon/internal/lake"
	"github.com/boontorrent/boon/internal/peertest"
	"github.com/boontorrent/boon/internal/rawlog"
	"github.com/boontorrent/boon/internal/rawlog/rawlogtest"
	"github.com/boontorrent/boon/resolve"
)

// childDir, in the environment, makes the test binary a resolver.
const childDir = "BOON_TEST_RESOLVER_DIR"

func TestMain(m *testing.M) {
	if dir := os.Getenv(childDir); dir != "" {
		os.Exit(child(dir))
	}
	os.Exit(m.Run())
}

// child resolves the list on its standard input, and says what is settled.
func child(dir string) int {
	store, err := lake.Open(filepath.Join(dir, "lake"))
	if err == nil {
		out := json.NewEncoder(os.Stdout)
		cfg := quick
		cfg.PerHash = 1
		_, err = resolve.Run(context.Background(), resolve.Config{
			Store: store, Spool: filepath.Join(dir, "spool"), Collector: "resolver", Software: "boon test",
			List: os.Stdin, AllowLoopback: true, Fetch: cfg, Concurrency: 4, KeepTorrents: true,
			Report: func(r resolve.Report) { _ = out.Encode(r) },
		})
	}
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		return 1
	}
	return 0
}

// TestKillLosesNoTorrent kills a resolver again and again, at any moment. Each
// torrent that was ever said to be resolved, and each that is not asked for again
// because it is thought to be, is in the lake once the last one has ended.
func TestKillLosesNoTorrent(t *testing.T) {
	dir := t.TempDir()
	var infos [][]byte
	for i := range 200 {
		infos = append(infos, torrent(fmt.Sprintf("Torrent %d", i), 1+i%5))
	}
	peers := make([]*peertest.Peer, 8)
	for i := range peers {
		peers[i] = peertest.Start(t, peertest.Good(20*time.Millisecond, infos...), peertest.Options{})
	}
	list := ""
	for i, info := range infos {
		list += magnet(peertest.Hash(info), peers[i%len(peers)].Addr) + "\n"
	}
	said := map[string]string{}
	kills := 0
	for round := 0; round < 15; round++ {
		over := runAndKill(t, dir, list, said, time.Duration(150+rand.IntN(350))*time.Millisecond)
		if over {
			break
		}
		kills++
	}
	if over := runAndKill(t, dir, list, said, time.Minute); !over {
		t.Fatal("the last one did not end")
	}
	if kills < 3 {
		t.Errorf("%d kills are too few to say anything", kills)
	}
	store := lake.NewFile(filepath.Join(dir, "lake"))
	there := map[rawlog.ID]int{}
	for _, ev := range rawlogtest.Events(t, store) {
		if ev.Kind == rawlog.Resolve {
			there[ev.Resolve.Infohash]++
		}
	}
	repeated := 0
	for _, info := range infos {
		hash := rawlog.ID(peertest.Hash(info))
		if s := said[hash.String()]; s != "resolved" && s != "known" || there[hash] == 0 {
			t.Errorf("%s was said to be %q and is in the lake %d times", hash, s, there[hash])
		}
		if there[hash] > 1 {
			repeated++
		}
		if _, err := store.Stat(t.Context(), resolve.TorrentKey(hash)); err != nil {
			t.Errorf("its .torrent file: %v", err)
		}
	}
	t.Logf("%d kills, %d of %d torrents asked for again", kills, repeated, len(infos))
	left, err := filepath.Glob(filepath.Join(dir, "spool", "*.open"))
	if err != nil || len(left) > 0 {
		t.Errorf("left in the spool: %v %v", left, err)
	}
}

// runAndKill runs a resolver for a while, and notes what it says. True if it ended
// by itself before.
func runAndKill(t *testing.T, dir, list string, said map[string]string, after time.Duration) bool {
	t.Helper()
	cmd := exec.CommandContext(t.Context(), os.Args[0])
	cmd.Env = append(os.Environ(), childDir+"="+dir)
	cmd.Stderr = os.Stderr
	in, err := cmd.StdinPipe()
	if err != nil {
		t.Fatal(err)
	}
	out, err := cmd.StdoutPipe()
	if err == nil {
		err = cmd.Start()
	}
	if err != nil {
		t.Fatal(err)
	}
	go func() {
		defer in.Close()
		_, _ = fmt.Fprint(in, list)
	}()
	kill := time.AfterFunc(after, func() { _ = cmd.Process.Kill() })
	defer kill.Stop()
	for lines := bufio.NewScanner(out); lines.Scan(); {
		var r resolve.Report
		if json.Unmarshal(lines.Bytes(), &r) == nil {
			said[r.Infohash] = r.State
		}
	}
	return cmd.Wait() == nil
}
