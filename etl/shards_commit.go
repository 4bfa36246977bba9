package etl

import (
	"context"
	"errors"
	"fmt"
	"io"
	"slices"
	"strings"

	"github.com/boontorrent/boon/internal/lake"
)

// Commit checks that all shards of the day's plan are there, writes the tables
// that need all of them, and the manifests.
func Commit(ctx context.Context, store lake.Store, opts Options, day lake.Day) (DayReport, error) {
	if err := opts.fill(store); err != nil {
		return DayReport{Day: day}, err
	}
	var report DayReport
	err := takeOver(ctx, store, &opts, func() error {
		d, p, err := fromPlan(ctx, store, &opts, day)
		if err != nil {
			return err
		}
		defer d.close()
		if p.Committed != nil {
			report = *p.Committed
			return d.clearUp(ctx)
		}
		err = d.commitPlan(ctx, p)
		report = d.report()
		if err != nil {
			return err
		}
		p.Committed = &report
		if err := putJSON(ctx, store, planKey(day), p); err != nil {
			return err
		}
		return d.clearUp(ctx)
	})
	return report, err
}

func (d *dayRun) commitPlan(ctx context.Context, p *Plan) error {
	if err := d.lookBack(ctx); err != nil {
		return fmt.Errorf("%w; or plan again with what is there now", err)
	}
	results, err := d.collect(ctx, p)
	if err != nil {
		return err
	}
	streams, done, err := d.openDemand(ctx)
	defer done()
	if err != nil {
		return err
	}
	d.settle(results)
	if err := d.judge(ctx); err != nil {
		return err
	}
	if err := d.finish(ctx, results, streams); err != nil {
		return errors.Join(err, d.discard(ctx))
	}
	return d.commit(ctx)
}

// collect reads what the units left and checks that their parts are there.
func (d *dayRun) collect(ctx context.Context, p *Plan) ([]*unitResult, error) {
	var results []*unitResult
	var missing []string
	for unit := range d.units() {
		r, err := d.readUnit(ctx, unit)
		switch {
		case errors.Is(err, lake.ErrNotFound) || errors.Is(err, errDamaged):
			if s := fmt.Sprintf("boon etl shard %d/%d --day %s", unit%p.Shards, p.Shards, d.day); !slices.Contains(missing, s) {
				missing = append(missing, s)
			}
		case err != nil:
			return nil, err
		}
		results = append(results, r)
	}
	if len(missing) > 0 {
		return nil, fmt.Errorf("%w; run %s", ErrIncomplete, strings.Join(missing, ", "))
	}
	return results, nil
}

// readUnit reads what a unit left; lake.ErrNotFound or errDamaged (wrapped) where
// the unit has to be made again.
func (d *dayRun) readUnit(ctx context.Context, unit int) (*unitResult, error) {
	r := &unitResult{}
	key := d.leftKey("unit", unit)
	if err := readJSON(ctx, d.store, key, r); err != nil {
		return nil, err
	}
	if !d.owns(r, unit) {
		return nil, fmt.Errorf("%s is %w: it is not of this plan", key, errDamaged)
	}
	for _, parts := range r.Parts {
		if err := d.partsThere(ctx, parts); err != nil {
			return nil, err
		}
	}
	var rejects [][]quarantined
	if err := readJSON(ctx, d.store, d.rejectsKey(unit), &rejects); err != nil {
		return nil, err
	}
	for i := range min(len(rejects), len(r.Accounts)) {
		r.Accounts[i].rejects = rejects[i]
	}
	beside := lake.Part{Key: d.besideKey(unit), Bytes: r.Beside}
	if err := partThere(ctx, d.store, beside); err != nil || unit != d.rest() {
		return r, err
	}
	hashes, _, err := lake.ReadAll(ctx, d.store, beside.Key, maxLeft)
	if err != nil {
		return nil, err
	}
	for b := range slices.Chunk(hashes, 20) {
		d.resolved = append(d.resolved, [20]byte(b))
	}
	return r, nil
}

// owns reports whether a unit's account is of this plan.
func (d *dayRun) owns(r *unitResult, unit int) bool {
	if r.Unit != unit || r.Digest != d.digest || len(r.Accounts) != len(d.inputs) {
		return false
	}
	if unit == d.rest() && (len(r.Segments) != len(d.inputs) || r.Beside%20 != 0) {
		return false
	}
	for t, parts := range r.Parts {
		for _, p := range parts {
			if d.made[t] == nil || !strings.HasPrefix(p.Key, lake.PartitionPrefix(t, d.day)+"part-"+d.digest+"-") {
				return false
			}
		}
	}
	for t := range r.LeftOut {
		if d.made[t] == nil {
			return false
		}
	}
	return true
}

// partsThere returns lake.ErrNotFound (wrapped) where one of the parts is gone
// or is not what was written.
func (d *dayRun) partsThere(ctx context.Context, parts []lake.Part) error {
	for _, p := range parts {
		if err := partThere(ctx, d.store, p); err != nil {
			return err
		}
	}
	return nil
}

func partThere(ctx context.Context, store lake.Store, p lake.Part) error {
	info, err := store.Stat(ctx, p.Key)
	if err == nil && info.Size != p.Bytes {
		err = fmt.Errorf("%s has %d bytes instead of %d: %w", p.Key, info.Size, p.Bytes, lake.ErrNotFound)
	}
	return err
}

// openDemand opens the sections' parts of demand.
func (d *dayRun) openDemand(ctx context.Context) (streams []io.Reader, done func(), err error) {
	var objects []lake.Object
	done = func() {
		for _, o := range objects {
			o.Close()
		}
	}
	for unit := range d.sections {
		o, err := d.store.Open(ctx, d.besideKey(unit))
		if err != nil {
			return nil, done, err
		}
		objects = append(objects, o)
		streams = append(streams, o)
	}
	return streams, done, nil
}

// clearUp deletes what the shards left, the plan last.
func (d *dayRun) clearUp(ctx context.Context) error {
	for unit := range d.units() {
		if err := d.store.Delete(ctx, d.rejectsKey(unit)); err != nil {
			return err
		}
	}
	plan := planKey(d.day)
	for info, err := range d.store.List(ctx, lake.ShardsDayPrefix(d.day)) {
		if err != nil {
			return err
		}
		if info.Key != plan {
			if err := d.store.Delete(ctx, info.Key); err != nil {
				return err
			}
		}
	}
	return d.store.Delete(ctx, plan)
}
