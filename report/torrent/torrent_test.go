package torrent

import (
	"compress/gzip"
	"encoding/binary"
	"encoding/json"
	"fmt"
	"io"
	"math/rand/v2"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

func readGz(t *testing.T, into any, path ...string) {
	t.Helper()
	f, err := os.Open(filepath.Join(path...))
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	z, err := gzip.NewReader(f)
	if err != nil {
		t.Fatal(err)
	}
	b, err := io.ReadAll(z)
	if err == nil {
		err = json.Unmarshal(b, into)
	}
	if err != nil {
		t.Fatalf("%s: %v", filepath.Join(path...), err)
	}
}

// tree is a Tree as a reader of the files sees it.
type tree struct {
	E [][]json.RawMessage
	N *Place
	R int64
}

func partAt(t *testing.T, dir string, at Place) tree {
	t.Helper()
	var list []tree
	readGz(t, &list, dir, fmt.Sprintf("%d.gz", at[0]))
	return list[at[1]]
}

// walk lists the files of a tree in order, following its parts.
func walk(t *testing.T, dir, prefix string, at tree, sizes *int) (files []File) {
	t.Helper()
	*sizes = max(*sizes, len(at.E))
	for _, e := range at.E {
		var name string
		var size, n int64
		if err := json.Unmarshal(e[0], &name); err != nil {
			t.Fatal(err)
		}
		_ = json.Unmarshal(e[1], &size)
		if len(e) == 2 {
			files = append(files, File{prefix + name, size})
			continue
		}
		_ = json.Unmarshal(e[2], &n)
		var sub tree
		var part Place
		if json.Unmarshal(e[3], &part) == nil {
			sub = partAt(t, dir, part)
		} else if err := json.Unmarshal(e[3], &sub); err != nil {
			t.Fatal(err)
		}
		inside := walk(t, dir, prefix+name+"/", sub, sizes)
		var sum int64
		for _, f := range inside {
			sum += f.Size
		}
		if sum != size || int64(len(inside)) != n {
			t.Errorf("folder %s has %d bytes in %d files, its entry says %d in %d", prefix+name, sum, len(inside), size, n)
		}
		files = append(files, inside...)
	}
	if at.N != nil {
		rest := walk(t, dir, prefix, partAt(t, dir, *at.N), sizes)
		if int64(len(rest)) != at.R {
			t.Errorf("%d files follow in %s, not %d", len(rest), prefix, at.R)
		}
		files = append(files, rest...)
	}
	return files
}

// The folders of a torrent of very many files are listed a thousand at a time, not as
// many as there is room for with all that is in them.
func TestAListOfFoldersIsAPageAtATime(t *testing.T) {
	for inside, want := range map[int]int{1000: 2, 100: 2, 7: 2} {
		var files []File
		for i := range 1500 * inside {
			files = append(files, File{fmt.Sprintf("d%04d/f%04d", i/inside, i%inside), 1})
		}
		parts := map[Place]*Tree{}
		f := fold(files, func(t *Tree) (Place, error) {
			p := Place{len(parts), 0}
			parts[p] = t
			return p, nil
		})
		lists, entries := 0, len(f.root.Entries)
		for at := f.root.Next; at != nil; at = parts[*at].Next {
			lists++
			entries += len(parts[*at].Entries)
		}
		if lists != want || entries != 1500 {
			t.Errorf("1500 folders of %d files: %d in %d lists after the first, not in %d", inside, entries, lists, want)
		}
	}
}

// Every file of a torrent is found in its tree, whatever its form.
func TestTreesHoldAllFiles(t *testing.T) {
	r := rand.New(rand.NewPCG(1, 1))
	forms := map[string][]File{"none": nil, "one": {{"a.mkv", 7}}, "deep": {{strings.Repeat("d/", 200) + "f", 1}, {strings.Repeat("d/", 200) + "g", 2}}}
	add := func(form, format string, n int, numbers func(int) []any) {
		for i := range n {
			forms[form] = append(forms[form], File{fmt.Sprintf(format, numbers(i)...), int64(r.IntN(1e9))})
		}
	}
	for _, name := range []string{`"quoted" \\`, "<script>&", "tab\t\u2028\x1b[31m", "映画/\U0001F3A5", "\u202egpj.exe"} {
		forms["hostile"] = append(forms["hostile"], File{name, 5})
	}
	add("150", "f%d", 150, func(i int) []any { return []any{i} })
	add("151", "f%d", 151, func(i int) []any { return []any{i} })
	add("flat", "f%06d.jpg", 30_000, func(i int) []any { return []any{i} })
	add("folders", "disc %d/track %d", 4000, func(i int) []any { return []any{i % 400, i} })
	add("big folders", "x/%d/y/%d", 9000, func(i int) []any { return []any{i % 3, i} })
	add("odd", "%s", 6, func(i int) []any { return []any{[]string{"a", "a/b", "a b", "/x", "a//c", ""}[i]} })
	add("random", "%d/%d/%d/%d", 5000, func(int) []any { return []any{r.IntN(3), r.IntN(9), r.IntN(30), r.IntN(9999)} })
	w, err := NewWriter(t.Context(), Options{Dir: t.TempDir(), Workers: 2, Bytes: 1 << 20})
	if err != nil {
		t.Fatal(err)
	}
	defer w.Close()
	var names []string
	for name := range forms {
		names = append(names, name)
	}
	slices.Sort(names)
	hash := func(i int) (h [20]byte) {
		binary.BigEndian.PutUint32(h[:], uint32(i)<<28)
		return h
	}
	for i, name := range names {
		if err := w.Add(hash(i), &Record{Name: name, Count: int64(len(forms[name]))}, slices.Clone(forms[name])); err != nil {
			t.Fatal(err)
		}
	}
	dir := filepath.Dir(w.out.Dir())
	folder, _, _, err := w.Finish()
	if err != nil {
		t.Fatal(err)
	}
	for i, name := range names {
		var shard map[string]struct {
			N string
			F tree
		}
		readGz(t, &shard, dir, folder, "s", fmt.Sprintf("%d.gz", int(hash(i)[0])>>(8-w.Bits())))
		key := fmt.Sprintf("%x", hash(i))
		longest := 0
		got := walk(t, filepath.Join(dir, folder, "f"), "", shard[key].F, &longest)
		want := slices.Clone(forms[name])
		for _, list := range [][]File{got, want} {
			slices.SortFunc(list, func(a, b File) int {
				if c := strings.Compare(a.Path, b.Path); c != 0 {
					return c
				}
				return int(a.Size - b.Size)
			})
		}
		if shard[key].N != name {
			t.Errorf("%s is not in its shard", name)
		}
		if diff := cmp.Diff(want, got); diff != "" {
			t.Errorf("%s: %s", name, diff)
		}
		if longest > partFiles {
			t.Errorf("%s: a folder has %d entries at once", name, longest)
		}
	}
}

func TestStringsAreWrittenAsJSON(t *testing.T) {
	for r := range rune(0x3000) {
		for _, s := range []string{string(r), "a" + string(r) + "b", string(byte(r)) + "c"} {
			want, err := json.Marshal(s)
			if err != nil {
				t.Fatal(err)
			}
			if got := appendString(nil, s); string(got) != string(want) {
				t.Errorf("%q is written %s, not %s", s, got, want)
			}
		}
	}
}

func TestWorksAreWhereTheyShouldBe(t *testing.T) {
	dir := t.TempDir()
	w, err := NewWriter(t.Context(), Options{Dir: dir, Workers: 2, Bytes: 1})
	if err != nil {
		t.Fatal(err)
	}
	defer w.Close()
	var places []Place
	for i := range 5000 {
		p, err := w.AddWork(fmt.Sprint("work ", i), []Release{{Name: fmt.Sprint("a", i), Size: 5, Demand: 20}, {Name: "b"}})
		if err != nil {
			t.Fatal(err)
		}
		places = append(places, p)
	}
	folder, _, _, err := w.Finish()
	if err != nil {
		t.Fatal(err)
	}
	for i, p := range places {
		if i%500 != 0 {
			continue
		}
		var works [][]json.RawMessage
		readGz(t, &works, dir, folder, "w", fmt.Sprintf("%d.gz", p[0]))
		if got := string(works[p[1]][0]); got != fmt.Sprintf(`"work %d"`, i) {
			t.Errorf("%v holds %s", p, got)
		}
	}
	if places[4999][0] < 2 {
		t.Errorf("all works are in %d packs", places[4999][0]+1)
	}
}
