//go:build cgo && !noduck

package duck

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"os"
	"strings"

	"github.com/duckdb/duckdb-go/v2"

	"github.com/boontorrent/boon/internal/lake"
)

// Options bound what DuckDB may use. The zero value leaves it DuckDB's own
// bounds: all cores, and 80% of the memory.
type Options struct {
	Memory  string // as in 4GB
	Threads int
	// Extensions is a folder with DuckDB's httpfs, by which it reads a lake on S3
	// itself. Without it such a lake is read through a cache.
	Extensions string
	CacheDir   string // "" is in the user's cache folder
	CacheBytes int64  // 0 is 20 GiB
	// Note is told what takes long.
	Note func(string)
}

// DB is an open DuckDB with the views of a lake. It is one session: variables
// that one call sets, the next one sees. It is for one goroutine at a time.
type DB struct {
	Catalog *Catalog
	pool    *sql.DB
	conn    *sql.Conn
	temp    string
	cache   *cache           // of a lake on S3 without httpfs
	later   map[string]later // views that nobody has asked for yet
}

// Open opens the lake s.
func Open(ctx context.Context, s lake.Store, o Options) (*DB, error) {
	catalog, err := ReadCatalog(ctx, s)
	if err != nil {
		return nil, err
	}
	db := &DB{Catalog: catalog}
	if err := db.reach(ctx, s, o); err != nil {
		return nil, err
	}
	if err := db.start(ctx, o); err != nil {
		return nil, errors.Join(err, db.Close())
	}
	if err := db.views(ctx); err != nil {
		return nil, errors.Join(fmt.Errorf("open the tables of %s: %w", s.URL(), err), db.Close())
	}
	return db, nil
}

// reach finds out how DuckDB gets at the parts of a lake on S3.
func (db *DB) reach(ctx context.Context, s lake.Store, o Options) error {
	r, ok := s.(remoteStore)
	if !ok {
		return nil
	}
	if o.Extensions == "" {
		var err error
		if db.cache, err = openCache(s, o); err == nil {
			db.Catalog.source = source{part: db.cache.path}
		}
		return err
	}
	file, err := findHTTPFS(o.Extensions)
	if err != nil {
		return err
	}
	a, err := r.Access(ctx, true)
	if err != nil {
		return err
	}
	db.Catalog.source = direct("LOAD "+quote(file), a, quote(a.KeyID), quote(a.Secret), quoteIfAny(a.Token))
	return nil
}

// views makes the views, at once or when they are asked for.
func (db *DB) views(ctx context.Context) error {
	for _, statement := range db.Catalog.source.setup {
		if err := db.Exec(ctx, statement); err != nil {
			// The statement holds the key: an error must not show it.
			what, _, _ := strings.Cut(statement, "(")
			var d *duckdb.Error
			if strings.Contains(what, "SECRET") && errors.As(err, &d) {
				return fmt.Errorf("%s: DuckDB says %v", what, d.Type)
			}
			return fmt.Errorf("%s: %w", what, err)
		}
	}
	script, err := db.Catalog.script(nil)
	if err != nil {
		return err
	}
	if db.cache != nil {
		return db.postpone(ctx, script)
	}
	return db.Exec(ctx, script)
}

// start makes the session: in memory, offline, within bounds.
func (db *DB) start(ctx context.Context, o Options) error {
	var err error
	if db.temp, err = os.MkdirTemp("", "boon-duck-"); err != nil {
		return fmt.Errorf("open DuckDB: %w; name a folder for temporary files in TMPDIR", err)
	}
	connector, err := duckdb.NewConnector("", nil)
	if err != nil {
		return fmt.Errorf("open DuckDB: %w", err)
	}
	db.pool = sql.OpenDB(connector)
	if db.conn, err = db.pool.Conn(ctx); err != nil {
		return fmt.Errorf("open DuckDB: %w", err)
	}
	settings := []string{
		"SET autoinstall_known_extensions = false",
		"SET autoload_known_extensions = false",
		"SET allow_community_extensions = false",
		"SET enable_progress_bar = false",
		"SET temp_directory = " + quote(db.temp),
	}
	if o.Memory != "" {
		settings = append(settings, "SET memory_limit = "+quote(o.Memory))
	}
	if o.Threads > 0 {
		settings = append(settings, fmt.Sprintf("SET threads = %d", o.Threads))
	}
	for _, s := range settings {
		if err := db.Exec(ctx, s); err != nil {
			return fmt.Errorf("set up DuckDB: %w", err)
		}
	}
	return nil
}

