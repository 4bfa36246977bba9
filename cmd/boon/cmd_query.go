//go:build cgo && !noduck

package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/signal"
	"path/filepath"
	"strings"
	"syscall"
	"time"

	"golang.org/x/term"

	"github.com/boontorrent/boon/internal/duck"
	"github.com/boontorrent/boon/internal/lake"
	"github.com/boontorrent/boon/queries"
)

type queryCommand struct {
	duckFlags
	Question string   `arg:"" optional:"" name:"query" help:"Name of a query (see --list), an SQL file, or - for SQL on the standard input."`
	List     bool     `help:"List the queries and their parameters."`
	Day      string   `help:"Short for --param day=DAY." placeholder:"DAY"`
	Param    []string `help:"Set a parameter; @FILE as the value takes it from a file." placeholder:"NAME=VALUE" sep:"none"`
	Format   string   `help:"table, csv, json (one object a line) or parquet." enum:"table,csv,json,parquet" default:"table"`
	Out      string   `help:"Write to this file instead of the standard output." placeholder:"FILE" type:"path"`
}

// Help is shown by boon query --help.
func (queryCommand) Help() string {
	return `Examples:
  boon query --list
  boon query rankings --day 2026-11-22
  boon query rankings --param week=2026-11-22 --param country=DE --param top=100 --format csv
  boon query torrent --param infohash=0123456789abcdef0123456789abcdef01234567
  boon query recall --param infohashes=@list.txt --format json
  echo "SELECT country, sum(requesters) FROM demand GROUP BY 1 ORDER BY 2 DESC" | boon query -
  boon query my.sql --format parquet --out my.parquet

json is one object a line (NDJSON), every integer exact. csv leaves texts as they are.
parquet takes a single SELECT that ends with its semicolon.`
}

// Run answers the question.
func (cmd *queryCommand) Run(ctx context.Context, c console) error {
	if cmd.List {
		return listQueries(c.out)
	}
	q, err := cmd.find(c)
	if err != nil {
		return err
	}
	values, err := cmd.values()
	if err == nil {
		err = q.Check(values)
	}
	if err != nil {
		return usageError{err}
	}
	if cmd.Format == "parquet" && cmd.Out == "" && isTerminal(c.out) {
		return usageError{errors.New("parquet is no text for a terminal; name a file with --out")}
	}
	signal.Ignore(syscall.SIGPIPE) // so that "… | head" does not end us before Close
	db, err := cmd.open(ctx, c)
	if err != nil {
		return err
	}
	defer db.Close()
	noteEmpty(c, db.Catalog, cmd.Lake)
	noteNoDay(c, db.Catalog, q, values)
	stop := sayWaiting(ctx, c.err, "query "+q.Name)
	err = cmd.answer(ctx, c, db, q, values, stop)
	stop()
	var param *queries.ParamError
	switch {
	case errors.As(err, &param):
		return usageError{err}
	case errors.Is(err, syscall.EPIPE):
		return nil // the reader has what it wanted
	}
	return err
}

// noteNoDay warns of a period of which the lake has no tables, so that nobody takes
// an empty answer for a day on which nothing was asked for.
func noteNoDay(c console, catalog *duck.Catalog, q queries.Query, values map[string]string) {
	since, until := values["since"], values["until"]
	if day := values["day"]; day != "" {
		since, until = day, day
	}
	for _, day := range []string{since, until} {
		if _, err := lake.ParseDay(day); err != nil && day != "" {
			return // DuckDB may know what it means
		}
	}
	first, last, within := catalog.Days(since, until)
	if within || catalog.Empty() || since == "" && until == "" || q.Check(values) != nil {
		return
	}
	fmt.Fprintf(c.err, "boon: the lake has no tables of that period; the days that it has are from %s to %s\n", first, last)
}

// find returns the query by name, from a file or from the standard input.
func (cmd *queryCommand) find(c console) (queries.Query, error) {
	name := cmd.Question
	switch {
	case name == "":
		return queries.Query{}, usageError{errors.New("name a query or an SQL file; boon query --list shows the queries")}
	case name == "-":
		text, err := io.ReadAll(c.in)
		return queries.Parse("of the standard input", string(text)), err
	case strings.HasSuffix(name, ".sql") || strings.ContainsRune(name, filepath.Separator):
		text, err := os.ReadFile(name)
		return queries.Parse(name, string(text)), err
	}
	q, err := queries.Find(name)
	if err != nil {
		return q, usageError{err}
	}
	return q, nil
}

