package etl

import "testing"

// Memory of a bucket serves again, but not what one large bucket had for all the
// small ones after it.
func TestSpares(t *testing.T) {
	var s spares
	fits := &sortedRows{rows: make([]byte, 80, 100)}
	s.give(fits)
	s.give(&sortedRows{rows: make([]byte, 10, 100)})
	if s.take() != fits {
		t.Error("memory that a bucket filled is not used again")
	}
	if got := s.take(); cap(got.rows) != 0 {
		t.Errorf("a bucket of 10 bytes leaves %d to the next", cap(got.rows))
	}
}
