package datasets

import (
	"embed"
	"reflect"
	"strings"
)

//go:embed schema/*.json
var schemas embed.FS

// JSONSchema is the JSON schema (draft 2020-12) of a table's row as `boon query
// --format json` writes it; nil for a table that does not exist.
func JSONSchema(table string) []byte {
	b, err := schemas.ReadFile("schema/" + table + ".json")
	if err != nil {
		return nil
	}
	return b
}

// Column is a column of a table.
type Column struct {
	Name     string
	Type     string // bool, int32, int64, double, text, hash (20 bytes), hash32, timestamp
	Nullable bool
	List     bool
}

// Columns lists a table's columns in order.
func (t Table) Columns() []Column {
	row := reflect.TypeOf(t.Row)
	var out []Column
	for i := range row.NumField() {
		f := row.Field(i)
		tag := f.Tag.Get("parquet")
		name, _, _ := strings.Cut(tag, ",")
		c := Column{Name: name}
		typ := f.Type
		if typ.Kind() == reflect.Pointer {
			c.Nullable, typ = true, typ.Elem()
		}
		if typ.Kind() == reflect.Slice {
			c.List, typ = true, typ.Elem()
		}
		c.Type = typeName(typ, tag)
		out = append(out, c)
	}
	return out
}

func typeName(t reflect.Type, tag string) string {
	if strings.Contains(tag, "timestamp") {
		return "timestamp"
	}
	switch t.Kind() {
	case reflect.Bool:
		return "bool"
	case reflect.Int32:
		return "int32"
	case reflect.Int64:
		return "int64"
	case reflect.Float64:
		return "double"
	case reflect.Array:
		if t.Len() == 32 {
			return "hash32"
		}
		return "hash"
	}
	return "text"
}
