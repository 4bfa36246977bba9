package main

import (
	"os"
	"path/filepath"
	"testing"

	"github.com/rogpeppe/go-internal/testscript"
)

// TestSparkScripts runs the terminal sessions in testdata/spark with the Python
// of BOON_SPARK, which has pyspark; make test-etl does.
func TestSparkScripts(t *testing.T) {
	python := os.Getenv("BOON_SPARK")
	if python == "" {
		t.Skip("BOON_SPARK names no Python with pyspark")
	}
	repo, err := filepath.Abs("../..")
	if err != nil {
		t.Fatal(err)
	}
	testscript.Run(t, testscript.Params{
		Dir: "testdata/spark",
		Setup: func(env *testscript.Env) error {
			env.Setenv("PYTHON", python)
			env.Setenv("REPO", repo)
			env.Setenv("JAVA_HOME", os.Getenv("JAVA_HOME"))
			env.Setenv("SPARK_LOCAL_IP", "127.0.0.1")
			env.Setenv("PYSPARK_SUBMIT_ARGS", "--master local[2] --conf spark.ui.enabled=false pyspark-shell")
			return nil
		},
	})
}
