package column

// run is n rows of one index.
type run struct{ index, n uint32 }

// runs are rows kept as runs. No two neighbours have the same index.
type runs struct {
	list []run
	rows int
	done int // runs of the list that were moved away
}

func (r *runs) reset() { r.list, r.rows, r.done = r.list[:0], 0, 0 }

// add appends n rows, which may be none.
func (r *runs) add(index uint32, n int) {
	if n == 0 {
		return
	}
	r.rows += n
	if last := len(r.list) - 1; last >= r.done && r.list[last].index == index {
		r.list[last].n += uint32(n)
		return
	}
	r.list = append(r.list, run{index, uint32(n)})
}

// move makes the first n rows those of to. Before more rows are added, shift
// must be called.
func (r *runs) move(to *runs, n int) {
	to.reset()
	r.rows -= n
	for n > 0 {
		first := &r.list[r.done]
		take := min(n, int(first.n))
		to.add(first.index, take)
		n -= take
		if first.n -= uint32(take); first.n == 0 {
			r.done++
		}
	}
}

// shift gives up the runs that were moved away.
func (r *runs) shift() { r.list, r.done = drop(r.list, r.done), 0 }

// appendRows appends the index of each row.
func (r *runs) appendRows(dst []uint32) []uint32 {
	for _, x := range r.list {
		for range x.n {
			dst = append(dst, x.index)
		}
	}
	return dst
}
