package peertest

import (
	"bufio"
	"context"
	_ "embed"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"net"
	"net/netip"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

//go:embed seeder.py
var seederScript string

// Torrent is one that a real client made of files, as the client tells of it.
type Torrent struct {
	Version    string  `json:"version"` // v1, v2, hybrid
	Infohash   hexHash `json:"infohash"`
	InfohashV2 string  `json:"infohash_v2"`
	File       string  `json:"torrent"` // the .torrent file
	Name       string  `json:"name"`
	Files      []File  `json:"files"`
}

// File is one of a torrent's.
type File struct {
	Path   string `json:"path"` // the torrent's name first
	Length int64  `json:"length"`
	Pad    bool   `json:"pad"`
}

type hexHash [20]byte

// UnmarshalText reads hex.
func (h *hexHash) UnmarshalText(b []byte) error {
	if n, err := hex.Decode(h[:], b); err != nil || n != len(h) {
		return fmt.Errorf("%q is no info-hash", b)
	}
	return nil
}

// Seeder is a session of libtorrent that seeds.
type Seeder struct {
	Addr      netip.AddrPort `json:"-"`
	Address   netip.Addr     `json:"address"`
	UTP       bool           `json:"utp"`       // and nothing else
	Encrypted bool           `json:"encrypted"` // and nothing else; otherwise never
}

// Libtorrent makes torrents in a folder and seeds them with sessions of
// libtorrent until the test ends. They announce them in the DHT of bootstrap
// (host:port, with commas between), if it is not empty.
func Libtorrent(t testing.TB, python, dir, bootstrap string) ([]Torrent, []Seeder) {
	t.Helper()
	var seeders []Seeder
	for _, utp := range []bool{false, true} {
		for _, encrypted := range []bool{false, true} {
			seeders = append(seeders, Seeder{Address: FreshAddr(), UTP: utp, Encrypted: encrypted})
		}
	}
	job, err := json.Marshal(map[string]any{"dir": dir, "bootstrap": bootstrap, "sessions": seeders})
	if err != nil {
		t.Fatal(err)
	}
	cmd := exec.CommandContext(t.Context(), python, "-W", "ignore", "-c", seederScript)
	cmd.Stderr = os.Stderr
	in, err1 := cmd.StdinPipe()
	out, err2 := cmd.StdoutPipe()
	if err1 != nil || err2 != nil {
		t.Fatal(err1, err2)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		in.Close()
		_ = cmd.Wait() // the test's context ends it, if nothing else
	})
	if _, err := fmt.Fprintf(in, "%s\n", job); err != nil {
		t.Fatal(err)
	}
	var told struct {
		Torrents []Torrent `json:"torrents"`
		Ports    []uint16  `json:"ports"`
	}
	if err := json.NewDecoder(bufio.NewReader(out)).Decode(&told); err != nil {
		t.Fatalf("libtorrent does not seed: %v", err)
	}
	for i := range seeders {
		seeders[i].Addr = netip.AddrPortFrom(seeders[i].Address, told.Ports[i])
	}
	return told.Torrents, seeders
}

// Aria2 seeds a torrent of version 1 with aria2, encrypted handshakes only if
// asked for, until the test ends. Where there is no aria2, the test is skipped.
func Aria2(t testing.TB, torrent, dir string, encrypted bool) netip.AddrPort {
	t.Helper()
	at := freePort(t, netip.MustParseAddr("127.0.0.1")) // aria2 listens on all addresses
	launch(t, "aria2c", "--no-conf", "--quiet", "--dir="+dir, "--seed-ratio=0.0", "--check-integrity=true", "--bt-seed-unverified=true",
		fmt.Sprintf("--listen-port=%d", at.Port()), "--enable-dht=false", "--bt-enable-lpd=false", "--enable-peer-exchange=false",
		fmt.Sprintf("--bt-require-crypto=%v", encrypted), torrent)
	awaitPort(t, at)
	return at
}

// Transmission seeds a torrent of version 1 with transmission, over TCP and uTP,
// until the test ends. Where there is no transmission, the test is skipped.
func Transmission(t testing.TB, torrent, dir string, encrypted bool) netip.AddrPort {
	t.Helper()
	at, rpc := freePort(t, FreshAddr()), freePort(t, netip.MustParseAddr("127.0.0.1"))
	home, watched := t.TempDir(), t.TempDir()
	made, err := os.ReadFile(torrent)
	if err == nil {
		err = os.WriteFile(filepath.Join(watched, "x.torrent"), made, 0o600)
	}
	if err != nil {
		t.Fatal(err)
	}
	preference := "--encryption-tolerated"
	if encrypted {
		preference = "--encryption-required"
	}
	launch(t, "transmission-daemon", "--foreground", "--config-dir", home, "--download-dir", dir, "--watch-dir", watched,
		"--bind-address-ipv4", at.Addr().String(), "--peerport", fmt.Sprint(at.Port()), "--rpc-bind-address", "127.0.0.1", "--port", fmt.Sprint(rpc.Port()),
		"--no-dht", "--no-lpd", "--utp", "--no-portmap", preference)
	awaitPort(t, at)
	return at
}

// launch runs a program until the test ends.
func launch(t testing.TB, name string, args ...string) {
	t.Helper()
	program, err := exec.LookPath(name)
	if err != nil {
		t.Skipf("%s is not installed", name)
	}
	cmd := exec.CommandContext(t.Context(), program, args...)
	var said strings.Builder
	cmd.Stdout, cmd.Stderr = &said, &said
	cmd.Cancel = func() error { return cmd.Process.Signal(os.Interrupt) }
	cmd.WaitDelay = 5 * time.Second
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		_ = cmd.Wait()
		if t.Failed() {
			t.Logf("%s said: %s", name, said.String())
		}
	})
}

func freePort(t testing.TB, a netip.Addr) netip.AddrPort {
	t.Helper()
	l, err := new(net.ListenConfig).Listen(t.Context(), "tcp", netip.AddrPortFrom(a, 0).String())
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	return l.Addr().(*net.TCPAddr).AddrPort()
}

// awaitPort waits until somebody listens.
func awaitPort(t testing.TB, at netip.AddrPort) {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
	defer cancel()
	for {
		c, err := new(net.Dialer).DialContext(ctx, "tcp", at.String())
		if err == nil {
			c.Close()
			return
		}
		select {
		case <-time.After(50 * time.Millisecond):
		case <-ctx.Done():
			t.Fatalf("nobody listens: %v", err)
		}
	}
}
