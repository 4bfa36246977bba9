package etl

import (
	"cmp"
	"context"
	"crypto/sha256"
	"encoding/hex"
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
}

// committer is the table whose manifest is written last: a day is as new as it.
const committer = "queries"

func tableNames() []string {
	var names []string
	for _, t := range datasets.Tables() {
		names = append(names, t.Name)
	}
	return names
}

// plan lists the days that Options asks for and that have segments, and leaves
// out (and counts) those that are up to date.
func plan(ctx context.Context, store lake.Store, opts *Options) (days []planned, current int, err error) {
	prefix := lake.RawPrefix
	if opts.Day != nil {
		prefix = lake.RawDayPrefix(*opts.Day)
	}
	byDay := map[lake.Day][]lake.Info{}
	for info, err := range store.List(ctx, prefix) {
		if err != nil {
			return nil, 0, err
		}
		day, ok := lake.DayOfKey(info.Key)
		if ok && strings.HasSuffix(info.Key, ".ndjson.zst") && (opts.Since == nil || day >= *opts.Since) {
			byDay[day] = append(byDay[day], info)
		}
	}
	if opts.Day != nil && len(byDay) == 0 {
		return nil, 0, fmt.Errorf("the lake %s has no raw segments of %s; boon collect, import and synth make them", store.URL(), *opts.Day)
	}
	if opts.Since == nil && len(byDay) == 0 && !hasAny(ctx, store, lake.TablesPrefix) {
		return nil, 0, fmt.Errorf("the lake %s has no raw segments; is the name right? boon collect, import and synth make them", store.URL())
	}
	for day, inputs := range byDay {
		fresh, err := upToDate(ctx, store, day, inputs, opts.Geo.Edition())
		if err != nil {
			return nil, 0, err
		}
		if fresh && !opts.Force {
			current++
			continue
		}
		days = append(days, planned{day, inputs})
	}
	slices.SortFunc(days, func(a, b planned) int { return cmp.Compare(a.day, b.day) })
	return days, current, nil
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
	known := map[string]string{}
	for _, in := range m.Inputs {
		known[in.Key] = in.ETag
	}
	for _, in := range inputs {
		if known[in.Key] != in.ETag {
			return false, nil
		}
	}
	if len(inputs) < len(m.Inputs) {
		return true, nil // it cannot be made again, nor need it be
	}
	return m.ETL == Version && (m.Geo != "" || edition == ""), nil
}

// makeDigest names the making of the day: what went in, and what made it.
func (d *dayRun) makeDigest() string {
	h := sha256.New()
	fmt.Fprintf(h, "etl %d schema %d\ngeo %s\nkey %s %s\n", Version, datasets.Schema, d.db.Edition(), d.epoch, keyPrint(d.key))
	for _, in := range d.inputs {
		fmt.Fprintf(h, "%s %d", in.Key, in.Size)
		if _, err := lake.ParseSegmentKey(in.Key); err != nil {
			fmt.Fprintf(h, " %s", in.ETag) // the key does not vouch for the content
		}
		fmt.Fprintln(h)
	}
	return hex.EncodeToString(h.Sum(nil)[:4])
}
