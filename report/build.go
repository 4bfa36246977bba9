//go:build cgo && !noduck

package report

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"time"

	"github.com/boontorrent/boon/internal/duck"
	"github.com/boontorrent/boon/internal/lake"
)

// Options say what to build.
type Options struct {
	Out string // folder of the site
	K   int    // distinct networks that a row needs
	// Magnets gives torrent pages magnet links.
	Magnets bool
	// Exclude lists info-hashes (40 hex digits) and titles that the site must not
	// name. A title excludes the torrents whose name holds its words one after the other,
	// as it does for boon resolve; case, accents and what is neither letter nor digit do not matter.
	Exclude []string
	// Keys is where the keys of pseudonyms lie, so that the site is searched for them
	// and for addresses of people who were heard; nil where they are not at hand.
	Keys lake.Store
}

// Summary says what was built.
type Summary struct {
	First, Last  string // days of the data, "" where the lake has no tables
	Files, Bytes int64
}

var (
	// ErrNotASite says that the folder to be replaced is not a site that Build made.
	ErrNotASite = errors.New("the folder is not a site of boon, and not empty")
	// ErrNoTables says that the lake has nothing to put in the place of a site with data,
	// as when its disk is not mounted or its name is wrong.
	ErrNoTables = errors.New("the lake has no tables, and the site that stands there has data")
)

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
	if err := os.MkdirAll(filepath.Dir(out), 0o755); err != nil {
		return Summary{}, err
	}
	unfinished := "." + filepath.Base(out) + ".new-"
	removeStale(filepath.Dir(out), unfinished)
	fresh, err := os.MkdirTemp(filepath.Dir(out), unfinished)
	if err != nil {
		return Summary{}, err
	}
	defer os.RemoveAll(fresh)
	b := &builder{db: db, o: o, out: &writer{dir: fresh, checked: map[string]bool{}}}
	if IsSite(out) {
		b.out.old = out
	}
	if err := b.run(ctx); err != nil {
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
	return Summary{b.site.First, b.site.Last, b.out.files, b.out.bytes}, nil
}

// staleAfter is longer than any build takes.
const staleAfter = 24 * time.Hour

// removeStale removes what builds that were killed left in dir, as far as it can.
func removeStale(dir, prefix string) {
	entries, err := os.ReadDir(dir)
	if err != nil {
		return
	}
	for _, e := range entries {
		info, err := e.Info()
		if err == nil && e.IsDir() && strings.HasPrefix(e.Name(), prefix) && time.Since(info.ModTime()) > staleAfter {
			_ = os.RemoveAll(filepath.Join(dir, e.Name()))
		}
	}
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
	if !IsSite(dir) {
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

// builder is one run of Build: what its steps share.
type builder struct {
	db   *duck.DB
	o    Options
	site *site
	out  *writer
	// listed is the horizon of names in the table listed; nil before there is one.
	listed  *string
	named   map[string]bool // what reads like an address in names and paths
	secrets needles         // the keys of pseudonyms, in all the ways they may be written
}

// steps write the parts of a site, each into folders of its own.
func (b *builder) steps() []func(context.Context) error {
	return []func(context.Context) error{b.inNames, b.exclude, b.dataFiles, b.days, b.week, b.rankings, b.find, b.pages, b.scan}
}

func (b *builder) run(ctx context.Context) (err error) {
	if b.site, err = collect(ctx, b.db, b.o.K); err != nil {
		return err
	}
	if b.site.First == "" && b.out.old != "" {
		if st, err := os.Stat(filepath.Join(b.out.old, sumsFile)); err == nil && st.Size() > 0 {
			return fmt.Errorf("%w; is the lake's name right? To have a site without data, delete %s", ErrNoTables, b.out.old)
		}
	}
	for _, step := range b.steps() {
		if err := ctx.Err(); err != nil {
			return err
		}
		if err := step(ctx); err != nil {
			return err
		}
	}
	return nil
}

// dataFiles writes what programs read about the tables.
func (b *builder) dataFiles(context.Context) error {
	list, err := tablesJSON(b.site)
	if err != nil {
		return err
	}
	return errors.Join(
		b.out.file(marker, []byte("This folder is built by boon report, which replaces it as a whole.\n")),
		b.out.file(sumsFile, checksums(b.site)),
		b.out.file("data/tables.json", list),
	)
}

// pages writes the pages and what they load.
func (b *builder) pages(context.Context) error {
	assets, err := b.out.assets()
	if err != nil {
		return err
	}
	all, err := pages(b.site, assets)
	if err != nil {
		return err
	}
	templates := renderer{}
	for _, p := range all {
		text, err := templates.render(p)
		if err != nil {
			return fmt.Errorf("page /%s: %w", p.Path, err)
		}
		if err := b.out.file(p.Path+"index.html", text); err != nil {
			return err
		}
	}
	return nil
}

// sumsFile lists the parts of the tables; it is empty where there are none.
const sumsFile = "data/SHA256SUMS"

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
