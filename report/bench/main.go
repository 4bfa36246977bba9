//go:build cgo && !noduck

// Command bench makes a lake of many resolved torrents and their files, for boon report
// to be measured with:
//
//	go run ./report/bench -lake DIR [-torrents N] [-files N]
//
// Names and paths are made up in SQL; nobody asks for any of them.
package main

import (
	"context"
	"crypto/sha256"
	_ "embed"
	"encoding/hex"
	"errors"
	"flag"
	"fmt"
	"io"
	"os"
	"path/filepath"

	"github.com/boontorrent/boon/datasets"
	"github.com/boontorrent/boon/internal/duck"
	"github.com/boontorrent/boon/internal/lake"
)

//go:embed lake.sql
var lakeSQL string

const (
	day    = "2026-11-22"
	digest = "0123456789ab"
)

func main() {
	dir := flag.String("lake", "", "folder of the lake")
	torrents := flag.Int("torrents", 1_000_000, "torrents")
	files := flag.Int("files", 40_000_000, "files")
	flag.Parse()
	if *dir == "" || flag.NArg() > 0 {
		flag.Usage()
		os.Exit(2)
	}
	if err := run(context.Background(), *dir, *torrents, *files); err != nil {
		fmt.Fprintln(os.Stderr, "bench:", err)
		os.Exit(1)
	}
}

func run(ctx context.Context, dir string, torrents, files int) error {
	s := lake.NewFile(dir)
	db, err := duck.Open(ctx, s, duck.Options{Memory: "4GB"})
	if err != nil {
		return err
	}
	defer db.Close()
	err = errors.Join(db.Set(ctx, "torrents", "BIGINT", fmt.Sprint(torrents)), db.Set(ctx, "files", "BIGINT", fmt.Sprint(files)), db.Exec(ctx, lakeSQL))
	if err != nil {
		return err
	}
	for _, table := range []string{"torrents", "files"} {
		if err := commit(ctx, db, s, table); err != nil {
			return err
		}
	}
	return nil
}

// commit writes a table's day.
func commit(ctx context.Context, db *duck.DB, s *lake.File, table string) error {
	d, err := lake.ParseDay(day)
	if err != nil {
		return err
	}
	part := lake.Part{Key: lake.PartKey(table, d, digest, 0)}
	path := s.Path(part.Key)
	if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
		return err
	}
	if err := db.CopyTo(ctx, "SELECT * FROM made_"+table, path); err != nil {
		return err
	}
	if err := db.Scan(ctx, "SELECT count(*) FROM made_"+table, &part.Rows); err != nil {
		return err
	}
	f, err := os.Open(path)
	if err != nil {
		return err
	}
	defer f.Close()
	sum := sha256.New()
	if part.Bytes, err = io.Copy(sum, f); err != nil {
		return err
	}
	part.SHA256 = hex.EncodeToString(sum.Sum(nil))
	m := &lake.Manifest{Table: table, Day: day, Schema: datasets.Schema, Program: "bench", Digest: digest,
		Parts: []lake.Part{part}, Counts: lake.Counts{Read: part.Rows, Loaded: part.Rows, Rows: part.Rows}}
	_, err = lake.WriteManifest(ctx, s, m, lake.Info{})
	return err
}
