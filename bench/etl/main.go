// Command etl compares boon etl with DuckDB's COPY on the same raw segments, in
// one run: rows a CPU second, memory, and bytes of what was written. Each is a
// process of its own, whose times the system counts.
//
//	etl -boon bin/boon -python .tools/venv/bin/python -dir bench/lakes
//
// The day is synthetic and made once: ten million queries, 385,000 torrents. A
// second lake has the queries alone, so that both sides read the same lines.
// DuckDB writes the columns that the table queries is made from, once as fast
// as it can and once sorted; it looks nothing up. boon etl looks up places and
// networks, and also makes requesters and demand. For the size of the same
// content DuckDB writes boon's table anew, sorted.
package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"io/fs"
	"log"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"time"

	"github.com/boontorrent/boon/internal/lake"
)

type bench struct {
	boon, python, copy string
	dir                string
	events, runs       int
	s3                 string
}

func main() {
	log.SetFlags(0)
	var b bench
	flag.StringVar(&b.boon, "boon", "bin/boon", "the program")
	flag.StringVar(&b.python, "python", "python3", "a Python that has duckdb")
	flag.StringVar(&b.copy, "copy", "bench/etl/copy.py", "DuckDB's side")
	flag.StringVar(&b.dir, "dir", "bench/lakes", "where the lakes are kept")
	flag.StringVar(&b.s3, "s3", "", "an empty lake on S3 to compare with the folder")
	flag.IntVar(&b.events, "events", 10_000_000, "queries of the day")
	flag.IntVar(&b.runs, "runs", 3, "the best of so many runs counts")
	flag.Parse()
	if err := b.run(context.Background()); err != nil {
		log.Fatal(err)
	}
}

func (b *bench) run(ctx context.Context) error {
	full, only, err := b.lakes(ctx)
	if err != nil {
		return err
	}
	out, err := os.MkdirTemp(b.dir, "out-")
	if err != nil {
		return err
	}
	defer os.RemoveAll(out)
	raw := filepath.Join(only, "raw/v1/day=*/hour=*/*.ndjson.zst")
	parquet := filepath.Join(only, "tables/queries/day=*/*.parquet")
	fmt.Println("| what | rows | CPU s | wall s | rows a CPU s | memory MiB | MB |")
	fmt.Println("|---|--:|--:|--:|--:|--:|--:|")
	etl := []string{b.boon, "etl", "--force", "--lake"}
	rows := int64(b.events)
	file := func(name string) string { return filepath.Join(out, name) }
	steps := []struct {
		what    string
		args    []string
		written []string
	}{
		{"DuckDB, COPY, unsorted", []string{b.python, b.copy, raw, file("fast.parquet"), "none"}, []string{file("fast.parquet")}},
		{"boon etl, queries (and requesters, demand)", append(etl[:3:3], "--lake", only), []string{parquet}},
		{"DuckDB, COPY, sorted by address and time", []string{b.python, b.copy, raw, file("sorted.parquet"), "their_ip, t"}, []string{file("sorted.parquet")}},
		{"DuckDB, boon's table queries written anew, sorted", []string{b.python, b.copy, parquet, file("same.parquet"), "requester, ts"}, []string{file("same.parquet")}},
		{"boon etl, all tables (bytes: all)", append(etl[:3:3], "--lake", full), []string{filepath.Join(full, "tables/*/day=*/*.parquet")}},
	}
	for _, s := range steps {
		if err := b.measure(ctx, s.what, rows, s.args, s.written); err != nil {
			return err
		}
	}
	if b.s3 == "" {
		return nil
	}
	return b.onS3(ctx, full, rows)
}

// onS3 copies the lake to S3 and makes its day there.
func (b *bench) onS3(ctx context.Context, full string, rows int64) error {
	remote, err := lake.Open(b.s3)
	if err != nil {
		return err
	}
	if err := transfer(ctx, lake.NewFile(full), remote); err != nil {
		return err
	}
	return b.measure(ctx, "boon etl, all tables, on S3", rows, []string{b.boon, "etl", "--force", "--lake", b.s3}, nil)
}

// lakes makes what is not there yet.
func (b *bench) lakes(ctx context.Context) (full, only string, err error) {
	full = filepath.Join(b.dir, fmt.Sprintf("day-%d", b.events))
	only = full + "-queries"
	if err := os.MkdirAll(b.dir, 0o755); err != nil {
		return "", "", err
	}
	if _, err := os.Stat(filepath.Join(full, "synth/truth.json")); errors.Is(err, fs.ErrNotExist) {
		log.Printf("making %s, once", full)
		if out, err := exec.CommandContext(ctx, b.boon, "synth", "--lake", full, "--events", fmt.Sprint(b.events), "--seed", "3").CombinedOutput(); err != nil {
			return "", "", fmt.Errorf("%w: %s", err, out)
		}
	}
	if _, err := os.Stat(filepath.Join(only, "done")); errors.Is(err, fs.ErrNotExist) {
		log.Printf("making %s, once", only)
		if err := strip(ctx, lake.NewFile(full), lake.NewFile(only)); err != nil {
			return "", "", err
		}
		if err := os.WriteFile(filepath.Join(only, "done"), nil, 0o644); err != nil {
			return "", "", err
		}
	}
	return full, only, nil
}

// measure runs a command a few times and prints the run of the least CPU time.
func (b *bench) measure(ctx context.Context, what string, rows int64, args, written []string) error {
	var cpu, wall time.Duration
	var memory int64
	for i := range b.runs {
		cmd := exec.CommandContext(ctx, args[0], args[1:]...)
		began := time.Now()
		out, err := cmd.CombinedOutput()
		if err != nil {
			return fmt.Errorf("%s: %w: %s", what, err, out)
		}
		took := time.Since(began)
		used, ok := cmd.ProcessState.SysUsage().(*syscall.Rusage)
		if !ok {
			return errors.New("this system does not say what a process used")
		}
		if c := cmd.ProcessState.UserTime() + cmd.ProcessState.SystemTime(); i == 0 || c < cpu {
			cpu, wall, memory = c, took, used.Maxrss>>10
		}
		if strings.HasSuffix(args[0], "boon") && !strings.Contains(string(out), fmt.Sprintf("queries %d", rows)) {
			return fmt.Errorf("%s: not all rows are there: %s", what, out)
		}
	}
	size := int64(0)
	for _, pattern := range written {
		files, err := filepath.Glob(pattern)
		if err != nil {
			return err
		}
		for _, f := range files {
			info, err := os.Stat(f)
			if err != nil {
				return err
			}
			size += info.Size()
		}
	}
	fmt.Printf("| %s | %d | %.1f | %.1f | %.0f | %d | %.1f |\n", what, rows, cpu.Seconds(), wall.Seconds(), float64(rows)/cpu.Seconds(), memory, float64(size)/1e6)
	return nil
}
