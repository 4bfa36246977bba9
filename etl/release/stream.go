package release

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
)

// Stream reads names, one a line, from in and writes to out, in the same order, one JSON object a line: what the name says
// and, beside it, the type of content and the work as far as a name alone tells. A line may be of any length; of a name
// over MaxName bytes the rest is read and dropped, and the answer carries "cut":true.
func Stream(ctx context.Context, in io.Reader, out io.Writer) error {
	r := bufio.NewReaderSize(in, 64<<10)
	w := bufio.NewWriterSize(out, 64<<10)
	var p Parser
	var rel Release
	var name, line []byte
	for n := 1; ; n++ {
		if n%1024 == 0 && ctx.Err() != nil {
			return context.Cause(ctx)
		}
		var err error
		name, err = readLine(r, name[:0])
		if errors.Is(err, io.EOF) && len(name) == 0 {
			break
		}
		if err != nil && !errors.Is(err, io.EOF) {
			return fmt.Errorf("read name %d: %w", n, err)
		}
		p.Parse(string(name), &rel)
		line = appendAnswer(line[:0], &rel, string(name))
		if _, err := w.Write(line); err != nil {
			return fmt.Errorf("write the answer to name %d: %w", n, err)
		}
	}
	if err := w.Flush(); err != nil {
		return fmt.Errorf("write the answers: %w", err)
	}
	return nil
}

// appendAnswer appends the release with its type and work.
func appendAnswer(b []byte, rel *Release, name string) []byte {
	b = rel.AppendJSON(b)
	c := Classify(rel, name, Media{})
	b = b[:len(b)-1]
	b = appendString(appendKey(b, "content_type"), c.Type)
	if w := WorkOf(rel, c.Type); w.Known() {
		b = appendString(appendKey(b, "work_id"), w.String())
	}
	return append(b, '}', '\n')
}

// readLine appends a line to b without its end, and of a line that is too long no more than shows that it is.
func readLine(r *bufio.Reader, b []byte) ([]byte, error) {
	for {
		part, err := r.ReadSlice('\n')
		done := err == nil
		if done {
			part = part[:len(part)-1]
		}
		if room := MaxName + 8 - len(b); room > 0 {
			b = append(b, part[:min(len(part), room)]...)
		}
		if done && len(b) > 0 && b[len(b)-1] == '\r' {
			b = b[:len(b)-1]
		}
		if done {
			return b, nil
		}
		if !errors.Is(err, bufio.ErrBufferFull) {
			return b, err
		}
	}
}
