package main

import (
	"bufio"
	"bytes"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"syscall"
	"testing"
	"time"

	"github.com/boontorrent/boon/internal/process"
)

// A boon etl that is killed with SIGKILL does not keep the next one from its work,
// whether its parent has looked at its end or not.
func TestKilledIsNotWaitedFor(t *testing.T) {
	if process.Self() == (process.ID{}) {
		t.Skip("this system does not tell processes apart")
	}
	dir := t.TempDir()
	mustRun(t, "synth", "--lake", dir, "--events", "60000", "--seed", "9")
	lease := filepath.Join(dir, "lease", "etl.json")
	for _, reaped := range []bool{true, false} {
		killed := exec.Command("boon", "etl", "--lake", dir, "--force")
		if err := killed.Start(); err != nil {
			t.Fatal(err)
		}
		for {
			if _, err := os.Stat(lease); err == nil {
				break
			} else if !errors.Is(err, fs.ErrNotExist) {
				t.Fatal(err)
			}
			time.Sleep(time.Millisecond)
		}
		if err := killed.Process.Signal(syscall.SIGSTOP); err != nil { // else it might be done before the next one looks
			t.Fatal(err)
		}
		if out, err := exec.Command("boon", "etl", "--lake", dir).CombinedOutput(); err == nil || !bytes.Contains(out, []byte("another boon etl is at work on this lake")) {
			t.Fatalf("beside one that is alive: %v\n%s", err, out)
		}
		if err := killed.Process.Kill(); err != nil {
			t.Fatal(err)
		}
		if reaped {
			_ = killed.Wait()
		} else {
			awaitZombie(t, killed.Process.Pid)
		}
		if _, err := os.Stat(lease); err != nil {
			t.Fatalf("it ended before it was killed: %v", err)
		}
		out, err := exec.Command("boon", "etl", "--lake", dir).CombinedOutput()
		if err != nil || bytes.Contains(out, []byte("waiting")) {
			t.Errorf("after one that was killed: %v\n%s", err, out)
		}
		mustRun(t, "verify", "--lake", dir)
		if !reaped {
			_ = killed.Wait()
		}
	}
}

// awaitZombie waits until a child has ended, without looking at its end.
func awaitZombie(t *testing.T, pid int) {
	t.Helper()
	for {
		stat, err := os.ReadFile(fmt.Sprintf("/proc/%d/stat", pid))
		if err != nil {
			t.Fatal(err)
		}
		if bytes.Contains(stat, []byte(") Z ")) {
			return
		}
		time.Sleep(time.Millisecond)
	}
}

// One who waits for another machine's lease says so, and can be interrupted.
func TestWaitingIsToldAndEnds(t *testing.T) {
	for _, verb := range []string{"etl", "gc"} {
		dir := t.TempDir()
		mustRun(t, "synth", "--lake", dir, "--events", "2000", "--seed", "9")
		lease, text := filepath.Join(dir, "lease", "etl.json"), []byte(`{"holder":"elsewhere, process 7","until":"1970-01-01T00:00:00Z","seconds":120}`)
		if err := errors.Join(os.Mkdir(filepath.Dir(lease), 0o755), os.WriteFile(lease, text, 0o600)); err != nil {
			t.Fatal(err)
		}
		cmd := exec.Command("boon", verb, "--lake", dir)
		stderr, err := cmd.StderrPipe()
		if err == nil {
			err = cmd.Start()
		}
		if err != nil {
			t.Fatal(err)
		}
		told := regexp.MustCompile(`elsewhere, process 7 holds the lake's lease.* (2m0s|1m5\ds) left`)
		interrupted := false
		for said := bufio.NewScanner(stderr); said.Scan(); {
			if !interrupted && told.MatchString(said.Text()) {
				interrupted = true
				if err := cmd.Process.Signal(syscall.SIGINT); err != nil {
					t.Error(err)
				}
			}
		}
		if err := cmd.Wait(); cmd.ProcessState.ExitCode() != exitInterrupted {
			t.Errorf("boon %s, interrupted: %v", verb, err)
		}
		if b, err := os.ReadFile(lease); err != nil || !bytes.Equal(b, text) {
			t.Errorf("the other's lease: %s, %v", b, err)
		}
		if out, err := exec.Command("boon", "etl", "--lake", dir, "--break-lease").CombinedOutput(); err != nil {
			t.Errorf("--break-lease: %v\n%s", err, out)
		}
	}
}
