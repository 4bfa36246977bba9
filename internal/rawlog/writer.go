package rawlog

import (
	"errors"
	"fmt"
	"io"

	"github.com/klauspost/compress/zstd"
)

// Writer writes one segment. It is not safe for use by several goroutines.
type Writer struct {
	out     io.Writer
	enc     *zstd.Encoder
	header  Header
	lines   []byte // of the open frame
	packed  []byte // scratch: the frame compressed
	size    int64  // bytes of lines, all frames together
	written int64  // bytes given to out
	records int64
	err     error // the first failure of out; sticks
}

// NewWriter begins a segment: the header is the first line of its first frame.
func NewWriter(out io.Writer, h Header) (*Writer, error) {
	enc, err := zstd.NewWriter(nil, zstd.WithEncoderConcurrency(1), zstd.WithEncoderLevel(zstd.SpeedFastest),
		zstd.WithWindowSize(FrameBytes))
	if err != nil {
		return nil, fmt.Errorf("begin segment: %w", err)
	}
	w := &Writer{enc: enc}
	return w, w.Reset(out, h)
}

// Reset begins another segment with the same memory.
func (w *Writer) Reset(out io.Writer, h Header) error {
	line, err := headerLine(h)
	if err != nil {
		return fmt.Errorf("begin segment: %w", err)
	}
	w.out, w.header, w.err = out, h, nil
	w.lines = append(w.lines[:0], line...)
	w.size, w.written, w.records = int64(len(line)), 0, 0
	return nil
}

// Append adds an event; a full frame is written out.
func (w *Writer) Append(ev *Event) error {
	if w.err != nil {
		return w.err
	}
	before := len(w.lines)
	lines, err := AppendEvent(w.lines, ev)
	if err != nil {
		return err
	}
	limit := MaxQueryLine
	if ev.Kind == Resolve {
		limit = MaxResolveLine
	}
	if len(lines)-before > limit {
		w.lines = lines[:before]
		return fmt.Errorf("a %s event of %d bytes is more than a line may hold (%d)", ev.Kind, len(lines)-before, limit)
	}
	w.lines = lines
	w.size += int64(len(lines) - before)
	w.records++
	if len(w.lines) >= FrameBytes {
		return w.Flush()
	}
	return nil
}

// Flush ends the frame and writes it: what was appended so far can be read
// though the segment goes on.
func (w *Writer) Flush() error {
	if w.err != nil || len(w.lines) == 0 {
		return w.err
	}
	w.packed = w.enc.EncodeAll(w.lines, w.packed[:0])
	w.lines = w.lines[:0]
	n, err := w.out.Write(w.packed)
	w.written += int64(n)
	if err == nil && n != len(w.packed) {
		err = io.ErrShortWrite
	}
	if err != nil {
		w.err = fmt.Errorf("write segment %d of run %s: %w", w.header.Seq, w.header.Run, err)
	}
	return w.err
}

// Close writes the footer, whose Seq and Records it fills in. It does not
// close the io.Writer below.
func (w *Writer) Close(f Footer) error {
	if w.out == nil {
		return errors.New("the segment is closed already")
	}
	f.Seq, f.Records = w.header.Seq, w.records
	line, err := footerLine(f)
	if err != nil {
		return fmt.Errorf("end segment: %w", err)
	}
	w.lines = append(w.lines, line...)
	w.size += int64(len(line))
	err = w.Flush()
	w.out = nil
	return err
}

// Err is what keeps the segment from being written, nil as long as it goes well.
func (w *Writer) Err() error { return w.err }

// Records is the number of events appended.
func (w *Writer) Records() int64 { return w.records }

// Size is the number of bytes of all lines so far; Written that of the file.
func (w *Writer) Size() int64 { return w.size }

// Written is the number of bytes of whole frames so far.
func (w *Writer) Written() int64 { return w.written }
