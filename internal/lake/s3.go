package lake

import (
	"context"
	"errors"
	"fmt"
	"iter"
	"strings"
	"sync/atomic"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/s3"
	"github.com/aws/aws-sdk-go-v2/service/s3/types"
)

// S3 is a lake in a bucket of a server that speaks S3.
//
// Its promises rest on the server's: an object appears when its one PUT, or the
// completion of its multipart upload, is answered; If-Match and If-None-Match
// are honoured. The first conditional Put of each kind checks that they are,
// and fails on a server that ignores them: two ETL runs at once would each
// believe they had won. What is sent is signed with its SHA-256, so a body that
// was damaged on the way is refused by the server and sent again; what is read
// is checked against the CRC-32 that Put left with it, where the server keeps
// one.
type S3 struct {
	client   *s3.Client
	bucket   string
	prefix   string // of every key: "", or a folder with its slash
	endpoint string // as it is named in errors
	opts     S3Options
	// refused is which conditions this server was seen to refuse a Put by.
	refused struct{ absent, unchanged atomic.Bool }
	// bucketSeen spares Stat the question whether the bucket is there at all.
	bucketSeen atomic.Bool
}

// S3Options are how patient an S3 lake is. The zero value is right but for tests.
type S3Options struct {
	// Attempts bounds how often a request is made, and how often a body that was
	// cut is taken up again. 0 is AWS_MAX_ATTEMPTS, or 6.
	Attempts int
	// MaxBackoff bounds the wait between attempts; 0 is 20 seconds. The wait is a
	// random part of one that doubles.
	MaxBackoff time.Duration
	// Idle is how long a connection may be silent; 0 is a minute.
	Idle time.Duration
}

// openS3 opens s3://bucket/prefix.
func openS3(location, bucket, prefix string) (*S3, error) {
	prefix = strings.Trim(prefix, "/")
	if bucket == "" {
		return nil, fmt.Errorf("open lake %q: no bucket; write s3://bucket/prefix", location)
	}
	if prefix != "" && CheckKey(prefix) != nil || len(prefix) > 400 || strings.Contains(prefix, "=") {
		// A folder a=b would be a column of every table to whoever reads them.
		return nil, fmt.Errorf("open lake %q: the prefix may have letters, digits and -_./ and be 400 bytes long", location)
	}
	s, err := NewS3(context.Background(), bucket, prefix, S3Options{})
	if err != nil {
		return nil, fmt.Errorf("open lake %q: %w", location, err)
	}
	return s, nil
}

// URL is s3://bucket/prefix.
func (s *S3) URL() string { return "s3://" + s.bucket + strings.TrimSuffix("/"+s.prefix, "/") }

func (s *S3) key(key string) *string { return aws.String(s.prefix + key) }

// Stat implements Store.
func (s *S3) Stat(ctx context.Context, key string) (Info, error) {
	if err := check(ctx, key); err != nil {
		return Info{}, err
	}
	out, err := s.client.HeadObject(ctx, &s3.HeadObjectInput{Bucket: &s.bucket, Key: s.key(key)})
	if err == nil {
		return s3Info(key, out.ContentLength, out.ETag, out.LastModified), nil
	}
	// The answer to HEAD has no body that could say what was not found.
	if statusOf(err) == 404 && !s.bucketSeen.Load() {
		if _, berr := s.client.HeadBucket(ctx, &s3.HeadBucketInput{Bucket: &s.bucket}); statusOf(berr) == 404 {
			err = &types.NoSuchBucket{}
		} else if berr == nil {
			s.bucketSeen.Store(true)
		}
	}
	return Info{}, s.explain("stat", key, err)
}

func s3Info(key string, size *int64, etag *string, at *time.Time) Info {
	return Info{Key: key, Size: aws.ToInt64(size), ETag: strings.Trim(aws.ToString(etag), `"`), ModTime: aws.ToTime(at).UTC()}
}

// quoted is an ETag as HTTP writes it.
func quoted(etag string) *string { return aws.String(`"` + etag + `"`) }

// Delete implements Store.
func (s *S3) Delete(ctx context.Context, key string) error {
	if err := check(ctx, key); err != nil {
		return err
	}
	_, err := s.client.DeleteObject(ctx, &s3.DeleteObjectInput{Bucket: &s.bucket, Key: s.key(key)})
	if err = s.explain("delete", key, err); errors.Is(err, ErrNotFound) {
		return nil
	}
	return err
}

// List implements Store, a page of a thousand objects at a time. Objects whose
// names no key can have are passed over.
func (s *S3) List(ctx context.Context, prefix string) iter.Seq2[Info, error] {
	return func(yield func(Info, error) bool) {
		if err := ctx.Err(); err != nil {
			yield(Info{}, err)
			return
		}
		if !beginsKey(prefix) {
			return
		}
		pages := s3.NewListObjectsV2Paginator(s.client, &s3.ListObjectsV2Input{Bucket: &s.bucket, Prefix: s.key(prefix)},
			func(o *s3.ListObjectsV2PaginatorOptions) { o.StopOnDuplicateToken = true })
		last := ""
		for pages.HasMorePages() {
			page, err := pages.NextPage(ctx)
			if err != nil {
				yield(Info{}, s.explain("list", prefix, err))
				return
			}
			for _, o := range page.Contents {
				key := strings.TrimPrefix(aws.ToString(o.Key), s.prefix)
				if CheckKey(key) != nil {
					continue
				}
				if key <= last {
					yield(Info{}, fmt.Errorf("list %s in %s: the server put %s after %s, which is not the order of keys that S3 promises", prefix, s.URL(), key, last))
					return
				}
				if last = key; !yield(s3Info(key, o.Size, o.ETag, o.LastModified), nil) {
					return
				}
			}
		}
	}
}

// beginsKey reports whether a key can begin with prefix.
func beginsKey(prefix string) bool {
	dir, rest, found := cutLast(prefix, "/")
	if !found {
		dir, rest = "", prefix
	}
	return (!found || CheckKey(dir) == nil) && (rest == "" || CheckKey("x"+rest) == nil)
}