// Close ends the session and removes its temporary files.
func (db *DB) Close() error {
	var errs []error
	if db.conn != nil {
		errs = append(errs, db.conn.Close())
	}
	if db.pool != nil {
		errs = append(errs, db.pool.Close())
	}
	if db.cache != nil {
		errs = append(errs, db.cache.close())
	}
	if db.temp != "" {
		errs = append(errs, os.RemoveAll(db.temp))
	}
	return errors.Join(errs...)
}

// Exec runs statements that have no result.
func (db *DB) Exec(ctx context.Context, statements string, args ...any) error {
	last, err := db.steps(ctx, statements)
	if err == nil {
		err = db.demand(ctx, func() error { return db.exec(ctx, last, args...) })
	}
	return explain(ctx, err)
}

// Query runs statements and returns the rows of the last.
func (db *DB) Query(ctx context.Context, statements string, args ...any) (*sql.Rows, error) {
	last, err := db.steps(ctx, statements)
	if err != nil {
		return nil, explain(ctx, err)
	}
	rows, err := db.query(ctx, last, args...)
	return rows, explain(ctx, err)
}

// Scan runs a query of one row and copies its columns to dest.
func (db *DB) Scan(ctx context.Context, query string, dest ...any) error {
	last, err := db.steps(ctx, query)
	if err == nil {
		err = db.demand(ctx, func() error { return db.conn.QueryRowContext(ctx, last).Scan(dest...) })
	}
	return explain(ctx, err)
}

// Set sets the variable name to value, as a value of the SQL type typ (VARCHAR
// where empty): what getvariable(name) gives.
func (db *DB) Set(ctx context.Context, name, typ, value string) error {
	if typ == "" {
		typ = "VARCHAR"
	}
	return db.Exec(ctx, "SET VARIABLE "+quoteName(name)+" = "+quote(value)+"::"+typ)
}

// Reset unsets a variable.
func (db *DB) Reset(ctx context.Context, name string) error {
	return db.Exec(ctx, "RESET VARIABLE "+quoteName(name))
}

// CopyTo writes the rows of one SELECT to a Parquet file, without bloom filters:
// with one on a column of bytes DuckDB 1.5 finds no row when it looks for a value.
func (db *DB) CopyTo(ctx context.Context, query, path string) error {
	query = strings.TrimRight(query, "; \t\r\n")
	return db.Exec(ctx, "COPY (\n"+query+"\n) TO "+quote(path)+" (FORMAT parquet, COMPRESSION zstd, WRITE_BLOOM_FILTER false)")
}

// explain says more of errors that have a usual cause.
func explain(ctx context.Context, err error) error {
	var d *duckdb.Error
	switch {
	case err == nil:
		return nil
	case ctx.Err() != nil:
		return ctx.Err()
	case errors.As(err, &d) && d.Type == duckdb.ErrorTypeIO && strings.Contains(d.Msg, "No files found"):
		return fmt.Errorf("%w; a part that a manifest names is gone: if boon etl ran meanwhile, run this again, else run boon verify", err)
	case errors.As(err, &d) && d.Type == duckdb.ErrorTypeHTTP && strings.Contains(d.Msg, "404"):
		return fmt.Errorf("%w; a part that a manifest names is gone: if boon etl ran meanwhile, run this again, else run boon verify", err)
	case errors.As(err, &d) && d.Type == duckdb.ErrorTypeOutOfMemory:
		return fmt.Errorf("%w; allow more with --memory, or ask for fewer days", err)
	}
	return err
}

func quoteName(s string) string { return `"` + strings.ReplaceAll(s, `"`, `""`) + `"` }
