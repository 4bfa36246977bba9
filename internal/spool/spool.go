// Package spool holds raw segments until the lake has them: a folder where they
// grow, are sealed under the name of their key, and lie until they are uploaded.
//
// Segments writes a run's events into one segment after another. Mend, run
// before anything else, seals what a crash left open, up to its last whole
// record. Uploader moves sealed segments into the lake, oldest first, for as
// long as it takes.
//
// What it promises: a record that was flushed survives the death of the process,
// one that was synced a power cut. A full disk loses nothing that was flushed
// before, and is no error: what has no room waits in memory, one frame of it,
// and Segments takes nothing more until there is room. A folder is one process's
// alone.
package spool

import (
	"cmp"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"hash"
	"io"
	"io/fs"
	"os"
	"path"
	"path/filepath"
	"slices"
	"strings"
	"sync/atomic"
	"syscall"

	"github.com/boontorrent/boon/internal/lake"
)

// Names in the spool: an open segment, one that is being mended, one that
// cannot be read; a sealed segment has the last part of its key for a name.
const (
	OpenSuffix       = ".open"
	mendSuffix       = ".mending"
	unreadableSuffix = ".unreadable"
	lockName         = "lock"
)

// Spool is the folder where segments lie until the lake has them.
type Spool struct {
	// NewFile opens a new file; a test may put a disk of its own there.
	NewFile func(path string) (File, error)

	dir  string
	max  int64        // bytes; 0: no bound
	held atomic.Int64 // bytes of segments
	lock *os.File
}

// File is what a segment needs of a file.
type File interface {
	io.WriterAt
	Sync() error
	Close() error
	Name() string
}

// NewFile makes a file, for its owner alone.
func NewFile(path string) (File, error) {
	return os.OpenFile(path, os.O_CREATE|os.O_EXCL|os.O_WRONLY, 0o600)
}

// Open takes a folder for this process alone. Limit is how many bytes of
// segments it may hold, 0 for no bound.
func Open(dir string, limit int64) (*Spool, error) {
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return nil, fmt.Errorf("make the spool: %w", err)
	}
	lock, err := os.OpenFile(filepath.Join(dir, lockName), os.O_CREATE|os.O_RDWR, 0o600)
	if err != nil {
		return nil, fmt.Errorf("open the spool: %w", err)
	}
	if err := syscall.Flock(int(lock.Fd()), syscall.LOCK_EX|syscall.LOCK_NB); err != nil {
		_ = lock.Close()
		return nil, fmt.Errorf("another process writes to the spool %s; give each its own with --spool", dir)
	}
	return &Spool{NewFile: NewFile, dir: dir, max: limit, lock: lock}, nil
}

// Close gives the folder free.
func (s *Spool) Close() { _ = s.lock.Close() }

// Dir is the folder.
func (s *Spool) Dir() string { return s.dir }

// Path is that of a file in the folder.
func (s *Spool) Path(name string) string { return filepath.Join(s.dir, name) }

// Held is how many bytes of segments lie there.
func (s *Spool) Held() int64 { return s.held.Load() }

// Full reports whether the spool's limit is reached.
func (s *Spool) Full() bool { return s.max > 0 && s.held.Load() >= s.max }

// Sealed is a segment that waits for its way to the lake.
type Sealed struct {
	Name string
	Key  lake.SegmentKey
	Size int64
}

// Sealed lists the sealed segments, oldest first.
func (s *Spool) Sealed() ([]Sealed, error) {
	names, err := s.Names("")
	if err != nil {
		return nil, err
	}
	var found []Sealed
	for _, name := range names {
		key, ok := keyOf(name)
		if !ok {
			continue
		}
		st, err := os.Stat(s.Path(name))
		if errors.Is(err, fs.ErrNotExist) {
			continue
		}
		if err != nil {
			return nil, fmt.Errorf("look at the spool: %w", err)
		}
		found = append(found, Sealed{Name: name, Key: key, Size: st.Size()})
	}
	slices.SortFunc(found, func(a, b Sealed) int {
		return cmp.Or(cmp.Compare(a.Key.Start, b.Key.Start), cmp.Compare(a.Key.Seq, b.Key.Seq))
	})
	return found, nil
}

