//go:build !cgo || noduck

package main

import "errors"

// duckCommands stand in for the verbs that need DuckDB, in a program built
// without it for collector hosts.
type duckCommands struct {
	Query   withoutDuck `cmd:"" help:"Not in this program: it was built without DuckDB."`
	Connect withoutDuck `cmd:"" help:"Not in this program: it was built without DuckDB."`
	Report  withoutDuck `cmd:"" help:"Not in this program: it was built without DuckDB."`
}

type withoutDuck struct {
	Arguments []string `arg:"" optional:"" passthrough:"all" hidden:""`
}

// Run says what to do instead.
func (withoutDuck) Run() error {
	return errors.New("this program was built without DuckDB, which query, connect and report need; " +
		"run them with the full program (built with cgo and without the tag noduck) on a machine that sees the lake")
}
