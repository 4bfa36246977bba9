package dhttest

import (
	"bufio"
	"bytes"
	_ "embed"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"net/netip"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
)

//go:embed client.py
var clientScript string

// Job says what sessions of libtorrent are to do.
type Job struct {
	Sessions   int      `json:"sessions"`
	Bootstrap  string   `json:"bootstrap"` // host:port, with commas between
	Watch      string   `json:"watch"`     // whose packets to report
	Infohashes []string `json:"infohashes"`
	Seconds    int      `json:"seconds"` // at least; ten times as long, while too little was sent

	AtLeast map[string]int `json:"atleast"` // packets to Watch, by method
}

// Sent is a packet that a session says it sent.
type Sent struct {
	From   netip.AddrPort
	Packet []byte
}

// Libtorrent runs the sessions to their end and returns what they sent to the
// watched address. Where no Python has libtorrent, the test is skipped: the
// interpreter is $BOON_PYTHON, or that of .tools in the folder above the test's.
func Libtorrent(t testing.TB, job Job) []Sent {
	t.Helper()
	python := Python(t)
	input, err := json.Marshal(job)
	if err != nil {
		t.Fatal(err)
	}
	cmd := exec.CommandContext(t.Context(), python, "-c", clientScript)
	cmd.Stdin = bytes.NewReader(input)
	var complaints strings.Builder
	cmd.Stderr = &complaints
	out, err := cmd.Output()
	if err != nil {
		t.Fatalf("libtorrent: %v\n%s", err, complaints.String())
	}
	sent, err := parseSent(out)
	if err != nil {
		t.Fatal(err)
	}
	return sent
}

// Python returns an interpreter that has libtorrent, or skips the test:
// $BOON_PYTHON, or that of .tools in the folder above the test's.
func Python(t testing.TB) string {
	t.Helper()
	python := os.Getenv("BOON_PYTHON")
	if python == "" {
		python = filepath.Join("..", ".tools", "venv", "bin", "python")
	}
	if err := exec.CommandContext(t.Context(), python, "-c", "import libtorrent").Run(); err != nil {
		t.Skipf("no libtorrent for Python (%s); set BOON_PYTHON to one that has it", python)
	}
	return python
}

func parseSent(out []byte) ([]Sent, error) {
	var all []Sent
	for lines := bufio.NewScanner(bytes.NewReader(out)); lines.Scan(); {
		var line struct {
			From   netip.AddrPort `json:"from"`
			Packet string         `json:"packet"`
		}
		if err := json.Unmarshal(lines.Bytes(), &line); err != nil {
			return nil, fmt.Errorf("libtorrent's report: %w", err)
		}
		packet, err := hex.DecodeString(line.Packet)
		if err != nil {
			return nil, fmt.Errorf("libtorrent's report: %w", err)
		}
		all = append(all, Sent{line.From, packet})
	}
	return all, nil
}
