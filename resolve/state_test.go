package resolve

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/boontorrent/boon/internal/rawlog"
)

// TestStorePrunes: what is done is known for thirty days, what failed for a week
// after it was due; more entries than one transaction looks at.
func TestStorePrunes(t *testing.T) {
	st, err := openStore(filepath.Join(t.TempDir(), "db"))
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = st.close() }()
	const day, now = 24 * 3600, 100 * 24 * 3600
	var old, late []settled
	for n := range uint64(pruneAtOnce + 500) {
		old = append(old, settled{hash: numbered(n), resolved: true})
	}
	late = append(late, settled{hash: numbered(1 << 40), resolved: true},
		settled{hash: numbered(1<<40 + 1), attempt: attempt{3, now - 8*day}}, settled{hash: numbered(1<<40 + 2), attempt: attempt{4, now - 6*day}})
	if err := st.record(old, now-31*day); err != nil {
		t.Fatal(err)
	}
	if err := st.record(late, now-29*day); err != nil {
		t.Fatal(err)
	}
	if err := st.prune(now); err != nil {
		t.Fatal(err)
	}
	var left []rawlog.ID
	if err := st.eachDone(func(h rawlog.ID, _ bool) { left = append(left, h) }); err != nil {
		t.Fatal(err)
	}
	if len(left) != 1 || left[0] != numbered(1<<40) {
		t.Errorf("%d are left", len(left))
	}
	if _, found := st.failed(numbered(1<<40 + 1)); found {
		t.Error("what was due eight days ago is remembered")
	}
	if a, found := st.failed(numbered(1<<40 + 2)); !found || a.tries != 4 || a.due != now-6*day {
		t.Errorf("%+v %v", a, found)
	}
}

// TestStoreDamaged says what to do.
func TestStoreDamaged(t *testing.T) {
	path := filepath.Join(t.TempDir(), "db")
	if err := os.WriteFile(path, []byte(strings.Repeat("no database", 1000)), 0o600); err != nil {
		t.Fatal(err)
	}
	if _, err := openStore(path); err == nil || !strings.Contains(err.Error(), "remove it") {
		t.Errorf("%v", err)
	}
}
