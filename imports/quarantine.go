package imports

import (
	"bytes"
	"context"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"unicode/utf8"

	"github.com/klauspost/compress/zstd"

	"github.com/boontorrent/boon/internal/lake"
)

// maxQuarantine bounds the lines of one object in quarantine. What would go
// beyond is counted in its last line, and in the report as all are.
const maxQuarantine = 64 << 20

// refused is a line in quarantine: a text that was not imported, and why.
type refused struct {
	Reason string `json:"reason"`
	Detail string `json:"detail,omitempty"`
	N      int64  `json:"n,omitempty"` // which record of its input
	Input  string `json:"input,omitempty"`
	Bytes  int64  `json:"bytes,omitempty"` // of the text, if not all of it is here
	Text   string `json:"text,omitempty"`
	Base64 string `json:"text_b64,omitempty"` // in the text's place where it is not UTF-8
	Left   int64  `json:"left_out,omitempty"` // texts that found no room
}

// quarantine collects what is refused, for one object of the lake.
type quarantine struct {
	lines bytes.Buffer
	left  int64
}

func (q *quarantine) add(r refused, text []byte, size int64) error {
	text = text[:min(len(text), maxText)]
	if size > int64(len(text)) {
		r.Bytes = size
	}
	if utf8.Valid(text) {
		r.Text = string(text)
	} else {
		r.Base64 = base64.StdEncoding.EncodeToString(text)
	}
	if q.lines.Len() > maxQuarantine {
		q.left++
		return nil
	}
	return q.line(r)
}

func (q *quarantine) line(r refused) error {
	enc := json.NewEncoder(&q.lines)
	enc.SetEscapeHTML(false)
	if err := enc.Encode(r); err != nil {
		return fmt.Errorf("quarantine a record: %w", err)
	}
	return nil
}

// store puts what was collected, if anything was, under a name that the same
// import gives again.
func (q *quarantine) store(ctx context.Context, store lake.Store, name string, rep *Report) error {
	if q.lines.Len() == 0 {
		return nil
	}
	if q.left > 0 {
		if err := q.line(refused{Reason: "no_room", Left: q.left}); err != nil {
			return err
		}
	}
	enc, err := zstd.NewWriter(nil, zstd.WithEncoderConcurrency(1))
	if err != nil {
		return fmt.Errorf("quarantine: %w", err)
	}
	key := lake.QuarantinePrefix + "import/" + name + ".ndjson.zst"
	if _, err := lake.PutBytes(ctx, store, key, lake.Condition{}, enc.EncodeAll(q.lines.Bytes(), nil)); err != nil {
		return fmt.Errorf("quarantine: %w", err)
	}
	rep.Quarantine = append(rep.Quarantine, key)
	return nil
}
