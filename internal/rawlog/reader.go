package rawlog

import (
	"bytes"
	"errors"
	"fmt"
	"io"
)

// keptOfReject bounds how much of a rejected line is handed on.
const keptOfReject = 4 << 10

// ErrTooLarge is returned for a segment that unpacks to more than MaxSegment
// bytes; what was read before it is good.
var ErrTooLarge = fmt.Errorf("the segment unpacks to more than %d MiB, which no segment of ours does", MaxSegment>>20)

// Reader reads a segment, or several in one file. It is not safe for use by
// several goroutines.
type Reader struct {
	// Pass, if it is set, is asked about each line; one of which it says true is
	// counted as a record and not read further.
	Pass func(line []byte) bool

	frames  *frames
	scan    scanner
	text    []byte // the unread rest of the current piece
	joined  []byte // a line that began in an earlier piece
	skip    bool   // inside a line that is too long or has lost its beginning
	partial bool   // joined holds the beginning of a line
	lines   int64
	total   int64 // bytes of text
	end     error
	reject  Reject
	sum     Summary
	counted int64 // lines since the last header
}

// Summary is the account of a file that was read.
type Summary struct {
	Header   Header // the last one
	Footer   Footer // the last one
	Headers  int
	Sealed   bool             // a footer follows the last header
	Records  int64            // lines that were events
	Rejected map[string]int64 // lines that were not, by reason
	Lost     int64            // records that a footer speaks of and that were not there
	Damaged  int              // stretches of the file that could not be unpacked
	Cut      bool             // the file ends inside a frame or a line
}

// NewReader returns a reader of the segment in in. Close frees its memory.
func NewReader(in io.Reader) (*Reader, error) {
	f, err := newFrames(in)
	if err != nil {
		return nil, err
	}
	return &Reader{frames: f, sum: Summary{Rejected: map[string]int64{}}}, nil
}

// Reset makes r read another segment with the same memory.
func (r *Reader) Reset(in io.Reader) {
	r.frames.reset(in)
	*r = Reader{Pass: r.Pass, frames: r.frames, scan: r.scan, joined: r.joined[:0], sum: Summary{Rejected: map[string]int64{}}}
}

// Close frees what unpacking holds.
func (r *Reader) Close() { r.frames.close() }

// Header is the last header read; its fields are zero before the first event.
func (r *Reader) Header() *Header { return &r.sum.Header }

// Line is the number of the last line read, from 1.
func (r *Reader) Line() int64 { return r.lines }

// Next reads the next event into ev. It returns io.EOF at the end, a *Reject
// for a line that is not an event (call Next again), or another error if
// nothing more can be read. What ev points to holds until the next call.
func (r *Reader) Next(ev *Event) error {
	for {
		line, err := r.line()
		if err != nil {
			return err
		}
		if len(line) == 0 {
			continue
		}
		r.lines++
		if r.Pass != nil && r.Pass(line) {
			r.counted++
			r.sum.Records++
			continue
		}
		if reject := r.scan.event(line, ev); reject != nil {
			if reject.Reason == notAnEvent {
				if reject = r.frameLine(line); reject == nil {
					continue
				}
			}
			r.counted++
			return r.refuse(reject.Reason, reject.Detail, line)
		}
		r.counted++
		r.sum.Records++
		return nil
	}
}

// Summary gives the account; it is complete once Next has returned io.EOF.
func (r *Reader) Summary() Summary {
	s := r.sum
	s.Damaged, s.Cut = r.frames.damaged, r.frames.cut || s.Cut
	return s
}

func (r *Reader) refuse(reason, detail string, line []byte) error {
	r.sum.Rejected[reason]++
	r.reject = Reject{Reason: reason, Detail: detail, Line: line[:min(len(line), keptOfReject)], At: r.lines}
	return &r.reject
}

// frameLine takes in a header or footer.
func (r *Reader) frameLine(line []byte) *Reject {
	header, footer, reject := decodeFrameLine(line)
	switch {
	case reject != nil:
		return reject
	case header != nil:
		r.sum.Header, r.sum.Sealed = *header, false
		r.sum.Headers++
		r.counted = 0
	default:
		r.sum.Footer, r.sum.Sealed = *footer, true
		r.sum.Lost += max(0, footer.Records-r.counted)
		r.counted = 0
	}
	return nil
}

// line returns the next whole line without its newline.
func (r *Reader) line() ([]byte, error) {
	for {
		if i := bytes.IndexByte(r.text, '\n'); i >= 0 {
			line := r.text[:i]
			r.text = r.text[i+1:]
			if !r.partial && !r.skip {
				return line, nil
			}
			if line, ok := r.join(line); ok {
				return line, nil
			}
			continue
		}
		if err := r.keepRest(); err != nil {
			return nil, err
		}
		if err := r.more(); err != nil {
			return nil, err
		}
	}
}

// join ends a line that began in an earlier piece; false where it has no beginning.
func (r *Reader) join(rest []byte) ([]byte, bool) {
	skipped := r.skip
	r.skip, r.partial = false, false
	if skipped {
		return nil, false
	}
	r.joined = append(r.joined, rest...)
	return r.joined, true
}

// keepRest sets the half line at the end of a piece aside. It returns a
// *Reject when that makes it longer than any line may be.
func (r *Reader) keepRest() error {
	if len(r.text) == 0 || r.skip {
		r.text = nil
		return nil
	}
	if !r.partial {
		r.joined = r.joined[:0]
	}
	r.joined = append(r.joined, r.text...)
	r.partial, r.text = true, nil
	if len(r.joined) <= MaxResolveLine {
		return nil
	}
	r.skip, r.partial = true, false
	r.lines++
	r.counted++
	return r.refuse(TooLong, fmt.Sprintf("more than %d bytes", MaxResolveLine), r.joined)
}

// more unpacks the next piece of text.
func (r *Reader) more() error {
	if r.end != nil {
		return r.end
	}
	text, broken, err := r.frames.next()
	if broken && r.partial { // the line's end is lost
		r.partial, r.skip = false, true
	}
	if err != nil {
		return r.finish(err)
	}
	r.total += int64(len(text))
	if r.total > MaxSegment {
		r.end = ErrTooLarge
		return r.end
	}
	r.text = text
	return nil
}

func (r *Reader) finish(err error) error {
	r.end = err
	if !errors.Is(err, io.EOF) {
		r.end = fmt.Errorf("read segment: %w", err)
		return r.end
	}
	if !r.partial { // nothing, or the end of a line that is counted as lost
		return r.end
	}
	if r.frames.cut {
		r.partial, r.sum.Cut = false, true
		return r.end
	}
	r.text, r.partial = append(r.joined, '\n'), false // a last line without newline
	return nil
}
