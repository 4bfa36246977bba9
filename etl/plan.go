package etl

import (
	"cmp"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/boontorrent/boon/datasets"
	"github.com/boontorrent/boon/internal/lake"
)

// planned is a day to make, and what from.
type planned struct {
	day    lake.Day
	inputs []lake.Info
	damage []string // what of its tables is gone or cut
}

// committer is the table whose manifest is written last: a day is as new as it.
const committer = "queries"

// tablesInOrder is the tables in the order of their commits.
func tablesInOrder() []string {
	tables := slices.DeleteFunc(tableNames(), func(t string) bool { return t == committer })
	return append(tables, committer)
}

func tableNames() []string {
	var names []string
	for _, t := range datasets.Tables() {
		names = append(names, t.Name)
	}
	return names
}

// plan lists the days that Options asks for and that have segments, and leaves
// out those that are up to date and whole, which the report counts.
func plan(ctx context.Context, store lake.Store, opts *Options) (days []planned, report *Report, err error) {
	prefix := lake.RawPrefix
	if opts.Day != nil {
		prefix = lake.RawDayPrefix(*opts.Day)
	}
	byDay := map[lake.Day][]lake.Info{}
	report = &Report{}
	for info, err := range store.List(ctx, prefix) {
		if err != nil {
			return nil, nil, err
		}
		day, ok := lake.DayOfKey(info.Key)
		switch {
		case !ok || !strings.HasSuffix(info.Key, ".ndjson.zst"):
			report.Strange = append(report.Strange, info.Key)
		case opts.Since == nil || day >= *opts.Since:
			byDay[day] = append(byDay[day], info)
		}
	}
	if opts.Day != nil && len(byDay) == 0 {
		return nil, report, fmt.Errorf("the lake %s has no raw segments of %s; boon collect, import and synth make them", store.URL(), *opts.Day)
	}
	if opts.Since == nil && len(byDay) == 0 && !hasAny(ctx, store, lake.TablesPrefix) {
		if len(report.Strange) > 0 {
			return nil, report, fmt.Errorf("the lake %s has no raw segments: of %d objects in raw/ none is one of a day, as %s", store.URL(), len(report.Strange), report.Strange[0])
		}
		return nil, report, fmt.Errorf("the lake %s has no raw segments; is the name right? boon collect, import and synth make them", store.URL())
	}
	sizes, err := partSizes(ctx, store)
	if err != nil {
		return nil, report, err
	}
	for day, inputs := range byDay {
		fresh, err := upToDate(ctx, store, day, inputs, opts.Geo.Edition())
		if err != nil && !errors.Is(err, lake.ErrBadManifest) {
			return nil, report, err
		}
		damage, err := damageOf(ctx, store, day, sizes)
		if err != nil {
			return nil, report, err
		}
		if fresh && len(damage) == 0 && !opts.Force {
			report.Current++
			continue
		}
		days = append(days, planned{day, inputs, damage})
	}
	slices.SortFunc(days, func(a, b planned) int { return cmp.Compare(a.day, b.day) })
	return days, report, nil
}

func hasAny(ctx context.Context, store lake.Store, prefix string) bool {
	for _, err := range store.List(ctx, prefix) {
		return err == nil
	}
	return false
}

// upToDate reports whether the day's partition was made from all of inputs, by
// this version, and with places if there is a database now.
// That it was made from more is no reason to make it anew: raw segments are
// deleted when they are old.
func upToDate(ctx context.Context, store lake.Store, day lake.Day, inputs []lake.Info, edition string) (bool, error) {
	m, _, err := lake.ReadManifest(ctx, store, committer, day)
	if err != nil || m == nil {
		return false, err
	}
	if m.Schema != datasets.Schema {
		return false, nil
	}
	known := map[string]lake.Input{}
	for _, in := range m.Inputs {
		known[in.Key] = in
	}
	for _, in := range inputs {
		if !unchanged(known[in.Key], in) {
			return false, nil
		}
	}
	if len(inputs) < len(m.Inputs) {
		return true, nil // it cannot be made again, nor need it be
	}
	return m.ETL == Version && (m.Geo != "" || edition == ""), nil
}

// unchanged reports whether an input is what it was when the day was made. By
// their ETags all segments of a lake that was copied would be others.
func unchanged(was lake.Input, now lake.Info) bool {
	return was.Key == now.Key && was.Bytes == now.Size && (was.ETag == now.ETag || vouches(now.Key))
}

// vouches reports whether a key has a digest of the object's content in it.
func vouches(key string) bool {
	_, err := lake.ParseSegmentKey(key)
	return err == nil
}

// partSizes is how large the parts are that lie in the lake.
func partSizes(ctx context.Context, store lake.Store) (map[string]int64, error) {
	sizes := map[string]int64{}
	for p, err := range partitions(ctx, store) {
		if err != nil {
			return nil, err
		}
		for _, info := range p.parts {
			sizes[info.Key] = info.Size
		}
	}
	return sizes, nil
}

// damageOf says what a committed day has lost, as far as manifests and sizes tell
// it: what changed in place is for Verify to find.
func damageOf(ctx context.Context, store lake.Store, day lake.Day, sizes map[string]int64) ([]string, error) {
	var out []string
	digest, committed := "", false
	for _, t := range slices.Backward(tablesInOrder()) {
		m, _, err := lake.ReadManifest(ctx, store, t, day)
		switch {
		case t == committer && m == nil && err == nil:
			return nil, nil // not committed
		case errors.Is(err, lake.ErrBadManifest):
			out = append(out, err.Error())
			continue
		case err != nil:
			return nil, err
		case m == nil:
			out = append(out, lake.ManifestKey(t, day)+" is gone")
			continue
		case !committed:
			digest, committed = m.Digest, true
		case m.Digest != digest:
			out = append(out, lake.ManifestKey(t, day)+" is of another making of the day")
		}
		for _, p := range m.Parts {
			if n, ok := sizes[p.Key]; ok && n == p.Bytes {
				continue
			}
			if err := partThere(ctx, store, p); errors.Is(err, lake.ErrNotFound) {
				out = append(out, err.Error())
			} else if err != nil {
				return nil, err
			}
		}
	}
	return out, nil
}

// makeDigest names the making of the day: what went in, and what made it.
func (d *dayRun) makeDigest() string {
	h := sha256.New()
	fmt.Fprintf(h, "etl %d schema %d\ngeo %s\nkey %s %s\n", Version, datasets.Schema, d.db.Edition(), d.epoch, d.key.Print())
	fmt.Fprintf(h, "sections %d\n", d.sections)
	for _, in := range d.inputs {
		fmt.Fprintf(h, "%s %d", in.Key, in.Size)
		if !vouches(in.Key) {
			fmt.Fprintf(h, " %s", in.ETag)
		}
		fmt.Fprintln(h)
	}
	return hex.EncodeToString(h.Sum(nil)[:4])
}
