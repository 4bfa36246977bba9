package etl

import (
	"bytes"
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"slices"
	"strings"

	"github.com/klauspost/compress/zstd"

	"github.com/boontorrent/boon/datasets"
	"github.com/boontorrent/boon/internal/lake"
)

// commit writes the manifests, that of queries last, and deletes the parts
// that no manifest names any more.
func (d *dayRun) commit(ctx context.Context) error {
	tables := tablesInOrder()
	if err := d.partsKept(ctx); err != nil {
		return err
	}
	for _, t := range tables {
		if err := d.commitTable(ctx, t); err != nil {
			return err
		}
	}
	for _, t := range tables {
		if err := d.sweep(ctx, t); err != nil {
			return err
		}
	}
	return nil
}

// partsKept looks, where another run has taken the lease over, whether the parts
// are still there: that one takes them for what a killed run left.
func (d *dayRun) partsKept(ctx context.Context) error {
	alone, err := d.opts.alone(ctx)
	if err != nil || alone {
		return err
	}
	for _, made := range d.made {
		if err := d.partsThere(ctx, made.parts); err != nil {
			return fmt.Errorf("another boon etl took the lease, and parts of this one away; run again: %w", err)
		}
	}
	return nil
}

func (d *dayRun) commitTable(ctx context.Context, table string) error {
	m := d.manifest(table)
	_, err := lake.WriteManifest(ctx, d.store, m, d.old[table])
	if !errors.Is(err, lake.ErrConflict) {
		return err
	}
	winner, _, rerr := lake.ReadManifest(ctx, d.store, table, d.day)
	if rerr != nil {
		return rerr
	}
	if winner != nil && winner.Digest == m.Digest {
		return nil // someone else made the same from the same
	}
	return fmt.Errorf("another boon etl committed %s meanwhile; run again to take in what it did not see: %w", table, errors.Join(err, d.discard(ctx)))
}

func (d *dayRun) manifest(table string) *lake.Manifest {
	made := d.made[table]
	m := &lake.Manifest{
		Table: table, Day: d.day.String(), Schema: datasets.Schema, Program: d.opts.Program, Digest: d.digest, Geo: d.db.Edition(),
		KeyEpoch: d.epoch, KeyPrint: d.key.Print(), ETL: Version, Parts: made.parts, Counts: d.counts, Committed: d.opts.Now().UTC(),
	}
	m.Counts.Rows, m.Counts.LeftOut = made.rows(), made.leftOut
	for _, s := range d.segments {
		m.Inputs = append(m.Inputs, s.Input)
	}
	return m
}

// sweep deletes the parts of the day that its manifest does not name.
func (d *dayRun) sweep(ctx context.Context, table string) error {
	alone, err := d.opts.alone(ctx)
	if err != nil || !alone {
		return err
	}
	m, _, err := lake.ReadManifest(ctx, d.store, table, d.day)
	if err != nil || m == nil {
		return err
	}
	named := namedBy(m)
	return d.deleteParts(ctx, table, func(key string) bool { return !named[key] })
}

// discard deletes what a failed making wrote, as far as no manifest names it. One
// whose lease was another's before leaves that to the next run.
func (d *dayRun) discard(ctx context.Context) error {
	ctx = context.WithoutCancel(ctx)
	if d.opts.held != nil && d.opts.held.taken {
		return nil
	}
	if alone, err := d.opts.alone(ctx); err != nil || !alone {
		return err
	}
	var errs []error
	tables := map[string]bool{}
	for _, key := range d.written {
		table, _, _ := strings.Cut(strings.TrimPrefix(key, lake.TablesPrefix), "/")
		tables[table] = true
	}
	for table := range tables {
		m, _, err := lake.ReadManifest(ctx, d.store, table, d.day)
		if err != nil {
			errs = append(errs, err)
			continue
		}
		if m != nil && m.Digest == d.digest {
			continue
		}
		mine := "part-" + d.digest + "-"
		errs = append(errs, d.deleteParts(ctx, table, func(key string) bool { return strings.Contains(key, mine) }))
	}
	return errors.Join(errs...)
}

func (d *dayRun) deleteParts(ctx context.Context, table string, which func(key string) bool) error {
	for info, err := range d.store.List(ctx, lake.PartitionPrefix(table, d.day)) {
		if err != nil {
			return err
		}
		if strings.HasSuffix(info.Key, ".parquet") && which(info.Key) {
			if err := d.store.Delete(ctx, info.Key); err != nil {
				return err
			}
		}
	}
	return nil
}

// quarantined is a rejected line, as it is kept.
type quarantined struct {
	Key    string `json:"key"`
	Line   int64  `json:"line"` // of the segment, from 1
	Reason string `json:"reason"`
	Detail string `json:"detail,omitempty"`
	Text   string `json:"text"` // the line, or its first 4 KiB
}

// boundRejects leaves what quarantine keeps: of a segment the first thousand
// lines, of the day 64 MiB.
func (d *dayRun) boundRejects() {
	var kept int64
	for _, s := range d.segments {
		slices.SortFunc(s.rejects, func(a, b quarantined) int { return cmp.Compare(a.Line, b.Line) })
		s.rejects = s.rejects[:min(len(s.rejects), keptRejects)]
		for i, q := range s.rejects {
			if kept += int64(len(q.Text)); kept > maxQuarantine {
				s.rejects = s.rejects[:i]
				break
			}
		}
	}
}

func (d *dayRun) quarantineKey() string {
	return lake.QuarantinePrefix + "day=" + d.day.String() + "/rejected.ndjson.zst"
}

// quarantine keeps rejected lines with their reasons, up to a thousand of each
// segment and 64 MiB in all. They may hold addresses: they live no longer than raw logs do.
func (d *dayRun) quarantine(ctx context.Context) error {
	if d.counts.RejectedTotal() == 0 {
		return d.store.Delete(ctx, d.quarantineKey())
	}
	d.boundRejects()
	var lines bytes.Buffer
	enc := json.NewEncoder(&lines)
	enc.SetEscapeHTML(false)
	for _, s := range d.segments {
		for _, q := range s.rejects {
			q.Key = s.Input.Key
			if err := enc.Encode(q); err != nil {
				return fmt.Errorf("quarantine: %w", err)
			}
		}
	}
	_, err := d.store.Put(ctx, d.quarantineKey(), lake.Condition{}, func(w io.Writer) error {
		z, err := zstd.NewWriter(w)
		if err != nil {
			return err
		}
		if _, err := lines.WriteTo(z); err != nil {
			return err
		}
		return z.Close()
	})
	return err
}
