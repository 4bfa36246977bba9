package duck

import (
	"testing"

	"github.com/google/go-cmp/cmp"
)

func TestSplit(t *testing.T) {
	for in, want := range map[string][]string{
		"":                                 nil,
		" ;; -- nothing\n; /* ; */":        nil,
		"SELECT 1":                         {"SELECT 1"},
		"SELECT 1; SELECT 2;":              {"SELECT 1", " SELECT 2"},
		"SELECT ';' ; SELECT ''';'":        {"SELECT ';' ", " SELECT ''';'"},
		`SELECT ";" FROM "a"";b";x`:        {`SELECT ";" FROM "a"";b"`, "x"},
		`SELECT E'\';' ; x`:                {`SELECT E'\';' `, " x"},
		`SELECT name'\' ; x`:               {`SELECT name'\' `, " x"},
		"SELECT $$;$$, $a$;$$;$a$; x":      {"SELECT $$;$$, $a$;$$;$a$", " x"},
		"SELECT $1; SELECT $2":             {"SELECT $1", " SELECT $2"},
		"SELECT a$b$c; x$b$":               {"SELECT a$b$c", " x$b$"},
		"-- a;b\nSELECT 1 -- c;d\n; x":     {"-- a;b\nSELECT 1 -- c;d\n", " x"},
		"SELECT /* ; /* ; */ ; */ 1; x":    {"SELECT /* ; /* ; */ ; */ 1", " x"},
		"SELECT 'open":                     {"SELECT 'open"},
		"SELECT 1 - -1; SELECT 4 / 2; 3*4": {"SELECT 1 - -1", " SELECT 4 / 2", " 3*4"},
	} {
		if diff := cmp.Diff(want, split(in)); diff != "" {
			t.Errorf("split(%q): %s", in, diff)
		}
	}
}
