package etl

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"slices"
	"time"

	"github.com/boontorrent/boon/datasets"
	"github.com/boontorrent/boon/internal/lake"
	"github.com/boontorrent/boon/internal/pseudonym"
)

// Plan is what the shards of a day go by. With it in the lake, a shard is a
// function of the plan alone: it may be made anywhere, again, or twice at once.
//
// A shard makes some of the day's units. It reads all segments, but of a query
// that is another shard's no more than the asker's address. What a unit leaves
// for the commit lies in shards/day=…/<digest>/, its account last.
type Plan struct {
	Day      string      `json:"day"`
	Digest   string      `json:"digest"` // of what follows, as in manifests
	ETL      int         `json:"etl"`
	Schema   int         `json:"schema"`
	Geo      string      `json:"geo"`
	KeyEpoch string      `json:"key_epoch"`
	KeyPrint string      `json:"key_print"`
	Sections int         `json:"sections"`
	Shards   int         `json:"shards"`
	Inputs   []lake.Info `json:"inputs"`
	Planned  time.Time   `json:"planned"`
	// Committed is set when the day's manifests are written and what the shards
	// left is being deleted: a commit that is repeated goes on with that.
	Committed *DayReport `json:"committed,omitempty"`
}

// Busy is the number of shards that have something to do; the others have not.
func (p *Plan) Busy() int { return min(p.Shards, p.Sections+1) }

// ErrIncomplete is returned (wrapped) by Commit while shards are missing.
var ErrIncomplete = errors.New("not all shards are there")

// maxShards bounds the machines that share a day.
const maxShards = 1000

// MakePlan plans the making of a day by several machines and puts the plan into
// the lake; nil where the day is up to date.
func MakePlan(ctx context.Context, store lake.Store, opts Options, day lake.Day, shards int) (*Plan, error) {
	if shards < 1 || shards > maxShards {
		return nil, fmt.Errorf("%d shards: 1 to %d can share a day", shards, maxShards)
	}
	if err := opts.fill(store); err != nil {
		return nil, err
	}
	opts.Day = &day
	days, _, err := plan(ctx, store, &opts)
	if err != nil || len(days) == 0 {
		return nil, err
	}
	d := newDayRun(store, &opts, day, days[0].inputs)
	if err := d.prepare(ctx); err != nil {
		return nil, fmt.Errorf("day %s: %w", day, err)
	}
	p := &Plan{
		Day: day.String(), Digest: d.digest, ETL: Version, Schema: datasets.Schema, Geo: d.db.Edition(), KeyEpoch: d.epoch, KeyPrint: d.key.Print(),
		Sections: d.sections, Shards: shards, Inputs: d.inputs, Planned: opts.Now().UTC(),
	}
	return p, putJSON(ctx, store, planKey(day), p)
}

func planKey(day lake.Day) string { return lake.ShardsDayPrefix(day) + "plan.json" }

func putJSON(ctx context.Context, store lake.Store, key string, v any) error {
	b, err := json.Marshal(v)
	if err != nil {
		return fmt.Errorf("write %s: %w", key, err)
	}
	_, err = lake.PutBytes(ctx, store, key, lake.Condition{}, append(b, '\n'))
	return err
}

// maxLeft bounds the JSON that a plan or a unit may have.
const maxLeft = 1 << 30

// errDamaged is returned (wrapped) for a plan, or what a unit left, that was read
// and is none.
var errDamaged = errors.New("damaged")

func readJSON(ctx context.Context, store lake.Store, key string, v any) error {
	b, _, err := lake.ReadAll(ctx, store, key, maxLeft)
	if err != nil {
		return err
	}
	if err := json.Unmarshal(b, v); err != nil {
		return fmt.Errorf("%s is %w: %w", key, errDamaged, err)
	}
	return nil
}

