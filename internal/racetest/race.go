//go:build race

package racetest

// Enabled is whether the detector is at work.
const Enabled = true
