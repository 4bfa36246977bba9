package etl

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"sync"
	"time"

	"golang.org/x/sync/errgroup"

	"github.com/boontorrent/boon/internal/lake"
	"github.com/boontorrent/boon/internal/process"
)

// lease is the object that keeps two runs on one lake apart. It saves work, not
// data: should it fail, a run that loses the race for a manifest does no harm.
// But only who holds it deletes parts: those that no manifest names may be
// another run's, who is about to commit them.
//
// A holder that was killed does not give it up. Who finds its lease knows it to
// be dead where both are on one machine; else it watches the lease for as long
// as it holds and takes it if it was not renewed, by its own clock alone.
type lease struct {
	Holder  string     `json:"holder"`
	Until   time.Time  `json:"until"` // by the holder's clock, for people
	Seconds int64      `json:"seconds"`
	Process process.ID `json:"process,omitzero"`
}

const leaseKey = lake.LeasePrefix + "etl.json"

// ErrLeased is returned (wrapped) while another run holds the lake's lease.
var ErrLeased = errors.New("another boon etl is at work on this lake")

const (
	leaseFor     = 2 * time.Minute  // how long a lease holds that is not renewed
	renewEach    = leaseFor / 4     // so that one that is renewed has four tries
	lookEach     = leaseFor / 24    // while it is waited for
	longestLease = 10 * time.Minute // of earlier versions, which do not say it
)

// holds is for how long a lease is its holder's after it was last renewed.
func (l *lease) holds() time.Duration {
	if l.Seconds <= 0 || l.Seconds > int64(longestLease/time.Second) {
		return longestLease
	}
	return time.Duration(l.Seconds) * time.Second
}

// heldLease is a lease that this process has.
type heldLease struct {
	store lake.Store
	taken bool // from another, who may be alive
	mu    sync.Mutex
	info  lake.Info // the object as it was put last
}

// mine reports whether nobody has taken the lease over.
func (h *heldLease) mine(ctx context.Context) (bool, error) {
	h.mu.Lock()
	defer h.mu.Unlock()
	now, err := h.store.Stat(ctx, leaseKey)
	if errors.Is(err, lake.ErrNotFound) {
		return false, nil
	}
	return err == nil && now.ETag == h.info.ETag, err
}

// alone reports whether no other run can be at work on the lake: the lease is
// held, or was not asked for.
func (o *Options) alone(ctx context.Context) (bool, error) {
	if o.held == nil {
		return true, nil
	}
	return o.held.mine(ctx)
}

// holdLease runs work while holding the lease, if Options names a holder.
func holdLease(ctx context.Context, store lake.Store, opts *Options, work func() error) error {
	if opts.Holder == "" {
		return work()
	}
	info, taken, err := takeLease(ctx, store, opts)
	if err != nil {
		return err
	}
	opts.held = &heldLease{store: store, taken: taken, info: info}
	renewing, stop := context.WithCancel(ctx)
	var g errgroup.Group
	g.Go(func() error {
		opts.held.renew(renewing, opts)
		return nil
	})
	err = work()
	stop()
	err = errors.Join(err, g.Wait())
	return errors.Join(err, opts.held.drop(context.WithoutCancel(ctx)))
}

// takeLease makes the lease, or takes it from one who is dead or is to be pushed
// aside. taken is whether that one may be alive.
func takeLease(ctx context.Context, store lake.Store, opts *Options) (info lake.Info, taken bool, err error) {
	cond, taken, err := vacant(ctx, store, opts)
	if err != nil {
		return info, false, err
	}
	info, err = putLease(ctx, store, opts, cond)
	if errors.Is(err, lake.ErrConflict) {
		err = fmt.Errorf("%w: it took the lease a moment ago", ErrLeased)
	}
	return info, taken, err
}

