package main

import (
	"net"
	"path/filepath"
	"testing"
	"time"
)

// TestNotifyReady plays systemd: the socket that it names is told.
func TestNotifyReady(t *testing.T) {
	path := filepath.Join(t.TempDir(), "notify")
	l, err := net.ListenUnixgram("unixgram", &net.UnixAddr{Name: path, Net: "unixgram"})
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	t.Setenv("NOTIFY_SOCKET", path)
	notifyReady(t.Context())
	buf := make([]byte, 64)
	_ = l.SetReadDeadline(time.Now().Add(5 * time.Second))
	n, err := l.Read(buf)
	if err != nil || string(buf[:n]) != "READY=1" {
		t.Errorf("systemd is told %q (%v)", buf[:n], err)
	}
}

func TestParseSize(t *testing.T) {
	for s, want := range map[string]int64{
		"0": 0, "1": 1, "500M": 500 << 20, "20G": 20 << 30, "3T": 3 << 40, "7K": 7 << 10,
		"": -1, "G": -1, "-1": -1, "1.5G": -1, "20GB": -1, "20g": -1, "1KM": -1, "0x10": -1, " 1": -1, "99999999999T": -1,
	} {
		got, err := parseSize(s)
		if want < 0 && err == nil || want >= 0 && (err != nil || got != want) {
			t.Errorf("%q: %d, %v; want %d", s, got, err, want)
		}
	}
}
