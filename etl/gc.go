package etl

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/boontorrent/boon/datasets"
	"github.com/boontorrent/boon/internal/lake"
	"github.com/boontorrent/boon/internal/pseudonym"
)

// GCOptions says what Collect may delete.
type GCOptions struct {
	Today   lake.Day
	KeepRaw int        // days for which raw segments and quarantine are kept
	Keys    lake.Store // where pseudonym keys lie; nil: in the lake
	// EndedKeys deletes the keys of epochs that ended before the raw segments
	// that are kept begin: from then on nobody can tell whose a pseudonym was.
	EndedKeys bool
	DryRun    bool   // only tell
	Holder    string // who holds the lake's lease while parts are deleted; "": nobody asks for it
	Now       func() time.Time
	Waiting   func(holder string, left time.Duration) // as in Options
	Progress  func(Progress)
}

// Collected tells what was deleted, or would be.
type Collected struct {
	Deleted []string // object keys
	Bytes   int64
	Kept    []string // days whose raw segments are old, and why they are kept
	Busy    bool     // a run was at work: parts that no manifest names were left alone
}

// orphanAge: a part that no manifest names may be one that is being copied to
// here, unless it is older than this.
const orphanAge = 24 * time.Hour

// Collect deletes what has had its time: raw segments that are older than
// KeepRaw days and whose day is committed and verified, quarantine of that age,
// parts that no manifest names, what killed programs left, and keys if asked to. It never deletes a raw
// segment that is not in the tables.
func Collect(ctx context.Context, store lake.Store, opts GCOptions) (*Collected, error) {
	if opts.KeepRaw < 1 {
		return nil, fmt.Errorf("raw logs must be kept for a day at least, not %d", opts.KeepRaw)
	}
	if opts.Keys == nil {
		opts.Keys = store
	}
	g := &collector{store: store, opts: opts, out: &Collected{}}
	// What needs the lease, which a full disk has no room for, comes after what makes room.
	for _, step := range []func(context.Context) error{g.raw, g.quarantine, g.leftovers, g.shards, g.orphans, g.keys} {
		if err := step(ctx); err != nil {
			return g.out, err
		}
	}
	return g.out, nil
}

type collector struct {
	store lake.Store
	opts  GCOptions
	out   *Collected
}

// old reports whether a day's raw data has had its time.
func (g *collector) old(day lake.Day) bool { return day < g.opts.Today-lake.Day(g.opts.KeepRaw) }

func (g *collector) delete(ctx context.Context, from lake.Store, info lake.Info) error {
	g.out.Deleted = append(g.out.Deleted, info.Key)
	g.out.Bytes += info.Size
	if g.opts.DryRun {
		return ctx.Err()
	}
	return from.Delete(ctx, info.Key)
}

// raw deletes old segments, day by day.
func (g *collector) raw(ctx context.Context) error {
	byDay := map[lake.Day][]lake.Info{}
	for info, err := range g.store.List(ctx, lake.RawPrefix) {
		if err != nil {
			return err
		}
		if day, ok := lake.DayOfKey(info.Key); ok && g.old(day) {
			byDay[day] = append(byDay[day], info)
		}
	}
	days := make([]lake.Day, 0, len(byDay))
	for day := range byDay {
		days = append(days, day)
	}
	slices.Sort(days)
	for _, day := range days {
		why, err := g.unsafe(ctx, day, byDay[day])
		if err != nil {
			return err
		}
		if why != "" {
			g.out.Kept = append(g.out.Kept, fmt.Sprintf("%s: %s", day, why))
			continue
		}
		for _, info := range byDay[day] {
			if err := g.delete(ctx, g.store, info); err != nil {
				return err
			}
		}
	}
	return nil
}

// unsafe says why a day's segments must stay, "" if they need not.
func (g *collector) unsafe(ctx context.Context, day lake.Day, inputs []lake.Info) (string, error) {
	fresh, err := upToDate(ctx, g.store, day, inputs, "")
	if errors.Is(err, lake.ErrBadManifest) {
		return err.Error(), nil
	}
	if err != nil {
		return "", err
	}
	if !fresh {
		return "not all of its segments are in the tables; run boon etl", nil
	}
	v, err := verifyDay(ctx, g.store, day, g.opts.Progress)
	if err != nil {
		return "", err
	}
	if len(v.Problems) > 0 {
		return "its tables have problems: " + v.Problems[0], nil
	}
	return "", nil
}

