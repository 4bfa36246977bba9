package duck

import (
	"fmt"
	"reflect"
	"strings"

	"github.com/boontorrent/boon/datasets"
)

// Column is a column of a table as DuckDB sees it.
type Column struct{ Name, Type string }

// Columns tells the columns of a table and their DuckDB types, the partition's
// day last. It reads them off the row struct, which is where they are defined.
func Columns(t datasets.Table) ([]Column, error) {
	row := reflect.TypeOf(t.Row)
	var columns []Column
	for i := range row.NumField() {
		f := row.Field(i)
		name, options, _ := strings.Cut(f.Tag.Get("parquet"), ",")
		typ, err := columnType(f.Type, options)
		if err != nil {
			return nil, fmt.Errorf("table %s, column %s: %w", t.Name, name, err)
		}
		columns = append(columns, Column{name, typ})
	}
	return append(columns, Column{"day", "DATE"}), nil
}

func columnType(t reflect.Type, options string) (string, error) {
	if t.Kind() == reflect.Pointer {
		t = t.Elem()
	}
	switch t.Kind() {
	case reflect.Int64:
		if strings.HasPrefix(options, "timestamp") {
			return "TIMESTAMP WITH TIME ZONE", nil
		}
		return "BIGINT", nil
	case reflect.Int32:
		return "INTEGER", nil
	case reflect.Float64:
		return "DOUBLE", nil
	case reflect.Bool:
		return "BOOLEAN", nil
	case reflect.String:
		return "VARCHAR", nil
	case reflect.Array:
		return "BLOB", nil
	case reflect.Slice:
		element, err := columnType(t.Elem(), "")
		return element + "[]", err
	}
	return "", fmt.Errorf("no DuckDB type for %s", t)
}
