package lake

import (
	"context"
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"sync"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/s3"
	"github.com/aws/aws-sdk-go-v2/service/s3/types"
)

// Reads at a place are served from blocks, a few of which are kept: readers of
// Parquet ask for some kilobytes at a time. Larger ones go straight through.
const (
	blockSize  = 1 << 20
	blocksKept = 8
)

// goodRead is how much must come before a cut body counts as a first one again.
const goodRead = 1 << 20

// Open implements Store. The object is streamed as it is read, and a body that
// is cut is taken up again where it stopped; ctx holds until Close. A reader
// sees one version of the object, or an error where that was replaced.
func (s *S3) Open(ctx context.Context, key string) (Object, error) {
	if err := check(ctx, key); err != nil {
		return nil, err
	}
	out, err := s.client.GetObject(ctx, &s3.GetObjectInput{Bucket: &s.bucket, Key: s.key(key), ChecksumMode: types.ChecksumModeEnabled})
	if err != nil {
		return nil, s.explain("open", key, err)
	}
	s.bucketSeen.Store(true)
	info := s3Info(key, out.ContentLength, out.ETag, out.LastModified)
	return &s3Object{s: s, ctx: ctx, info: info, body: out.Body, blocks: map[int64]*s3Block{}}, nil
}

type s3Object struct {
	s    *S3
	ctx  context.Context
	info Info

	mu   sync.Mutex // of the stream
	body io.ReadCloser
	pos  int64
	cuts cuts

	blockMu sync.Mutex
	blocks  map[int64]*s3Block
	clock   int64
}

// Info implements Object.
func (o *s3Object) Info() Info { return o.info }

// Close implements Object.
func (o *s3Object) Close() error {
	o.mu.Lock()
	defer o.mu.Unlock()
	o.drop()
	return nil
}

func (o *s3Object) drop() {
	if o.body != nil {
		_ = o.body.Close() // what was read, was read
		o.body = nil
	}
}

// Read implements io.Reader.
func (o *s3Object) Read(p []byte) (int, error) {
	if len(p) == 0 {
		return 0, nil
	}
	o.mu.Lock()
	defer o.mu.Unlock()
	for {
		if o.body == nil {
			if o.pos >= o.info.Size {
				return 0, io.EOF
			}
			var err error
			if o.body, err = o.get(o.pos, o.info.Size); err != nil {
				return 0, err
			}
		}
		n, err := o.body.Read(p)
		o.pos += int64(n)
		if err == nil {
			return n, nil
		}
		o.drop()
		if o.pos >= o.info.Size {
			if o.pos == o.info.Size && errors.Is(err, io.EOF) {
				return n, io.EOF
			}
			return n, o.fail(fmt.Errorf("what came is not what was put: %w", noEOF(err)))
		}
		if err := o.cuts.wait(o, o.pos, err); err != nil {
			return n, err
		}
		if n > 0 {
			return n, nil
		}
	}
}

// get asks for the bytes from one place up to another, of this version.
func (o *s3Object) get(from, to int64) (io.ReadCloser, error) {
	out, err := o.s.client.GetObject(o.ctx, &s3.GetObjectInput{
		Bucket: &o.s.bucket, Key: o.s.key(o.info.Key), IfMatch: quoted(o.info.ETag),
		Range: aws.String(fmt.Sprintf("bytes=%d-%d", from, to-1)),
	})
	if statusOf(err) == 412 {
		return nil, fmt.Errorf("read %s in %s: it was replaced meanwhile, run this again: %w", o.info.Key, o.s.URL(), ErrConflict)
	}
	if err != nil {
		return nil, o.s.explain("read", o.info.Key, err)
	}
	if got := aws.ToInt64(out.ContentLength); got != to-from {
		_ = out.Body.Close()
		return nil, o.fail(fmt.Errorf("asked for %d bytes from %d on, the server sends %d", to-from, from, got))
	}
	return out.Body, nil
}

func (o *s3Object) fail(err error) error {
	return fmt.Errorf("read %s in %s: %w", o.info.Key, o.s.URL(), err)
}

