//go:build cgo && !noduck

package queries_test

import (
	"context"
	"errors"
	"io"
	"path/filepath"
	"testing"
	"time"

	"github.com/boontorrent/boon/etl"
	"github.com/boontorrent/boon/internal/duck"
	"github.com/boontorrent/boon/internal/geo"
	"github.com/boontorrent/boon/internal/lake"
	"github.com/boontorrent/boon/internal/pseudonym"
	"github.com/boontorrent/boon/internal/synth"
	"github.com/boontorrent/boon/queries"
)

// BenchmarkQueries answers questions about a synthetic day of 300,000 queries.
func BenchmarkQueries(b *testing.B) {
	store := lake.NewFile(filepath.Join(b.TempDir(), "lake"))
	if _, err := synth.Run(b.Context(), store, synth.Config{Seed: 1, Start: 20458, Days: 1, Events: 300_000}); err != nil {
		b.Fatal(err)
	}
	places, err := geo.Open(store.Path(geo.CityKey), store.Path(geo.ASNKey))
	if err != nil {
		b.Fatal(err)
	}
	opts := etl.Options{Geo: places, Now: time.Now, NewKey: func() (pseudonym.Key, error) { return pseudonym.Key{}, nil }}
	if _, err := etl.Run(b.Context(), store, opts); err != nil {
		b.Fatal(err)
	}
	db, err := duck.Open(b.Context(), store, duck.Options{Threads: 2})
	if err != nil {
		b.Fatal(err)
	}
	defer db.Close()
	for _, name := range []string{"rankings", "works", "countries", "totals", "hourly", "heatmap", "unresolved"} {
		q, err := queries.Find(name)
		if err != nil {
			b.Fatal(err)
		}
		b.Run(name, func(b *testing.B) {
			for b.Loop() {
				drain(b, db, q)
			}
		})
	}
}

func drain(b *testing.B, db *duck.DB, q queries.Query) {
	b.Helper()
	rows, err := queries.Run(context.Background(), db, q, nil)
	if err != nil {
		b.Fatal(err)
	}
	defer rows.Close()
	for {
		_, err := rows.Next()
		if errors.Is(err, io.EOF) {
			return
		}
		if err != nil {
			b.Fatal(err)
		}
	}
}
