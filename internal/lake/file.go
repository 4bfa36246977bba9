package lake

import (
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"iter"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"time"
)

// tempPrefix begins the names of files that are not objects yet.
const tempPrefix = ".boon-tmp-"

// File is a lake in a folder. An object is a file; it appears by rename after
// its bytes are on disk, and the folder's entry is synced after that.
type File struct{ root string }

// NewFile returns the lake in the folder root, which need not exist yet.
func NewFile(root string) *File { return &File{root: root} }

// URL is the folder's path.
func (f *File) URL() string { return f.root }

// Path tells where an object lies, for programs that read files themselves.
func (f *File) Path(key string) string { return filepath.Join(f.root, filepath.FromSlash(key)) }

// Open implements Store.
func (f *File) Open(ctx context.Context, key string) (Object, error) {
	if err := check(ctx, key); err != nil {
		return nil, err
	}
	file, err := os.Open(f.Path(key))
	if errors.Is(err, fs.ErrNotExist) {
		return nil, fmt.Errorf("open %s in %s: %w", key, f.root, ErrNotFound)
	}
	if err != nil {
		return nil, err
	}
	st, err := file.Stat()
	if err == nil && !st.Mode().IsRegular() {
		err = fmt.Errorf("open %s in %s: not a plain file", key, f.root)
	}
	if err != nil {
		_ = file.Close()
		return nil, err
	}
	return &fileObject{File: file, info: fileInfo(key, st)}, nil
}

type fileObject struct {
	*os.File
	info Info
}

func (o *fileObject) Info() Info { return o.info }

// fileInfo derives the ETag from what the file system keeps: a file that
// replaced another by rename differs in inode, and one written anew in time.
func fileInfo(key string, st fs.FileInfo) Info {
	etag := strconv.FormatInt(st.ModTime().UnixNano(), 36) + "-" + strconv.FormatInt(st.Size(), 36)
	if sys, ok := st.Sys().(*syscall.Stat_t); ok {
		etag += "-" + strconv.FormatUint(sys.Ino, 36)
	}
	return Info{Key: key, Size: st.Size(), ETag: etag, ModTime: st.ModTime().UTC()}
}

// Put implements Store. Conditions hold between processes on one machine: they
// are checked, and the file renamed, under a lock on the lake's folder.
func (f *File) Put(ctx context.Context, key string, cond Condition, write func(io.Writer) error) (Info, error) {
	if err := check(ctx, key); err != nil {
		return Info{}, err
	}
	path := f.Path(key)
	dir := filepath.Dir(path)
	if err := os.MkdirAll(dir, 0o755); err != nil {
		return Info{}, fmt.Errorf("put %s: %w", key, err)
	}
	temp, err := writeTemp(dir, write)
	if err != nil {
		return Info{}, fmt.Errorf("put %s in %s: %w", key, f.root, err)
	}
	defer os.Remove(temp) // gone already where the rename went through
	if strings.HasPrefix(key, KeysPrefix) {
		err = os.Chmod(temp, 0o600)
	} else {
		err = os.Chmod(temp, 0o644)
	}
	if err == nil {
		err = ctx.Err()
	}
	if err != nil {
		return Info{}, fmt.Errorf("put %s: %w", key, err)
	}
	return f.publish(key, temp, path, cond)
}

// writeTemp writes a new file in dir and syncs it.
func writeTemp(dir string, write func(io.Writer) error) (path string, err error) {
	file, err := os.CreateTemp(dir, tempPrefix+"*")
	if err != nil {
		return "", err
	}
	err = write(file)
	if err == nil {
		err = file.Sync()
	}
	if cerr := file.Close(); err == nil {
		err = cerr
	}
	if err != nil {
		_ = os.Remove(file.Name())
		return "", err
	}
	return file.Name(), nil
}

func (f *File) publish(key, temp, path string, cond Condition) (Info, error) {
	unlock, err := f.lock()
	if err != nil {
		return Info{}, fmt.Errorf("put %s: %w", key, err)
	}
	defer unlock()
	if cond != (Condition{}) {
		st, err := os.Stat(path)
		exists := err == nil
		if err != nil && !errors.Is(err, fs.ErrNotExist) {
			return Info{}, fmt.Errorf("put %s: %w", key, err)
		}
		if cond.IfAbsent() && exists || cond.IfMatch() != "" && (!exists || fileInfo(key, st).ETag != cond.IfMatch()) {
			return Info{}, fmt.Errorf("put %s in %s: %w", key, f.root, ErrConflict)
		}
	}
	if err := os.Rename(temp, path); err != nil {
		return Info{}, fmt.Errorf("put %s: %w", key, err)
	}
	st, err := os.Stat(path)
	if err == nil {
		err = syncDir(filepath.Dir(path))
	}
	if err != nil {
		return Info{}, fmt.Errorf("put %s: %w", key, err)
	}
	return fileInfo(key, st), nil
}

