package etl

import (
	"errors"
	"fmt"
	"io"
	"os"
	"slices"
)

// spill keeps byte records in buckets, in the order in which they came. What
// does not fit into small buffers goes to one temporary file, which has no
// name any more once it is open: a killed process leaves nothing behind.
type spill struct {
	file    *os.File
	buckets []spillBucket
	at      int64
	chunk   int
	bytes   int64 // of all records
}

type spillBucket struct {
	open   []byte
	chunks []spillChunk
	bytes  int64
	n      int64
}

// spillRoom is the room that begin makes; a record that needs more still fits.
const spillRoom = 512

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
	if cap(b.open)-len(b.open) < spillRoom && cap(b.open) < s.chunk {
		grown := make([]byte, len(b.open), min(4*cap(b.open), s.chunk)+spillRoom)
		copy(grown, b.open)
		b.open = grown
	}
	return b.open, nil
}

func (s *spill) end(bucket int, buf []byte) {
	b := &s.buckets[bucket]
	b.bytes += int64(len(buf) - len(b.open))
	s.bytes += int64(len(buf) - len(b.open))
	b.n++
	b.open = buf
}

// batch is records on their way to a spill, one behind the other. Buckets are
// many, and each record alone would wait for memory twice: for its bucket, and
// for where that ends. A batch waits for all at once.
type batch struct {
	records []byte
	at      []batched
	touched int // of what was read ahead, or nothing would be read
}

// batched says where a record ends and where it is to go.
type batched struct {
	end    uint32
	bucket uint32
}

// batchRecords is the number at which a batch is full.
const batchRecords = 128

// begin returns the batch's memory; the caller appends one record and hands it
// back to end.
func (b *batch) begin() []byte { return b.records }

func (b *batch) end(bucket int, records []byte) {
	b.records = records
	b.at = append(b.at, batched{uint32(len(records)), uint32(bucket)})
}

func (b *batch) full() bool { return len(b.at) >= batchRecords }

// add puts a batch's records into their buckets and empties it.
func (s *spill) add(b *batch) error {
	touched := 0
	for _, r := range b.at {
		touched |= len(s.buckets[r.bucket].open)
	}
	for _, r := range b.at {
		open := s.buckets[r.bucket].open
		if n := len(open); n < cap(open) {
			touched |= int(open[:n+1][n])
		}
	}
	b.touched = touched
	start := uint32(0)
	for _, r := range b.at {
		to, err := s.begin(int(r.bucket))
		if err != nil {
			return err
		}
		s.end(int(r.bucket), append(to, b.records[start:r.end]...))
		start = r.end
	}
	b.records, b.at = b.records[:0], b.at[:0]
	return nil
}

func (s *spill) flush(b *spillBucket) error {
	b.chunks = append(b.chunks, spillChunk{at: s.at, size: int32(len(b.open))})
	err := s.write(b.open)
	b.open = b.open[:0]
	return err
}

// write writes to the end of the file.
func (s *spill) write(b []byte) error {
	if _, err := s.file.WriteAt(b, s.at); err != nil {
		return fmt.Errorf("write a temporary file: %w; set TMPDIR to a folder with more room", err)
	}
	s.at += int64(len(b))
	return nil
}

// load appends a bucket's records to dst.
func (s *spill) load(bucket int, dst []byte) ([]byte, error) {
	b := &s.buckets[bucket]
	for _, c := range b.chunks {
		at := len(dst)
		dst = slices.Grow(dst, int(c.size))[:at+int(c.size)]
		if _, err := s.file.ReadAt(dst[at:], c.at); err != nil {
			return nil, fmt.Errorf("read a temporary file: %w", err)
		}
	}
	return append(dst, b.open...), nil
}

// free gives up a bucket that will not be read again.
func (s *spill) free(bucket int) { s.buckets[bucket] = spillBucket{} }

// demandSpill keeps the row groups' parts of a section's demand.
type demandSpill struct {
	*spill
	ends []int64 // of the parts
}

func newDemandSpill(dir string) (*demandSpill, error) {
	s, err := newSpill(dir, 0, 0)
	return &demandSpill{spill: s}, err
}

// add appends a part.
func (s *demandSpill) add(part []byte) error {
	if err := s.write(part); err != nil {
		return err
	}
	s.ends = append(s.ends, s.at)
	return nil
}

// parts gives each part as a stream.
func (s *demandSpill) parts() []io.Reader {
	var parts []io.Reader
	start := int64(0)
	for _, end := range s.ends {
		parts = append(parts, io.NewSectionReader(s.file, start, end-start))
		start = end
	}
	return parts
}
