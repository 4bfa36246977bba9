//go:build cgo && !noduck

package queries_test

import (
	"path/filepath"
	"testing"
	"time"

	"github.com/boontorrent/boon/etl"
	"github.com/boontorrent/boon/internal/geo"
	"github.com/boontorrent/boon/internal/lake"
	"github.com/boontorrent/boon/internal/pseudonym"
	"github.com/boontorrent/boon/internal/synth"
)

// synthetic makes a lake of one synthetic day and its tables.
func synthetic(tb testing.TB, seed uint64, events int) *lake.File {
	tb.Helper()
	store := lake.NewFile(filepath.Join(tb.TempDir(), "lake"))
	if _, err := synth.Run(tb.Context(), store, synth.Config{Seed: seed, Start: 20458, Days: 1, Events: events}); err != nil {
		tb.Fatal(err)
	}
	places, err := geo.Open(store.Path(geo.CityKey), store.Path(geo.ASNKey))
	if err != nil {
		tb.Fatal(err)
	}
	opts := etl.Options{Geo: places, Now: time.Now, NewKey: func() (pseudonym.Key, error) { return pseudonym.Key{}, nil }}
	if _, err := etl.Run(tb.Context(), store, opts); err != nil {
		tb.Fatal(err)
	}
	return store
}
