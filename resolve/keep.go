package resolve

import (
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"time"

	"github.com/boontorrent/boon/internal/lake"
	"github.com/boontorrent/boon/internal/rawlog"
)

// keeper stores info dictionaries as .torrent files: in a folder of the spool,
// and from there in the lake, for as long as it takes.
type keeper struct {
	dir   string // "": nothing is kept
	store lake.Store
	wake  chan struct{}
	say   func(format string, args ...any)
	wait  time.Duration // between attempts to reach the lake
}

func newKeeper(dir string, cfg *Config) (*keeper, error) {
	k := &keeper{dir: dir, store: cfg.Store, wake: make(chan struct{}, 1), say: cfg.Say, wait: 30 * cfg.UploadWait}
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return nil, fmt.Errorf("make a folder for .torrent files: %w", err)
	}
	halves, err := filepath.Glob(filepath.Join(dir, "*.new")) // of a process that was killed
	if err != nil {
		return nil, err
	}
	for _, path := range halves {
		if err := os.Remove(path); err != nil {
			return nil, fmt.Errorf("remove half a .torrent file: %w", err)
		}
	}
	return k, nil
}

// TorrentKey is where the lake has a .torrent file.
func TorrentKey(h rawlog.ID) string {
	hex := h.String()
	return "torrents/" + hex[:2] + "/" + hex[2:4] + "/" + hex + ".torrent"
}

// keep writes a file, all or nothing. What is in a .torrent file besides the info
// dictionary (trackers, and the piece layers of version 2) nobody asked for.
func (k *keeper) keep(h rawlog.ID, info []byte) error {
	temp := filepath.Join(k.dir, h.String()+".new")
	err := writeSynced(temp, []byte("d4:info"), info, []byte("e"))
	if err == nil {
		err = os.Rename(temp, filepath.Join(k.dir, h.String()+".torrent"))
	}
	if err != nil {
		_ = os.Remove(temp)
		return fmt.Errorf("keep a .torrent file: %w", err)
	}
	select {
	case k.wake <- struct{}{}:
	default:
	}
	return nil
}

func writeSynced(path string, parts ...[]byte) error {
	f, err := os.OpenFile(path, os.O_CREATE|os.O_TRUNC|os.O_WRONLY, 0o600)
	if err != nil {
		return err
	}
	for _, p := range parts {
		if _, err = f.Write(p); err != nil {
			break
		}
	}
	return errors.Join(err, f.Sync(), f.Close())
}

// run moves files to the lake until ctx ends.
func (k *keeper) run(ctx context.Context) {
	for ctx.Err() == nil {
		var again <-chan time.Time
		if err := k.all(ctx); err != nil && ctx.Err() == nil {
			k.say("%v; trying again in %v", err, k.wait)
			again = time.After(k.wait)
		}
		select {
		case <-ctx.Done():
		case <-k.wake:
		case <-again:
		}
	}
}

// all moves what is there, and stops at the first failure.
func (k *keeper) all(ctx context.Context) error {
	entries, err := os.ReadDir(k.dir)
	if err != nil {
		return fmt.Errorf("list .torrent files: %w", err)
	}
	for _, e := range entries {
		name, ok := strings.CutSuffix(e.Name(), ".torrent")
		h, err := rawlog.ParseID(name)
		if !ok || err != nil {
			continue
		}
		if err := k.move(ctx, h, filepath.Join(k.dir, e.Name())); err != nil {
			return err
		}
	}
	return nil
}

func (k *keeper) move(ctx context.Context, h rawlog.ID, path string) error {
	in, err := os.Open(path)
	if errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	if err != nil {
		return fmt.Errorf("store a .torrent file: %w", err)
	}
	defer in.Close()
	key := TorrentKey(h)
	_, err = k.store.Put(ctx, key, lake.Absent(), func(w io.Writer) error {
		_, err := io.Copy(w, in)
		return err
	})
	if err != nil && !errors.Is(err, lake.ErrConflict) { // the same info-hash is the same file
		return fmt.Errorf("store %s in %s: %w", key, k.store.URL(), err)
	}
	if err := os.Remove(path); err != nil {
		return fmt.Errorf("store %s: %w", strconv.Quote(key), err)
	}
	return nil
}
