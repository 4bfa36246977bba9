package process

import (
	"bytes"
	"errors"
	"os"
	"strconv"
	"strings"
	"syscall"
)

// Self is this program's ID, zero where /proc is not there or is another
// namespace's.
func Self() ID {
	self, err := os.Readlink("/proc/self")
	if err != nil || self != strconv.Itoa(os.Getpid()) {
		return ID{}
	}
	boot, err := os.ReadFile("/proc/sys/kernel/random/boot_id")
	if err != nil {
		return ID{}
	}
	numbers, err := os.Readlink("/proc/self/ns/pid")
	if err != nil {
		return ID{}
	}
	times, err := os.Readlink("/proc/self/ns/time")
	if err != nil && !errors.Is(err, os.ErrNotExist) { // older kernels have none
		return ID{}
	}
	_, start, ok := stat(os.Getpid())
	if !ok {
		return ID{}
	}
	return ID{Boot: strings.TrimSpace(string(boot)), Namespaces: numbers + " " + times, Number: os.Getpid(), Start: start}
}

// State tells whether the program that has the ID is running.
func (id ID) State() State {
	self := Self()
	if self == (ID{}) || id.Boot != self.Boot || id.Namespaces != self.Namespaces || id.Number <= 0 {
		return Unknown
	}
	// A /proc that hides the programs of others does not deceive a signal.
	if err := syscall.Kill(id.Number, 0); errors.Is(err, syscall.ESRCH) {
		return Dead
	}
	state, start, ok := stat(id.Number)
	switch {
	case !ok:
		return Unknown
	case start != id.Start || state == 'Z' || state == 'X': // the last two have ended and wait for their parent to look
		return Dead
	}
	return Running
}

// stat reads a program's state and start from /proc.
func stat(number int) (state byte, start uint64, ok bool) {
	b, err := os.ReadFile("/proc/" + strconv.Itoa(number) + "/stat")
	if err != nil {
		return 0, 0, false
	}
	// The name, in brackets, may hold any byte. State is the first field after it, start the twentieth.
	fields := bytes.Fields(b[bytes.LastIndexByte(b, ')')+1:])
	if len(fields) < 20 || len(fields[0]) != 1 {
		return 0, 0, false
	}
	start, err = strconv.ParseUint(string(fields[19]), 10, 64)
	return fields[0][0], start, err == nil
}
