//go:build !linux

package main

// peakBytes reads getrusage's greatest resident size, which is in bytes here.
func peakBytes(maxrss int64) int64 { return maxrss }
