//go:build cgo && !noduck

package duck

import (
	"context"
	"database/sql"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"io"
	"math/big"
	"strings"
	"time"

	"github.com/duckdb/duckdb-go/v2"
)

// Rows is a result, row by row, in plain Go values.
type Rows struct {
	ctx     context.Context
	sql     *sql.Rows
	columns []Column
	targets []any
	values  []any
}

// Rows runs statements and returns the rows of the last. The caller closes them.
func (db *DB) Rows(ctx context.Context, statements string) (*Rows, error) {
	rows, err := db.Query(ctx, statements)
	if err != nil {
		return nil, err
	}
	types, err := rows.ColumnTypes()
	if err != nil {
		_ = rows.Close()
		return nil, err
	}
	r := &Rows{ctx: ctx, sql: rows, values: make([]any, len(types))}
	for i, t := range types {
		r.columns = append(r.columns, Column{t.Name(), t.DatabaseTypeName()})
		r.targets = append(r.targets, &r.values[i])
	}
	return r, nil
}

// Columns names the columns and their DuckDB types.
func (r *Rows) Columns() []Column { return r.columns }

// Next returns the next row, io.EOF after the last. A value is nil, bool, int64,
// uint64, float64, json.Number (an integer or decimal that fits none of them),
// string, []any or map[string]any; bytes are lower-case hex, times and intervals ISO 8601, in UTC.
func (r *Rows) Next() ([]any, error) {
	if !r.sql.Next() {
		if err := r.sql.Err(); err != nil {
			return nil, explain(r.ctx, err)
		}
		return nil, io.EOF
	}
	if err := r.sql.Scan(r.targets...); err != nil {
		return nil, err
	}
	row := make([]any, len(r.values))
	for i, v := range r.values {
		row[i] = plain(v, r.columns[i].Type)
	}
	return row, nil
}

// Close ends the result.
func (r *Rows) Close() error { return r.sql.Close() }

func plain(v any, typ string) any {
	switch v := v.(type) {
	case nil, bool, int64, uint64, float64, string:
		return v
	case int8:
		return int64(v)
	case int16:
		return int64(v)
	case int32:
		return int64(v)
	case uint8:
		return uint64(v)
	case uint16:
		return uint64(v)
	case uint32:
		return uint64(v)
	case float32:
		return float64(v)
	case []byte:
		return hex.EncodeToString(v)
	case time.Time:
		return v.UTC().Format(timeLayout(typ))
	case *big.Int:
		return json.Number(v.String())
	case duckdb.Decimal:
		return json.Number(v.String())
	}
	return plainNested(v)
}

func plainNested(v any) any {
	switch v := v.(type) {
	case []any:
		list := make([]any, len(v))
		for i, e := range v {
			list[i] = plain(e, "")
		}
		return list
	case map[string]any:
		object := make(map[string]any, len(v))
		for k, e := range v {
			object[k] = plain(e, "")
		}
		return object
	case duckdb.Map:
		object := make(map[string]any, len(v))
		for k, e := range v {
			object[fmt.Sprint(plain(k, ""))] = plain(e, "")
		}
		return object
	case duckdb.Union:
		return plain(v.Value, "")
	case duckdb.Interval:
		return fmt.Sprintf("P%dM%dDT%gS", v.Months, v.Days, float64(v.Micros)/1e6)
	}
	return fmt.Sprint(v)
}

func timeLayout(typ string) string {
	switch {
	case typ == "DATE":
		return time.DateOnly
	case strings.HasPrefix(typ, "TIME") && !strings.HasPrefix(typ, "TIMESTAMP"):
		return "15:04:05.999999"
	}
	return "2006-01-02T15:04:05.999999Z07:00"
}
