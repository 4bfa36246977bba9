package main

import (
	"context"
	"io"
	"os"
	"strconv"
	"testing"
	"time"

	"github.com/rogpeppe/go-internal/testscript"
)

func TestMain(m *testing.M) {
	testscript.Main(m, map[string]func(){"boon": main})
}

// TestInterruptedWhileItReads: whoever types nothing and then Ctrl-C ends a verb that reads.
func TestInterruptedWhileItReads(t *testing.T) {
	in, w := io.Pipe()
	defer w.Close()
	ctx, stop := context.WithCancel(t.Context())
	code := make(chan int, 1)
	go func() {
		code <- run(ctx, []string{"name"}, console{in: interruptible{ctx, in}, out: io.Discard, err: io.Discard})
	}()
	if _, err := w.Write([]byte("Some.Film.2019\n")); err != nil { // it reads
		t.Fatal(err)
	}
	stop()
	select {
	case got := <-code:
		if got != exitInterrupted {
			t.Errorf("code %d, want %d", got, exitInterrupted)
		}
	case <-time.After(time.Minute):
		t.Error("it goes on reading")
	}
}

// noSleep is the race detector's setting for processes that a test starts: it would
// sleep for a second at the end of each.
const noSleep = "atexit_sleep_ms=20"

// TestScripts runs the terminal sessions in testdata.
func TestScripts(t *testing.T) {
	testscript.Run(t, testscript.Params{
		Dir:                 "testdata",
		RequireExplicitExec: false,
		Cmds:                map[string]func(*testscript.TestScript, bool, []string){"flood": flood, "awaitnode": awaitNode},
		Setup: func(env *testscript.Env) error {
			// Below those that the system gives away, and another one for each process.
			env.Setenv("PORT", strconv.Itoa(10_000+os.Getpid()%20_000))
			env.Setenv("GORACE", noSleep)
			return nil
		},
	})
}
