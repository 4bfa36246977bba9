package rawlog

import "io"

// Reader reads one segment.
type Reader struct{}

// NewReader returns a reader of the segment in in.
func NewReader(in io.Reader) *Reader { return &Reader{} }

// Next reads the next event into ev. It returns io.EOF at the end, a *Reject
// for a line that is not an event (call Next again), or another error if
// nothing more can be read.
func (r *Reader) Next(ev *Event) error { return io.EOF }

// Summary tells, after the end, what the segment said of itself and what was read.
func (r *Reader) Summary() Summary { return Summary{} }

// Summary is the account of a segment that was read.
type Summary struct {
	Header   Header
	Footer   Footer
	Sealed   bool             // the footer was there
	Records  int64            // lines that were events
	Rejected map[string]int64 // lines that were not, by reason
	Lost     int64            // records the footer speaks of that could not be read
	Damaged  int              // frames that could not be unpacked
	Cut      bool             // the file ends inside a frame
}
