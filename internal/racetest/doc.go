// Package racetest tells tests whether the race detector is at work, which makes
// what allocates much ten times as slow. A test that does less under it is run
// without it, too, by `make unit`.
package racetest
