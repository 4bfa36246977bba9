package etl

import "math/rand/v2"

// numberSet gives distinct 32-bit numbers (addresses, networks) the numbers 0,
// 1, 2 … in the order in which they come: an open table that is emptied, not
// freed, between buckets.
type numberSet struct {
	slots []uint64 // the number in the upper half, its index + 1 in the lower
	used  int      // slots
	n     uint32
	salt  uint64 // keeps those who choose addresses from choosing slots
}

// reset empties the set, keeping its memory.
func (s *numberSet) reset() {
	if s.slots == nil {
		s.slots = make([]uint64, 1<<10)
		s.salt = rand.Uint64() | 1
	}
	clear(s.slots)
	s.used, s.n = 0, 0
}

// number is v's number; fresh tells that it is new.
func (s *numberSet) number(v uint32) (number uint32, fresh bool) {
	at := s.find(v)
	if slot := s.slots[at]; slot != 0 {
		return uint32(slot) - 1, false
	}
	s.n++
	s.slots[at] = uint64(v)<<32 | uint64(s.n)
	if s.used++; 2*s.used > len(s.slots) {
		s.grow()
	}
	return s.n - 1, true
}

// find is the slot of v, an empty one where it is not there yet.
func (s *numberSet) find(v uint32) uint64 {
	mask := uint64(len(s.slots) - 1)
	at := mix(uint64(v)^s.salt) & mask
	for s.slots[at] != 0 && uint32(s.slots[at]>>32) != v {
		at = (at + 1) & mask
	}
	return at
}

// grow doubles the slots.
func (s *numberSet) grow() {
	old := s.slots
	s.slots = make([]uint64, 2*len(old))
	for _, slot := range old {
		if slot != 0 {
			s.slots[s.find(uint32(slot>>32))] = slot
		}
	}
}

// skip gives a number to something that is not in the set.
func (s *numberSet) skip() uint32 {
	s.n++
	return s.n - 1
}
