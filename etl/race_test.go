//go:build race

package etl_test

// raced: the race detector makes what allocates much ten times as slow.
const raced = true
