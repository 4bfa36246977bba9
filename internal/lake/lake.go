// Package lake stores Boon's files: raw segments, table parts, manifests, keys.
//
// A lake is a flat set of objects, each with a slash-separated key, kept in a
// folder, in memory or in an object store that speaks S3. Every
// stage of Boon reads from and writes to a lake and meets the other stages
// nowhere else.
//
// What it promises: an object is complete or absent. Put writes the whole
// object or nothing, whatever goes wrong, and can be made conditional on what
// was there before, so that two programs that write the same key cannot both
// believe they won. What it does not promise: order between objects. A reader
// that needs several objects to agree follows a manifest (see Manifest), which
// is written last.
package lake

import (
	"context"
	"errors"
	"fmt"
	"io"
	"iter"
	"net/url"
	"os"
	"path/filepath"
	"strings"
	"time"
)

// Errors a caller may want to tell apart with errors.Is.
var (
	// ErrNotFound: no object has that key.
	ErrNotFound = errors.New("no such object")
	// ErrConflict: a condition of Put did not hold; nothing was written.
	ErrConflict = errors.New("the object is not what was expected")
	// ErrBadKey: the key is not one a lake can hold.
	ErrBadKey = errors.New("bad object key")
	// ErrAway: the lake does not answer, and may do so later.
	ErrAway = errors.New("the lake is away")
)

// Store holds objects. All methods may be called from several goroutines.
type Store interface {
	// URL names the lake, as the user would type it.
	URL() string
	// Open reads an object. The caller closes it. ErrNotFound where there is none.
	Open(ctx context.Context, key string) (Object, error)
	// Put writes an object, all or nothing: write is called once, and only if
	// it returns nil does the object appear. ErrConflict where cond fails.
	Put(ctx context.Context, key string, cond Condition, write func(io.Writer) error) (Info, error)
	// List yields the objects whose keys begin with prefix, in key order.
	List(ctx context.Context, prefix string) iter.Seq2[Info, error]
	// Stat tells what is known of an object without reading it.
	Stat(ctx context.Context, key string) (Info, error)
	// Delete removes an object; one that is not there is no error.
	Delete(ctx context.Context, key string) error
}

// Object is an open object: a stream, and its bytes at any place.
type Object interface {
	io.Reader
	io.ReaderAt
	io.Closer
	// Info describes the object as it was opened.
	Info() Info
}

// Info describes an object.
type Info struct {
	Key     string
	Size    int64 // bytes
	ETag    string
	ModTime time.Time
}

// Condition says what must hold for a Put to go ahead. The zero value asks for nothing.
type Condition struct {
	absent bool
	etag   string
}

// Absent asks that no object have the key yet (HTTP's If-None-Match: *).
func Absent() Condition { return Condition{absent: true} }

// Unchanged asks that the object's ETag still be this one (HTTP's If-Match).
func Unchanged(etag string) Condition { return Condition{etag: etag} }

// IfAbsent reports whether the condition is Absent.
func (c Condition) IfAbsent() bool { return c.absent }

// IfMatch is the ETag of Unchanged, "" for other conditions.
func (c Condition) IfMatch() string { return c.etag }

// Open opens the lake that location names: a plain path, file:///path,
// s3://bucket/prefix or memory:. The folder of a file lake is made when the
// first object is put; a bucket must be there.
func Open(location string) (Store, error) {
	scheme, _, found := strings.Cut(location, ":")
	if !found || len(scheme) < 2 || strings.ContainsAny(scheme, "/.") {
		return newFileAt(location)
	}
	u, err := url.Parse(location)
	if err != nil {
		return nil, fmt.Errorf("open lake %q: %w", location, err)
	}
	switch u.Scheme {
	case "file":
		if u.Host != "" && u.Host != "localhost" {
			return nil, fmt.Errorf("open lake %q: a file URL has three slashes, as in file:///var/lib/boon", location)
		}
		return newFileAt(u.Path)
	case "memory":
		return NewMemory(), nil
	case "s3":
		return openS3(location, u.Host, u.Path)
	}
	return nil, fmt.Errorf("open lake %q: scheme %q is not known; use a path, file:///path or s3://bucket/prefix", location, u.Scheme)
}

func newFileAt(path string) (Store, error) {
	if path == "" {
		return nil, errors.New("open lake: the path is empty; give one with --lake or BOON_LAKE")
	}
	abs, err := filepath.Abs(path)
	if err != nil {
		return nil, fmt.Errorf("open lake %q: %w", path, err)
	}
	if st, err := os.Stat(abs); err == nil && !st.IsDir() {
		return nil, fmt.Errorf("open lake %q: it is a file; a lake is a folder", path)
	}
	return NewFile(abs), nil
}

// CheckKey returns ErrBadKey (wrapped) unless key is one to six hundred bytes of
// letters, digits and -_.=/ with no empty, "." or ".." part: what is safe
// as a file name and in a URL, without escapes, on every store.
func CheckKey(key string) error {
	if key == "" || len(key) > 600 {
		return fmt.Errorf("%w: %d bytes", ErrBadKey, len(key))
	}
	for i := range len(key) {
		if !keyByte(key[i]) {
			return fmt.Errorf("%w: %q has the byte %q", ErrBadKey, key, key[i])
		}
	}
	for part := range strings.SplitSeq(key, "/") {
		if part == "" || part == "." || part == ".." {
			return fmt.Errorf("%w: %q has the part %q", ErrBadKey, key, part)
		}
	}
	return nil
}

func keyByte(c byte) bool {
	return c >= 'a' && c <= 'z' || c >= 'A' && c <= 'Z' || c >= '0' && c <= '9' ||
		c == '-' || c == '_' || c == '.' || c == '=' || c == '/'
}

// ReadAll returns an object's bytes and Info. More than limit bytes are an error.
func ReadAll(ctx context.Context, s Store, key string, limit int64) ([]byte, Info, error) {
	o, err := s.Open(ctx, key)
	if err != nil {
		return nil, Info{}, err
	}
	defer o.Close()
	b, err := io.ReadAll(io.LimitReader(o, limit+1))
	if err != nil {
		return nil, Info{}, fmt.Errorf("read %s: %w", key, err)
	}
	if int64(len(b)) > limit {
		return nil, Info{}, fmt.Errorf("read %s: more than %d bytes", key, limit)
	}
	return b, o.Info(), nil
}

// PutBytes puts b as a whole object.
func PutBytes(ctx context.Context, s Store, key string, cond Condition, b []byte) (Info, error) {
	return s.Put(ctx, key, cond, func(w io.Writer) error {
		_, err := w.Write(b)
		return err
	})
}
