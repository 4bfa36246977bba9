package etl

import (
	"context"
	"errors"
	"iter"
	"slices"
	"strings"
	"time"

	"github.com/boontorrent/boon/internal/lake"
)

// partition is what lies in the folder of a table's day.
type partition struct {
	table     string
	day       lake.Day
	committed bool // has a manifest
	parts     []lake.Info
}

// partitions yields the lake's partitions in order.
func partitions(ctx context.Context, store lake.Store) iter.Seq2[partition, error] {
	return func(yield func(partition, error) bool) {
		var open partition
		for info, err := range store.List(ctx, lake.TablesPrefix) {
			if err != nil {
				yield(partition{}, err)
				return
			}
			table, _, _ := strings.Cut(strings.TrimPrefix(info.Key, lake.TablesPrefix), "/")
			day, ok := lake.DayOfKey(info.Key)
			if !ok || !strings.HasPrefix(info.Key, lake.PartitionPrefix(table, day)) {
				continue
			}
			if table != open.table || day != open.day {
				if open.table != "" && !yield(open, nil) {
					return
				}
				open = partition{table: table, day: day}
			}
			switch {
			case info.Key == lake.ManifestKey(table, day):
				open.committed = true
			case strings.HasSuffix(info.Key, ".parquet"):
				open.parts = append(open.parts, info)
			}
		}
		if open.table != "" {
			yield(open, nil)
		}
	}
}

// unnamed lists the parts of p that m, its manifest, does not name.
func (p *partition) unnamed(m *lake.Manifest) []lake.Info {
	named := namedBy(m)
	return slices.DeleteFunc(slices.Clone(p.parts), func(info lake.Info) bool { return named[info.Key] })
}

// namedBy is the keys of a manifest's parts.
func namedBy(m *lake.Manifest) map[string]bool {
	named := map[string]bool{}
	if m != nil {
		for _, p := range m.Parts {
			named[p.Key] = true
		}
	}
	return named
}

// digestOf is the digest in a part's name.
func digestOf(key string) string {
	name := key[strings.LastIndexByte(key, '/')+1:]
	digest, _, _ := strings.Cut(strings.TrimPrefix(name, "part-"), "-")
	return digest
}

// mixed reports whether the parts are of more than one making of the day.
func (p *partition) mixed() bool {
	for _, info := range p.parts {
		if digestOf(info.Key) != digestOf(p.parts[0].Key) {
			return true
		}
	}
	return false
}

// takeOver runs work while holding the lease, if Options names a holder, and
// deletes what a killed run left before that.
func takeOver(ctx context.Context, store lake.Store, opts *Options, work func() error) error {
	return holdLease(ctx, store, opts, func() error {
		if opts.held != nil {
			if err := sweepKilled(ctx, store, opts.Now); err != nil {
				return err
			}
		}
		return work()
	})
}

// sweepKilled deletes, in committed partitions, the parts that their manifests do
// not name: left by a run that was killed before its manifests, or after them
// and before its sweep, and counted by whoever reads *.parquet. The caller holds the
// lease, so they are no other run's; those that a plan waits for stay.
//
// What lies in a folder without a manifest is not touched: the day will be made
// anew, or someone is copying tables to here.
func sweepKilled(ctx context.Context, store lake.Store, now func() time.Time) error {
	for p, err := range partitions(ctx, store) {
		if err != nil {
			return err
		}
		if !p.committed || !p.mixed() {
			continue
		}
		m, info, err := lake.ReadManifest(ctx, store, p.table, p.day)
		if errors.Is(err, lake.ErrBadManifest) || err == nil && m == nil {
			continue // nobody knows what it named; its day will be made anew
		}
		if err != nil {
			return err
		}
		m.Committed = now().UTC()
		if err := p.sweep(ctx, store, m, info); err != nil {
			return err
		}
	}
	return nil
}

// sweep deletes what m, the manifest, does not name, after m is written anew.
func (p *partition) sweep(ctx context.Context, store lake.Store, m *lake.Manifest, old lake.Info) error {
	planned, err := plannedDigest(ctx, store, p.day)
	if err != nil {
		return err
	}
	dead := slices.DeleteFunc(p.unnamed(m), func(info lake.Info) bool { return digestOf(info.Key) == planned })
	if len(dead) == 0 {
		return nil
	}
	// Should their owner be alive, whose lease was broken or ran out while it
	// slept, then it cannot commit them any more once the manifest is another.
	if _, err := lake.WriteManifest(ctx, store, m, old); err != nil {
		if errors.Is(err, lake.ErrConflict) {
			return nil // it just did
		}
		return err
	}
	for _, info := range dead {
		if err := store.Delete(ctx, info.Key); err != nil {
			return err
		}
	}
	return nil
}

// plannedDigest is the digest of the day's plan, "" where it has none.
func plannedDigest(ctx context.Context, store lake.Store, day lake.Day) (string, error) {
	var p Plan
	err := readJSON(ctx, store, planKey(day), &p)
	if errors.Is(err, lake.ErrNotFound) || errors.Is(err, errDamaged) { // nobody can go by it any more
		return "", nil
	}
	return p.Digest, err
}
