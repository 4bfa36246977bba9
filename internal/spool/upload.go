package spool

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
	FirstWait = time.Second
	lastWait  = 2 * time.Minute
)

// Uploader moves sealed segments into the lake, oldest first, for as long as
// it takes. A segment leaves the spool once the lake has it.
type Uploader struct {
	spool *Spool
	store lake.Store
	wake  chan struct{}
	say   func(format string, args ...any)
	wait  time.Duration // first wait after a failure
}

// Begin opens a spool and mends what a crash left open there. Where the disk is
// full, what is sealed goes to the lake first and makes room for that.
func Begin(ctx context.Context, dir string, limit int64, store lake.Store, say func(format string, args ...any), account func() Ledger) (*Spool, int64, error) {
	s, err := Open(dir, limit)
	if err != nil {
		return nil, 0, err
	}
	mended, err := s.mendOrMakeRoom(ctx, store, say, account)
	if err != nil {
		s.Close()
		return nil, 0, err
	}
	if mended > 0 {
		say("mended %d records that a crash left open", mended)
	}
	return s, mended, nil
}

func (s *Spool) mendOrMakeRoom(ctx context.Context, store lake.Store, say func(format string, args ...any), account func() Ledger) (int64, error) {
	mended, err := s.Mend(account)
	if err == nil || !NoRoom(err) {
		return mended, err
	}
	say("the disk of the spool %s is full; uploading what is sealed first", s.dir)
	if up := NewUploader(s, store, say, FirstWait).All(ctx); up != nil {
		return mended, errors.Join(err, up)
	}
	more, err := s.Mend(account)
	return mended + more, err
}

// NewUploader returns one that says its failures, and waits so long after the
// first of them.
func NewUploader(s *Spool, store lake.Store, say func(format string, args ...any), wait time.Duration) *Uploader {
	return &Uploader{spool: s, store: store, wake: make(chan struct{}, 1), say: say, wait: wait}
}

// Run uploads until ctx ends. Failures are said, and tried again.
func (u *Uploader) Run(ctx context.Context) {
	wait := u.wait
	for {
		next := time.Duration(0) // until there is something to do
		err := u.All(ctx)
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
func (u *Uploader) sleep(ctx context.Context, d time.Duration) bool {
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

// Notify wakes Run.
func (u *Uploader) Notify() {
	select {
	case u.wake <- struct{}{}:
	default:
	}
}

// errUnfit is what keeps one segment from the lake and no other.
var errUnfit = errors.New("this segment stays in the spool")

// All uploads what is sealed, oldest first, for as long as the lake takes it.
func (u *Uploader) All(ctx context.Context) error {
	files, err := u.spool.Sealed()
	if err != nil {
		return err
	}
	var errs []error
	for _, f := range files {
		err := u.one(ctx, f)
		errs = append(errs, err)
		if err != nil && !errors.Is(err, errUnfit) {
			break
		}
	}
	return errors.Join(errs...)
}

func (u *Uploader) one(ctx context.Context, f Sealed) error {
	in, err := os.Open(u.spool.Path(f.Name))
	if err != nil {
		return fmt.Errorf("%w: upload %s: %w", errUnfit, f.Name, err)
	}
	defer in.Close()
	_, err = u.store.Put(ctx, f.Key.String(), lake.Absent(), func(w io.Writer) error {
		_, err := io.Copy(w, in)
		return err
	})
	if errors.Is(err, lake.ErrConflict) { // uploaded already: the key has the content's digest
		err = nil
	}
	if err != nil {
		return fmt.Errorf("upload %s to %s: %w", f.Name, u.store.URL(), err)
	}
	there, err := u.store.Stat(ctx, f.Key.String())
	if err != nil {
		return fmt.Errorf("look for %s in %s: %w", f.Name, u.store.URL(), err)
	}
	if there.Size != f.Size {
		return fmt.Errorf("%w: %s has %d bytes in %s and %d in the spool; remove the wrong one", errUnfit, f.Key, there.Size, u.store.URL(), f.Size)
	}
	if err := os.Remove(u.spool.Path(f.Name)); err != nil {
		return fmt.Errorf("%w: remove it: %w", errUnfit, err)
	}
	u.spool.held.Add(-f.Size)
	return nil
}
