package rawlog

import (
	"bytes"
	"errors"
	"io"
	"testing"

	"github.com/klauspost/compress/zstd"
)

// An input that fails is an error, wherever it fails: were it taken for the
// file's end or for damage, records would be missing from a day for good.
func TestBrokenInput(t *testing.T) {
	broken := errors.New("connection reset")
	ours := segment(t, 90, 15)
	skippable := append([]byte{0x50, 0x2a, 0x4d, 0x18, 0, 0, 8, 0}, make([]byte, 8<<16)...)
	foreign := pack(t, bytes.NewReader(unpack(t, segment(t, 10000, 5000))), zstd.WithWindowSize(2*maxPlain)) // read as a stream
	for name, c := range map[string]struct {
		file []byte
		step int
	}{
		"our frames":       {ours, 1},
		"a passed frame":   {bytes.Join([][]byte{ours, skippable, ours}, nil), 9973},
		"one large frame":  {foreign, len(foreign)/20 + 1},
		"its end, exactly": {foreign, len(foreign)},
	} {
		for _, cause := range []error{broken, io.ErrUnexpectedEOF} {
			for at := 0; at <= len(c.file); at += c.step {
				r, err := NewReader(io.MultiReader(bytes.NewReader(c.file[:at]), &failsOnce{cause}, bytes.NewReader(c.file[at:])))
				if err != nil {
					t.Fatal(err)
				}
				if _, err := drain(r); !errors.Is(err, cause) {
					t.Errorf("%s: broken at byte %d by %v, the reader says %v", name, at, cause, err)
				}
				r.Close()
			}
		}
	}
}

// failsOnce is an input that can be read on after its error.
type failsOnce struct{ err error }

func (f *failsOnce) Read([]byte) (int, error) {
	err := f.err
	f.err = io.EOF
	return 0, err
}
