package imports

import (
	"bufio"
	"bytes"
	"compress/gzip"
	"errors"
	"fmt"
	"io"
	"os"

	"github.com/klauspost/compress/zstd"
)

// A packed file may hold unpackSlack bytes, and beyond that unpackRatio times
// what it weighs: logs are packed to a tenth or so, a bomb to a ten-thousandth.
const (
	unpackSlack = 64 << 20
	unpackRatio = 200
)

// maxWindow is how far back a zstd frame may refer, as with zstd --long.
const maxWindow = 128 << 20

var errBomb = fmt.Errorf("it unpacks to more than %d times its size; if it is a log all the same, unpack it by hand and import that", unpackRatio)

// unpacked is a file's content, whatever it was packed with.
type unpacked struct {
	file   *os.File
	packed counter // what was read of the file
	from   io.Reader
	free   func()
	out    int64
	bomb   bool // whether there can be one
}

type counter struct {
	r io.Reader
	n int64
}

func (c *counter) Read(p []byte) (int, error) {
	n, err := c.r.Read(p)
	c.n += int64(n)
	return n, err
}

// unpack opens a file that is plain, gzip or zstd; its first bytes tell which.
func unpack(path string) (*unpacked, error) {
	file, err := os.Open(path)
	if err != nil {
		return nil, plainError(err)
	}
	u := &unpacked{file: file, free: func() {}}
	u.packed.r = file
	in := bufio.NewReaderSize(&u.packed, 64<<10)
	magic, err := in.Peek(4)
	if err != nil && !errors.Is(err, io.EOF) {
		_ = file.Close()
		return nil, plainError(err)
	}
	u.from, u.bomb = in, true
	switch {
	case bytes.HasPrefix(magic, []byte{0x1f, 0x8b}):
		zr, err := gzip.NewReader(in)
		if err != nil {
			_ = file.Close()
			return nil, fmt.Errorf("damaged gzip: %w", err)
		}
		u.from = zr
	case isZstd(magic):
		zr, err := zstd.NewReader(in, zstd.WithDecoderConcurrency(1), zstd.WithDecoderLowmem(true), zstd.WithDecoderMaxWindow(maxWindow))
		if err != nil {
			_ = file.Close()
			return nil, fmt.Errorf("damaged zstd: %w", err)
		}
		u.from, u.free = zr, zr.Close
	default:
		u.bomb = false
	}
	return u, nil
}

// isZstd knows the magic number of a frame and those of skippable ones.
func isZstd(magic []byte) bool {
	return len(magic) == 4 && (bytes.Equal(magic, []byte{0x28, 0xb5, 0x2f, 0xfd}) || magic[0]&0xf0 == 0x50 && bytes.Equal(magic[1:], []byte{0x2a, 0x4d, 0x18}))
}

func (u *unpacked) Read(p []byte) (int, error) {
	n, err := u.from.Read(p)
	u.out += int64(n)
	if u.bomb && u.out > unpackSlack+unpackRatio*u.packed.n {
		return n, errBomb
	}
	if err != nil && !errors.Is(err, io.EOF) && !errors.Is(err, errBomb) {
		err = fmt.Errorf("damaged after %d bytes of content: %w", u.out, plainError(err))
	}
	return n, err
}

func (u *unpacked) Close() error {
	u.free()
	return u.file.Close()
}
