// Package process tells whether a program that left its name in a lake is
// still running, as far as this machine can know.
package process

// ID names a running program: the boot of its machine, its namespaces, its
// number there and when it was started. Another program never has the same,
// also after its number is given out again. The zero ID names none.
type ID struct {
	Boot       string `json:"boot"`
	Namespaces string `json:"namespaces"` // of numbers and of times
	Number     int    `json:"pid"`
	Start      uint64 `json:"start"` // clock ticks since boot
}

// State is what is known of a program.
type State int

// States. A program on another machine, or in another container, is Unknown.
const (
	Unknown State = iota
	Running
	Dead
)
