package main

import (
	"os"
	"testing"

	"github.com/rogpeppe/go-internal/testscript"

	"github.com/boontorrent/boon/internal/lake/s3test"
)

// TestS3Scripts runs the terminal sessions in testdata/s3 on a real server. Each
// has a bucket of its own, $BUCKET, which is the folder $BUCKET_DIR.
func TestS3Scripts(t *testing.T) {
	server := s3test.Start(t)
	testscript.Run(t, testscript.Params{
		Dir: "testdata/s3",
		Setup: func(env *testscript.Env) error {
			for _, name := range []string{
				"AWS_ENDPOINT_URL", "AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY", "AWS_REGION",
				"AWS_CONFIG_FILE", "AWS_SHARED_CREDENTIALS_FILE", "AWS_EC2_METADATA_DISABLED", "BOON_HTTPFS",
			} {
				env.Setenv(name, os.Getenv(name))
			}
			env.Setenv("GORACE", noSleep)
			bucket := server.Bucket(env.T().(testing.TB))
			env.Setenv("BUCKET", bucket)
			env.Setenv("BUCKET_DIR", server.Root+"/"+bucket)
			env.Setenv("XDG_CACHE_HOME", env.WorkDir+"/cache")
			env.Setenv("HOME", env.WorkDir)
			return nil
		},
		Condition: func(cond string) (bool, error) {
			return cond == "httpfs" && os.Getenv("BOON_HTTPFS") != "", nil
		},
	})
}
