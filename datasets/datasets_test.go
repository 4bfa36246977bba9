package datasets_test

import (
	"bytes"
	"encoding/json"
	"flag"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"gopkg.in/yaml.v3"

	"github.com/boontorrent/boon/datasets"
)

var update = flag.Bool("update", false, "write the JSON schemas and docs/dictionary.md anew")

type described struct {
	Meaning, Unit, Source, Privacy string
}

type dictionary map[string]struct {
	About   string
	Columns map[string]described
}

func readDictionary(t *testing.T) dictionary {
	t.Helper()
	var d dictionary
	dec := yaml.NewDecoder(bytes.NewReader([]byte(datasets.DictionaryYAML())))
	dec.KnownFields(true)
	if err := dec.Decode(&d); err != nil {
		t.Fatal(err)
	}
	return d
}

// Every column is described, every description is of a column, and nothing is
// described in half.
func TestDictionaryIsComplete(t *testing.T) {
	d := readDictionary(t)
	sources := []string{"heard", "ours", "geo", "key", "derived", "resolved"}
	classes := []string{"public", "pseudonym", "place", "content"}
	for _, table := range datasets.Tables() {
		entry, ok := d[table.Name]
		if !ok || entry.About == "" {
			t.Errorf("table %s is not described", table.Name)
		}
		for _, c := range table.Columns() {
			e, ok := entry.Columns[c.Name]
			if !ok {
				t.Errorf("%s.%s is not described", table.Name, c.Name)
				continue
			}
			if e.Meaning == "" || !slices.Contains(sources, e.Source) || !slices.Contains(classes, e.Privacy) {
				t.Errorf("%s.%s: meaning %q, source %q, privacy %q", table.Name, c.Name, e.Meaning, e.Source, e.Privacy)
			}
			delete(entry.Columns, c.Name)
		}
		for name := range entry.Columns {
			t.Errorf("%s.%s is described, but is no column", table.Name, name)
		}
		delete(d, table.Name)
	}
	for name := range d {
		t.Errorf("%s is described, but is no table", name)
	}
}

// The JSON schemas in schema/ follow from the row structs and the dictionary.
func TestJSONSchemasAreCurrent(t *testing.T) {
	d := readDictionary(t)
	for _, table := range datasets.Tables() {
		want, err := json.MarshalIndent(schemaOf(table, d), "", "  ")
		if err != nil {
			t.Fatal(err)
		}
		want = append(want, '\n')
		path := filepath.Join("schema", table.Name+".json")
		if *update {
			if err := os.WriteFile(path, want, 0o644); err != nil {
				t.Fatal(err)
			}
			continue
		}
		if !bytes.Equal(want, datasets.JSONSchema(table.Name)) {
			t.Errorf("%s is not current; run go test ./datasets -update", path)
		}
	}
}

// docs/dictionary.md is the dictionary for people.
func TestDictionaryPageIsCurrent(t *testing.T) {
	d := readDictionary(t)
	var b strings.Builder
	b.WriteString("# Data dictionary\n\nWhat every column of every table means. Made from `datasets/dictionary.yaml` by `go test ./datasets -update`.\n\n" +
		"Source: heard (said by the asker), ours (known to the collector), geo (looked up from the address), key (pseudonym), derived\n" +
		"(computed), resolved (from an info dictionary or the search for it). Privacy: public (harmless alone), pseudonym (stands for one\n" +
		"address while its key lives), place, content (as heard or resolved). A column with ? may be null.\n")
	for _, table := range datasets.Tables() {
		fmt.Fprintf(&b, "\n## %s\n\n%s\n\n| column | type | meaning | unit | source | privacy |\n|---|---|---|---|---|---|\n", table.Name, d[table.Name].About)
		for _, c := range table.Columns() {
			e, typ := d[table.Name].Columns[c.Name], c.Type
			if c.List {
				typ = "list of " + typ
			}
			if c.Nullable {
				typ += "?"
			}
			fmt.Fprintf(&b, "| %s | %s | %s | %s | %s | %s |\n", c.Name, typ, e.Meaning, e.Unit, e.Source, e.Privacy)
		}
	}
	path := filepath.Join("..", "docs", "dictionary.md")
	if *update {
		if err := os.WriteFile(path, []byte(b.String()), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	got, err := os.ReadFile(path)
	if err != nil || string(got) != b.String() {
		t.Errorf("%s is not current (%v); run go test ./datasets -update", path, err)
	}
}

func schemaOf(table datasets.Table, d dictionary) map[string]any {
	properties := map[string]any{}
	var required []string
	for _, c := range table.Columns() {
		p := map[string]any{
			"bool": map[string]any{"type": "boolean"}, "text": map[string]any{"type": "string"}, "double": map[string]any{"type": "number"},
			"int32": map[string]any{"type": "integer"}, "int64": map[string]any{"type": "integer"},
			"hash": map[string]any{"type": "string", "pattern": "^[0-9a-f]{40}$"}, "hash32": map[string]any{"type": "string", "pattern": "^[0-9a-f]{64}$"},
			"timestamp": map[string]any{"type": "string", "format": "date-time"},
		}[c.Type].(map[string]any)
		if c.Nullable {
			p["type"] = []any{p["type"], "null"}
		}
		if c.List {
			p = map[string]any{"type": "array", "items": p}
		}
		e := d[table.Name].Columns[c.Name]
		p["description"] = e.Meaning
		if e.Unit != "" {
			p["description"] = e.Meaning + " (" + e.Unit + ")"
		}
		properties[c.Name] = p
		required = append(required, c.Name)
	}
	return map[string]any{
		"$schema": "https://json-schema.org/draft/2020-12/schema", "title": table.Name, "description": d[table.Name].About,
		"type": "object", "properties": properties, "required": required,
	}
}