// vacant waits until the lease may be had, or is known not to be, and returns the
// condition to put it on.
func vacant(ctx context.Context, store lake.Store, opts *Options) (cond lake.Condition, taken bool, err error) {
	found, info, err := readLease(ctx, store)
	switch {
	case errors.Is(err, lake.ErrNotFound):
		return lake.Absent(), false, nil
	case err != nil:
		return cond, false, err
	case opts.BreakLease:
		return lake.Unchanged(info.ETag), true, nil
	}
	switch found.Process.State() {
	case process.Dead:
		return lake.Unchanged(info.ETag), false, nil
	case process.Running:
		return cond, false, found.held()
	}
	return awaitEnd(ctx, store, opts, found, info.ETag)
}

// held is the error of one who cannot have the lease.
func (l *lease) held() error {
	return fmt.Errorf("%w: %s; wait until it ends, or pass --break-lease to go on beside it", ErrLeased, l.Holder)
}

func readLease(ctx context.Context, store lake.Store) (*lease, lake.Info, error) {
	b, info, err := lake.ReadAll(ctx, store, leaseKey, 1<<16)
	if err != nil {
		return nil, info, err
	}
	var l lease
	if json.Unmarshal(b, &l) != nil {
		l = lease{Holder: "someone who wrote no lease"}
	}
	return &l, info, nil
}

// awaitEnd watches a lease for as long as it holds: if it is not renewed, its
// holder is dead.
func awaitEnd(ctx context.Context, store lake.Store, opts *Options, found *lease, etag string) (cond lake.Condition, taken bool, err error) {
	began := time.Now()
	for {
		left := found.holds() - time.Since(began)
		if left <= 0 {
			return lake.Unchanged(etag), true, nil
		}
		if opts.Waiting != nil {
			opts.Waiting(found.Holder, left)
		}
		select {
		case <-ctx.Done():
			return cond, false, ctx.Err()
		case <-time.After(min(left, lookEach)):
		}
		now, info, err := readLease(ctx, store)
		switch {
		case errors.Is(err, lake.ErrNotFound):
			return lake.Absent(), false, nil
		case err != nil:
			return cond, false, err
		case info.ETag != etag:
			return cond, false, now.held()
		}
	}
}

func putLease(ctx context.Context, store lake.Store, opts *Options, cond lake.Condition) (lake.Info, error) {
	b, err := json.Marshal(lease{
		Holder: opts.Holder, Until: opts.Now().Add(leaseFor).UTC(), Seconds: int64(leaseFor / time.Second), Process: process.Self(),
	})
	if err != nil {
		return lake.Info{}, fmt.Errorf("take the lease: %w", err)
	}
	b = append(b, '\n')
	info, err := lake.PutBytes(ctx, store, leaseKey, cond, b)
	if err == nil {
		return info, nil
	}
	// It may have been put all the same, and would then be in everybody's way.
	if got, now, rerr := lake.ReadAll(ctx, store, leaseKey, 1<<16); rerr == nil && bytes.Equal(got, b) {
		return now, nil
	}
	return lake.Info{}, err
}

// renew renews the lease until ctx ends or it is lost.
func (h *heldLease) renew(ctx context.Context, opts *Options) {
	tick := time.NewTicker(renewEach)
	defer tick.Stop()
	for {
		select {
		case <-ctx.Done():
			return
		case <-tick.C:
		}
		h.mu.Lock()
		info, err := putLease(ctx, h.store, opts, lake.Unchanged(h.info.ETag))
		if err == nil {
			h.info = info
		}
		h.mu.Unlock()
		if errors.Is(err, lake.ErrConflict) || errors.Is(err, lake.ErrNotFound) {
			return // broken by someone; manifests are safe all the same
		}
	}
}

// drop deletes the lease if it is still held.
func (h *heldLease) drop(ctx context.Context) error {
	mine, err := h.mine(ctx)
	if err != nil || !mine {
		return err
	}
	return h.store.Delete(ctx, leaseKey)
}
