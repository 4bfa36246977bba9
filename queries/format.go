package queries

import (
	"bufio"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"math"
	"strconv"
	"strings"

	"github.com/boontorrent/boon/internal/duck"
)

// Rows is a result to be written; duck.Rows is one. Next ends with io.EOF.
type Rows interface {
	Columns() []duck.Column
	Next() ([]any, error)
}

// WriteCSV writes rows as CSV (RFC 4180, lines ending in LF) with a header. Null
// is an empty field and an empty text is "", as DuckDB reads them. Nothing else is
// changed: a text that begins with = stays as it is, for this is data, not a
// spreadsheet.
func WriteCSV(w io.Writer, rows Rows) error {
	out := bufio.NewWriter(w)
	var header []any
	for _, c := range rows.Columns() {
		header = append(header, c.Name)
	}
	writeCSVRow(out, header)
	err := each(rows, func(row []any) error {
		writeCSVRow(out, row)
		return nil
	})
	return errors.Join(err, out.Flush())
}

// writeCSVRow leaves errors to Flush, which bufio keeps them for.
func writeCSVRow(out *bufio.Writer, row []any) {
	for i, v := range row {
		if i > 0 {
			_ = out.WriteByte(',')
		}
		if v == nil {
			continue
		}
		s := Text(v)
		if _, text := v.(string); text && (s == "" || strings.ContainsAny(s, ",\"\r\n") || strings.TrimSpace(s) != s) ||
			strings.ContainsAny(s, ",\"") {
			s = `"` + strings.ReplaceAll(s, `"`, `""`) + `"`
		}
		_, _ = out.WriteString(s)
	}
	_ = out.WriteByte('\n')
}

// WriteJSON writes one JSON object a line, with the columns in order. Integers are
// written digit by digit, whatever their size; what JSON cannot say (NaN and the
// infinities) is null.
func WriteJSON(w io.Writer, rows Rows) error {
	out := bufio.NewWriter(w)
	enc := json.NewEncoder(out)
	enc.SetEscapeHTML(false)
	var keys []string
	for _, c := range rows.Columns() {
		key, err := json.Marshal(c.Name)
		if err != nil {
			return err
		}
		keys = append(keys, string(key)+":")
	}
	err := each(rows, func(row []any) error {
		_ = out.WriteByte('{')
		for i, v := range row {
			if i > 0 {
				_ = out.WriteByte(',')
			}
			_, _ = out.WriteString(keys[i])
			if err := writeJSONValue(out, v); err != nil {
				return err
			}
		}
		_, err := out.WriteString("}\n")
		return err
	})
	return errors.Join(err, out.Flush())
}

func writeJSONValue(out *bufio.Writer, v any) error {
	if f, ok := v.(float64); ok && (math.IsNaN(f) || math.IsInf(f, 0)) {
		v = nil
	}
	var b strings.Builder
	enc := json.NewEncoder(&b)
	enc.SetEscapeHTML(false)
	if err := enc.Encode(v); err != nil {
		return fmt.Errorf("write as JSON: %w", err)
	}
	_, err := out.WriteString(strings.TrimSuffix(b.String(), "\n"))
	return err
}

func each(rows Rows, do func([]any) error) error {
	for {
		row, err := rows.Next()
		if errors.Is(err, io.EOF) {
			return nil
		}
		if err == nil {
			err = do(row)
		}
		if err != nil {
			return err
		}
	}
}

// Text is a value as a person or a CSV reader expects it.
func Text(v any) string {
	switch v := v.(type) {
	case nil:
		return ""
	case string:
		return v
	case json.Number:
		return v.String()
	case int64:
		return strconv.FormatInt(v, 10)
	case float64:
		return strconv.FormatFloat(v, 'f', -1, 64)
	case []any, map[string]any:
		var b strings.Builder
		enc := json.NewEncoder(&b)
		enc.SetEscapeHTML(false)
		if err := enc.Encode(v); err == nil {
			return strings.TrimSuffix(b.String(), "\n")
		}
	}
	return fmt.Sprint(v)
}