// planned reads the day's plan and takes up the work where it says.
func fromPlan(ctx context.Context, store lake.Store, opts *Options, day lake.Day) (*dayRun, *Plan, error) {
	var p Plan
	err := readJSON(ctx, store, planKey(day), &p)
	switch {
	case errors.Is(err, lake.ErrNotFound):
		return nil, nil, fmt.Errorf("%s has no plan; make one with boon etl plan --day %s --shards N: %w", day, day, err)
	case errors.Is(err, errDamaged):
		return nil, nil, fmt.Errorf("%w; plan again", err)
	case err != nil:
		return nil, nil, err
	case p.ETL != Version || p.Schema != datasets.Schema:
		return nil, nil, fmt.Errorf("the plan of %s was made by another version of boon; plan again, or use that version", day)
	case p.Geo != opts.Geo.Edition():
		return nil, nil, fmt.Errorf("the plan of %s has the place databases %q, here are %q; name the same with --geo and --asn", day, p.Geo, opts.Geo.Edition())
	case p.Sections < 1 || p.Sections > maxSections || p.Sections&(p.Sections-1) != 0:
		return nil, nil, fmt.Errorf("the plan of %s is damaged; plan again", day)
	}
	d := newDayRun(store, opts, day, p.Inputs)
	d.sections, d.epoch = p.Sections, p.KeyEpoch
	d.mine = make([]bool, d.units())
	if d.key, err = pseudonym.Load(ctx, opts.Keys, d.epoch); err != nil {
		return nil, nil, err
	}
	if d.digest = d.makeDigest(); d.digest != p.Digest {
		return nil, nil, fmt.Errorf("the plan of %s was made with another pseudonym key of %s, or is damaged; plan again", day, p.KeyEpoch)
	}
	return d, &p, nil
}

// leftKey names what a unit leaves.
func (d *dayRun) leftKey(what string, unit int) string {
	return fmt.Sprintf("%s%s/%s-%02d", lake.ShardsDayPrefix(d.day), d.digest, what, unit)
}

// rejectsKey names a unit's rejected lines, which may hold addresses.
func (d *dayRun) rejectsKey(unit int) string {
	return fmt.Sprintf("%sday=%s/shard-%s-%02d.json", lake.QuarantinePrefix, d.day, d.digest, unit)
}

// RunShard makes the shard-th (from 0) of the plan's shards.
func RunShard(ctx context.Context, store lake.Store, opts Options, day lake.Day, shard, of int) error {
	if err := opts.fill(store); err != nil {
		return err
	}
	d, p, err := fromPlan(ctx, store, &opts, day)
	if err != nil {
		return err
	}
	defer d.close()
	if p.Committed != nil {
		return fmt.Errorf("%s was committed already; run its commit again, which had not cleared up", day)
	}
	if of != p.Shards || shard < 0 || shard >= of {
		return fmt.Errorf("shard %d/%d: the plan of %s has the shards 0/%d to %d/%d", shard, of, day, p.Shards, p.Shards-1, p.Shards)
	}
	for u := range d.mine {
		d.mine[u] = u%of == shard
	}
	if !slices.Contains(d.mine, true) {
		return nil
	}
	if err := d.scan(ctx); err != nil {
		return err
	}
	for _, s := range d.segments {
		for u := range s.units {
			d.toWrite += s.units[u].Records
		}
	}
	for unit := range d.mine {
		if !d.mine[unit] {
			continue
		}
		r, err := d.makeUnit(ctx, unit)
		d.work = nil
		if err != nil {
			return err
		}
		if err := d.leave(ctx, r); err != nil {
			return fmt.Errorf("leave unit %d for the commit: %w", unit, err)
		}
	}
	return nil
}

// leave puts what a unit leaves into the lake, its account last.
func (d *dayRun) leave(ctx context.Context, r *unitResult) error {
	left, err := d.store.Put(ctx, d.besideKey(r.Unit), lake.Condition{}, func(w io.Writer) error {
		if r.Unit != d.rest() {
			return d.leaveDemand(ctx, w)
		}
		for _, hash := range d.resolved {
			if _, err := w.Write(hash[:]); err != nil {
				return err
			}
		}
		return nil
	})
	if err != nil {
		return err
	}
	r.Beside = left.Size
	var rejects [][]quarantined
	for i := range r.Accounts {
		rejects = append(rejects, r.Accounts[i].rejects)
	}
	if err := putJSON(ctx, d.store, d.rejectsKey(r.Unit), rejects); err != nil {
		return err
	}
	return putJSON(ctx, d.store, d.leftKey("unit", r.Unit), r)
}

// besideKey names what a unit leaves beside its account: a section its demand,
// the rest the info-hashes that are resolved.
func (d *dayRun) besideKey(unit int) string {
	if unit == d.rest() {
		return d.leftKey("resolved", unit)
	}
	return d.leftKey("demand", unit)
}

// leaveDemand adds up the parts of demand that the row groups of the unit made last have.
func (d *dayRun) leaveDemand(ctx context.Context, w io.Writer) error {
	var buf []byte
	err := mergeWants(d.demand[len(d.demand)-1].parts(), func(one *want) error {
		if buf = appendWant(buf, one); len(buf) < 1<<20 {
			return nil
		}
		if err := ctx.Err(); err != nil {
			return err
		}
		_, err := w.Write(buf)
		buf = buf[:0]
		return err
	})
	if err != nil {
		return err
	}
	_, err = w.Write(buf)
	return err
}
