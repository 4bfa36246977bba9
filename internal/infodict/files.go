package infodict

import (
	"bytes"
	"encoding/hex"
	"slices"
	"strconv"
	"strings"
	"unicode/utf8"

	"github.com/boontorrent/boon/internal/bencode"
	"github.com/boontorrent/boon/internal/rawlog"
)

// allFiles reads the list or tree of files, or both. name is the torrent's name
// as a part of a path: that of a single file.
func (d *dictionary) allFiles(name string, v1, v2 bool) ([]rawlog.File, error) {
	var list, tree []rawlog.File
	var err error
	if v1 {
		if list, err = d.filesV1(name); err != nil {
			return nil, err
		}
	}
	if v2 {
		d.least = 0
		if tree, err = d.filesV2(); err != nil {
			return nil, err
		}
	}
	switch {
	case !v2:
		return list, nil
	case !v1:
		return tree, nil
	}
	return list, d.join(list, tree)
}

func (d *dictionary) filesV1(name string) ([]rawlog.File, error) {
	files, err := d.listV1(name)
	if err != nil {
		return nil, err
	}
	total, err := totalOf(files)
	if err != nil {
		return nil, err
	}
	pieces, ok := d.pieces.Text()
	if !ok {
		return nil, refuse(BadPieces, "pieces is %s", d.pieces.Brief())
	}
	if want := pieceCount(total, d.pieceBytes); len(pieces)%20 != 0 || int64(len(pieces)/20) != want {
		return nil, refuse(BadPieces, "%d bytes of piece hashes; %d pieces of 20 bytes each were due", len(pieces), want)
	}
	return files, nil
}

func (d *dictionary) listV1(name string) ([]rawlog.File, error) {
	if d.files == nil {
		size, err := sizeOf(d.length)
		if err != nil {
			return nil, err
		}
		return []rawlog.File{{Path: []string{name}, Length: size, Attr: cleanAttr(d.attr)}}, nil
	}
	if !d.files.IsList() {
		return nil, refuse(BadFiles, "files is %s", d.files.Brief())
	}
	var files []rawlog.File
	c := d.files.Enter()
	for c.More() {
		if len(files) == MaxFiles {
			return nil, refuse(TooLarge, "more than %d files", MaxFiles)
		}
		f, err := d.fileV1(c.Take())
		if err != nil {
			return nil, err
		}
		files = append(files, f)
	}
	return files, nil
}

func (d *dictionary) fileV1(entry bencode.Value) (rawlog.File, error) {
	if !entry.IsDict() {
		return rawlog.File{}, refuse(BadFiles, "an entry of files is %s", entry.Brief())
	}
	var got [4]bencode.Value
	entry.Pick(got[:], "length", "path", "path.utf-8", "attr")
	f := rawlog.File{Attr: cleanAttr(got[3])}
	var err error
	if !strings.Contains(f.Attr, "l") { // a symlink has no content of its own
		if f.Length, err = sizeOf(got[0]); err != nil {
			return f, err
		}
	}
	path := got[1]
	if validPath(got[2]) {
		path = got[2]
	}
	if path == nil && strings.Contains(f.Attr, "p") { // BEP 47 lets it go without
		f.Path = []string{".pad", strconv.FormatInt(f.Length, 10)}
		return f, nil
	}
	if f.Path, err = d.pathOf(path, &f); err != nil {
		return f, err
	}
	return f, nil
}

// pathOf reads a list of parts and makes them safe.
func (d *dictionary) pathOf(list bencode.Value, f *rawlog.File) ([]string, error) {
	if !list.IsList() {
		return nil, refuse(BadPath, "a file's path is %s", list.Brief())
	}
	var path []string
	c := list.Enter()
	for c.More() {
		part := c.Take()
		text, ok := part.Text()
		if !ok {
			return nil, refuse(BadPath, "a part of a file's path is %s", part.Brief())
		}
		var err error
		if path, err = d.extend(path, text); err != nil {
			return nil, err
		}
	}
	if len(path) == 0 {
		return nil, refuse(BadPath, "a file's path is empty")
	}
	if strings.HasPrefix(path[len(path)-1], "_____padding_file_") && !strings.Contains(f.Attr, "p") {
		f.Attr += "p" // what BitComet called padding before there was an attribute
	}
	return path, d.weigh(path)
}

// extend returns path with one more part, made safe.
func (d *dictionary) extend(path []string, text []byte) ([]string, error) {
	if len(path) == maxParts {
		return nil, refuse(TooLarge, "a path of more than %d parts", maxParts)
	}
	part := cleanPart(text)
	if len(path) == 0 {
		part = cleanDrive(part)
	}
	return append(path, part), nil
}

// weigh counts what a path takes in an event's line, so that a small torrent
// cannot stand for a large list.
func (d *dictionary) weigh(path []string) error {
	for _, part := range path {
		d.least += int64(len(part)) + 3
	}
	if d.least > rawlog.MaxResolveLine {
		return refuse(TooLarge, "the paths take more than the %d bytes of a line of the log", rawlog.MaxResolveLine)
	}
	return nil
}

