//go:build cgo && !noduck

package queries_test

import (
	"context"
	"errors"
	"io"
	"testing"

	"github.com/boontorrent/boon/internal/duck"
	"github.com/boontorrent/boon/queries"
)

// BenchmarkQueries answers questions about a synthetic day of 300,000 queries.
func BenchmarkQueries(b *testing.B) {
	store := synthetic(b, 1, 300_000)
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
