package imports

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/boontorrent/boon/internal/lake"
)

func manyRecords(n int) []byte {
	var b bytes.Buffer
	for i := range n {
		fmt.Fprintf(&b, "%s\n", strings.Replace(getPeersV4(1525111200123), hashA, fmt.Sprintf("%040X", uint64(i)*0x9e3779b97f4a7c15), 1))
	}
	return b.Bytes()
}

// What can be read of a damaged file is read, the rest is reported, and a
// second import still adds nothing.
func TestDamagedFiles(t *testing.T) {
	const n = 5_000
	log := manyRecords(n)
	gz, zst := gzipped(t, log), zstded(t, log)
	flip := func(b []byte) []byte {
		b = bytes.Clone(b)
		b[len(b)*3/4] ^= 0x10
		return b
	}
	for name, c := range map[string]struct {
		content     []byte
		least, most int64
		damaged     int
	}{
		"a cut gzip":             {gz[:len(gz)/2], n / 4, n, 1},
		"a flipped gzip":         {flip(gz), n / 4, n, 1},
		"gzip and garbage":       {append(bytes.Clone(gz), "garbage"...), n, n, 1},
		"two gzips":              {append(bytes.Clone(gz), gzipped(t, []byte(getPeersV4(1525111200999)))...), n + 1, n + 1, 0},
		"a cut zstd":             {zst[:len(zst)/2], n / 4, n, 1},
		"a flipped zstd":         {flip(zst), n / 4, n, 1},
		"zstd and garbage":       {append(bytes.Clone(zst), "garbage"...), n, n, 1},
		"two zstds":              {append(bytes.Clone(zst), zstded(t, []byte(getPeersV4(1525111200999)))...), n + 1, n + 1, 0},
		"nothing":                {nil, 0, 0, 0},
		"only gzip's magic":      {[]byte{0x1f, 0x8b}, 0, 0, 1},
		"only zstd's magic":      {[]byte{0x28, 0xb5, 0x2f, 0xfd}, 0, 0, 1},
		"braces":                 {bytes.Repeat([]byte("{"), 1<<20), 0, 0, 0},
		"random bytes":           {flip(gz)[10:], 0, 0, 0},
		"a record that was cut":  {log[:len(log)-10], n - 1, n - 1, 0},
		"a log with a line over": {append(bytes.Repeat([]byte("x"), 2<<20), append([]byte("\n"), log...)...), n, n, 0},
	} {
		s := lake.NewMemory()
		path := write(t, t.TempDir(), "log", c.content)
		rep := boonlog(t, s, Options{}, path)
		if got := rep.Events(); got < c.least || got > c.most || rep.Damaged < c.damaged || rep.Damaged != len(rep.Problems) {
			t.Errorf("%s: %d events, want %d to %d; damaged %d, %v", name, got, c.least, c.most, rep.Damaged, rep.Problems)
		}
		before := keys(t, s)
		boonlog(t, s, Options{}, path)
		if after := keys(t, s); len(after) != len(before) {
			t.Errorf("%s: a second import made %v of %v", name, after, before)
		}
	}
}

// A small file that would unpack to a large one is read up to a bound; a log
// that packs well is not taken for one.
func TestBombs(t *testing.T) {
	spaces := bytes.Repeat([]byte(" "), unpackSlack+(16<<20))
	for name, c := range map[string]struct {
		content []byte
		bomb    bool
	}{
		"zstd":  {zstded(t, spaces), true},
		"gzip":  {gzipped(t, spaces), true},
		"plain": {spaces, false},
		"small": {zstded(t, spaces[:unpackSlack]), false},
	} {
		in, err := unpack(write(t, t.TempDir(), name, c.content))
		if err != nil {
			t.Fatal(err)
		}
		n, err := io.Copy(io.Discard, in)
		if errors.Is(err, errBomb) != c.bomb || c.bomb && n > unpackSlack+(1<<20)+unpackRatio*int64(len(c.content)) {
			t.Errorf("%s: %d bytes, %v", name, n, err)
		}
		if err := in.Close(); err != nil {
			t.Error(err)
		}
	}
}

func TestFolders(t *testing.T) {
	folder := t.TempDir()
	write(t, folder, "2018/04/30/"+fileName, []byte(getPeersV4(1525111200001)))
	write(t, folder, "x.json", []byte(getPeersV4(1525111200002)))
	write(t, folder, ".hidden/x.json", []byte(getPeersV4(1525111200003)))
	write(t, folder, ".x.json.swp", []byte(getPeersV4(1525111200004)))
	outside := write(t, t.TempDir(), "outside", []byte(getPeersV4(1525111200005)))
	for link, to := range map[string]string{"link.json": outside, "link": filepath.Dir(outside), "loop": folder} {
		if err := os.Symlink(to, filepath.Join(folder, link)); err != nil {
			t.Fatal(err)
		}
	}
	s := lake.NewFile(filepath.Join(folder, "lake"))
	for range 2 { // the second time the lake is there, within the folder
		rep := boonlog(t, s, Options{}, folder)
		if rep.Events() != 2 || rep.Inputs != 2 || rep.Ignored != 5 || !rep.Whole() {
			t.Errorf("%+v", rep)
		}
	}
	// A link that is named is what it links to.
	if rep := boonlog(t, lake.NewMemory(), Options{}, filepath.Join(folder, "link.json")); rep.Events() != 1 {
		t.Errorf("a link by name: %+v", rep)
	}
	rep := boonlog(t, lake.NewMemory(), Options{}, filepath.Join(folder, "absent"), filepath.Join(folder, "x.json"))
	if rep.Events() != 1 || rep.Damaged != 1 || !strings.Contains(rep.Problems[0].What, "no such file") {
		t.Errorf("a file that is not there: %+v", rep)
	}
	if _, err := Boonlog(t.Context(), lake.NewMemory(), []string{t.TempDir()}, Options{}); err == nil {
		t.Error("an empty folder is no error")
	}
	if _, err := Boonlog(t.Context(), lake.NewMemory(), []string{folder}, Options{Collector: "Not A Name"}); err == nil {
		t.Error("a collector's name with capitals and spaces was taken")
	}
}
