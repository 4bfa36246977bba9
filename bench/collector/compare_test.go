package collector

import (
	"flag"
	"fmt"
	"os"
	"slices"
	"testing"
	"time"
)

// serverVariable, in the environment, makes the test binary one of the servers.
const serverVariable = "BOON_BENCH_SERVER"

func TestMain(m *testing.M) {
	if what := os.Getenv(serverVariable); what != "" {
		if err := serve(what, os.Args[1], os.Args[2:]); err != nil {
			fmt.Fprintln(os.Stderr, err)
			os.Exit(1)
		}
		os.Exit(0)
	}
	os.Exit(m.Run())
}

var (
	seconds   = flag.Int("seconds", 5, "length of each measurement")
	perSecond = flag.Int("rate", 20000, "queries a second of TestSteady")
)

// TestCompare gives each server as many queries as it answers, three times in
// turn, and prints what a second of CPU time buys.
func TestCompare(t *testing.T) {
	swarm := startSwarm(t)
	best := map[string][]float64{}
	for range 3 {
		for _, what := range []string{"bare", "boon"} {
			s := launch(t, what, swarm)
			answered := flood(t, s.at, time.Duration(*seconds)*time.Second)
			cpu, logged := s.end(t)
			each := float64(answered) / cpu.Seconds()
			best[what] = append(best[what], each)
			t.Logf("%s: %7d answered, %7d logged, %5.2f s of CPU: %6.0f a CPU second, %4.1f µs each",
				what, answered, logged, cpu.Seconds(), each, 1e6/each)
		}
	}
	bare, boon := median(best["bare"]), median(best["boon"])
	t.Logf("medians: bare %.0f, boon %.0f answered (and logged) a CPU second: %.1f times", bare, boon, boon/bare)
}

func median(v []float64) float64 {
	slices.Sort(v)
	return v[len(v)/2]
}

// TestSteady sends queries at a steady rate and prints how long answers take,
// and that none is missing in the log.
func TestSteady(t *testing.T) {
	swarm := startSwarm(t)
	s := launch(t, "boon", swarm)
	sent, took := steady(t, s.at, *perSecond, time.Duration(*seconds)*time.Second)
	memory := s.memory(t)
	cpu, logged := s.end(t)
	slices.Sort(took)
	t.Logf("%d sent at %d a second, %d answered, %d logged; %.2f s of CPU, %d MiB resident at most", sent, *perSecond, len(took), logged, cpu.Seconds(), memory>>20)
	t.Logf("%d bytes of log a query", s.bytes/int64(max(logged, 1)))
	if len(took) > 0 {
		t.Logf("answers take %v (median), %v (99th percentile), %v (longest)", took[len(took)/2], took[len(took)*99/100], took[len(took)-1])
	}
	if logged < sent {
		t.Errorf("%d queries are not in the log", sent-logged)
	}
}
