package lake

import (
	"bytes"
	"context"
	"crypto/rand"
	"encoding/base64"
	"encoding/binary"
	"errors"
	"fmt"
	"hash/crc32"
	"io"
	"sync"
	"sync/atomic"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	awsmiddleware "github.com/aws/aws-sdk-go-v2/aws/middleware"
	"github.com/aws/aws-sdk-go-v2/service/s3"
	"github.com/aws/aws-sdk-go-v2/service/s3/types"
	"github.com/aws/smithy-go/middleware"
	"golang.org/x/sync/errgroup"
)

// A Put holds at most three parts: one that is being filled and two on the way.
const (
	partSize   = 8 << 20
	partsAtOne = 2
	maxParts   = 10000 // S3's own bound: an object of 78 GiB
)

// putMark is the metadata by which a Put knows its own object again: an answer
// can be lost after the server acted, and the second attempt then meets the
// object of the first.
const putMark = "boon-put"

// Put implements Store. Up to 8 MiB are one PUT, more a multipart upload. One
// that was cut off by the end of the program leaves its parts, invisible, for a
// lifecycle rule of the bucket (AbortIncompleteMultipartUpload) to remove.
func (s *S3) Put(ctx context.Context, key string, cond Condition, write func(io.Writer) error) (Info, error) {
	if err := check(ctx, key); err != nil {
		return Info{}, err
	}
	w := &s3Writer{s: s, ctx: ctx, key: key, cond: cond, mark: rand.Text(), free: make(chan []byte, partsAtOne+1)}
	err := write(w)
	if err == nil {
		err = ctx.Err()
	}
	if err != nil {
		return Info{}, fmt.Errorf("put %s in %s: %w", key, s.URL(), errors.Join(err, w.abort()))
	}
	if w.upload == nil {
		return w.single()
	}
	return w.complete()
}

// s3Writer is what a Put's callback writes to.
type s3Writer struct {
	s    *S3
	ctx  context.Context
	key  string
	cond Condition
	mark string

	size   int64
	buf    []byte
	free   chan []byte
	upload *string // of a multipart upload that has begun
	group  *errgroup.Group
	sent   context.Context // ends when a part fails
	mu     sync.Mutex
	parts  []types.CompletedPart
}

// Write implements io.Writer.
func (w *s3Writer) Write(p []byte) (int, error) {
	n := 0
	for n < len(p) {
		if len(w.buf) == partSize {
			if err := w.send(); err != nil {
				return n, err
			}
		}
		if len(w.buf) == cap(w.buf) {
			w.grow(len(p) - n)
		}
		k := copy(w.buf[len(w.buf):cap(w.buf)], p[n:])
		w.buf = w.buf[:len(w.buf)+k]
		n += k
		w.size += int64(k)
	}
	return n, nil
}

// grow makes room: small objects need no whole part.
func (w *s3Writer) grow(need int) {
	size := min(max(2*cap(w.buf), len(w.buf)+need, 4<<10), partSize)
	if w.upload != nil {
		select {
		case w.buf = <-w.free:
			return
		default:
			size = partSize
		}
	}
	w.buf = append(make([]byte, 0, size), w.buf...)
}

// send sends the part in buf on its way; it waits while two are.
func (w *s3Writer) send() error {
	if w.upload == nil {
		if err := w.begin(); err != nil {
			return err
		}
	}
	if w.sent.Err() != nil {
		return context.Cause(w.sent)
	}
	body, number := w.buf, int32(len(w.parts)+1)
	if number > maxParts {
		return fmt.Errorf("an object of more than %d bytes; S3 takes %d parts", maxParts*partSize, maxParts)
	}
	w.buf = nil
	w.mu.Lock()
	w.parts = append(w.parts, types.CompletedPart{PartNumber: &number})
	w.mu.Unlock()
	w.group.Go(func() error {
		out, err := w.s.client.UploadPart(w.sent, &s3.UploadPartInput{
			Bucket: &w.s.bucket, Key: w.s.key(w.key), UploadId: w.upload, PartNumber: &number, Body: bytes.NewReader(body),
		})
		if err != nil {
			return w.s.explain("put", w.key, err)
		}
		w.mu.Lock()
		w.parts[number-1].ETag = out.ETag
		w.mu.Unlock()
		w.free <- body[:0]
		return nil
	})
	return nil
}

// begin begins a multipart upload, unless it is plain already that it would be
// for nothing. The condition counts at its end.
func (w *s3Writer) begin() error {
	if w.cond != (Condition{}) {
		have, err := w.s.Stat(w.ctx, w.key)
		if err != nil && !errors.Is(err, ErrNotFound) {
			return err
		}
		if w.cond.IfAbsent() && err == nil || w.cond.IfMatch() != "" && have.ETag != w.cond.IfMatch() {
			return ErrConflict
		}
	}
	out, err := w.s.client.CreateMultipartUpload(w.ctx, &s3.CreateMultipartUploadInput{
		Bucket: &w.s.bucket, Key: w.s.key(w.key), Metadata: w.metadata(),
	})
	if err != nil {
		return w.s.explain("put", w.key, err)
	}
	w.upload = out.UploadId
	w.group, w.sent = errgroup.WithContext(w.ctx)
	w.group.SetLimit(partsAtOne)
	return nil
}

