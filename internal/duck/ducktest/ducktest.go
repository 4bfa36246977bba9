//go:build cgo && !noduck

// Package ducktest makes a small lake of tables for tests, without a collector
// or an ETL run: two days, some thousands of queries, a few crawlers, upkeep,
// hostile names, and requesters and demand worked out from the queries by the
// rules of the methodology, in SQL of its own. Lake.sql is the whole of it.
package ducktest

import (
	"context"
	"crypto/sha256"
	_ "embed"
	"encoding/hex"
	"os"
	"path/filepath"
	"testing"

	"github.com/boontorrent/boon/datasets"
	"github.com/boontorrent/boon/internal/duck"
	"github.com/boontorrent/boon/internal/lake"
)

//go:embed lake.sql
var lakeSQL string

// Days are the days of the lake that Lake makes: a Saturday and a Sunday.
var Days = []string{"2026-11-21", "2026-11-22"}

// Lake makes a lake in dir.
func Lake(tb testing.TB, dir string) *lake.File {
	tb.Helper()
	ctx := context.Background()
	s := lake.NewFile(dir)
	db, err := duck.Open(ctx, s, duck.Options{Threads: 1})
	if err != nil {
		tb.Fatal(err)
	}
	defer db.Close()
	if err := db.Exec(ctx, lakeSQL); err != nil {
		tb.Fatalf("lake.sql: %v", err)
	}
	for _, t := range datasets.Tables() {
		for _, day := range Days {
			partition(tb, db, s, t, day)
		}
	}
	return s
}

// partition writes one table's day and commits it.
func partition(tb testing.TB, db *duck.DB, s *lake.File, t datasets.Table, day string) {
	tb.Helper()
	ctx := context.Background()
	d, err := lake.ParseDay(day)
	if err != nil {
		tb.Fatal(err)
	}
	part := lake.Part{Key: lake.PartKey(t.Name, d, "0123456789ab", 0)}
	path := s.Path(part.Key)
	if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
		tb.Fatal(err)
	}
	rows := "SELECT * EXCLUDE (day) FROM made_" + t.Name + " WHERE day = '" + day + "' ORDER BY ALL"
	if err := db.CopyTo(ctx, rows, path); err != nil {
		tb.Fatalf("%s of %s: %v", t.Name, day, err)
	}
	if err := db.Scan(ctx, "SELECT count(*) FROM made_"+t.Name+" WHERE day = '"+day+"'", &part.Rows); err != nil {
		tb.Fatal(err)
	}
	b, err := os.ReadFile(path)
	if err != nil {
		tb.Fatal(err)
	}
	sum := sha256.Sum256(b)
	part.Bytes, part.SHA256 = int64(len(b)), hex.EncodeToString(sum[:])
	m := &lake.Manifest{Table: t.Name, Day: day, Schema: datasets.Schema, Program: "ducktest", Digest: "0123456789ab",
		Parts: []lake.Part{part}, Counts: lake.Counts{Read: part.Rows, Loaded: part.Rows, Rows: part.Rows}}
	if _, err := lake.WriteManifest(ctx, s, m, lake.Info{}); err != nil {
		tb.Fatal(err)
	}
}

// Huge makes every torrent as large, and of as many files, as a table can say.
func Huge(tb testing.TB, db *duck.DB) {
	tb.Helper()
	for _, sql := range []string{
		"CREATE TEMP TABLE huge AS SELECT * REPLACE (9223372036854775807 AS size, 9223372036854775807 AS file_count) FROM torrents_daily",
		"CREATE OR REPLACE VIEW torrents_daily AS FROM huge",
	} {
		if err := db.Exec(tb.Context(), sql); err != nil {
			tb.Fatal(err)
		}
	}
}
