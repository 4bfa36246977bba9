//go:build cgo && !noduck

package report

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"

	"github.com/boontorrent/boon/internal/duck"
)

// Options say what to build.
type Options struct {
	Out string // folder of the site
	K   int    // distinct networks that a row needs
}

// Summary says what was built.
type Summary struct {
	First, Last  string // days of the data, "" where the lake has no tables
	Files, Bytes int64
}

// marker is the file by which Build knows a folder as a site of its own.
const marker = ".boon-site"

// ErrNotASite says that the folder to be replaced is not a site that Build made.
var ErrNotASite = errors.New("the folder is not a site of boon, and not empty")

// Build makes the site of the lake that db shows in o.Out. Where a site stands
// already, the new one takes its place whole, or not at all.
func Build(ctx context.Context, db *duck.DB, o Options) (Summary, error) {
	if o.K < 1 {
		return Summary{}, fmt.Errorf("build the site: k is %d; at least one network must stand for a row", o.K)
	}
	out, err := filepath.Abs(o.Out)
	if err != nil {
		return Summary{}, err
	}
	if err := checkReplaceable(out); err != nil {
		return Summary{}, err
	}
	s, err := collect(ctx, db, o.K)
	if err != nil {
		return Summary{}, fmt.Errorf("build the site: %w", err)
	}
	if err := os.MkdirAll(filepath.Dir(out), 0o755); err != nil {
		return Summary{}, err
	}
	fresh, err := os.MkdirTemp(filepath.Dir(out), "."+filepath.Base(out)+".new-")
	if err != nil {
		return Summary{}, err
	}
	defer os.RemoveAll(fresh)
	w := &writer{dir: fresh}
	if err := w.site(s); err != nil {
		return Summary{}, fmt.Errorf("build the site: %w", err)
	}
	if err := ctx.Err(); err != nil {
		return Summary{}, err
	}
	if err := os.Chmod(fresh, 0o755); err != nil {
		return Summary{}, err
	}
	if err := swap(fresh, out); err != nil {
		return Summary{}, fmt.Errorf("put the site in its place: %w", err)
	}
	return Summary{s.First, s.Last, w.files, w.bytes}, nil
}

// checkReplaceable refuses a folder that holds something else.
func checkReplaceable(dir string) error {
	entries, err := os.ReadDir(dir)
	switch {
	case errors.Is(err, os.ErrNotExist) || err == nil && len(entries) == 0:
		return nil
	case err != nil:
		return err
	}
	if _, err := os.Stat(filepath.Join(dir, marker)); err != nil {
		return fmt.Errorf("%s: %w; name another, or empty it first", dir, ErrNotASite)
	}
	return nil
}

// swap puts fresh in the place of old. What was there ends up at fresh, or is gone.
func swap(fresh, old string) error {
	if _, err := os.Stat(old); errors.Is(err, os.ErrNotExist) {
		return os.Rename(fresh, old)
	}
	if err := exchange(fresh, old); err == nil {
		return nil
	}
	// The file system cannot exchange two names: for a moment there is neither.
	aside := fresh + ".old"
	if err := os.Rename(old, aside); err != nil {
		return err
	}
	if err := os.Rename(fresh, old); err != nil {
		return errors.Join(err, os.Rename(aside, old))
	}
	return os.RemoveAll(aside)
}

// writer writes the files of a site.
type writer struct {
	dir          string
	files, bytes int64
}

func (w *writer) file(path string, b []byte) error {
	full := filepath.Join(w.dir, filepath.FromSlash(path))
	if err := os.MkdirAll(filepath.Dir(full), 0o755); err != nil {
		return err
	}
	w.files++
	w.bytes += int64(len(b))
	return os.WriteFile(full, b, 0o644)
}

// site writes everything.
func (w *writer) site(s *site) error {
	style, err := web.ReadFile("web/style.css")
	if err != nil {
		return err
	}
	icon, err := web.ReadFile("web/icon.svg")
	if err != nil {
		return err
	}
	list, err := tablesJSON(s)
	if err != nil {
		return err
	}
	err = errors.Join(
		w.file(marker, []byte("This folder is built by boon report, which replaces it as a whole.\n")),
		w.file("assets/"+hashedName("style", style, "css"), style),
		w.file("assets/icon.svg", icon),
		w.file("data/SHA256SUMS", checksums(s)),
		w.file("data/tables.json", list),
	)
	if err != nil {
		return err
	}
	all, err := pages(s, hashedName("style", style, "css"))
	if err != nil {
		return err
	}
	for _, p := range all {
		b, err := p.render()
		if err != nil {
			return fmt.Errorf("page /%s: %w", p.Path, err)
		}
		if err := w.file(p.Path+"index.html", b); err != nil {
			return err
		}
	}
	return nil
}

// checksums is a list for sha256sum -c, run in the lake's folder.
func checksums(s *site) []byte {
	var b strings.Builder
	for _, t := range s.Tables {
		for _, p := range t.Parts {
			fmt.Fprintf(&b, "%s  %s\n", p.SHA256, p.Key)
		}
	}
	return []byte(b.String())
}
