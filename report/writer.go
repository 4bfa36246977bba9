//go:build cgo && !noduck

package report

import (
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"io"
	"io/fs"
	"os"
	"path"
	"path/filepath"
	"strings"

	"github.com/klauspost/compress/gzip"
)

// writer writes the files of a site.
type writer struct {
	dir          string
	old          string          // the site that stands, whose files may serve again; "" without
	checked      map[string]bool // files and folders in which there is no address and no key
	files, bytes int64
}

func (w *writer) file(path string, b []byte) error {
	full := filepath.Join(w.dir, filepath.FromSlash(path))
	if err := os.MkdirAll(filepath.Dir(full), 0o755); err != nil {
		return err
	}
	w.files++
	w.bytes += int64(len(b))
	return os.WriteFile(full, b, 0o644)
}

// again takes over a packed or Parquet file of the site that stands, if it has one of that
// name and the file is whole. Names of such files hold a digest of all that they
// were made from, or the caller knows that they are the same. It is a link where the file system can do that: nobody writes
// into a file of a site once it is there.
func (w *writer) again(path string) bool {
	if w.old == "" {
		return false
	}
	from, to := filepath.Join(w.old, filepath.FromSlash(path)), filepath.Join(w.dir, filepath.FromSlash(path))
	packed, err := os.ReadFile(from)
	if err != nil {
		return false
	}
	if !whole(path, packed) {
		return false
	}
	if os.MkdirAll(filepath.Dir(to), 0o755) != nil || os.Link(from, to) != nil {
		return w.file(path, packed) == nil
	}
	w.checked[path] = true
	w.files++
	w.bytes += int64(len(packed))
	return true
}

// whole says whether a file that lay about is as it was written.
func whole(name string, b []byte) bool {
	if path.Ext(name) == ".parquet" {
		const mark = "PAR1"
		return len(b) > 2*len(mark) && strings.HasPrefix(string(b), mark) && strings.HasSuffix(string(b), mark)
	}
	_, err := unpack(b)
	return err == nil
}

// unpack is what a packed file holds.
func unpack(packed []byte) ([]byte, error) {
	zip, err := gzip.NewReader(bytes.NewReader(packed))
	if err != nil {
		return nil, err
	}
	return io.ReadAll(io.LimitReader(zip, 1<<30))
}

// assets are the files in assets/ by the names of their sources. Their own names
// change with the content, so that they may be cached for ever.
type assets map[string]string

// assets writes the style sheet, the scripts and the icon.
func (w *writer) assets() (assets, error) {
	all := assets{}
	for _, pattern := range []string{"web/*.css", "web/*.svg", "web/*.bin", "web/dist/*.js"} {
		sources, err := fs.Glob(web, pattern)
		if err != nil {
			return nil, err
		}
		for _, source := range sources {
			b, err := web.ReadFile(source)
			if err != nil {
				return nil, err
			}
			name := path.Base(source)
			all[name] = hashedName(name, b)
			if err := w.file("assets/"+all[name], b); err != nil {
				return nil, err
			}
		}
	}
	return all, nil
}

// hashedName is style-0123456789.css for style.css.
func hashedName(name string, b []byte) string {
	sum := sha256.Sum256(b)
	extension := path.Ext(name)
	return strings.TrimSuffix(name, extension) + "-" + hex.EncodeToString(sum[:5]) + extension
}
