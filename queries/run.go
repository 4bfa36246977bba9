//go:build cgo && !noduck

package queries

import (
	"context"
	"fmt"
	"strconv"

	"github.com/boontorrent/boon/internal/duck"
)

// Run sets the parameters and runs q. The caller closes the rows. Parameters stay
// set until the next Run of the session.
func Run(ctx context.Context, db *duck.DB, q Query, values map[string]string) (*duck.Rows, error) {
	if err := set(ctx, db, q, values); err != nil {
		return nil, err
	}
	rows, err := db.Rows(ctx, q.SQL)
	if err != nil {
		return nil, fmt.Errorf("query %s: %w", q.Name, err)
	}
	return rows, nil
}

// WriteParquet sets the parameters, runs q and writes its rows to a Parquet file.
func WriteParquet(ctx context.Context, db *duck.DB, q Query, values map[string]string, path string) error {
	if err := set(ctx, db, q, values); err != nil {
		return err
	}
	if err := db.CopyTo(ctx, q.SQL, path); err != nil {
		return fmt.Errorf("query %s: %w", q.Name, err)
	}
	return nil
}

// set gives the variables of q their values and unsets the others it knows.
func set(ctx context.Context, db *duck.DB, q Query, values map[string]string) error {
	if err := q.Check(values); err != nil {
		return err
	}
	for _, name := range []string{"day", "week", "since", "until"} {
		if err := db.Reset(ctx, name); err != nil {
			return err
		}
	}
	for _, p := range q.Params {
		if err := db.Reset(ctx, p.Name); err != nil {
			return err
		}
	}
	for _, name := range sortedKeys(values) {
		p, err := q.param(name)
		if err != nil {
			return err
		}
		if name == "infohash" && !infohash.MatchString(values[name]) {
			return &ParamError{q.Name, name, fmt.Sprintf("has 40 hex digits, not as in %q", values[name])}
		}
		if n, err := strconv.Atoi(values[name]); err == nil && n < 0 && p.Type == "INTEGER" {
			return &ParamError{q.Name, name, fmt.Sprintf("is not negative, as in %q", values[name])}
		}
		if err := db.Set(ctx, name, p.Type, values[name]); err != nil {
			if ctx.Err() != nil {
				return ctx.Err()
			}
			return &ParamError{q.Name, name, fmt.Sprintf("is not a %s: %q", p.Type, values[name])}
		}
	}
	return nil
}

// MakeTable sets the parameters, runs q and keeps its rows in a temporary table
// of the session.
func MakeTable(ctx context.Context, db *duck.DB, q Query, values map[string]string, name string) error {
	if err := set(ctx, db, q, values); err != nil {
		return err
	}
	statement := fmt.Sprintf("CREATE OR REPLACE TEMP TABLE %q AS\n%s", name, q.SQL)
	if err := db.Exec(ctx, statement); err != nil {
		return fmt.Errorf("query %s: %w", q.Name, err)
	}
	return nil
}
