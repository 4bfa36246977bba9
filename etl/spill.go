package etl

import (
	"errors"
	"fmt"
	"io"
	"os"
)

// spill keeps byte records in buckets, in the order in which they came. What
// does not fit into small buffers goes to one temporary file, which has no
// name any more once it is open: a killed process leaves nothing behind.
type spill struct {
	file    *os.File
	buckets []spillBucket
	at      int64
	chunk   int
}

type spillBucket struct {
	open   []byte
	chunks []spillChunk
	bytes  int64
	n      int64
}

type spillChunk struct {
	at   int64
	size int32
}

// newSpill returns an empty spill whose buffers take up to chunk bytes a bucket.
func newSpill(dir string, buckets, chunk int) (*spill, error) {
	f, err := os.CreateTemp(dir, "boon-etl-*")
	if err != nil {
		return nil, fmt.Errorf("make a temporary file: %w; set TMPDIR to a folder with room", err)
	}
	if err := os.Remove(f.Name()); err != nil {
		return nil, errors.Join(err, f.Close())
	}
	return &spill{file: f, buckets: make([]spillBucket, buckets), chunk: chunk}, nil
}

func (s *spill) close() { _ = s.file.Close() }

// begin returns the bucket's open buffer, with room made; the caller appends
// one record and hands it back to end.
func (s *spill) begin(bucket int) ([]byte, error) {
	b := &s.buckets[bucket]
	if len(b.open) >= s.chunk {
		if err := s.flush(b); err != nil {
			return nil, err
		}
	}
	return b.open, nil
}

func (s *spill) end(bucket int, buf []byte) {
	b := &s.buckets[bucket]
	b.bytes += int64(len(buf) - len(b.open))
	b.n++
	b.open = buf
}

// add appends one record.
func (s *spill) add(bucket int, record []byte) error {
	buf, err := s.begin(bucket)
	if err != nil {
		return err
	}
	s.end(bucket, append(buf, record...))
	return nil
}

func (s *spill) flush(b *spillBucket) error {
	if _, err := s.file.WriteAt(b.open, s.at); err != nil {
		return fmt.Errorf("write a temporary file: %w; set TMPDIR to a folder with more room", err)
	}
	b.chunks = append(b.chunks, spillChunk{at: s.at, size: int32(len(b.open))})
	s.at += int64(len(b.open))
	b.open = b.open[:0]
	return nil
}

// load appends a bucket's records to dst.
func (s *spill) load(bucket int, dst []byte) ([]byte, error) {
	b := &s.buckets[bucket]
	for _, c := range b.chunks {
		at := len(dst)
		dst = append(dst, make([]byte, c.size)...)
		if _, err := s.file.ReadAt(dst[at:], c.at); err != nil {
			return nil, fmt.Errorf("read a temporary file: %w", err)
		}
	}
	return append(dst, b.open...), nil
}

// free gives up a bucket that will not be read again.
func (s *spill) free(bucket int) { s.buckets[bucket] = spillBucket{} }

// reader gives the bytes of the only bucket of a spill, in order.
func (s *spill) reader() (io.ReaderAt, error) {
	if len(s.buckets) != 1 {
		return nil, errors.New("only a spill of one bucket can be read as a stream")
	}
	return s.file, s.flush(&s.buckets[0])
}