// quarantine deletes rejected lines of old days: they may hold addresses.
func (g *collector) quarantine(ctx context.Context) error {
	for info, err := range g.store.List(ctx, lake.QuarantinePrefix) {
		if err != nil {
			return err
		}
		day, ok := lake.DayOfKey(info.Key)
		if !ok { // of an import: counts from when it was written
			day = lake.DayOf(info.ModTime.UnixMicro())
		}
		if g.old(day) {
			if err := g.delete(ctx, g.store, info); err != nil {
				return err
			}
		}
	}
	return nil
}

// orphans deletes old parts that no manifest names, unless a run is at work: it
// may be about to write the same again, and to name them.
func (g *collector) orphans(ctx context.Context) error {
	if g.opts.DryRun {
		return g.deleteOrphans(ctx)
	}
	opts := &Options{Holder: g.opts.Holder, Now: g.opts.Now, Waiting: g.opts.Waiting}
	err := holdLease(ctx, g.store, opts, func() error { return g.deleteOrphans(ctx) })
	if errors.Is(err, ErrLeased) {
		g.out.Busy = true
		return nil
	}
	return err
}

func (g *collector) deleteOrphans(ctx context.Context) error {
	old := func(info lake.Info) bool { return g.opts.Today.Time().Sub(info.ModTime) >= orphanAge }
	for p, err := range partitions(ctx, g.store) {
		if err != nil {
			return err
		}
		if !slices.ContainsFunc(p.parts, old) {
			continue
		}
		planned, err := plannedDigest(ctx, g.store, p.day)
		if err != nil {
			return err
		}
		m, _, err := lake.ReadManifest(ctx, g.store, p.table, p.day)
		if errors.Is(err, lake.ErrBadManifest) {
			continue // nobody knows what it named
		}
		if err != nil {
			return err
		}
		for _, info := range p.unnamed(m) {
			if !old(info) || digestOf(info.Key) == planned {
				continue
			}
			if err := g.delete(ctx, g.store, info); err != nil {
				return err
			}
		}
	}
	return nil
}

// leftovers deletes what killed programs left in a lake that is a folder. On S3
// it is not in the way of anyone but of the bill, and a rule of the bucket ends it.
func (g *collector) leftovers(ctx context.Context) error {
	folder, ok := g.store.(*lake.File)
	if !ok {
		return nil
	}
	for info, err := range folder.Leftovers(ctx, g.opts.Today.Time().Add(-orphanAge)) {
		if err != nil {
			return err
		}
		g.out.Deleted = append(g.out.Deleted, info.Key)
		g.out.Bytes += info.Size
		if g.opts.DryRun {
			continue
		}
		if err := folder.RemoveLeftover(info); err != nil {
			return err
		}
	}
	return nil
}

// shardsAge: what shards left for a commit that has not come in so long is not waited for.
const shardsAge = 7 * 24 * time.Hour

// shards deletes plans, and what shards left, that were never committed.
func (g *collector) shards(ctx context.Context) error {
	for info, err := range g.store.List(ctx, lake.ShardsPrefix) {
		if err != nil {
			return err
		}
		if g.opts.Today.Time().Sub(info.ModTime) < shardsAge {
			continue
		}
		if err := g.delete(ctx, g.store, info); err != nil {
			return err
		}
	}
	return nil
}

// keys deletes the keys of epochs all of whose days are old.
func (g *collector) keys(ctx context.Context) error {
	if !g.opts.EndedKeys {
		return nil
	}
	live := map[string]bool{pseudonym.Study: true}
	for day := g.opts.Today - lake.Day(g.opts.KeepRaw); day <= g.opts.Today+1; day++ {
		for _, mode := range []string{pseudonym.Daily, pseudonym.Weekly, pseudonym.Monthly} {
			name, err := pseudonym.EpochName(day, mode)
			if err != nil {
				return err
			}
			live[name] = true
		}
	}
	for info, err := range g.opts.Keys.List(ctx, lake.KeysPrefix) {
		if err != nil {
			return err
		}
		epoch := strings.TrimSuffix(strings.TrimPrefix(info.Key, lake.KeysPrefix), ".key")
		if !live[epoch] && pseudonym.KeyName(epoch) == info.Key {
			if err := g.delete(ctx, g.opts.Keys, info); err != nil {
				return err
			}
		}
	}
	return nil
}

// verifyDay is Verify for one day.
func verifyDay(ctx context.Context, store lake.Store, day lake.Day, progress func(Progress)) (*Verified, error) {
	v := &Verified{}
	tables := map[string]*lake.Manifest{}
	for _, t := range datasets.Tables() {
		m, _, err := lake.ReadManifest(ctx, store, t.Name, day)
		if err != nil {
			v.problem(lake.ManifestKey(t.Name, day), "%v", err)
			continue
		}
		if m != nil {
			tables[t.Name] = m
		}
	}
	return v, v.day(ctx, store, day, tables, progress)
}
