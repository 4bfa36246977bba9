package collect

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"time"

	"github.com/boontorrent/boon/internal/lake"
)

// Waits between attempts to reach the lake.
const (
	firstWait = time.Second
	lastWait  = 2 * time.Minute
)

// uploader moves sealed segments into the lake, oldest first, for as long as
// it takes. A segment leaves the spool once the lake has it.
type uploader struct {
	spool *spool
	store lake.Store
	wake  chan struct{}
	say   func(format string, args ...any)
	wait  time.Duration // first wait after a failure
}

// run uploads until ctx ends. Failures are said, and tried again.
func (u *uploader) run(ctx context.Context) {
	wait := u.wait
	for {
		next := time.Duration(0) // until there is something to do
		err := u.all(ctx)
		switch {
		case ctx.Err() != nil:
			return
		case err != nil:
			u.say("%v; trying again in %v", err, wait)
			next, wait = wait, min(2*wait, lastWait)
		default:
			wait = u.wait
		}
		if !u.sleep(ctx, next) {
			return
		}
	}
}

// sleep waits for a segment, or for d where it is not 0; false at the end.
func (u *uploader) sleep(ctx context.Context, d time.Duration) bool {
	if d == 0 {
		select {
		case <-ctx.Done():
			return false
		case <-u.wake:
			return true
		}
	}
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-ctx.Done():
		return false
	case <-timer.C:
		return true
	}
}

// notify wakes run.
func (u *uploader) notify() {
	select {
	case u.wake <- struct{}{}:
	default:
	}
}

// all uploads what is sealed, oldest first, and stops at the first failure.
func (u *uploader) all(ctx context.Context) error {
	files, err := u.spool.sealed()
	if err != nil {
		return err
	}
	for _, f := range files {
		if err := u.one(ctx, f); err != nil {
			return err
		}
	}
	return nil
}

func (u *uploader) one(ctx context.Context, f sealedFile) error {
	in, err := os.Open(u.spool.path(f.name))
	if err != nil {
		return fmt.Errorf("upload %s: %w", f.name, err)
	}
	defer in.Close()
	_, err = u.store.Put(ctx, f.key.String(), lake.Absent(), func(w io.Writer) error {
		_, err := io.Copy(w, in)
		return err
	})
	if errors.Is(err, lake.ErrConflict) { // uploaded already: the key has the content's digest
		err = nil
	}
	if err != nil {
		return fmt.Errorf("upload %s to %s: %w", f.name, u.store.URL(), err)
	}
	there, err := u.store.Stat(ctx, f.key.String())
	if err != nil {
		return fmt.Errorf("look for %s in %s: %w", f.name, u.store.URL(), err)
	}
	if there.Size != f.size {
		return fmt.Errorf("%s has %d bytes in %s and %d in the spool; remove the wrong one", f.key, there.Size, u.store.URL(), f.size)
	}
	if err := os.Remove(u.spool.path(f.name)); err != nil {
		return fmt.Errorf("remove %s from the spool: %w", f.name, err)
	}
	u.spool.held.Add(-f.size)
	return nil
}
