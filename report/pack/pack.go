// Package pack writes folders of many small files, compressed and several at once, and
// names a folder after what is in it, so that a browser may keep its files for ever.
package pack

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"sync/atomic"

	"github.com/klauspost/compress/gzip"
	"golang.org/x/sync/errgroup"
)

// Folder is a folder that is being made. Its methods may be called by several goroutines.
type Folder struct {
	// Check, where it is set before the first file, looks at what each file holds, part by
	// part, before it is compressed; an error of it ends the making.
	Check func(path string, b []byte) error

	level int
	dir   string // while it is made
	group *errgroup.Group
	ctx   context.Context
	zips  sync.Pool
	mu    sync.Mutex
	sums  []string // "path sha256" of each file
	files atomic.Int64
	bytes atomic.Int64
}

// New makes a folder in parent that has no name yet. It is removed by Close, unless
// Finish has given it one.
// Level is gzip's, 1 to 9.
func New(ctx context.Context, parent string, workers, level int) (*Folder, error) {
	if err := os.MkdirAll(parent, 0o755); err != nil {
		return nil, err
	}
	dir, err := os.MkdirTemp(parent, ".making-")
	if err != nil {
		return nil, err
	}
	if err := os.Chmod(dir, 0o755); err != nil {
		return nil, err
	}
	o := &Folder{dir: dir, level: level}
	o.group, o.ctx = errgroup.WithContext(ctx)
	o.group.SetLimit(max(1, workers))
	return o, nil
}

// Zip writes a file, compressed. Its parts, one after the other, have codes of their own: what
// is random does not spoil those of what is text. It keeps the parts until they are written.
func (o *Folder) Zip(path string, parts ...[]byte) error {
	return o.put(path, parts, func() ([]byte, error) {
		var out bytes.Buffer
		z, ok := o.zips.Get().(*gzip.Writer)
		if !ok {
			var err error
			if z, err = gzip.NewWriterLevel(&out, o.level); err != nil {
				return nil, err
			}
		}
		z.Reset(&out)
		for i, b := range parts {
			if i > 0 {
				if err := z.Flush(); err != nil {
					return nil, err
				}
			}
			if _, err := z.Write(b); err != nil {
				return nil, err
			}
		}
		if err := z.Close(); err != nil {
			return nil, err
		}
		o.zips.Put(z)
		return out.Bytes(), nil
	})
}

// Plain writes a file that would not get smaller. It keeps b until it is written.
func (o *Folder) Plain(path string, b []byte) error {
	return o.put(path, [][]byte{b}, func() ([]byte, error) { return b, nil })
}

func (o *Folder) put(path string, parts [][]byte, content func() ([]byte, error)) error {
	if err := o.ctx.Err(); err != nil {
		return context.Cause(o.ctx)
	}
	o.group.Go(func() error {
		if err := o.checkAll(path, parts); err != nil {
			return err
		}
		b, err := content()
		if err != nil {
			return fmt.Errorf("compress %s: %w", path, err)
		}
		full := filepath.Join(o.dir, filepath.FromSlash(path))
		err = os.WriteFile(full, b, 0o644)
		if errors.Is(err, fs.ErrNotExist) { // the first file of its folder
			err = os.MkdirAll(filepath.Dir(full), 0o755)
			if err == nil {
				err = os.WriteFile(full, b, 0o644)
			}
		}
		if err != nil {
			return err
		}
		o.files.Add(1)
		o.bytes.Add(int64(len(b)))
		sum := sha256.Sum256(b)
		o.mu.Lock()
		defer o.mu.Unlock()
		o.sums = append(o.sums, path+" "+hex.EncodeToString(sum[:]))
		return nil
	})
	return nil
}

func (o *Folder) checkAll(path string, parts [][]byte) error {
	if o.Check == nil {
		return nil
	}
	for _, part := range parts {
		if err := o.Check(path, part); err != nil {
			return err
		}
	}
	return nil
}

// Finish waits for the files and renames the folder to prefix and a digest of all.
func (o *Folder) Finish(prefix string) (name string, err error) {
	if err := o.group.Wait(); err != nil {
		return "", err
	}
	name = prefix + digest(o.sums)
	return name, os.Rename(o.dir, filepath.Join(filepath.Dir(o.dir), name))
}

// digest is that of a folder's files.
func digest(sums []string) string {
	slices.Sort(sums)
	sum := sha256.Sum256([]byte(strings.Join(sums, "\n")))
	return hex.EncodeToString(sum[:6])
}

// Dir is where the folder lies while it is made.
func (o *Folder) Dir() string { return o.dir }

// Wrote tells how many files and bytes are written so far.
func (o *Folder) Wrote() (files, bytes int64) { return o.files.Load(), o.bytes.Load() }

// Close waits for the files and removes the folder where it has no name yet.
func (o *Folder) Close() {
	_ = o.group.Wait()
	_ = os.RemoveAll(o.dir)
}
