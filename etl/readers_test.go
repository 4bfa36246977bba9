package etl_test

import (
	"bytes"
	"encoding/json"
	"os"
	"os/exec"
	"strings"
	"testing"

	"github.com/parquet-go/parquet-go"

	"github.com/boontorrent/boon/datasets"
	"github.com/boontorrent/boon/internal/lake"
)

// Every table is read alike by DuckDB, pyarrow, pandas, polars and Spark. It
// needs a Python that has them, in BOON_READERS; make test-etl has one.
func TestReaders(t *testing.T) {
	python := os.Getenv("BOON_READERS")
	if python == "" {
		t.Skip("BOON_READERS names no Python with pyspark and polars")
	}
	store, _ := synthetic(t, 20_000)
	type expect struct {
		Rows    int64    `json:"rows"`
		Columns []string `json:"columns"`
		Key     string   `json:"key"`
	}
	want := map[string]expect{}
	for _, tab := range datasets.Tables() {
		m, _, err := lake.ReadManifest(t.Context(), store, tab.Name, testDay)
		if err != nil {
			t.Fatal(err)
		}
		e := expect{Rows: m.Counts.Rows}
		for _, f := range parquet.SchemaOf(tab.Row).Fields() {
			e.Columns = append(e.Columns, f.Name())
			if f.Name() == "infohash" || f.Name() == "requester" && e.Key == "" || f.Name() == "target" || f.Name() == "type" && tab.Name == "uptime" {
				e.Key = f.Name()
			}
		}
		if e.Rows == 0 || e.Key == "" {
			t.Fatalf("%s has %d rows and the key %q: nothing would be tested", tab.Name, e.Rows, e.Key)
		}
		want[tab.Name] = e
	}
	in, err := json.Marshal(want)
	if err != nil {
		t.Fatal(err)
	}
	cmd := exec.Command(python, "testdata/readers.py", strings.TrimPrefix(store.URL(), "file://"))
	cmd.Stdin = bytes.NewReader(in)
	cmd.Env = append(os.Environ(), "SPARK_LOCAL_IP=127.0.0.1")
	out, err := cmd.CombinedOutput()
	if err != nil {
		t.Fatalf("%v\n%s", err, out)
	}
	t.Logf("%s", out)
}
