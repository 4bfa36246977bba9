package torrent

import (
	"cmp"
	"encoding/json"
	"strconv"
	"strings"
)

// File is a file of a torrent.
type File struct {
	Path string
	Size int64
}

// Tree is a folder of files, or the beginning of one. It is written as an object: e are
// its entries, n the Place of those that follow, r how many files are in those.
type Tree struct {
	Entries []Entry
	Next    *Place // nil where none follow
	Rest    int64
}

// Entry is a file or a folder of a Tree. It is written as a list: [name, size] of a file,
// [name, size, files, tree] of a folder, where tree is its Place or lies here.
type Entry struct {
	Name   string
	Size   int64
	Files  int64 // of a folder; 0 is a file
	Folder *Tree
	Place  Place
}

// append writes the tree. There are tens of millions of entries: by reflection they took
// half as long as all the rest of a build.
func (t *Tree) append(b []byte) []byte {
	b = append(b, `{"e":[`...)
	for i := range t.Entries {
		if i > 0 {
			b = append(b, ',')
		}
		b = t.Entries[i].append(b)
	}
	b = append(b, ']')
	if t.Next != nil {
		b = t.Next.append(append(b, `,"n":`...))
	}
	if t.Rest != 0 {
		b = strconv.AppendInt(append(b, `,"r":`...), t.Rest, 10)
	}
	return append(b, '}')
}

func (e *Entry) append(b []byte) []byte {
	b = appendString(append(b, '['), e.Name)
	b = strconv.AppendInt(append(b, ','), e.Size, 10)
	if e.Files > 0 {
		b = append(strconv.AppendInt(append(b, ','), e.Files, 10), ',')
		if e.Folder != nil {
			b = e.Folder.append(b)
		} else {
			b = e.Place.append(b)
		}
	}
	return append(b, ']')
}

func (p Place) append(b []byte) []byte {
	b = strconv.AppendInt(append(b, '['), int64(p[0]), 10)
	return append(strconv.AppendInt(append(b, ','), int64(p[1]), 10), ']')
}

// appendString writes a string as encoding/json does.
func appendString(b []byte, s string) []byte {
	for i := range len(s) {
		if c := s[i]; c < ' ' || c > '~' || c == '"' || c == '\\' || c == '<' || c == '>' || c == '&' {
			text, _ := json.Marshal(s) // a string has no error
			return append(b, text...)
		}
	}
	return append(append(append(b, '"'), s...), '"')
}

// Limits of a tree.
const (
	inlineFiles = 150 // a torrent of so many files has them all in its record
	inlineFirst = 50  // entries that the record of a larger one has
	partFiles   = 1000
	deepest     = 64 // folders in each other; what lies deeper keeps its slashes in the name
)

// comparePaths orders files so that a folder's are together: a slash is before all else.
// Those of one path are in the order of their sizes.
func comparePaths(a, b File) int {
	for i := range min(len(a.Path), len(b.Path)) {
		if x, y := a.Path[i], b.Path[i]; x != y {
			if x == '/' || y != '/' && x < y {
				return -1
			}
			return 1
		}
	}
	return cmp.Or(cmp.Compare(len(a.Path), len(b.Path)), cmp.Compare(a.Size, b.Size))
}

// folder makes trees, and puts those that are too large into parts.
type folder struct {
	put  func(*Tree) (Place, error)
	root Tree
	err  error
}

// fold makes the tree of sorted files.
func fold(files []File, put func(*Tree) (Place, error)) *folder {
	f := &folder{put: put}
	first := inlineFirst
	if len(files) <= inlineFiles {
		first = len(files)
	}
	f.root = *f.tree(files, 0, 0, first)
	return f
}

// tree makes the tree of files that share the first cut bytes of their paths. It has at
// most first entries and as many files inside its folders; the entries after those go to
// parts, and so do folders that do not fit.
func (f *folder) tree(files []File, cut, depth, first int) *Tree {
	t := &Tree{}
	for fit := first; len(files) > 0; {
		if len(t.Entries) == first {
			place := f.part(f.tree(files, cut, depth, partFiles))
			t.Rest, t.Next = int64(len(files)), &place
			return t
		}
		entry, n := f.entry(files, cut, depth, fit)
		fit -= n
		files = files[max(1, entry.Files):]
		t.Entries = append(t.Entries, entry)
	}
	return t
}

// entry makes the entry of the first file or its folder, and tells how much of fit the
// files inside that take.
func (f *folder) entry(files []File, cut, depth, fit int) (Entry, int) {
	rest := files[0].Path[cut:]
	name, _, nested := strings.Cut(rest, "/")
	if !nested || depth >= deepest {
		return Entry{Name: rest, Size: files[0].Size}, 0
	}
	prefix := files[0].Path[:cut+len(name)+1]
	n := 0
	var size int64
	for n < len(files) && strings.HasPrefix(files[n].Path, prefix) {
		size += files[n].Size
		n++
	}
	e := Entry{Name: name, Size: size, Files: int64(n)}
	if n <= fit {
		e.Folder = f.tree(files[:n], len(prefix), depth+1, n)
		return e, n
	}
	e.Place = f.part(f.tree(files[:n], len(prefix), depth+1, partFiles))
	return e, 0
}

func (f *folder) part(t *Tree) (p Place) {
	if f.err == nil {
		p, f.err = f.put(t)
	}
	return p
}
