package geo

import (
	"net/netip"
)

// Found tells which place an address has without saying what it is.
type Found struct {
	// Record is the same for addresses of one place in one DB, 0 where nothing is known.
	Record uint64
	// Bits is how many leading bits of the address decide: all addresses that
	// share them have the same place. It is never less than 8.
	Bits int
}

const (
	record6  = 1 << 63 // marks records of IPv6 addresses, whose files may be others
	netBits4 = 24      // decide whether an IPv4 address is a bogon
)

// Find is Lookup for callers that keep places by themselves: it follows the
// databases' trees and reads no record. It may be called from several goroutines.
func (db *DB) Find(a netip.Addr) Found {
	if db == nil {
		return Found{Bits: 8}
	}
	outer := a
	a, ok := public(a)
	if outer.Unmap().Is6() {
		f := Found{Bits: 128}
		if ok {
			city, asn := db.sources(a)
			c, _ := db.offset(city, a)
			n, _ := db.offset(asn, a)
			f.Record = join(c, n)
			if f.Record != 0 {
				f.Record |= record6
			}
		}
		return f
	}
	if !ok {
		return Found{Bits: netBits4}
	}
	c, cBits := db.offset(db.city, a)
	n, nBits := db.offset(db.asn, a)
	return Found{Record: join(c, n), Bits: max(cBits, nBits, netBits4)}
}

// join makes one number of two offsets in databases of at most 2 GiB.
func join(city, asn uint64) uint64 { return city<<32 | asn }

// offset is one more than where the address's record lies, 0 where there is none.
func (db *DB) offset(s *source, a netip.Addr) (at uint64, bits int) {
	if s == nil || a.Is6() && !s.has6() {
		return 0, 0
	}
	at, bits, err := s.offset(a)
	if err != nil {
		db.damaged.Add(1)
		return 0, 128 // decides nothing about its neighbours
	}
	return at, bits
}

func (s *source) offset(a netip.Addr) (at uint64, bits int, err error) {
	defer recoverAs(&err)
	res := s.reader.Lookup(a)
	if err := res.Err(); err != nil {
		return 0, 0, err
	}
	p := res.Prefix()
	bits = p.Bits()
	if a.Is4() && p.Addr().Is6() {
		bits = max(bits-96, 0)
	}
	if !res.Found() {
		return 0, bits, nil
	}
	return uint64(res.Offset()) + 1, bits, nil
}