// validPath reports whether a list of parts is there and all of it UTF-8.
func validPath(list bencode.Value) bool {
	if !list.IsList() {
		return false
	}
	c := list.Enter()
	parts := 0
	for c.More() {
		text, ok := c.Take().Text()
		if !ok || !utf8.Valid(text) {
			return false
		}
		parts++
	}
	return parts > 0
}

// filesV2 reads the file tree of BEP 52: a dictionary is a folder, unless its
// only key is empty; then that key's value tells of a file.
func (d *dictionary) filesV2() ([]rawlog.File, error) {
	if !d.tree.IsDict() {
		return nil, refuse(BadFiles, "file tree is %s", d.tree.Brief())
	}
	var files []rawlog.File
	c := d.tree.Enter()
	if err := d.folder(&c, nil, &files); err != nil {
		return nil, err
	}
	total, err := totalOf(files)
	if err != nil {
		return nil, err
	}
	pieces := int64(0)
	for i := range files {
		pieces += pieceCount(files[i].Length, d.pieceBytes)
	}
	if pieces > maxPieces {
		return nil, refuse(TooLarge, "%d bytes in %d pieces; %d are allowed", total, pieces, maxPieces)
	}
	return files, nil
}

// folder adds the files of the folder that c has entered and of those below,
// and leaves it. Its depth is bounded by that of the bencoding.
func (d *dictionary) folder(c *bencode.Cursor, path []string, files *[]rawlog.File) error {
	for c.More() {
		name, _ := c.Take().Text()
		if len(name) == 0 {
			return refuse(BadPath, "a file or folder of the tree has no name")
		}
		if c.Ahead()[0] != 'd' {
			return refuse(BadFiles, "an entry of the tree is %s", c.Take().Brief())
		}
		below, err := d.extend(slices.Clip(path), name)
		if err != nil {
			return err
		}
		if bytes.HasPrefix(c.Ahead(), []byte("d0:")) {
			err = d.addV2(c.Take(), below, files)
		} else {
			c.Step()
			err = d.folder(c, below, files)
		}
		if err != nil {
			return err
		}
	}
	c.Step()
	return nil
}

func (d *dictionary) addV2(entry bencode.Value, path []string, files *[]rawlog.File) error {
	if len(*files) == MaxFiles {
		return refuse(TooLarge, "more than %d files", MaxFiles)
	}
	f, err := fileV2(entry, path)
	if err != nil {
		return err
	}
	*files = append(*files, f)
	return d.weigh(path)
}

func fileV2(entry bencode.Value, path []string) (rawlog.File, error) {
	c := entry.Enter()
	c.Take() // the empty key
	about := c.Take()
	if c.More() || !about.IsDict() {
		return rawlog.File{}, refuse(BadFiles, "an entry of the tree is both a file and a folder")
	}
	var got [3]bencode.Value
	about.Pick(got[:], "length", "pieces root", "attr")
	f := rawlog.File{Path: path, Attr: cleanAttr(got[2])}
	if strings.Contains(f.Attr, "p") {
		return f, refuse(BadFiles, "padding in the tree, which has none")
	}
	if strings.Contains(f.Attr, "l") {
		return f, nil
	}
	var err error
	if f.Length, err = sizeOf(got[0]); err != nil || f.Length == 0 {
		return f, err
	}
	root, ok := got[1].Text()
	if !ok || len(root) != 32 || bytes.Equal(root, make([]byte, 32)) {
		return f, refuse(BadRoot, "a file of %d bytes has no pieces root of 32 bytes", f.Length)
	}
	f.PiecesRoot = hex.EncodeToString(root)
	return f, nil
}

// join holds a hybrid's two accounts of its files against each other, and
// notes the tree's root hashes in the list, which has the padding too.
func (d *dictionary) join(list, tree []rawlog.File) error {
	next, offset := 0, int64(0)
	for i := range list {
		f := &list[i]
		if !strings.Contains(f.Attr, "p") {
			if next == len(tree) || !slices.Equal(f.Path, tree[next].Path) || f.Length != tree[next].Length {
				return refuse(V1V2Mismatch, "file %d of the list is not in its place in the tree", i+1)
			}
			if f.Length > 0 && offset%d.pieceBytes != 0 {
				return refuse(V1V2Mismatch, "file %d of the list does not begin with a piece, as in the tree", i+1)
			}
			f.PiecesRoot = tree[next].PiecesRoot
			next++
		}
		offset += f.Length
	}
	if next != len(tree) {
		return refuse(V1V2Mismatch, "the tree has %d files, the list %d", len(tree), next)
	}
	return nil
}

func sizeOf(v bencode.Value) (int64, error) {
	n, ok := v.Integer()
	if !ok || n < 0 || n > maxFileSize {
		return 0, refuse(BadSize, "a file's length is %s", v.Brief())
	}
	return n, nil
}

func totalOf(files []rawlog.File) (int64, error) {
	total := int64(0)
	for i := range files {
		if total += files[i].Length; total > maxTotal {
			return 0, refuse(BadSize, "the files have more than %d bytes", int64(maxTotal))
		}
	}
	if total == 0 {
		return 0, refuse(NoContent, "%d files with nothing in them", len(files))
	}
	return total, nil
}

func pieceCount(size, piece int64) int64 { return (size + piece - 1) / piece }
