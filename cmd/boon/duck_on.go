//go:build cgo && !noduck

package main

import (
	"context"

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
	Memory  string `help:"Most memory DuckDB may take, as in 4GB (default: 80%% of the machine's)." placeholder:"SIZE"`
	Threads int    `help:"Threads DuckDB may use (default: all cores)." placeholder:"N"`
}

// open opens the lake in DuckDB. The caller closes the database.
func (f *duckFlags) open(ctx context.Context) (*duck.DB, error) {
	s, err := lake.Open(f.Lake)
	if err != nil {
		return nil, err
	}
	return duck.Open(ctx, s, duck.Options{Memory: f.Memory, Threads: f.Threads})
}
