// Command gen bundles the site's scripts: each file in report/web/js is a page's
// script and becomes report/web/dist/<the same name>, minified, with what it
// imports from the folders below in it. Run it by go generate ./report; what it
// writes is committed, so that building the program needs no bundler.
//
// Gen coast FILE makes web/coast.bin, the map's coastlines, from the file
// countries-110m.json of the npm package world-atlas: see make coast.
package main

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"

	"github.com/evanw/esbuild/pkg/api"
)

func main() {
	var err error
	if len(os.Args) == 3 && os.Args[1] == "coast" {
		err = writeCoast(os.Args[2], "report/web/coast.bin")
	} else {
		err = write("web/js", "web/dist")
	}
	if err != nil {
		fmt.Fprintln(os.Stderr, "gen:", err)
		os.Exit(1)
	}
}

func writeCoast(from, to string) error {
	b, err := coast(from)
	if err != nil {
		return err
	}
	return os.WriteFile(to, b, 0o644)
}

// write replaces the bundles in dist by those of the scripts in src.
func write(src, dist string) error {
	made, err := bundle(src)
	if err != nil {
		return err
	}
	old, err := filepath.Glob(filepath.Join(dist, "*.js"))
	if err != nil {
		return err
	}
	for _, path := range old {
		if made[filepath.Base(path)] == nil {
			if err := os.Remove(path); err != nil {
				return err
			}
		}
	}
	if err := os.MkdirAll(dist, 0o755); err != nil {
		return err
	}
	for name, b := range made {
		if err := os.WriteFile(filepath.Join(dist, name), b, 0o644); err != nil {
			return err
		}
	}
	return nil
}

// bundle returns the bundle of each script in src by its name.
func bundle(src string) (map[string][]byte, error) {
	entries, err := filepath.Glob(filepath.Join(src, "*.js"))
	if err != nil {
		return nil, err
	}
	slices.Sort(entries)
	made := map[string][]byte{}
	for _, entry := range entries {
		result := api.Build(api.BuildOptions{
			EntryPoints: []string{entry}, Bundle: true, Format: api.FormatESModule, Target: api.ES2022,
			MinifyWhitespace: true, MinifyIdentifiers: true, MinifySyntax: true,
			LegalComments: api.LegalCommentsNone, LogLevel: api.LogLevelSilent,
		})
		var errs []error
		for _, m := range append(result.Errors, result.Warnings...) {
			errs = append(errs, fmt.Errorf("%s: %s", place(m.Location, entry), m.Text))
		}
		if len(errs) > 0 {
			return nil, errors.Join(errs...)
		}
		made[filepath.Base(entry)] = result.OutputFiles[0].Contents
	}
	return made, nil
}

func place(at *api.Location, entry string) string {
	if at == nil {
		return entry
	}
	return fmt.Sprintf("%s:%d:%d", at.File, at.Line, at.Column)
}
