package rawlog

import (
	"encoding/binary"
	"encoding/hex"
	"testing"
)

// Eight characters are read at once as encoding/hex reads them one by one:
// every byte in every place, beside every other.
func TestHex8(t *testing.T) {
	for place := range 8 {
		for b := range 256 {
			for _, beside := range "0a9f" {
				text := [8]byte{}
				for i := range text {
					text[i] = byte(beside)
				}
				text[place] = byte(b)
				four, wrong := hex8(binary.LittleEndian.Uint64(text[:]))
				want, err := hex.DecodeString(string(text[:]))
				lower := b < 'A' || b > 'F'
				if (wrong == 0) != (err == nil && lower) {
					t.Fatalf("%q: wrong is %x, encoding/hex says %v", text, wrong, err)
				}
				if wrong == 0 && four != binary.LittleEndian.Uint32(want) {
					t.Fatalf("%q is read as %08x", text, four)
				}
			}
		}
	}
}
