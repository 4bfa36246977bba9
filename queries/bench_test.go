//go:build cgo && !noduck

package queries_test

import (
	"fmt"
	"io"
	"os"
	"path/filepath"
	"testing"

	"github.com/boontorrent/boon/internal/duck"
	"github.com/boontorrent/boon/internal/lake"
	"github.com/boontorrent/boon/queries"
)

// The month that BenchmarkRankings ranks.
const (
	benchDays = 30
	benchRows = 200_000 // of demand, each day
)

// BenchmarkRankings ranks a month of demand: rows/s are rows of demand.
func BenchmarkRankings(b *testing.B) {
	s := lake.NewFile(b.TempDir())
	maker, err := duck.Open(b.Context(), s, duck.Options{})
	if err != nil {
		b.Fatal(err)
	}
	for i := range benchDays {
		benchDay(b, maker, s, i)
	}
	_ = maker.Close()
	db, err := duck.Open(b.Context(), s, duck.Options{})
	if err != nil {
		b.Fatal(err)
	}
	defer db.Close()
	for _, c := range []struct {
		name   string
		days   int
		values map[string]string
	}{
		{"month", benchDays, nil},
		{"week", 7, map[string]string{"week": "2026-11-16"}},
		{"day", 1, map[string]string{"day": "2026-11-10"}},
		{"month-country", benchDays, map[string]string{"country": "DE"}},
	} {
		b.Run(c.name, func(b *testing.B) {
			for b.Loop() {
				benchRanking(b, db, c.values)
			}
			b.ReportMetric(float64(c.days*benchRows*b.N)/b.Elapsed().Seconds(), "rows/s")
		})
	}
}

func benchRanking(b *testing.B, db *duck.DB, values map[string]string) {
	b.Helper()
	q, err := queries.Find("rankings")
	if err != nil {
		b.Fatal(err)
	}
	rows, err := queries.Run(b.Context(), db, q, values)
	if err != nil {
		b.Fatal(err)
	}
	defer rows.Close()
	if err := queries.WriteCSV(io.Discard, rows); err != nil {
		b.Fatal(err)
	}
}

// benchDay writes a day of demand: info-hashes by a power law, in four countries.
func benchDay(b *testing.B, db *duck.DB, s *lake.File, i int) {
	b.Helper()
	first, _ := lake.ParseDay("2026-11-01")
	day := first + lake.Day(i)
	part := lake.Part{Key: lake.PartKey("demand", day, "0123456789ab", 0), Rows: benchRows}
	path := s.Path(part.Key)
	if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
		b.Fatal(err)
	}
	rows := fmt.Sprintf(`SELECT unhex(left(sha1((n // 4 + (hash(n // 4, %d) %% 3) * %d)::VARCHAR), 40)) AS infohash,
		['US', 'DE', 'IN', NULL][1 + n %% 4] AS country, (1 + 100000 // (1 + n))::BIGINT AS requesters,
		(1 + 100000 // (1 + n))::BIGINT AS networks, (2 + 300000 // (1 + n))::BIGINT AS queries,
		0::BIGINT AS announces, 0::BIGINT AS seeders FROM range(%d) t(n) ORDER BY infohash`, i, benchRows, benchRows)
	if err := db.CopyTo(b.Context(), rows, path); err != nil {
		b.Fatal(err)
	}
	m := &lake.Manifest{Table: "demand", Day: day.String(), Parts: []lake.Part{part}}
	if _, err := lake.WriteManifest(b.Context(), s, m, lake.Info{}); err != nil {
		b.Fatal(err)
	}
}