// lock takes the lake's lock; the kernel releases it if the process dies.
func (f *File) lock() (unlock func(), err error) {
	d, err := os.Open(f.root)
	if err != nil {
		return nil, err
	}
	if err := syscall.Flock(int(d.Fd()), syscall.LOCK_EX); err != nil {
		_ = d.Close()
		return nil, fmt.Errorf("lock %s: %w", f.root, err)
	}
	return func() { _ = d.Close() }, nil
}

func syncDir(dir string) error {
	d, err := os.Open(dir)
	if err != nil {
		return err
	}
	defer d.Close()
	return d.Sync()
}

// List implements Store. Files that are not objects (temporary ones, or names
// that no key can have) are passed over.
func (f *File) List(ctx context.Context, prefix string) iter.Seq2[Info, error] {
	return func(yield func(Info, error) bool) {
		start := f.root
		if i := strings.LastIndexByte(prefix, '/'); i >= 0 {
			if CheckKey(prefix[:i]) != nil {
				return
			}
			start = f.Path(prefix[:i])
		}
		f.walk(ctx, start, prefix, yield)
	}
}

// walk yields the objects in dir and below, in key order, and reports whether to go on.
func (f *File) walk(ctx context.Context, dir, prefix string, yield func(Info, error) bool) bool {
	if err := ctx.Err(); err != nil {
		return yield(Info{}, err)
	}
	entries, err := os.ReadDir(dir)
	if errors.Is(err, fs.ErrNotExist) || errors.Is(err, syscall.ENOTDIR) {
		return true
	}
	if err != nil {
		return yield(Info{}, fmt.Errorf("list %s: %w", dir, err))
	}
	sortAsKeys(entries)
	for _, e := range entries {
		path := filepath.Join(dir, e.Name())
		rel, err := filepath.Rel(f.root, path)
		if err != nil {
			return yield(Info{}, fmt.Errorf("list %s: %w", dir, err))
		}
		key := filepath.ToSlash(rel)
		switch {
		case strings.HasPrefix(e.Name(), tempPrefix) || CheckKey(key) != nil:
			continue
		case e.IsDir():
			if (strings.HasPrefix(key+"/", prefix) || strings.HasPrefix(prefix, key+"/")) && !f.walk(ctx, path, prefix, yield) {
				return false
			}
		case strings.HasPrefix(key, prefix) && e.Type().IsRegular():
			st, err := e.Info()
			if errors.Is(err, fs.ErrNotExist) {
				continue // deleted meanwhile
			}
			if err != nil {
				return yield(Info{}, fmt.Errorf("list %s: %w", dir, err))
			}
			if !yield(fileInfo(key, st), nil) {
				return false
			}
		}
	}
	return true
}

// Leftovers yields the files that programs left which were killed while they put
// an object: those last written before a time. Their keys are no objects'.
func (f *File) Leftovers(ctx context.Context, before time.Time) iter.Seq2[Info, error] {
	return func(yield func(Info, error) bool) {
		err := filepath.WalkDir(f.root, func(path string, d fs.DirEntry, err error) error {
			if errors.Is(err, fs.ErrNotExist) {
				return ctx.Err() // deleted meanwhile, or a lake without a folder
			}
			if err != nil || !strings.HasPrefix(d.Name(), tempPrefix) || !d.Type().IsRegular() {
				return errors.Join(err, ctx.Err())
			}
			st, err := d.Info()
			if errors.Is(err, fs.ErrNotExist) {
				return nil
			}
			if err != nil {
				return err
			}
			key, err := filepath.Rel(f.root, path)
			if err == nil && st.ModTime().Before(before) && !yield(fileInfo(filepath.ToSlash(key), st), nil) {
				return filepath.SkipAll
			}
			return err
		})
		if err != nil {
			yield(Info{}, fmt.Errorf("look for what killed programs left in %s: %w", f.root, err))
		}
	}
}

// RemoveLeftover deletes a file that Leftovers yielded.
func (f *File) RemoveLeftover(info Info) error {
	if err := os.Remove(f.Path(info.Key)); !errors.Is(err, fs.ErrNotExist) {
		return err
	}
	return nil
}

// Stat implements Store.
func (f *File) Stat(ctx context.Context, key string) (Info, error) {
	if err := check(ctx, key); err != nil {
		return Info{}, err
	}
	st, err := os.Stat(f.Path(key))
	if errors.Is(err, fs.ErrNotExist) {
		return Info{}, fmt.Errorf("stat %s in %s: %w", key, f.root, ErrNotFound)
	}
	if err != nil {
		return Info{}, err
	}
	return fileInfo(key, st), nil
}

// Delete implements Store.
func (f *File) Delete(ctx context.Context, key string) error {
	if err := check(ctx, key); err != nil {
		return err
	}
	err := os.Remove(f.Path(key))
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		return err
	}
	return nil
}