func (w *s3Writer) metadata() map[string]string { return map[string]string{putMark: w.mark} }

// abort ends a multipart upload that will not be completed.
func (w *s3Writer) abort() error {
	if w.upload == nil {
		return nil
	}
	_ = w.group.Wait() // what failed is known; parts that arrive later would stay
	ctx, cancel := context.WithTimeout(context.WithoutCancel(w.ctx), 30*time.Second)
	defer cancel()
	_, err := w.s.client.AbortMultipartUpload(ctx, &s3.AbortMultipartUploadInput{
		Bucket: &w.s.bucket, Key: w.s.key(w.key), UploadId: w.upload,
	})
	if err != nil && codeOf(err) != "NoSuchUpload" {
		return fmt.Errorf("its parts stay in the bucket until a lifecycle rule removes them: %w", err)
	}
	return nil
}

// ifs are the headers of the condition.
func (w *s3Writer) ifs() (ifMatch, ifNoneMatch *string) {
	if w.cond.IfAbsent() {
		return nil, aws.String("*")
	}
	if etag := w.cond.IfMatch(); etag != "" {
		return quoted(etag), nil
	}
	return nil, nil
}

// single puts an object of one part.
func (w *s3Writer) single() (Info, error) {
	crc := base64.StdEncoding.EncodeToString(binary.BigEndian.AppendUint32(nil, crc32.ChecksumIEEE(w.buf)))
	put := func() (*s3.PutObjectOutput, error) {
		ifMatch, ifNoneMatch := w.ifs()
		return w.s.client.PutObject(w.ctx, &s3.PutObjectInput{
			Bucket: &w.s.bucket, Key: w.s.key(w.key), Body: bytes.NewReader(w.buf), Metadata: w.metadata(),
			IfMatch: ifMatch, IfNoneMatch: ifNoneMatch, ChecksumCRC32: &crc,
		})
	}
	out, err := put()
	if err != nil {
		return w.settle(err)
	}
	info := w.info(out.ETag, out.ResultMetadata)
	if seen := w.s.refusal(w.cond); seen != nil && !seen.Load() && info.ETag != w.cond.IfMatch() {
		// Once per kind: the same again must be refused now.
		switch _, err := put(); {
		case err == nil:
			return Info{}, fmt.Errorf("put %s in %s: %s ignores the conditions of a PUT (If-Match, If-None-Match), so two programs could overwrite each other; use a server that honours them",
				w.key, w.s.URL(), w.s.endpoint)
		case conflicts(w.cond, err):
			seen.Store(true)
		}
	}
	return info, nil
}

// refusal is where it is noted that the server refuses by cond, nil without one.
func (s *S3) refusal(cond Condition) *atomic.Bool {
	switch {
	case cond.IfAbsent():
		return &s.refused.absent
	case cond.IfMatch() != "":
		return &s.refused.unchanged
	}
	return nil
}

// complete sends the last part and makes the parts an object.
func (w *s3Writer) complete() (Info, error) {
	err := w.send()
	if werr := w.group.Wait(); err == nil {
		err = werr
	}
	if err != nil {
		return Info{}, fmt.Errorf("put %s in %s: %w", w.key, w.s.URL(), errors.Join(err, w.abort()))
	}
	ifMatch, ifNoneMatch := w.ifs()
	out, err := w.s.client.CompleteMultipartUpload(w.ctx, &s3.CompleteMultipartUploadInput{
		Bucket: &w.s.bucket, Key: w.s.key(w.key), UploadId: w.upload, MultipartUpload: &types.CompletedMultipartUpload{Parts: w.parts},
		IfMatch: ifMatch, IfNoneMatch: ifNoneMatch,
	})
	if err != nil {
		info, err := w.settle(err)
		if err != nil {
			err = errors.Join(err, w.abort())
		}
		return info, err
	}
	return w.info(out.ETag, out.ResultMetadata), nil
}

func (w *s3Writer) info(etag *string, answer middleware.Metadata) Info {
	w.s.bucketSeen.Store(true)
	at, _ := awsmiddleware.GetServerTime(answer)
	return s3Info(w.key, &w.size, etag, &at)
}

// settle finds out what became of a Put that ended in an error: an attempt whose
// answer was lost may have put the object, and its repetition failed for that.
func (w *s3Writer) settle(err error) (Info, error) {
	out, herr := w.s.client.HeadObject(w.ctx, &s3.HeadObjectInput{Bucket: &w.s.bucket, Key: w.s.key(w.key)})
	if herr == nil && out.Metadata[putMark] == w.mark {
		return s3Info(w.key, out.ContentLength, out.ETag, out.LastModified), nil
	}
	if conflicts(w.cond, err) {
		return Info{}, fmt.Errorf("put %s in %s: %w", w.key, w.s.URL(), ErrConflict)
	}
	return Info{}, w.s.explain("put", w.key, err)
}
