package queries_test

import (
	"encoding/csv"
	"encoding/json"
	"io"
	"math"
	"strings"
	"testing"
	"unicode"

	"github.com/google/go-cmp/cmp"

	"github.com/boontorrent/boon/internal/duck"
	"github.com/boontorrent/boon/queries"
)

// made is a result from memory.
type made struct {
	columns []duck.Column
	rows    [][]any
}

func (m *made) Columns() []duck.Column { return m.columns }

func (m *made) Next() ([]any, error) {
	if len(m.rows) == 0 {
		return nil, io.EOF
	}
	row := m.rows[0]
	m.rows = m.rows[1:]
	return row, nil
}

func sample() *made {
	return &made{
		columns: []duck.Column{{Name: "n", Type: "BIGINT"}, {Name: "name", Type: "VARCHAR"}, {Name: "x", Type: "DOUBLE"}},
		rows: [][]any{
			{int64(math.MaxInt64), "plain", 0.5},
			{int64(-1), "a \"quote\", a comma\nand a line", math.Inf(1)},
			{json.Number("170141183460469231731687303715884105727"), "", nil},
			{nil, nil, 1e21},
		},
	}
}

func TestCSV(t *testing.T) {
	var b strings.Builder
	if err := queries.WriteCSV(&b, sample()); err != nil {
		t.Fatal(err)
	}
	want := "n,name,x\n9223372036854775807,plain,0.5\n-1,\"a \"\"quote\"\", a comma\nand a line\",+Inf\n" +
		"170141183460469231731687303715884105727,\"\",\n,,1000000000000000000000\n"
	if diff := cmp.Diff(want, b.String()); diff != "" {
		t.Error(diff)
	}
	if _, err := csv.NewReader(strings.NewReader(b.String())).ReadAll(); err != nil {
		t.Errorf("another reader: %v", err)
	}
}

func TestJSON(t *testing.T) {
	var b strings.Builder
	if err := queries.WriteJSON(&b, sample()); err != nil {
		t.Fatal(err)
	}
	want := `{"n":9223372036854775807,"name":"plain","x":0.5}
{"n":-1,"name":"a \"quote\", a comma\nand a line","x":null}
{"n":170141183460469231731687303715884105727,"name":"","x":null}
{"n":null,"name":null,"x":1e+21}
`
	if diff := cmp.Diff(want, b.String()); diff != "" {
		t.Error(diff)
	}
}

func TestTable(t *testing.T) {
	rows := &made{
		columns: []duck.Column{{Name: "requesters", Type: "BIGINT"}, {Name: "name", Type: "VARCHAR"}, {Name: "type", Type: "VARCHAR"}},
		rows: [][]any{
			{int64(12), "映画サンプル", "movie"},
			{int64(3456), "evil\x1b[31m\u202egpj.exe\n", "other"},
			{int64(7), strings.Repeat("long ", 30), "book"},
			{nil, "e\u0301", nil},
		},
	}
	var b strings.Builder
	if err := queries.WriteTable(&b, rows, 45); err != nil {
		t.Fatal(err)
	}
	want := `requesters  name                        type
──────────  ──────────────────────────  ─────
        12  映画サンプル                movie
      3456  evil␛[31m�gpj.exe␊          other
         7  long long long long long …  book
            é
`
	if diff := cmp.Diff(want, b.String()); diff != "" {
		t.Error(diff)
	}
}

func FuzzTable(f *testing.F) {
	f.Add("a\x1b]0;title\x07", 20)
	f.Add("\u2066\u202eabc\u2069", 9)
	f.Add("👩\u200d👩\u200d👧 family", 0)
	f.Fuzz(func(t *testing.T, name string, screen int) {
		rows := &made{columns: []duck.Column{{Name: "name", Type: "VARCHAR"}}, rows: [][]any{{name}}}
		var b strings.Builder
		if err := queries.WriteTable(&b, rows, max(0, screen%300)); err != nil {
			t.Fatal(err)
		}
		if n := strings.Count(b.String(), "\n"); n != 3 {
			t.Errorf("a row made %d lines", n-2)
		}
		for _, r := range strings.ReplaceAll(b.String(), "\n", "") {
			if unicode.IsControl(r) || unicode.Is(unicode.Bidi_Control, r) {
				t.Errorf("%U reached the screen", r)
			}
		}
	})
}
