package etl

import "sync"

// spares keeps the memory of sorted buckets for the next: what the garbage
// collector took would have to be cleared anew each time.
type spares struct {
	mu   sync.Mutex
	free []*sortedRows
}

func (s *spares) take() *sortedRows {
	s.mu.Lock()
	defer s.mu.Unlock()
	n := len(s.free) - 1
	if n < 0 {
		return &sortedRows{}
	}
	out := s.free[n]
	s.free = s.free[:n]
	return out
}

// give takes a bucket's memory back, unless that is far more than the bucket
// needed: else all would become as large as the largest.
func (s *spares) give(r *sortedRows) {
	if cap(r.rows) > len(r.rows)+len(r.rows)/2 {
		return
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	s.free = append(s.free, r)
}
