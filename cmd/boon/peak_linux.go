package main

// peakBytes reads getrusage's greatest resident size, which Linux gives in KiB.
func peakBytes(maxrss int64) int64 { return maxrss << 10 }
