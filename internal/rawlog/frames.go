package rawlog

import (
	"bytes"
	"encoding/binary"
	"errors"
	"fmt"
	"io"

	"github.com/klauspost/compress/zstd"
)

const (
	frameMagic     = 0xFD2FB528
	skippableMagic = 0x184D2A50 // and the fifteen after it
	maxPacked      = 4 << 20    // a packed frame held in memory
	maxPlain       = 8 << 20    // an unpacked frame held in memory
	streamChunk    = 256 << 10
)

var (
	errDamaged    = errors.New("damaged frame")
	errLargeFrame = errors.New("large frame") // not one of ours: unpack it as a stream
	errCutFrame   = errors.New("the file ends inside a frame")
)

// frames takes a file of zstd frames apart (RFC 8878) and unpacks them one at
// a time, so that damage to one frame costs that frame alone. A frame that is
// much larger than ours, or cut off, is unpacked as a stream instead.
type frames struct {
	src     window
	dec     *zstd.Decoder // for whole frames in memory
	stream  *zstd.Decoder // for a frame that is unpacked as it is read
	inside  bool          // stream may have more to give
	plain   []byte
	damaged int
	cut     bool
}

func newFrames(in io.Reader) (*frames, error) {
	dec, err := zstd.NewReader(nil, zstd.WithDecoderConcurrency(1), zstd.WithDecoderMaxMemory(maxPlain))
	if err != nil {
		return nil, fmt.Errorf("begin to unpack: %w", err)
	}
	return &frames{src: window{in: in}, dec: dec}, nil
}

func (f *frames) reset(in io.Reader) {
	f.src = window{in: in, buf: f.src.buf[:0]}
	f.inside, f.damaged, f.cut = false, 0, false
}

func (f *frames) close() {
	f.dec.Close()
	if f.stream != nil {
		f.stream.Close()
	}
}

// next returns the next piece of text, which holds until the next call, and
// io.EOF at the end. A damaged frame is counted and passed over; broken tells
// that text is missing before this piece, so that a half line must not be
// joined to it.
func (f *frames) next() (text []byte, broken bool, err error) {
	for {
		if f.inside {
			if text = f.nextOfStream(); len(text) > 0 {
				return text, broken, nil
			}
			broken = broken || f.damaged > 0
			continue
		}
		skipped, err := f.seekFrame()
		broken = broken || skipped
		if err != nil {
			return nil, broken, err
		}
		text, err = f.wholeFrame()
		switch {
		case err == nil:
			return text, broken, nil
		case errors.Is(err, errDamaged):
			f.damaged++
			broken = true
			f.src.discard(1)
			f.discardToMagic()
		case errors.Is(err, errLargeFrame), errors.Is(err, errCutFrame):
			if err := f.beginStream(); err != nil {
				return nil, broken, err
			}
		default:
			return nil, broken, err
		}
	}
}

// seekFrame moves to the next frame and reports whether it had to pass over
// bytes that are no frame.
func (f *frames) seekFrame() (skipped bool, err error) {
	for {
		head, err := f.src.peek(8)
		if err != nil {
			return skipped, err
		}
		if len(head) < 4 {
			f.cut = f.cut || len(head) > 0
			return skipped, io.EOF
		}
		magic := binary.LittleEndian.Uint32(head)
		if magic == frameMagic {
			return skipped, nil
		}
		if magic&^15 == skippableMagic && len(head) >= 8 {
			err := f.src.skip(8 + int64(binary.LittleEndian.Uint32(head[4:])))
			if errors.Is(err, io.EOF) {
				f.cut = true
				return true, io.EOF
			}
			if err != nil {
				return true, err
			}
			continue
		}
		if !skipped {
			f.damaged++
		}
		skipped = true
		f.src.discard(1)
		f.discardToMagic()
	}
}

// discardToMagic moves to the next byte that may begin a frame, or to the end
// of what is in memory.
func (f *frames) discardToMagic() {
	if i := bytes.IndexByte(f.src.have(), frameMagic&0xff); i >= 0 {
		f.src.discard(i)
		return
	}
	f.src.discard(len(f.src.have()))
}

// wholeFrame unpacks the frame that begins here and moves past it. On an error
// it has not moved.
func (f *frames) wholeFrame() ([]byte, error) {
	head, err := f.src.peek(zstd.HeaderMaxSize)
	if err != nil {
		return nil, err
	}
	var h zstd.Header
	if err := h.Decode(head); err != nil {
		if errors.Is(err, io.ErrUnexpectedEOF) {
			f.cut = true
		}
		return nil, errDamaged
	}
	if h.HasFCS && h.FrameContentSize > maxPlain || h.WindowSize > maxPlain {
		return nil, errLargeFrame
	}
	size, err := f.blocks(h.HeaderSize)
	if err != nil {
		return nil, err
	}
	if h.HasCheckSum {
		size += 4
	}
	packed, err := f.src.peek(size)
	if err != nil {
		return nil, err
	}
	if len(packed) < size {
		return nil, f.ended()
	}
	plain, err := f.dec.DecodeAll(packed[:size], f.plain[:0])
	switch {
	case errors.Is(err, zstd.ErrDecoderSizeExceeded):
		return nil, errLargeFrame
	case err != nil:
		return nil, errDamaged
	}
	f.src.discard(size)
	f.plain = plain
	return plain, nil
}

