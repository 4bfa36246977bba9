package lake_test

import (
	"testing"

	"github.com/boontorrent/boon/internal/lake"
	"github.com/boontorrent/boon/internal/lake/laketest"
	"github.com/boontorrent/boon/internal/lake/s3test"
)

func TestS3(t *testing.T) {
	server := s3test.Start(t)
	for name, prefix := range map[string]string{"Bucket": "", "Prefix": "/some/lake"} {
		t.Run(name, func(t *testing.T) {
			laketest.Run(t, func(t *testing.T) lake.Store {
				s, err := lake.Open("s3://" + server.Bucket(t) + prefix)
				if err != nil {
					t.Fatal(err)
				}
				return s
			})
		})
	}
}
