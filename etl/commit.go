package etl

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"strings"

	"github.com/klauspost/compress/zstd"

	"github.com/boontorrent/boon/datasets"
	"github.com/boontorrent/boon/internal/lake"
)

// commit writes the manifests, that of queries last, and deletes the parts
// that no manifest names any more.
func (d *dayRun) commit(ctx context.Context) error {
	tables := tableNames()
	for i, t := range tables { // the committer goes to the end
		if t == committer {
			tables = append(append(tables[:i:i], tables[i+1:]...), committer)
			break
		}
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
		KeyEpoch: d.epoch, KeyPrint: keyPrint(d.key), ETL: Version, Parts: made.parts, Counts: d.counts, Committed: d.opts.Now().UTC(),
	}
	m.Counts.Rows, m.Counts.LeftOut = made.rows(), made.leftOut
	for _, s := range d.segments {
		m.Inputs = append(m.Inputs, s.input)
	}
	return m
}

// sweep deletes the parts of the day that its manifest does not name.
func (d *dayRun) sweep(ctx context.Context, table string) error {
	m, _, err := lake.ReadManifest(ctx, d.store, table, d.day)
	if err != nil || m == nil {
		return err
	}
	named := map[string]bool{}
	for _, p := range m.Parts {
		named[p.Key] = true
	}
	return d.deleteParts(ctx, table, func(key string) bool { return !named[key] })
}

// discard deletes what a failed making wrote, as far as no manifest names it.
func (d *dayRun) discard(ctx context.Context) error {
	var errs []error
	for table, made := range d.made {
		if len(made.parts) == 0 {
			continue
		}
		m, _, err := lake.ReadManifest(context.WithoutCancel(ctx), d.store, table, d.day)
		if err != nil {
			errs = append(errs, err)
			continue
		}
		if m != nil && m.Digest == d.digest {
			continue
		}
		mine := "part-" + d.digest + "-"
		errs = append(errs, d.deleteParts(context.WithoutCancel(ctx), table, func(key string) bool { return strings.Contains(key, mine) }))
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

func (d *dayRun) quarantineKey() string {
	return lake.QuarantinePrefix + "day=" + d.day.String() + "/rejected.ndjson.zst"
}

// quarantine keeps rejected lines with their reasons, up to a thousand of each
// segment and 64 MiB in all. They may hold addresses: they live no longer than raw logs do.
func (d *dayRun) quarantine(ctx context.Context) error {
	if d.counts.RejectedTotal() == 0 {
		return d.store.Delete(ctx, d.quarantineKey())
	}
	var lines bytes.Buffer
	enc := json.NewEncoder(&lines)
	enc.SetEscapeHTML(false)
	for _, s := range d.segments {
		for _, q := range s.rejects {
			q.Key = s.input.Key
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
