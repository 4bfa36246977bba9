package main

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"unicode"

	"github.com/boontorrent/boon/etl"
	"github.com/boontorrent/boon/internal/infodict"
	"github.com/boontorrent/boon/internal/lake"
	"github.com/boontorrent/boon/internal/rawlog"
)

type torrentCommand struct {
	lakeFlag
	What string `arg:"" name:"infohash|file" help:"An info-hash (40 or 64 hex digits) or a .torrent file."`
	All  bool   `help:"List every file."`
}

// Help is shown by boon torrent --help.
func (torrentCommand) Help() string {
	return `Examples:
  boon torrent film.torrent
  boon torrent film.torrent --all
  boon torrent 0123456789abcdef0123456789abcdef01234567 --lake ./lake`
}

// Run prints a summary.
func (cmd *torrentCommand) Run(ctx context.Context, c console) error {
	if _, err := os.Stat(cmd.What); err != nil && isInfohash(cmd.What) {
		store, err := lake.Open(cmd.Lake)
		if err != nil {
			return err
		}
		ev, err := etl.FindTorrent(ctx, store, strings.ToLower(cmd.What))
		if err != nil {
			return err
		}
		return cmd.print(c.out, ev)
	}
	ev, err := torrentOfFile(cmd.What)
	if err != nil {
		return err
	}
	return cmd.print(c.out, ev)
}

func (cmd *torrentCommand) print(w io.Writer, ev *rawlog.ResolveEvent) error {
	b := bufio.NewWriter(w)
	printTorrent(b, ev, cmd.lines())
	return b.Flush() // with the first error there was
}

func isInfohash(s string) bool {
	if len(s) != 40 && len(s) != 64 {
		return false
	}
	return strings.Trim(strings.ToLower(s), "0123456789abcdef") == ""
}

// torrentOfFile reads a .torrent file.
func torrentOfFile(path string) (*rawlog.ResolveEvent, error) {
	f, err := os.Open(path)
	if errors.Is(err, fs.ErrNotExist) && filepath.Ext(path) == "" {
		return nil, fmt.Errorf("%s is neither a file nor an info-hash, which has 40 or 64 hex digits", safeText(path))
	}
	if err != nil {
		return nil, err
	}
	defer f.Close()
	b, err := io.ReadAll(io.LimitReader(f, infodict.MaxBytes+1))
	if err != nil {
		return nil, err
	}
	ev, err := infodict.FromTorrent(b)
	if err != nil {
		return nil, fmt.Errorf("%s is not a torrent that can be used: %w", safeText(path), err)
	}
	return ev, nil
}

// torrentLines is how many lines of files are shown without --all.
const torrentLines = 40

func (cmd *torrentCommand) lines() int {
	if cmd.All {
		return 0
	}
	return torrentLines
}

// printTorrent prints a summary, with at most limit lines of files if limit is not 0.
func printTorrent(w io.Writer, ev *rawlog.ResolveEvent, limit int) {
	size, padding, count := ev.Size, int64(0), ev.FileCount
	if ev.Files != nil {
		size, count = 0, 0
	}
	for _, f := range ev.Files {
		if strings.Contains(f.Attr, "p") {
			padding += f.Length
			continue
		}
		size += f.Length
		count++
	}
	fmt.Fprintf(w, "Name          %s\n", safeText(ev.Name))
	fmt.Fprintf(w, "Info-hash     %s\n", ev.Infohash)
	if ev.InfohashV2 != "" {
		fmt.Fprintf(w, "  version 2   %s\n", ev.InfohashV2)
	}
	fmt.Fprintf(w, "Version       %s\n", torrentVersion(ev))
	fmt.Fprintf(w, "Size          %s (%s bytes) in %s\n", bytesText(size), thousands(size), plural(count, "file"))
	if padding > 0 {
		fmt.Fprintf(w, "Padding       %s bytes\n", thousands(padding))
	}
	if ev.PieceLength > 0 {
		fmt.Fprintf(w, "Piece length  %s\n", bytesText(ev.PieceLength))
	}
	fmt.Fprintf(w, "Private       %s\n", map[rawlog.Tri]string{rawlog.True: "yes", rawlog.False: "no", rawlog.Unknown: "unknown"}[ev.Private])
	printFiles(w, ev.Files, limit)
}

func torrentVersion(ev *rawlog.ResolveEvent) string {
	switch {
	case ev.InfohashV2 == "":
		return "v1"
	case strings.HasPrefix(ev.InfohashV2, ev.Infohash.String()):
		return "v2"
	}
	return "hybrid (v1 and v2)"
}

// printFiles prints files as a tree, folders where they change.
func printFiles(w io.Writer, files []rawlog.File, limit int) {
	if len(files) > 0 {
		fmt.Fprintln(w, "Files")
	}
	var open []string // the folders of the line above
	lines := 0
	for i, f := range files {
		folders := f.Path[:len(f.Path)-1]
		same := 0
		for same < len(folders) && same < len(open) && folders[same] == open[same] {
			same++
		}
		if limit > 0 && lines+len(folders)-same+1 > limit {
			fmt.Fprintf(w, "  … and %s more; --all shows them\n", plural(int64(len(files)-i), "file"))
			return
		}
		for depth := same; depth < len(folders); depth++ {
			fmt.Fprintf(w, "%13s%s%s/\n", "", strings.Repeat("  ", depth), safeText(folders[depth]))
		}
		lines += len(folders) - same + 1
		open = folders
		fmt.Fprintf(w, "%11s  %s%s%s\n", bytesText(f.Length), strings.Repeat("  ", len(folders)), safeText(f.Path[len(folders)]), fileMark(f))
	}
}

func fileMark(f rawlog.File) string {
	switch {
	case strings.Contains(f.Attr, "p"):
		return "  (padding)"
	case strings.Contains(f.Attr, "l"):
		return "  (link)"
	}
	return ""
}

// safeText makes a stranger's text safe to print on a terminal: what is not to
// be seen (control characters, changes of direction) is shown as an escape.
func safeText(s string) string {
	var b strings.Builder
	for _, r := range s {
		switch {
		case unicode.IsPrint(r) || r == '\u200c' || r == '\u200d': // joiners belong to scripts and emoji
			b.WriteRune(r)
		case unicode.Is(unicode.Zs, r):
			b.WriteByte(' ')
		case r <= 0xffff:
			fmt.Fprintf(&b, `\u%04x`, r)
		default:
			fmt.Fprintf(&b, `\U%08x`, r)
		}
	}
	return b.String()
}

// bytesText writes a size as people read it.
func bytesText(n int64) string {
	if n < 1024 {
		return strconv.FormatInt(n, 10) + " B"
	}
	v, unit := float64(n), 0
	for v >= 1024 && unit < 6 {
		v, unit = v/1024, unit+1
	}
	return strconv.FormatFloat(v, 'f', 1, 64) + " " + []string{"", "KiB", "MiB", "GiB", "TiB", "PiB", "EiB"}[unit]
}

func plural(n int64, one string) string {
	if n == 1 {
		return "1 " + one
	}
	return thousands(n) + " " + one + "s"
}

// thousands writes a number with its digits in threes.
func thousands(n int64) string {
	if n < 0 {
		return "-" + thousands(-n)
	}
	if n < 1000 {
		return strconv.FormatInt(n, 10)
	}
	return thousands(n/1000) + fmt.Sprintf(",%03d", n%1000)
}
