package etl_test

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	gocmp "github.com/google/go-cmp/cmp"

	"github.com/boontorrent/boon/etl"
	"github.com/boontorrent/boon/internal/lake"
)

// tmpfs mounts a file system of so many bytes.
func tmpfs(t *testing.T, size string) string {
	t.Helper()
	dir := t.TempDir()
	err := syscall.Mount("tmpfs", dir, "tmpfs", 0, "size="+size)
	if errors.Is(err, syscall.EPERM) || errors.Is(err, syscall.EACCES) {
		t.Skip("only root may mount a small file system; TestFullAfterAnyNumberOfBytes runs everywhere")
	}
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := syscall.Unmount(dir, syscall.MNT_DETACH); err != nil {
			t.Error(err)
		}
	})
	return dir
}

func grow(t *testing.T, dir, size string) {
	t.Helper()
	if err := syscall.Mount("tmpfs", dir, "tmpfs", syscall.MS_REMOUNT, "size="+size); err != nil {
		t.Fatal(err)
	}
}

// used is how many bytes of dir's file system are taken.
func used(t *testing.T, dir string) int64 {
	t.Helper()
	var st syscall.Statfs_t
	if err := syscall.Statfs(dir, &st); err != nil {
		t.Fatal(err)
	}
	return int64(st.Blocks-st.Bfree) * st.Bsize
}

// files are all files below dir.
func files(t *testing.T, dir string) (names []string) {
	t.Helper()
	err := filepath.WalkDir(dir, func(path string, d fs.DirEntry, err error) error {
		if err == nil && !d.IsDir() {
			names = append(names, path)
		}
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	return names
}

// The folder of temporary files is full.
func TestFullTemporaryFolder(t *testing.T) {
	store := write(t, swarm(42, 6000), 3)
	opts := options()
	opts.Spill()
	opts.TempDir = tmpfs(t, "128k")
	report, err := etl.Run(t.Context(), store, opts)
	if err != nil {
		t.Fatal(err)
	}
	if err := report.Days[0].Err; !errors.Is(err, syscall.ENOSPC) || !strings.Contains(err.Error(), "TMPDIR") || !strings.Contains(err.Error(), "day "+testDay.String()) {
		t.Errorf("the error is %v", err)
	}
	if left := append(files(t, opts.TempDir), keysOf(t, store, lake.TablesPrefix)...); len(left) > 0 {
		t.Errorf("left behind: %v", left)
	}
	if n := used(t, opts.TempDir); n > 0 {
		t.Errorf("%d bytes are still taken", n)
	}
	grow(t, opts.TempDir, "64m")
	run(t, store, opts)
	roomy := lake.NewMemory()
	copyRaw(t, store, roomy)
	opts.TempDir = t.TempDir()
	run(t, roomy, opts)
	if diff := gocmp.Diff(digests(t, roomy), digests(t, store)); diff != "" {
		t.Errorf("with room: %s", diff)
	}
}

// The lake's disk is full.
func TestFullLake(t *testing.T) {
	raw := write(t, swarm(43, 6000), 3)
	run(t, raw, options())
	tables := int64(0)
	for info := range raw.List(t.Context(), lake.TablesPrefix) {
		tables += info.Size
	}
	dir := tmpfs(t, "64m")
	store := lake.NewFile(filepath.Join(dir, "lake"))
	copyRaw(t, raw, store)
	opts := options()
	opts.TempDir = t.TempDir()
	copyKeys(t, raw, store)
	before := files(t, dir)
	taken := used(t, dir)
	for _, percent := range []int64{2, 30, 60, 90} {
		size := fmt.Sprintf("%dk", (taken+tables*percent/100)>>10)
		grow(t, dir, size)
		report, err := etl.Run(t.Context(), store, opts)
		if err != nil {
			t.Fatal(err)
		}
		if err := report.Days[0].Err; !errors.Is(err, syscall.ENOSPC) || !strings.Contains(err.Error(), "put tables/") || !strings.Contains(err.Error(), dir) {
			t.Errorf("%s: the error is %v", size, err)
		}
		if diff := gocmp.Diff(before, files(t, dir)); diff != "" {
			t.Errorf("%s: left behind: %s", size, diff)
		}
		if left := files(t, opts.TempDir); len(left) > 0 {
			t.Errorf("%s: left behind: %v", size, left)
		}
	}
	grow(t, dir, "64m")
	run(t, store, opts)
	if diff := gocmp.Diff(digests(t, raw), digests(t, store)); diff != "" {
		t.Errorf("with room: %s", diff)
	}
	if v, err := etl.Verify(t.Context(), store, nil); err != nil || len(v.Problems) > 0 {
		t.Errorf("with room: %v %q", err, v.Problems)
	}
}

func copyKeys(t *testing.T, from, to lake.Store) {
	t.Helper()
	for _, key := range keysOf(t, from, lake.KeysPrefix) {
		b, _, err := lake.ReadAll(t.Context(), from, key, 1<<10)
		if err != nil {
			t.Fatal(err)
		}
		put(t, to, key, b)
	}
}

// On a disk without room for a lease, boon gc makes some first.
func TestCollectOnAFullDisk(t *testing.T) {
	dir := tmpfs(t, "8m")
	store := lake.NewFile(filepath.Join(dir, "lake"))
	copyRaw(t, write(t, swarm(44, 100), 1), store)
	run(t, store, options())
	orphan := lake.PartKey("queries", testDay, "0ddba11f", 0)
	put(t, store, orphan, []byte("x"))
	left := filepath.Join(filepath.Dir(store.Path(orphan)), ".boon-tmp-1")
	if err := os.WriteFile(left, make([]byte, 64<<10), 0o600); err != nil {
		t.Fatal(err)
	}
	old := testDay.Time()
	if err := os.Chtimes(left, old, old); err != nil {
		t.Fatal(err)
	}
	fill, err := os.Create(filepath.Join(dir, "others"))
	if err != nil {
		t.Fatal(err)
	}
	defer fill.Close()
	for err == nil {
		_, err = fill.Write(make([]byte, 4<<10))
	}
	if !errors.Is(err, syscall.ENOSPC) {
		t.Fatal(err)
	}
	opts := etl.GCOptions{Today: lake.DayOf(time.Now().UnixMicro()) + 2, KeepRaw: 100_000, Holder: "gc", Now: time.Now}
	got, err := etl.Collect(t.Context(), store, opts)
	if err != nil || len(got.Deleted) != 2 {
		t.Errorf("%+v, %v", got, err)
	}
}
