package lake_test

import (
	"io"
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

// BenchmarkS3 tells what the way to and from a server on this machine costs.
func BenchmarkS3(b *testing.B) {
	server := s3test.Start(b)
	s, err := lake.Open("s3://" + server.Bucket(b))
	if err != nil {
		b.Fatal(err)
	}
	data := noise(64 << 20)
	put := func(b *testing.B) {
		b.SetBytes(int64(len(data)))
		for b.Loop() {
			if _, err := lake.PutBytes(b.Context(), s, "k", lake.Condition{}, data); err != nil {
				b.Fatal(err)
			}
		}
	}
	b.Run("Put", put)
	b.Run("Read", func(b *testing.B) {
		b.SetBytes(int64(len(data)))
		for b.Loop() {
			o, err := s.Open(b.Context(), "k")
			if err != nil {
				b.Fatal(err)
			}
			if _, err := io.Copy(io.Discard, o); err != nil {
				b.Fatal(err)
			}
			o.Close()
		}
	})
	b.Run("ReadAt", func(b *testing.B) {
		b.SetBytes(int64(len(data)))
		for b.Loop() {
			o, err := s.Open(b.Context(), "k")
			if err != nil {
				b.Fatal(err)
			}
			if _, err := io.CopyBuffer(struct{ io.Writer }{io.Discard}, io.NewSectionReader(o, 0, int64(len(data))), make([]byte, 4<<10)); err != nil {
				b.Fatal(err)
			}
			o.Close()
		}
	})
}
