// Boon turns what it hears in the BitTorrent DHT into open research data.
//
// This package is the program: flags and printing. Each verb is a file,
// cmd_<verb>.go; the work is done in the packages of the stages.
package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/signal"
	"sync"
	"syscall"

	"github.com/alecthomas/kong"
)

// version is set when a release is built: -ldflags "-X main.version=…".
var version = "0.1.0"

// Exit codes.
const (
	exitDone        = 0
	exitFailed      = 1
	exitUsage       = 2
	exitPartly      = 3 // done in part; the report says what
	exitInterrupted = 130
)

// commands is the command line; kong reads the tags.
type commands struct {
	duckCommands `embed:""`

	Serve serveCommand `cmd:"" help:"Serve the site."`

	ETL    etlCmd    `cmd:"" name:"etl" help:"Turn raw logs into tables."`
	Verify verifyCmd `cmd:"" help:"Check sums, digests and columns of the tables."`
	Name   nameCmd   `cmd:"" help:"Read torrent names from standard input, write what they say as JSON."`

	Collect collectCommand `cmd:"" help:"Listen to the DHT as a polite node and log what it is asked."`
	Resolve resolveCommand `cmd:"" help:"Find out what wanted info-hashes stand for, from their peers."`
	Import  importCommand  `cmd:"" help:"Bring in what others recorded: 2018 logs, .torrent files."`
	Synth   synthCommand   `cmd:"" help:"Make a synthetic swarm, its raw logs and the truth about it."`
	Torrent torrentCommand `cmd:"" help:"Show a torrent: names, hashes, sizes, files."`

	GC   gcCommand   `cmd:"" name:"gc" help:"Delete what has had its time: raw logs after 30 days, parts that nothing names."`
	Demo demoCommand `cmd:"" help:"Show the whole way on made-up data: synth, etl, query, report."`

	Version kong.VersionFlag `help:"Print the version and exit."`
}

// lakeFlag is embedded by the verbs that use a lake.
type lakeFlag struct {
	Lake string `help:"Folder or URL of the lake." default:"./lake" env:"BOON_LAKE" placeholder:"LAKE"`
}

// console is what a verb reads from and writes to besides the lake: results go
// to out, progress and logs to err.
type console struct {
	in       io.Reader
	out, err io.Writer
}

// partly is returned by a verb that did what it could, but not all.
type partly struct{ error }

// stopped is returned by a verb that goes on until it is told to stop, and then ends
// in order: what went wrong was something else.
type stopped struct{ error }

// Unwrap gives what went wrong.
func (s stopped) Unwrap() error { return s.error }

// usageError is returned for flags or arguments that make no sense together.
type usageError struct{ error }

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	out := &results{to: os.Stdout}
	code := run(ctx, os.Args[1:], console{in: interruptible{ctx, os.Stdin}, out: out, err: os.Stderr})
	stop()
	if out.failed != nil && (code == exitDone || code == exitPartly) {
		fmt.Fprintln(os.Stderr, "boon: write the results:", out.failed)
		code = exitFailed
	}
	os.Exit(code)
}

// results is where results go. It remembers if some could not be written, so that
// verbs that print a few lines need not look.
type results struct {
	to     *os.File
	mu     sync.Mutex
	failed error
}

func (r *results) Write(p []byte) (int, error) {
	r.mu.Lock()
	defer r.mu.Unlock()
	n, err := r.to.Write(p)
	if err != nil && r.failed == nil && !errors.Is(err, syscall.EPIPE) { // who reads no further has what they wanted
		r.failed = err
	}
	return n, err
}

// Fd tells that a terminal is one.
func (r *results) Fd() uintptr { return r.to.Fd() }

// interruptible ends a read that waits for somebody to type when ctx is done.
type interruptible struct {
	ctx context.Context
	r   io.Reader
}

func (i interruptible) Read(p []byte) (int, error) {
	type result struct {
		b   []byte
		err error
	}
	done := make(chan result, 1)
	go func() { // is left waiting when ctx is done: the program ends then
		b := make([]byte, len(p))
		n, err := i.r.Read(b)
		done <- result{b[:n], err}
	}()
	select {
	case r := <-done:
		return copy(p, r.b), r.err
	case <-i.ctx.Done():
		return 0, i.ctx.Err()
	}
}

// run parses args, runs the verb and returns the exit code.
func run(ctx context.Context, args []string, c console) int {
	exit := -1
	var cmds commands
	parser, err := kong.New(&cmds,
		kong.Name("boon"),
		kong.Description("Boon turns what it hears in the BitTorrent DHT into open research data."),
		kong.UsageOnError(),
		kong.ConfigureHelp(kong.HelpOptions{Compact: true}),
		kong.ValueFormatter(helpText),
		kong.Writers(c.out, c.err),
		kong.Exit(func(code int) { exit = code }),
		kong.Vars{"version": "boon " + version},
		kong.BindTo(ctx, (*context.Context)(nil)),
		kong.Bind(c),
	)
	if err != nil {
		fmt.Fprintln(c.err, "boon:", err)
		return exitFailed
	}
	if len(args) == 0 {
		args = []string{"--help"}
	}
	k, err := parser.Parse(args)
	if exit >= 0 { // --help or --version
		return exit
	}
	if err != nil {
		fmt.Fprintf(c.err, "boon: %v\nTry: boon --help\n", err)
		return exitUsage
	}
	return report(ctx, c, k.Run())
}

// helpText is the help of a flag with its default, which kong leaves out where a
// placeholder says what to write.
func helpText(v *kong.Value) string {
	text := kong.DefaultHelpValueFormatter(v)
	if !v.HasDefault || v.Tag.PlaceHolder == "" {
		return text
	}
	switch v.Default {
	case "", "0", "0s": // nothing, which the text explains
		return text
	}
	return text + " Default: " + v.Default + "."
}

// report prints what a verb returned and turns it into an exit code.
func report(ctx context.Context, c console, err error) int {
	var part partly
	var usage usageError
	var end stopped
	switch {
	case err == nil:
		return exitDone
	case ctx.Err() != nil && (!errors.As(err, &end) || errors.Is(err, context.Canceled)):
		fmt.Fprintln(c.err, "boon: interrupted; what was complete is kept, run the same command again to go on")
		return exitInterrupted
	case errors.As(err, &usage):
		fmt.Fprintf(c.err, "boon: %v\n", err)
		return exitUsage
	case errors.As(err, &part):
		fmt.Fprintf(c.err, "boon: done in part: %v\n", err)
		return exitPartly
	}
	fmt.Fprintf(c.err, "boon: %v\n", err)
	return exitFailed
}
