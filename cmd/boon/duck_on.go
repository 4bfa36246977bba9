//go:build cgo && !noduck

package main

import (
	"context"
	"fmt"

	"github.com/boontorrent/boon/internal/duck"
	"github.com/boontorrent/boon/internal/lake"
)

// duckCommands are the verbs that need DuckDB, which a static program lacks.
type duckCommands struct {
	Query   queryCommand   `cmd:"" help:"Answer a question about the data, or run SQL of your own."`
	Connect connectCommand `cmd:"" help:"Print the SQL that opens the lake in any DuckDB."`
	Report  reportCommand  `cmd:"" help:"Build the static site."`
}

// duckFlags are embedded by the verbs that run DuckDB.
type duckFlags struct {
	lakeFlag
	Memory     string `help:"Most memory DuckDB may take, as in 4GB (default: 80% of the machine's, 600MB for report)." placeholder:"SIZE"`
	Threads    int    `help:"Threads DuckDB may use (default: all cores)." placeholder:"N"`
	Extensions string `name:"duckdb-extensions" help:"Folder with DuckDB's httpfs, by which it reads a lake on S3 itself; without, tables are fetched into a cache." env:"BOON_DUCKDB_EXTENSIONS" placeholder:"DIR"`
	CacheSize  string `help:"Most the cache of lakes on S3 may hold." default:"20G" placeholder:"SIZE"`
}

// open opens the lake in DuckDB. The caller closes the database.
func (f *duckFlags) open(ctx context.Context, c console) (*duck.DB, error) {
	size, err := parseSize(f.CacheSize)
	if err != nil {
		return nil, usageError{fmt.Errorf("--cache-size: %w", err)}
	}
	s, err := lake.Open(f.Lake)
	if err != nil {
		return nil, err
	}
	return duck.Open(ctx, s, duck.Options{
		Memory: f.Memory, Threads: f.Threads, Extensions: f.Extensions, CacheBytes: size,
		Note: func(text string) { fmt.Fprintln(c.err, "boon:", text) },
	})
}
