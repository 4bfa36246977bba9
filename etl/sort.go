package etl

import "math/bits"

// entry is something under sorting: its key (of a row, the rank of its requester
// and the µs of the day in one number), where it lies, and room for what goes
// with it.
type entry struct {
	key  uint64
	off  uint32
	more uint32
}

// fewEntries are put in order one by one.
const fewEntries = 16

// sortEntries sorts by key, keeping the order of equal keys. The result may lie
// in spare, which is then the entries' memory.
//
// Entries are spread by the leading bits in which they differ into about as many
// groups as there are entries, and each group again, until few are left: keys
// are mostly random numbers or dense ranks, so that is soon. Each round passes
// over bits for good, so nobody's choice of numbers makes more than sixteen.
func sortEntries(entries []entry, spare *[]entry) []entry {
	if cap(*spare) < len(entries) {
		*spare = make([]entry, len(entries))
	}
	to := (*spare)[:len(entries)]
	spreadEntries(entries, to, false)
	*spare = entries
	return to
}

// spreadEntries sorts from into to, or, if it stays, within from; the other is
// for scratch.
func spreadEntries(from, to []entry, stay bool) {
	var differ uint64
	if len(from) > fewEntries {
		for _, e := range from {
			differ |= e.key ^ from[0].key
		}
	} else {
		insertEntries(from)
	}
	if differ == 0 {
		if !stay {
			copy(to, from)
		}
		return
	}
	const most, usual = 11, 8
	width := min(bits.Len64(differ), bits.Len(uint(len(from)))-1, most)
	shift := bits.Len64(differ) - width
	if width > usual {
		var at [1 << most]uint32
		spreadGroups(from, to, stay, at[:1<<width], shift)
	} else {
		var at [1 << usual]uint32
		spreadGroups(from, to, stay, at[:1<<width], shift)
	}
}

// spreadGroups puts entries into the groups that the bits from shift on tell,
// and sorts each; at is a count of zero for each group.
func spreadGroups(from, to []entry, stay bool, at []uint32, shift int) {
	mask := uint64(len(at) - 1)
	for _, e := range from {
		at[e.key>>shift&mask]++
	}
	sum := uint32(0)
	for i, n := range at {
		at[i] = sum
		sum += n
	}
	for _, e := range from {
		d := e.key >> shift & mask
		to[at[d]] = e
		at[d]++
	}
	first := uint32(0)
	for _, end := range at {
		if end > first {
			spreadEntries(to[first:end], from[first:end], !stay)
		}
		first = end
	}
}

// insertEntries sorts a few.
func insertEntries(entries []entry) {
	for i := 1; i < len(entries); i++ {
		e := entries[i]
		j := i
		for ; j > 0 && entries[j-1].key > e.key; j-- {
			entries[j] = entries[j-1]
		}
		entries[j] = e
	}
}
