package main

import (
	"fmt"
	"io"
	"strings"
	"time"

	"golang.org/x/term"
)

// bar shows how far something is: a line that is written over on a terminal, a
// line now and then elsewhere.
type bar struct {
	out      io.Writer
	terminal bool
	label    string
	began    time.Time
	shown    time.Time
	width    int
}

func newBar(out io.Writer) *bar {
	return &bar{out: out, terminal: isTerminal(out)}
}

// isTerminal reports whether what is written to w is shown to a person.
func isTerminal(w any) bool {
	_, ok := terminalOf(w)
	return ok
}

// terminalOf is the descriptor of the terminal that w is; false where it is none.
func terminalOf(w any) (fd int, ok bool) {
	f, ok := w.(interface{ Fd() uintptr })
	if !ok {
		return 0, false
	}
	fd = int(f.Fd())
	return fd, term.IsTerminal(fd)
}

// show tells that done of total (0: unknown) are done.
func (b *bar) show(label string, done, total int64) { b.showRate(label, done, total, "") }

// showRate is show, and says how many of unit ("bytes", "rows", "": nothing) a second.
func (b *bar) showRate(label string, done, total int64, unit string) {
	now := time.Now()
	if label != b.label {
		b.label, b.began = label, now
	}
	every := 10 * time.Second
	if b.terminal {
		every = 100 * time.Millisecond
	}
	if b.shown.IsZero() && !b.terminal {
		b.shown = now // nothing for what takes less than ten seconds
	}
	if now.Sub(b.shown) < every {
		return
	}
	b.shown = now
	b.print(b.text(now, done, total, unit))
}

func (b *bar) text(now time.Time, done, total int64, unit string) string {
	if total <= 0 {
		return b.label
	}
	share := min(float64(done)/float64(total), 1)
	left := ""
	took := now.Sub(b.began)
	if took > time.Second {
		left = rate(float64(done)/took.Seconds(), unit)
	}
	if share > 0.02 && took > time.Second {
		left += fmt.Sprintf(", %s left", (time.Duration(float64(took) * (1 - share) / share)).Round(time.Second))
	}
	const cells = 30
	full := int(share * cells)
	return fmt.Sprintf("%s [%s%s] %.0f%%%s", b.label, strings.Repeat("#", full), strings.Repeat(".", cells-full), 100*share, left)
}

// waiting tells of the wait for another's lease.
func (b *bar) waiting(holder string, left time.Duration) {
	if now := time.Now(); b.terminal || b.shown.IsZero() || now.Sub(b.shown) >= 30*time.Second {
		b.shown = now
		b.print(fmt.Sprintf("%s holds the lake's lease; waiting to see whether it is alive, %s left", holder, left.Round(time.Second)))
	}
}

// rate writes a speed for people.
func rate(perSecond float64, unit string) string {
	switch {
	case unit == "bytes":
		return fmt.Sprintf(", %.0f MB/s", perSecond/1e6)
	case unit == "" || perSecond < 1:
		return ""
	case perSecond < 10_000:
		return fmt.Sprintf(", %.0f %s/s", perSecond, unit)
	}
	return fmt.Sprintf(", %.0f,000 %s/s", perSecond/1000, unit)
}

func (b *bar) print(text string) {
	if !b.terminal {
		fmt.Fprintln(b.out, text)
		return
	}
	fmt.Fprintf(b.out, "\r%-*s", b.width, text)
	b.width = len(text)
}

// clear removes the bar from a terminal.
func (b *bar) clear() {
	if b.terminal && b.width > 0 {
		fmt.Fprintf(b.out, "\r%*s\r", b.width, "")
		b.width = 0
	}
}