// values collects --day and --param.
func (cmd *queryCommand) values() (map[string]string, error) {
	values := map[string]string{}
	params := cmd.Param
	if cmd.Day != "" {
		params = append([]string{"day=" + cmd.Day}, params...)
	}
	for _, p := range params {
		name, value, found := strings.Cut(p, "=")
		if !found || name == "" {
			return nil, fmt.Errorf("--param %s: write it as NAME=VALUE", p)
		}
		if _, twice := values[name]; twice {
			return nil, fmt.Errorf("parameter %s is given twice", name)
		}
		if file, isFile := strings.CutPrefix(value, "@"); isFile {
			b, err := os.ReadFile(file)
			if err != nil {
				return nil, fmt.Errorf("parameter %s: %w", name, err)
			}
			value = string(b)
		}
		values[name] = value
	}
	return values, nil
}

// answer runs q and writes the result; begun is called before the first byte.
func (cmd *queryCommand) answer(ctx context.Context, c console, db *duck.DB, q queries.Query, values map[string]string, begun func()) error {
	if cmd.Format == "parquet" {
		return cmd.answerParquet(ctx, c, db, q, values)
	}
	rows, err := queries.Run(ctx, db, q, values)
	if err != nil {
		return err
	}
	defer rows.Close()
	begun()
	write := func(w io.Writer) error {
		switch cmd.Format {
		case "csv":
			return queries.WriteCSV(w, rows)
		case "json":
			return queries.WriteJSON(w, rows)
		}
		return queries.WriteTable(w, rows, screenWidth(w))
	}
	if cmd.Out == "" {
		return write(c.out)
	}
	return replaceFile(cmd.Out, func(f *os.File) error { return write(f) })
}

// answerParquet lets DuckDB write a file and hands it on.
func (cmd *queryCommand) answerParquet(ctx context.Context, c console, db *duck.DB, q queries.Query, values map[string]string) error {
	if cmd.Out != "" {
		return replaceFile(cmd.Out, func(f *os.File) error {
			return queries.WriteParquet(ctx, db, q, values, f.Name())
		})
	}
	f, err := os.CreateTemp("", "boon-query-*.parquet")
	if err != nil {
		return err
	}
	defer os.Remove(f.Name())
	defer f.Close()
	if err := queries.WriteParquet(ctx, db, q, values, f.Name()); err != nil {
		return err
	}
	if f, err = os.Open(f.Name()); err != nil {
		return err
	}
	defer f.Close()
	_, err = io.Copy(c.out, f)
	return err
}

// replaceFile writes a file that appears, or replaces another, only when it is whole.
func replaceFile(path string, write func(*os.File) error) error {
	f, err := os.CreateTemp(filepath.Dir(path), ".boon-tmp-*")
	if err != nil {
		return fmt.Errorf("write %s: %w", path, err)
	}
	defer os.Remove(f.Name())
	err = write(f)
	err = errors.Join(err, f.Sync(), f.Chmod(0o644), f.Close())
	if err != nil {
		return fmt.Errorf("write %s: %w", path, err)
	}
	return os.Rename(f.Name(), path)
}

func listQueries(w io.Writer) error {
	var b strings.Builder
	for _, q := range queries.All() {
		fmt.Fprintf(&b, "%s\n    %s\n", q.Name, q.About)
		for _, p := range q.Params {
			fmt.Fprintf(&b, "      %-11s %-8s %s\n", p.Name, p.Type, p.About)
		}
	}
	_, err := io.WriteString(w, b.String())
	return err
}

// screenWidth is how many columns w has, 0 where it is no terminal.
func screenWidth(w io.Writer) int {
	if fd, ok := terminalOf(w); ok {
		if columns, _, err := term.GetSize(fd); err == nil {
			return columns
		}
	}
	return 0
}

// sayWaiting says after a while, and then again and again, that what is still
// running: a line that counts on a terminal, a line every half minute elsewhere.
// The function it returns ends that and may be called twice.
func sayWaiting(ctx context.Context, w io.Writer, what string) (stop func()) {
	ctx, cancel := context.WithCancel(ctx)
	every, format, end := 30*time.Second, "boon: %s has been running for %s\n", ""
	if isTerminal(w) {
		every, format, end = time.Second, "\rboon: %s, %s", "\r\x1b[K"
	}
	done := make(chan struct{})
	go func() {
		defer close(done)
		tick := time.NewTicker(every)
		defer tick.Stop()
		said := false
		for start := time.Now(); ; {
			select {
			case <-ctx.Done():
				if said {
					fmt.Fprint(w, end)
				}
				return
			case now := <-tick.C:
				if passed := now.Sub(start).Round(time.Second); passed >= 2*time.Second {
					fmt.Fprintf(w, format, what, passed)
					said = true
				}
			}
		}
	}()
	return func() { cancel(); <-done }
}
