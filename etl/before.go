package etl

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"slices"

	"github.com/boontorrent/boon/internal/lake"
	"github.com/boontorrent/boon/internal/pseudonym"
)

// lookBack reads the day's manifests as they are before anything is done: what
// they are is the condition on which the new ones may replace them. A day that
// was made from segments that are gone is not made anew from the rest.
func (d *dayRun) lookBack(ctx context.Context) error {
	for _, t := range tableNames() {
		m, info, err := lake.ReadManifest(ctx, d.store, t, d.day)
		if err != nil && !errors.Is(err, lake.ErrBadManifest) { // one that is none gives way to the new one
			return err
		}
		d.old[t] = info
		if m != nil && !d.opts.AcceptMissing {
			if err := d.missing(m); err != nil {
				return err
			}
		}
	}
	return nil
}

func (d *dayRun) missing(m *lake.Manifest) error {
	have := map[string]bool{}
	for _, in := range d.inputs {
		have[in.Key] = true
	}
	gone, records := 0, int64(0)
	for _, in := range m.Inputs {
		if !have[in.Key] {
			gone++
			records += in.Records
		}
	}
	if gone == 0 {
		return nil
	}
	return fmt.Errorf("%w: %d of %d, with %d records; the tables stay as they are. Bring the segments back, or pass --accept-missing to make the day from what is left",
		ErrMissing, gone, len(m.Inputs), records)
}

// loadKeyOrMake returns the epoch's key; the first to ask makes it. A key that
// is gone is not replaced in silence: pseudonyms of one epoch must compare.
func loadKeyOrMake(ctx context.Context, store lake.Store, opts *Options, epoch string) (pseudonym.Key, error) {
	key, err := pseudonym.Load(ctx, opts.Keys, epoch)
	if !errors.Is(err, lake.ErrNotFound) {
		return key, err
	}
	if !opts.AcceptNewKey {
		if err := noDayOf(ctx, store, epoch); err != nil {
			return key, err
		}
	}
	return pseudonym.LoadOrMake(ctx, opts.Keys, epoch, opts.NewKey)
}

// noDayOf returns an error if a day was made with a key of the epoch.
func noDayOf(ctx context.Context, store lake.Store, epoch string) error {
	for info, err := range store.List(ctx, lake.TablesPrefix+committer+"/") {
		if err != nil {
			return err
		}
		day, ok := lake.DayOfKey(info.Key)
		if !ok || info.Key != lake.ManifestKey(committer, day) {
			continue
		}
		m, _, err := lake.ReadManifest(ctx, store, committer, day)
		if err != nil && !errors.Is(err, lake.ErrBadManifest) {
			return err
		}
		if m == nil || m.KeyEpoch != epoch {
			continue
		}
		return fmt.Errorf("the pseudonym key of %s is gone, and %s was made with it: new pseudonyms would not compare with the old. Bring %s back, or pass --accept-new-key and make all days of %s anew with --force",
			epoch, day, pseudonym.KeyName(epoch), epoch)
	}
	return nil
}

// gaps says which segments of a collector's run are not there: those of a run
// are numbered one by one.
func (d *dayRun) gaps() []string {
	type numbered struct {
		run string
		seq int64
	}
	var all []numbered
	for _, s := range d.segments {
		if !s.Imported && s.Input.Run != "" {
			all = append(all, numbered{s.Input.Run, s.Input.Seq})
		}
	}
	slices.SortFunc(all, func(a, b numbered) int { return cmp.Or(cmp.Compare(a.run, b.run), cmp.Compare(a.seq, b.seq)) })
	var out []string
	for i := 1; i < len(all); i++ {
		if a, b := all[i-1], all[i]; a.run == b.run && b.seq > a.seq+1 {
			out = append(out, fmt.Sprintf("run %s: segments %d to %d are not there; they may still be on the collector", clean(a.run), a.seq+1, b.seq-1))
		}
	}
	return out
}
