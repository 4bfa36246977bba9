package collect

import (
	"crypto/sha1" // BEP 33 says so
	"net/netip"
)

// bloom is a filter of addresses as BEP 33 has it: 2048 bits, two for each
// address.
type bloom [256]byte

func (f *bloom) add(a netip.Addr) {
	var sum [sha1.Size]byte
	if a.Is4() {
		b := a.As4()
		sum = sha1.Sum(b[:])
	} else {
		b := a.As16()
		sum = sha1.Sum(b[:])
	}
	for i := 0; i < 4; i += 2 {
		bit := (int(sum[i]) | int(sum[i+1])<<8) % (8 * len(f))
		f[bit/8] |= 1 << (bit % 8)
	}
}