// blocks follows a frame's blocks, each behind three bytes of size and type,
// and returns where they end.
func (f *frames) blocks(at int) (int, error) {
	for {
		if at > maxPacked {
			return 0, errLargeFrame
		}
		b, err := f.src.peek(at + 3)
		if err != nil {
			return 0, err
		}
		if len(b) < at+3 {
			return 0, f.ended()
		}
		head := uint32(b[at]) | uint32(b[at+1])<<8 | uint32(b[at+2])<<16
		last, kind, size := head&1 == 1, head>>1&3, int(head>>3)
		if kind == 3 || size > 128<<10 {
			return 0, errDamaged
		}
		if kind == 1 { // one byte, repeated
			size = 1
		}
		at += 3 + size
		if last {
			return at, nil
		}
	}
}

// ended tells why the input ends within a frame: it was cut, or a damaged
// length leads astray and another frame follows.
func (f *frames) ended() error {
	magic := binary.LittleEndian.AppendUint32(nil, frameMagic)
	if bytes.Contains(f.src.have()[4:], magic) {
		return errDamaged
	}
	f.cut = true
	return errCutFrame
}

func (f *frames) beginStream() error {
	if f.stream == nil {
		dec, err := zstd.NewReader(nil, zstd.WithDecoderConcurrency(1), zstd.WithDecoderLowmem(true),
			zstd.WithDecoderMaxWindow(64<<20), zstd.WithDecoderMaxMemory(MaxSegment))
		if err != nil {
			return fmt.Errorf("begin to unpack: %w", err)
		}
		f.stream = dec
	}
	if err := f.stream.Reset(&f.src); err != nil {
		return fmt.Errorf("unpack: %w", err)
	}
	f.inside = true
	return nil
}

// nextOfStream returns the next text of the stream. The decoder goes over the
// ends of frames by itself, so the stream ends with the file or with damage.
func (f *frames) nextOfStream() []byte {
	if cap(f.plain) < streamChunk {
		f.plain = make([]byte, streamChunk)
	}
	buf := f.plain[:streamChunk]
	n := 0
	for n < len(buf) {
		got, err := f.stream.Read(buf[n:])
		n += got
		if err == nil {
			continue
		}
		f.inside = false
		switch {
		case errors.Is(err, io.ErrUnexpectedEOF):
			f.cut = true
		case !errors.Is(err, io.EOF):
			f.damaged++
		}
		break
	}
	return buf[:n]
}

// window is a reader with as much look-ahead as is asked for.
type window struct {
	in  io.Reader
	buf []byte
	at  int // buf[at:] is unread
	err error
}

// have is what is in memory and unread.
func (w *window) have() []byte { return w.buf[w.at:] }

// peek returns at least n unread bytes; fewer only where the input ends.
func (w *window) peek(n int) ([]byte, error) {
	for len(w.buf)-w.at < n && w.err == nil {
		w.fill(n)
	}
	if w.err != nil && !errors.Is(w.err, io.EOF) {
		return nil, w.err
	}
	return w.have(), nil
}

// fill reads once, making room for n unread bytes.
func (w *window) fill(n int) {
	if w.at > 0 && (w.at == len(w.buf) || cap(w.buf)-w.at < n) {
		w.buf = w.buf[:copy(w.buf, w.buf[w.at:])]
		w.at = 0
	}
	if cap(w.buf)-len(w.buf) < 64<<10 {
		grown := make([]byte, len(w.buf), max(2*cap(w.buf), len(w.buf)+256<<10))
		copy(grown, w.buf)
		w.buf = grown
	}
	var got int
	got, w.err = w.in.Read(w.buf[len(w.buf):cap(w.buf)])
	w.buf = w.buf[:len(w.buf)+got]
}

func (w *window) discard(n int) { w.at += n }

// skip passes over n bytes, which need not be in memory.
func (w *window) skip(n int64) error {
	held := min(n, int64(len(w.have())))
	w.at += int(held)
	if held == n {
		return nil
	}
	if w.err == nil {
		_, w.err = io.CopyN(io.Discard, w.in, n-held)
	}
	return w.err
}

// Read implements io.Reader for the streaming decoder, to which an error of the
// input is damage like any other; peek tells of it after that.
func (w *window) Read(p []byte) (n int, err error) {
	if len(w.have()) == 0 {
		if w.err == nil {
			n, w.err = w.in.Read(p)
		}
		return n, w.err
	}
	n = copy(p, w.have())
	w.at += n
	return n, nil
}
