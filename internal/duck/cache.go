//go:build cgo && !noduck

package duck

import (
	"cmp"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"syscall"
	"time"

	"golang.org/x/sync/errgroup"

	"github.com/boontorrent/boon/internal/lake"
)

// defaultCache bounds the cache where Options do not.
const defaultCache = 20 << 30

// cache holds parts of lakes on S3 in a folder of the user's, named after their
// SHA-256, which manifests tell and which is checked when a part is fetched: so
// any number of lakes and programs can share it. A session holds a shared lock on
// it; parts are removed, those unused for longest first, only by a session that
// finds itself alone.
type cache struct {
	store lake.Store
	dir   string
	limit int64
	lock  *os.File
	note  func(string)
}

func openCache(s lake.Store, o Options) (*cache, error) {
	dir := o.CacheDir
	if dir == "" {
		base, err := os.UserCacheDir()
		if err != nil {
			return nil, fmt.Errorf("a lake on S3 is read through a cache: %w; set XDG_CACHE_HOME, or give --duckdb-extensions", err)
		}
		dir = filepath.Join(base, "boon", "parts")
	}
	c := &cache{store: s, dir: dir, limit: cmp.Or(o.CacheBytes, defaultCache), note: o.Note}
	if c.note == nil {
		c.note = func(string) {}
	}
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return nil, fmt.Errorf("make the cache: %w", err)
	}
	var err error
	if c.lock, err = os.OpenFile(filepath.Join(dir, "lock"), os.O_RDWR|os.O_CREATE, 0o600); err != nil {
		return nil, fmt.Errorf("lock the cache: %w", err)
	}
	if err := errors.Join(c.shrink(), syscall.Flock(int(c.lock.Fd()), syscall.LOCK_SH)); err != nil {
		_ = c.lock.Close()
		return nil, fmt.Errorf("open the cache %s: %w", dir, err)
	}
	return c, nil
}

// close ends the session.
func (c *cache) close() error { return errors.Join(c.shrink(), c.lock.Close()) }

// path is where a part lies in the cache, below a folder that gives it its day.
func (c *cache) path(p lake.Part) string {
	dir, name := filepath.Split(filepath.FromSlash(p.Key))
	return filepath.Join(c.dir, p.SHA256[:2], p.SHA256, filepath.Base(dir), name)
}

// fetch brings the parts of a table into the cache, two at once.
func (c *cache) fetch(ctx context.Context, table string, parts []lake.Part) error {
	var missing []lake.Part
	var bytes, total int64
	now := time.Now()
	for _, p := range parts {
		if b, err := hex.DecodeString(p.SHA256); err != nil || len(b) != sha256.Size {
			return fmt.Errorf("the manifest of %s names no SHA-256; run boon etl --force to make the partition anew", p.Key)
		}
		total += p.Bytes
		if st, err := os.Stat(c.path(p)); err != nil || st.Size() != p.Bytes || os.Chtimes(c.path(p), now, now) != nil {
			missing, bytes = append(missing, p), bytes+p.Bytes
		}
	}
	if total > c.limit {
		return fmt.Errorf("the table %s has %d MB, the cache %s holds %d: raise --cache-size, or let DuckDB read from S3 itself with --duckdb-extensions", table, total>>20, c.dir, c.limit>>20)
	}
	if len(missing) == 0 {
		return nil
	}
	c.note(fmt.Sprintf("fetching %d parts of %s, %.1f MB, from %s; --duckdb-extensions reads only what a query needs", len(missing), table, float64(bytes)/1e6, c.store.URL()))
	g, ctx := errgroup.WithContext(ctx)
	g.SetLimit(2)
	for _, p := range missing {
		g.Go(func() error { return c.fetchPart(ctx, p) })
	}
	return g.Wait()
}

// fetchPart brings one part into the cache. Who else does so meanwhile brings the
// same bytes.
func (c *cache) fetchPart(ctx context.Context, p lake.Part) error {
	path := c.path(p)
	if err := os.MkdirAll(filepath.Dir(path), 0o700); err != nil {
		return fmt.Errorf("fetch %s: %w", p.Key, err)
	}
	return replaceWith(path, func(w io.Writer) error {
		o, err := c.store.Open(ctx, p.Key)
		if errors.Is(err, lake.ErrNotFound) {
			return fmt.Errorf("%w; a part that a manifest names is gone: if boon etl ran meanwhile, run this again, else run boon verify", err)
		}
		if err != nil {
			return err
		}
		defer o.Close()
		sum := sha256.New()
		if _, err := io.Copy(io.MultiWriter(w, sum), o); err != nil {
			return fmt.Errorf("fetch %s: %w", p.Key, err)
		}
		if got := hex.EncodeToString(sum.Sum(nil)); got != p.SHA256 {
			return fmt.Errorf("fetch %s: its sha256 is %.16s…, the manifest says %.16s…; run boon verify", p.Key, got, p.SHA256)
		}
		return nil
	})
}

// replaceWith writes a file that appears when it is whole.
func replaceWith(path string, write func(io.Writer) error) error {
	f, err := os.CreateTemp(filepath.Dir(path), tempPart+"*")
	if err != nil {
		return err
	}
	defer os.Remove(f.Name()) // gone already where it was renamed
	if err := errors.Join(write(f), f.Close()); err != nil {
		return err
	}
	return os.Rename(f.Name(), path)
}

const tempPart = ".boon-tmp-"

// shrink removes parts until the cache keeps its bound, unless others use it.
func (c *cache) shrink() error {
	err := syscall.Flock(int(c.lock.Fd()), syscall.LOCK_EX|syscall.LOCK_NB)
	if errors.Is(err, syscall.EWOULDBLOCK) {
		return nil
	}
	if err != nil {
		return err
	}
	type file struct {
		path string
		size int64
		used time.Time
	}
	var files []file
	var total int64
	err = filepath.WalkDir(c.dir, func(path string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() || path == c.lock.Name() {
			return err
		}
		st, err := d.Info()
		if err != nil {
			return err
		}
		used := st.ModTime()
		if strings.HasPrefix(d.Name(), tempPart) {
			used = time.Time{} // of a program that was killed
		}
		files = append(files, file{path, st.Size(), used})
		total += st.Size()
		return nil
	})
	if err != nil {
		return err
	}
	slices.SortFunc(files, func(a, b file) int { return a.used.Compare(b.used) })
	for _, f := range files {
		if total <= c.limit && !f.used.IsZero() {
			break
		}
		if err := os.Remove(f.path); err != nil {
			return err
		}
		total -= f.size
		_ = os.Remove(filepath.Dir(f.path)) // the day's folder, where it is empty now
		_ = os.Remove(filepath.Dir(filepath.Dir(f.path)))
	}
	return nil
}
