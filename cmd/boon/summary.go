package main

import (
	"encoding/json"
	"fmt"
	"math"
	"os"
	"runtime"
	"runtime/debug"
	"syscall"
	"time"

	"github.com/boontorrent/boon/etl"
	"github.com/boontorrent/boon/internal/lake"
)

// summary is the line of JSON that boon etl ends its progress with.
type summary struct {
	Days       []daySummary `json:"days"`
	UpToDate   int          `json:"up_to_date"`
	Seconds    float64      `json:"seconds"`
	CPUSeconds float64      `json:"cpu_seconds"`
	PeakBytes  int64        `json:"peak_memory_bytes"`
}

type daySummary struct {
	Day       string           `json:"day"`
	Committed bool             `json:"committed"`
	Error     string           `json:"error,omitempty"`
	Read      int64            `json:"read"`
	Loaded    int64            `json:"loaded"`
	Duplicate int64            `json:"duplicate"`
	Rejected  map[string]int64 `json:"rejected,omitempty"`
	Lost      int64            `json:"lost,omitempty"`
	Rows      map[string]int64 `json:"rows,omitempty"`
	Crawlers  int64            `json:"crawlers"`
	Notes     int              `json:"notes,omitempty"`  // how many were printed
	Damage    int              `json:"damage,omitempty"` // how many objects of its tables were gone or cut
}

func printSummary(con console, r *etl.Report, began time.Time) {
	cpu, peak := used()
	s := summary{Days: []daySummary{}, UpToDate: r.Current, Seconds: seconds(time.Since(began)), CPUSeconds: seconds(cpu), PeakBytes: peak}
	for _, d := range r.Days {
		s.Days = append(s.Days, summaryOf(&d, d.Counts))
	}
	b, err := json.Marshal(s)
	if err != nil {
		fmt.Fprintln(con.err, "boon:", err)
		return
	}
	fmt.Fprintf(con.err, "%s\n", b)
}

func summaryOf(d *etl.DayReport, c lake.Counts) daySummary {
	out := daySummary{
		Day: d.Day.String(), Committed: d.Err == nil, Read: c.Read, Loaded: c.Loaded, Duplicate: c.Duplicate, Rejected: c.Rejected, Lost: c.Lost,
		Crawlers: d.Crawlers, Notes: len(d.Notes), Damage: len(d.Damage),
	}
	if d.Err != nil {
		out.Error = d.Err.Error()
	} else {
		out.Rows = d.Rows
	}
	return out
}

func seconds(d time.Duration) float64 { return math.Round(d.Seconds()*1000) / 1000 }

// used is the processor time and the greatest memory of this process so far.
func used() (cpu time.Duration, peak int64) {
	var r syscall.Rusage
	if syscall.Getrusage(syscall.RUSAGE_SELF, &r) != nil {
		return 0, 0
	}
	return time.Duration(r.Utime.Nano() + r.Stime.Nano()), peakBytes(r.Maxrss)
}

// tuneMemory bounds the memory that garbage may take, unless GOMEMLIMIT does:
// each worker holds a few large buffers, which cost the collector of garbage
// nothing to look at, but much to let lie.
func tuneMemory(workers int) {
	const base, each = 300 << 20, 250 << 20
	if workers <= 0 {
		workers = runtime.GOMAXPROCS(0)
	}
	if os.Getenv("GOMEMLIMIT") == "" {
		debug.SetMemoryLimit(base + int64(workers)*each)
	}
}
