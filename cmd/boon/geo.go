package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"

	"github.com/boontorrent/boon/internal/geo"
	"github.com/boontorrent/boon/internal/lake"
)

// geoPaths are files of place and network databases, "" for none.
type geoPaths struct{ city, asn string }

// lakeGeo finds the lake's databases, those that are wanted: where they lie, or
// in a temporary folder that they are fetched into. They are there until done.
func lakeGeo(ctx context.Context, store lake.Store, city, asn bool) (found geoPaths, done func(), err error) {
	done = func() {}
	local := func(key string) (string, error) { return fileInLake(ctx, store, key) }
	if _, ok := store.(*lake.File); !ok {
		dir, err := os.MkdirTemp("", "boon-geo-")
		if err != nil {
			return found, done, fmt.Errorf("fetch place databases: %w; name a folder for temporary files in TMPDIR", err)
		}
		done = func() { _ = os.RemoveAll(dir) }
		local = func(key string) (string, error) { return fetchGeo(ctx, store, key, dir) }
	}
	if city {
		found.city, err = local(geo.CityKey)
	}
	if asn && err == nil {
		found.asn, err = local(geo.ASNKey)
	}
	if err != nil {
		done()
	}
	return found, done, err
}

// fileInLake is where an object of a lake in a folder lies, "" where there is none.
func fileInLake(ctx context.Context, store lake.Store, key string) (string, error) {
	f, ok := store.(*lake.File)
	if !ok {
		return "", nil
	}
	_, err := f.Stat(ctx, key)
	if errors.Is(err, lake.ErrNotFound) {
		return "", nil
	}
	return f.Path(key), err
}

// fetchGeo brings a database, and its IPv6 half where it has one, into dir.
func fetchGeo(ctx context.Context, store lake.Store, key, dir string) (string, error) {
	path, err := fetch(ctx, store, key, dir)
	if err != nil || path == "" {
		return "", err
	}
	_, err = fetch(ctx, store, strings.TrimSuffix(key, ".mmdb")+"-ipv6.mmdb", dir)
	return path, err
}

// fetch copies an object to a file in dir; "" where there is no such object.
func fetch(ctx context.Context, store lake.Store, key, dir string) (path string, err error) {
	o, err := store.Open(ctx, key)
	if errors.Is(err, lake.ErrNotFound) {
		return "", nil
	}
	if err != nil {
		return "", err
	}
	defer o.Close()
	f, err := os.Create(filepath.Join(dir, filepath.Base(key)))
	if err != nil {
		return "", err
	}
	_, err = io.Copy(f, o)
	if err = errors.Join(err, f.Close()); err != nil {
		return "", fmt.Errorf("fetch %s: %w", key, err)
	}
	return f.Name(), nil
}
