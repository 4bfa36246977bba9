package search

import (
	"bufio"
	"bytes"
	"cmp"
	"container/heap"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"os"
	"slices"
)

// Limits of what an accumulator holds before it writes a run.
const (
	mostPairs     = 4 << 20
	mostTermBytes = 24 << 20
)

// accumulator gathers which term is in which document and writes sorted runs to a
// temporary file, so that memory does not grow with the index. One goroutine uses it
// at a time; the runs of several accumulators are merged.
type accumulator struct {
	temp   string // folder
	ids    map[string]uint32
	terms  []string
	seen   []uint32 // by term: the last document that had it, plus one
	bytes  int
	pairs  []uint64 // term << 32 | document
	doc    uint32
	file   *os.File
	starts []int64 // of the runs in file
}

func newAccumulator(temp string) *accumulator {
	return &accumulator{temp: temp, ids: map[string]uint32{}}
}

// begin starts a document. Its terms must come before another begins.
func (a *accumulator) begin(doc uint32) error {
	if len(a.pairs) >= mostPairs || a.bytes >= mostTermBytes {
		if err := a.spill(); err != nil {
			return err
		}
	}
	a.doc = doc
	return nil
}

// add says that the document has a term.
func (a *accumulator) add(term []byte) {
	if id := a.id(term); a.seen[id] != a.doc+1 {
		a.seen[id] = a.doc + 1
		a.pairs = append(a.pairs, uint64(id)<<32|uint64(a.doc))
	}
}

// pass makes a term of the document known, so that add passes over it.
func (a *accumulator) pass(term []byte) { a.seen[a.id(term)] = a.doc + 1 }

func (a *accumulator) id(term []byte) uint32 {
	id, ok := a.ids[string(term)]
	if !ok {
		id = uint32(len(a.terms))
		t := string(term)
		a.ids[t] = id
		a.terms, a.seen = append(a.terms, t), append(a.seen, 0)
		a.bytes += len(t) + 64
	}
	return id
}

// spill writes what there is as a run.
func (a *accumulator) spill() error {
	if a.file == nil {
		f, err := os.CreateTemp(a.temp, "terms-")
		if err != nil {
			return fmt.Errorf("make a temporary file for the index: %w", err)
		}
		a.file = f
		_ = os.Remove(f.Name()) // gone when it is closed, whatever happens
	}
	start, err := a.file.Seek(0, io.SeekEnd)
	if err != nil {
		return err
	}
	a.starts = append(a.starts, start)
	slices.Sort(a.pairs)
	first := make([]int, len(a.terms)+1) // of a term's pairs
	order := make([]uint32, 0, len(a.terms))
	at := 0
	for id := range a.terms {
		first[id] = at
		for at < len(a.pairs) && a.pairs[at]>>32 == uint64(id) {
			at++
		}
		if at > first[id] {
			order = append(order, uint32(id))
		}
	}
	first[len(a.terms)] = at
	slices.SortFunc(order, func(x, y uint32) int { return cmp.Compare(a.terms[x], a.terms[y]) })
	w := bufio.NewWriterSize(a.file, 1<<18)
	var b []byte
	for _, id := range order {
		list := a.pairs[first[id]:first[id+1]]
		b = binary.AppendUvarint(b[:0], uint64(len(a.terms[id])))
		b = append(b, a.terms[id]...)
		b = binary.AppendUvarint(b, uint64(len(list)))
		last := uint32(0)
		for _, p := range list {
			b = binary.AppendUvarint(b, uint64(uint32(p)-last))
			last = uint32(p)
		}
		if _, err := w.Write(b); err != nil {
			return fmt.Errorf("write a run of the index: %w", err)
		}
	}
	clear(a.ids)
	a.terms, a.seen, a.pairs, a.bytes = a.terms[:0], a.seen[:0], a.pairs[:0], 0
	return w.Flush()
}

// close gives the temporary file back.
func (a *accumulator) close() {
	if a.file != nil {
		_ = a.file.Close()
	}
}

// run reads one run.
type run struct {
	in   *bufio.Reader
	term []byte
	docs []uint32
}

// next reads a term and its documents, io.EOF after the last.
func (r *run) next() error {
	n, err := binary.ReadUvarint(r.in)
	if err != nil {
		return err
	}
	r.term = slices.Grow(r.term[:0], int(n))[:n]
	if _, err := io.ReadFull(r.in, r.term); err != nil {
		return fmt.Errorf("read a run of the index: %w", err)
	}
	count, err := binary.ReadUvarint(r.in)
	if err != nil {
		return fmt.Errorf("read a run of the index: %w", err)
	}
	r.docs = r.docs[:0]
	last := uint64(0)
	for range count {
		d, err := binary.ReadUvarint(r.in)
		if err != nil {
			return fmt.Errorf("read a run of the index: %w", err)
		}
		last += d
		r.docs = append(r.docs, uint32(last))
	}
	return nil
}

// merge spills what is left and gives each term of all accumulators once, in the order
// of bytes, with its documents in rising order. Both hold until emit returns.
func merge(all []*accumulator, emit func(term []byte, docs []uint32) error) error {
	var runs runHeap
	for _, a := range all {
		if err := a.spill(); err != nil {
			return err
		}
		for i, start := range a.starts {
			end, err := a.file.Seek(0, io.SeekEnd)
			if err != nil {
				return err
			}
			if i+1 < len(a.starts) {
				end = a.starts[i+1]
			}
			r := &run{in: bufio.NewReaderSize(io.NewSectionReader(a.file, start, end-start), 1<<16)}
			switch err := r.next(); {
			case err == nil:
				runs = append(runs, r)
			case !errors.Is(err, io.EOF):
				return err
			}
		}
	}
	heap.Init(&runs)
	var term []byte
	var docs []uint32
	for len(runs) > 0 {
		term, docs = append(term[:0], runs[0].term...), docs[:0]
		for len(runs) > 0 && bytes.Equal(runs[0].term, term) {
			docs = append(docs, runs[0].docs...)
			switch err := runs[0].next(); {
			case err == nil:
				heap.Fix(&runs, 0)
			case errors.Is(err, io.EOF):
				heap.Pop(&runs)
			default:
				return err
			}
		}
		slices.Sort(docs)
		if err := emit(term, slices.Compact(docs)); err != nil {
			return err
		}
	}
	return nil
}

// runHeap has the run with the first term on top.
type runHeap []*run

func (h runHeap) Len() int           { return len(h) }
func (h runHeap) Less(i, j int) bool { return bytes.Compare(h[i].term, h[j].term) < 0 }
func (h runHeap) Swap(i, j int)      { h[i], h[j] = h[j], h[i] }

// Push adds a run.
func (h *runHeap) Push(x any) { *h = append(*h, x.(*run)) }

// Pop takes the last.
func (h *runHeap) Pop() any {
	last := len(*h) - 1
	r := (*h)[last]
	*h = (*h)[:last]
	return r
}
