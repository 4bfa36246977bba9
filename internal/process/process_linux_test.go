package process

import (
	"io"
	"os/exec"
	"testing"
)

// child starts a program that ends when its standard input does.
func child(t *testing.T) (id ID, kill func(), reap func()) {
	t.Helper()
	cmd := exec.Command("cat")
	in, err := cmd.StdinPipe()
	if err != nil {
		t.Fatal(err)
	}
	out, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { in.Close() })
	id = Self()
	id.Number = cmd.Process.Pid
	_, start, ok := stat(id.Number)
	if !ok {
		t.Fatal("the child is not in /proc")
	}
	id.Start = start
	kill = func() {
		if err := cmd.Process.Kill(); err != nil {
			t.Fatal(err)
		}
		if _, err := io.ReadAll(out); err != nil { // until it has ended
			t.Fatal(err)
		}
	}
	return id, kill, func() {
		if err := cmd.Wait(); err == nil {
			t.Error("a killed child ended well")
		}
	}
}

func TestState(t *testing.T) {
	first := Self()
	if first == (ID{}) {
		t.Skip("/proc is not there, or another namespace's")
	}
	if again := Self(); again != first || first.State() != Running {
		t.Errorf("this program: %+v, then %+v, state %d", first, again, first.State())
	}
	id, kill, reap := child(t)
	if s := id.State(); s != Running {
		t.Errorf("a running child: %d", s)
	}
	for name, other := range map[string]ID{
		"nobody":            {},
		"another machine":   {"0b7e", id.Namespaces, id.Number, id.Start},
		"another container": {id.Boot, "pid:[1] time:[1]", id.Number, id.Start},
		"no number":         {id.Boot, id.Namespaces, 0, id.Start},
		"a group of them":   {id.Boot, id.Namespaces, -1, id.Start},
	} {
		if s := other.State(); s != Unknown {
			t.Errorf("%s: %d", name, s)
		}
	}
	older := id
	older.Start--
	if s := older.State(); s != Dead {
		t.Errorf("one whose number was given out again: %d", s)
	}
	kill()
	for id.State() == Running { // its pipe may be closed a moment before it is a zombie
	}
	if s := id.State(); s != Dead {
		t.Errorf("a zombie: %d", s)
	}
	reap()
	if s := id.State(); s != Dead {
		t.Errorf("one that is gone: %d", s)
	}
}