// Names lists the files whose names end so.
func (s *Spool) Names(suffix string) ([]string, error) {
	entries, err := os.ReadDir(s.dir)
	if err != nil {
		return nil, fmt.Errorf("list the spool: %w", err)
	}
	var names []string
	for _, e := range entries {
		if e.Type().IsRegular() && strings.HasSuffix(e.Name(), suffix) {
			names = append(names, e.Name())
		}
	}
	return names, nil
}

// keyOf finds the key of a sealed segment from its name, whose stamp says in
// which folder it belongs: collector-20261122T130405.000000Z-000017-0a1b2c3d.ndjson.zst.
func keyOf(name string) (lake.SegmentKey, bool) {
	parts := strings.Split(name, "-")
	if len(parts) < 4 {
		return lake.SegmentKey{}, false
	}
	stamp := parts[len(parts)-3]
	if len(stamp) < 11 {
		return lake.SegmentKey{}, false
	}
	folder := fmt.Sprintf("%sday=%s-%s-%s/hour=%s/", lake.RawPrefix, stamp[:4], stamp[4:6], stamp[6:8], stamp[9:11])
	key, err := lake.ParseSegmentKey(folder + name)
	return key, err == nil
}

// segmentFile is an open segment on disk. Its size is that of whole frames: a
// frame that the disk has no room for is kept, to be written when there is, over
// the part of it that may have got there.
type segmentFile struct {
	f       File
	spool   *Spool
	size    int64
	sum     hash.Hash
	pending []byte
	named   atomic.Bool // its name will last, too
}

func (s *Spool) create(name string) (*segmentFile, error) {
	f, err := s.NewFile(s.Path(name))
	if err != nil {
		return nil, fmt.Errorf("begin a segment: %w", err)
	}
	return &segmentFile{f: f, spool: s, sum: sha256.New()}, nil
}

// Write writes a frame, or keeps it where the disk is full.
func (s *segmentFile) Write(p []byte) (int, error) {
	if len(s.pending) > 0 {
		s.pending = append(s.pending, p...)
		return len(p), nil
	}
	if _, err := s.f.WriteAt(p, s.size); err != nil {
		if !NoRoom(err) {
			return 0, err
		}
		s.pending = append(s.pending, p...)
		return len(p), nil
	}
	s.wrote(p)
	return len(p), nil
}

func (s *segmentFile) wrote(p []byte) {
	s.size += int64(len(p))
	s.spool.held.Add(int64(len(p)))
	_, _ = s.sum.Write(p) // a hash never fails
}

// NoRoom reports whether an error is that of a full disk.
func NoRoom(err error) bool {
	return errors.Is(err, syscall.ENOSPC) || errors.Is(err, syscall.EDQUOT)
}

// retry writes what the disk had no room for; true when nothing is left.
func (s *segmentFile) retry() (bool, error) {
	if len(s.pending) == 0 {
		return true, nil
	}
	p := s.pending
	s.pending = nil
	_, err := s.Write(p)
	return len(s.pending) == 0, err
}

// seal syncs the file and gives it the name of its key.
func (s *segmentFile) seal(k lake.SegmentKey) error {
	k.Sha8 = hex.EncodeToString(s.sum.Sum(nil)[:4])
	if err := s.f.Sync(); err != nil {
		return fmt.Errorf("seal segment %d: %w", k.Seq, err)
	}
	if err := s.f.Close(); err != nil {
		return fmt.Errorf("seal segment %d: %w", k.Seq, err)
	}
	if err := os.Rename(s.f.Name(), s.spool.Path(path.Base(k.String()))); err != nil {
		return fmt.Errorf("seal segment %d: %w", k.Seq, err)
	}
	return s.spool.Sync()
}

// Sync makes names in the spool last.
func (s *Spool) Sync() error {
	d, err := os.Open(s.dir)
	if err != nil {
		return fmt.Errorf("sync the spool: %w", err)
	}
	defer d.Close()
	if err := d.Sync(); err != nil {
		return fmt.Errorf("sync the spool: %w", err)
	}
	return nil
}
