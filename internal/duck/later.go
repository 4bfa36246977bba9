//go:build cgo && !noduck

package duck

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"regexp"
	"strings"

	"github.com/duckdb/duckdb-go/v2"

	"github.com/boontorrent/boon/internal/lake"
)

// A lake that is read through the cache has its views made when a statement
// first asks for them: making one fetches all parts of its table. A statement
// that names a view which is not there yet fails when DuckDB binds it, before
// anything of it runs; the view is made, and the statement given again.

// later is the statement that makes a view, and the parts it needs.
type later struct {
	statement string
	parts     []lake.Part
}

var (
	makesView   = regexp.MustCompile(`(?s)CREATE OR REPLACE VIEW (\w+) AS`)
	lacksATable = regexp.MustCompile(`Table with name "?(\w+)"? does not exist`)
)

// postpone runs a script but for its views, which it keeps for later.
func (db *DB) postpone(ctx context.Context, script string) error {
	parts := map[string][]lake.Part{}
	for table, manifests := range db.Catalog.Manifests {
		for _, m := range manifests {
			parts[viewName(table)] = append(parts[viewName(table)], m.Parts...)
		}
	}
	db.later = map[string]later{}
	for _, statement := range split(script) {
		if m := makesView.FindStringSubmatch(statement); m != nil {
			db.later[m[1]] = later{statement, parts[m[1]]}
			continue
		}
		if err := db.Exec(ctx, statement); err != nil {
			return err
		}
	}
	return nil
}

// demand runs do, and again with each view that it turns out to lack.
func (db *DB) demand(ctx context.Context, do func() error) error {
	for {
		err := do()
		var d *duckdb.Error
		if db.later == nil || !errors.As(err, &d) {
			return err
		}
		m := lacksATable.FindStringSubmatch(d.Msg)
		if m == nil {
			return err
		}
		name := strings.ToLower(m[1])
		view, ok := db.later[name]
		if !ok {
			return err
		}
		if err := db.cache.fetch(ctx, name, view.parts); err != nil {
			return err
		}
		delete(db.later, name)
		if err := db.Exec(ctx, view.statement); err != nil {
			return fmt.Errorf("make the view %s: %w", name, err)
		}
	}
}

// steps runs all statements but the last, which it returns.
func (db *DB) steps(ctx context.Context, statements string) (string, error) {
	if db.later == nil {
		return statements, nil
	}
	list := split(statements)
	if len(list) == 0 {
		return statements, nil
	}
	for _, s := range list[:len(list)-1] {
		if err := db.demand(ctx, func() error { return db.exec(ctx, s) }); err != nil {
			return "", err
		}
	}
	return list[len(list)-1], nil
}

func (db *DB) exec(ctx context.Context, statement string, args ...any) error {
	_, err := db.conn.ExecContext(ctx, statement, args...)
	return err
}

func (db *DB) query(ctx context.Context, statement string, args ...any) (rows *sql.Rows, err error) {
	err = db.demand(ctx, func() error {
		rows, err = db.conn.QueryContext(ctx, statement, args...)
		return err
	})
	return rows, err
}