// cuts counts how often a body ended too early.
type cuts struct {
	n  int
	at int64
}

// noEOF is an error that does not tell a caller that this was all.
func noEOF(err error) error {
	if errors.Is(err, io.EOF) {
		return io.ErrUnexpectedEOF
	}
	return err
}

// wait waits before the next attempt, or says that it was the last.
func (c *cuts) wait(o *s3Object, pos int64, cause error) error {
	cause = noEOF(cause)
	if err := o.ctx.Err(); err != nil {
		return o.fail(err)
	}
	if pos-c.at >= goodRead {
		c.n = 0
	}
	c.at = pos
	if c.n++; c.n >= o.s.opts.Attempts {
		return o.fail(fmt.Errorf("cut off at byte %d of %d, for the %dth time; try again later: %w", pos, o.info.Size, c.n, cause))
	}
	longest := min(100*time.Millisecond<<c.n, o.s.opts.MaxBackoff)
	select {
	case <-o.ctx.Done():
		return o.fail(o.ctx.Err())
	case <-time.After(rand.N(longest)):
		return nil
	}
}

// ReadAt implements io.ReaderAt.
func (o *s3Object) ReadAt(p []byte, at int64) (int, error) {
	if at < 0 {
		return 0, o.fail(errors.New("a place before its beginning"))
	}
	if at >= o.info.Size {
		return 0, io.EOF
	}
	o.endUnreadStream()
	var end error
	if left := o.info.Size - at; int64(len(p)) > left {
		p, end = p[:left], io.EOF
	}
	if len(p) >= blockSize {
		if n, err := o.fill(p, at); err != nil {
			return n, err
		}
		return len(p), end
	}
	for n := 0; n < len(p); {
		i := (at + int64(n)) / blockSize
		b, err := o.block(i)
		if err != nil {
			return n, err
		}
		n += copy(p[n:], b[at+int64(n)-i*blockSize:])
	}
	return len(p), end
}

// endUnreadStream closes the stream that Open began where nobody reads it.
func (o *s3Object) endUnreadStream() {
	if !o.mu.TryLock() {
		return
	}
	defer o.mu.Unlock()
	if o.pos == 0 {
		o.drop()
	}
}

// fill reads all of p.
func (o *s3Object) fill(p []byte, at int64) (int, error) {
	var c cuts
	for n := 0; ; {
		body, err := o.get(at+int64(n), at+int64(len(p)))
		if err != nil {
			return n, err
		}
		k, err := io.ReadFull(body, p[n:])
		_ = body.Close() // what was read, was read
		if n += k; err == nil {
			return n, nil
		}
		if err := c.wait(o, at+int64(n), err); err != nil {
			return n, err
		}
	}
}

// s3Block is a stretch of an object, fetched once by whoever needs it first.
type s3Block struct {
	once sync.Once
	data []byte
	err  error
	used int64
}

func (o *s3Object) block(i int64) ([]byte, error) {
	o.blockMu.Lock()
	b := o.blocks[i]
	if b == nil {
		b = &s3Block{}
		o.forget()
		o.blocks[i] = b
	}
	o.clock++
	b.used = o.clock
	o.blockMu.Unlock()
	b.once.Do(func() {
		data := make([]byte, min(blockSize, o.info.Size-i*blockSize))
		if _, b.err = o.fill(data, i*blockSize); b.err == nil {
			b.data = data
		}
	})
	if b.err != nil {
		o.blockMu.Lock()
		if o.blocks[i] == b {
			delete(o.blocks, i)
		}
		o.blockMu.Unlock()
	}
	return b.data, b.err
}

// forget makes room for one more block.
func (o *s3Object) forget() {
	for len(o.blocks) >= blocksKept {
		oldest := int64(-1)
		for i, b := range o.blocks {
			if oldest < 0 || b.used < o.blocks[oldest].used {
				oldest = i
			}
		}
		delete(o.blocks, oldest)
	}
}
