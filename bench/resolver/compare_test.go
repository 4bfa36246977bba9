package resolver

import (
	"bufio"
	"encoding/json"
	"flag"
	"fmt"
	"os"
	"os/exec"
	"slices"
	"strconv"
	"testing"
	"time"
)

// The test binary, with one of these in its environment, is the peers or a
// contender.
const (
	peersVariable     = "BOON_BENCH_PEERS"
	contenderVariable = "BOON_BENCH_CONTENDER"
)

var (
	torrents = flag.Int("torrents", 5000, "info-hashes")
	inflight = flag.Int("inflight", 1000, "info-hashes at once")
	rounds   = flag.Int("rounds", 3, "times that each has its turn")
)

func TestMain(m *testing.M) {
	if err := child(); err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
	os.Exit(m.Run())
}

// child does what a child process is for, if this is one, and ends it.
func child() error {
	if n := os.Getenv(peersVariable); n != "" {
		torrents, err := strconv.Atoi(n)
		if err == nil {
			err = servePeers(torrents)
		}
		if err == nil {
			os.Exit(0)
		}
		return err
	}
	if text := os.Getenv(contenderVariable); text != "" {
		var j job
		err := json.Unmarshal([]byte(text), &j)
		if err == nil {
			err = contend(j)
		}
		if err == nil {
			os.Exit(0)
		}
		return err
	}
	return nil
}

// TestCompare lets each contender fetch all torrents, in turn, and prints how
// long it took, how much of the CPU, and how much memory.
func TestCompare(t *testing.T) {
	p := startPeers(t)
	all := map[string][]result{}
	for range *rounds {
		for _, what := range []string{"client", "boon"} {
			r := run(t, job{What: what, Torrents: *torrents, Inflight: *inflight, Ports: p})
			t.Logf("%-6s %d of %d in %5.2f s: %6.0f a second, %6.0f µs of CPU each, %4d MiB", what, r.Resolved, *torrents,
				r.Took.Seconds(), perSecond(r), cpuEach(r), r.Memory>>20)
			if r.Resolved != *torrents {
				t.Errorf("%s resolved %d of %d", what, r.Resolved, *torrents)
			}
			all[what] = append(all[what], r)
		}
	}
	t.Logf("medians: %.1f times as many torrents a second, at 1/%.1f of the CPU each",
		median(all["boon"], perSecond)/median(all["client"], perSecond), median(all["client"], cpuEach)/median(all["boon"], cpuEach))
}

func perSecond(r result) float64 { return float64(r.Resolved) / r.Took.Seconds() }
func cpuEach(r result) float64   { return float64(r.CPU.Microseconds()) / float64(max(r.Resolved, 1)) }

func median(all []result, of func(result) float64) float64 {
	var v []float64
	for _, r := range all {
		v = append(v, of(r))
	}
	slices.Sort(v)
	return v[len(v)/2]
}

// startPeers starts the process that is all peers; it ends with the test.
func startPeers(t *testing.T) ports {
	t.Helper()
	cmd := exec.CommandContext(t.Context(), os.Args[0])
	cmd.Env = append(os.Environ(), peersVariable+"="+strconv.Itoa(*torrents))
	cmd.Stderr = os.Stderr
	in, err1 := cmd.StdinPipe()
	out, err2 := cmd.StdoutPipe()
	if err1 != nil || err2 != nil {
		t.Fatal(err1, err2)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		in.Close()
		if err := cmd.Wait(); err != nil && t.Context().Err() == nil {
			t.Error(err)
		}
	})
	var p ports
	if err := json.NewDecoder(bufio.NewReader(out)).Decode(&p); err != nil {
		t.Fatalf("the peers did not start: %v", err)
	}
	return p
}

// run runs a contender to its end.
func run(t *testing.T, j job) result {
	t.Helper()
	text, err := json.Marshal(j)
	if err != nil {
		t.Fatal(err)
	}
	cmd := exec.CommandContext(t.Context(), os.Args[0])
	cmd.Env = append(os.Environ(), contenderVariable+"="+string(text))
	cmd.Stderr = os.Stderr
	cmd.WaitDelay = time.Second
	out, err := cmd.Output()
	if err != nil {
		t.Fatalf("%s: %v", j.What, err)
	}
	var r result
	if err := json.Unmarshal(out, &r); err != nil {
		t.Fatalf("%s: %v", j.What, err)
	}
	return r
}
