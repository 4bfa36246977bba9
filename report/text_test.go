package report

import "testing"

func TestBytes(t *testing.T) {
	for n, want := range map[int64]string{0: "0\u00a0bytes", 1: "1\u00a0byte", 2: "2\u00a0bytes", 999: "999\u00a0bytes", 1000: "1.0\u00a0kB", 1_400_000_000: "1.4\u00a0GB",
		99_500: "100\u00a0kB", 999_499: "999\u00a0kB", 999_500: "1.0\u00a0MB", 1<<63 - 1: "9.2\u00a0EB"} {
		if got := Bytes(n); got != want {
			t.Errorf("%d is %q, not %q", n, got, want)
		}
	}
}
