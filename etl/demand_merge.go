package etl

import (
	"bufio"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
)

// wants reads one row group's part of demand from a spill.
type wants struct {
	in        *bufio.Reader
	now       want
	prefix    uint64            // of the info-hash, by which most are told apart
	countries map[string]string // of all parts, each held once
}

const (
	wantHead    = 20 + 1 // bytes of a want before its country
	wantNumbers = 5      // and how many numbers follow it
)

func (w *wants) next() error {
	head, err := w.in.Peek(wantHead)
	switch {
	case len(head) == 0:
		return err // io.EOF at the end
	case len(head) < wantHead:
		return unexpected(err)
	}
	size := wantHead + int(head[wantHead-1])
	b, err := w.in.Peek(size + wantNumbers*binary.MaxVarintLen64)
	if len(b) <= size {
		return unexpected(err)
	}
	w.now.hash = [20]byte(b)
	w.prefix = binary.BigEndian.Uint64(b)
	if country := b[wantHead:size]; w.now.country != string(country) {
		known, ok := w.countries[string(country)]
		if !ok {
			known = string(country)
			w.countries[known] = known
		}
		w.now.country = known
	}
	for _, p := range [wantNumbers]*int64{&w.now.requesters, &w.now.networks, &w.now.queries, &w.now.announces, &w.now.seeders} {
		v, n := binary.Uvarint(b[size:])
		if n <= 0 {
			return io.ErrUnexpectedEOF
		}
		*p = int64(v)
		size += n
	}
	_, err = w.in.Discard(size)
	return err
}

// unexpected keeps the end of the input within a want from passing for the end.
func unexpected(err error) error {
	if errors.Is(err, io.EOF) {
		return io.ErrUnexpectedEOF
	}
	return err
}

func (w *wants) before(o *wants) bool {
	if w.prefix != o.prefix {
		return w.prefix < o.prefix
	}
	return w.now.compare(&o.now) < 0
}

// merge is a heap of parts by their next want.
type merge []*wants

// settle moves the i-th part down to where it belongs.
func (m merge) settle(i int) {
	for {
		child := 2*i + 1
		if child >= len(m) {
			return
		}
		if right := child + 1; right < len(m) && m[right].before(m[child]) {
			child = right
		}
		if !m[child].before(m[i]) {
			return
		}
		m[i], m[child] = m[child], m[i]
		i = child
	}
}

// openMerge begins to read the parts, and leaves empty ones out.
func openMerge(parts []io.Reader) (merge, error) {
	var m merge
	countries := map[string]string{}
	for _, p := range parts {
		w := &wants{in: bufio.NewReaderSize(p, 32<<10), countries: countries}
		err := w.next()
		if errors.Is(err, io.EOF) {
			continue
		}
		if err != nil {
			return nil, fmt.Errorf("read a temporary file: %w", err)
		}
		m = append(m, w)
	}
	for i := len(m)/2 - 1; i >= 0; i-- {
		m.settle(i)
	}
	return m, nil
}

// mergeWants calls each with every row of demand, in order, added up over the parts.
func mergeWants(parts []io.Reader, each func(*want) error) error {
	m, err := openMerge(parts)
	if err != nil {
		return err
	}
	var sum want
	for begun := false; len(m) > 0; begun = true {
		top := m[0]
		if begun && sum.hash == top.now.hash && sum.country == top.now.country {
			sum.add(&top.now)
		} else {
			if begun {
				if err := each(&sum); err != nil {
					return err
				}
			}
			sum = top.now
		}
		switch err := top.next(); {
		case errors.Is(err, io.EOF):
			m[0] = m[len(m)-1]
			m = m[:len(m)-1]
		case err != nil:
			return fmt.Errorf("read a temporary file: %w", err)
		}
		m.settle(0)
	}
	if sum.requesters > 0 {
		return each(&sum)
	}
	return nil
}
