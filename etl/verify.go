package etl

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"maps"
	"reflect"
	"slices"
	"strings"

	"github.com/parquet-go/parquet-go"

	"github.com/boontorrent/boon/datasets"
	"github.com/boontorrent/boon/internal/lake"
)

// Verified is what Verify found.
type Verified struct {
	Partitions, Parts int
	Rows, Bytes       int64
	Problems          []string // each names an object and what is wrong with it
	Notes             []string // what is unusual but no fault
}

func (v *Verified) problem(key, format string, args ...any) {
	v.Problems = append(v.Problems, key+": "+fmt.Sprintf(format, args...))
}

// Verify reads the lake's tables and holds them against their manifests: every
// part is there, with the bytes, digest, rows and schema it should have; the
// sums close; the tables of a day were made from the same inputs; what
// collectors say they logged has reached the tables.
func Verify(ctx context.Context, store lake.Store, progress func(Progress)) (*Verified, error) {
	v := &Verified{}
	days := map[lake.Day]map[string]*lake.Manifest{}
	for info, err := range store.List(ctx, lake.TablesPrefix) {
		if err != nil {
			return nil, err
		}
		if !strings.HasSuffix(info.Key, "/manifest.json") {
			continue
		}
		day, ok := lake.DayOfKey(info.Key)
		table, _, _ := strings.Cut(strings.TrimPrefix(info.Key, lake.TablesPrefix), "/")
		if !ok || info.Key != lake.ManifestKey(table, day) {
			v.problem(info.Key, "is not where a manifest can be")
			continue
		}
		m, _, err := lake.ReadManifest(ctx, store, table, day)
		if err != nil {
			v.problem(info.Key, "%v", err)
			continue
		}
		if days[day] == nil {
			days[day] = map[string]*lake.Manifest{}
		}
		days[day][table] = m
	}
	prints := map[string]string{} // of keys, by epoch
	for _, day := range slices.Sorted(maps.Keys(days)) {
		if m := days[day][committer]; m != nil {
			if p := prints[m.KeyEpoch]; p != "" && p != m.KeyPrint {
				v.problem(lake.ManifestKey(committer, day), "was made with another key than the days before it in %s: their pseudonyms do not compare", m.KeyEpoch)
			}
			prints[m.KeyEpoch] = m.KeyPrint
		}
		if err := v.day(ctx, store, day, days[day], progress); err != nil {
			return nil, err
		}
	}
	return v, nil
}

// day checks all tables of one day.
func (v *Verified) day(ctx context.Context, store lake.Store, day lake.Day, tables map[string]*lake.Manifest, progress func(Progress)) error {
	for _, t := range datasets.Tables() {
		if progress != nil {
			progress(Progress{Day: day, Stage: t.Name})
		}
		if err := v.partition(ctx, store, day, t, tables); err != nil {
			return err
		}
	}
	return nil
}

// partition checks one table of one day.
func (v *Verified) partition(ctx context.Context, store lake.Store, day lake.Day, t datasets.Table, tables map[string]*lake.Manifest) error {
	m, key := tables[t.Name], lake.ManifestKey(t.Name, day)
	if m == nil {
		v.problem(key, "is missing, though the day has other tables; run boon etl --force --day %s", day)
		return nil
	}
	v.Partitions++
	if err := m.Counts.Balance(); err != nil {
		v.problem(key, "%v", err)
	}
	if c := tables[committer]; c != nil && (c.Digest != m.Digest || !reflect.DeepEqual(c.Inputs, m.Inputs)) {
		v.problem(key, "was made from other inputs than %s; run boon etl --force --day %s", committer, day)
	}
	if err := v.inputs(ctx, store, key, m); err != nil {
		return err
	}
	var rows int64
	named := map[string]bool{}
	for _, p := range m.Parts {
		if err := ctx.Err(); err != nil {
			return err
		}
		named[p.Key] = true
		rows += p.Rows
		problem, err := v.part(ctx, store, p, t.Row)
		if err != nil {
			return fmt.Errorf("verify: %w", err)
		}
		if problem != nil {
			v.problem(p.Key, "%v", problem)
		}
	}
	if rows != m.Counts.Rows {
		v.problem(key, "counts %d rows, its parts have %d", m.Counts.Rows, rows)
	}
	for info, err := range store.List(ctx, lake.PartitionPrefix(t.Name, day)) {
		if err != nil {
			return err
		}
		if strings.HasSuffix(info.Key, ".parquet") && !named[info.Key] {
			v.problem(info.Key, "is in the folder, but no manifest names it; readers that go by *.parquet count it. Delete it, or run boon etl --force --day %s", day)
		}
	}
	return nil
}

// inputs compares the records that went in with the account, and notes which
// raw segments are gone.
func (v *Verified) inputs(ctx context.Context, store lake.Store, key string, m *lake.Manifest) error {
	var read int64
	for _, in := range m.Inputs {
		read += in.Records
	}
	if read != m.Counts.Read {
		v.problem(key, "its inputs hold %d records, but %d were read", read, m.Counts.Read)
	}
	if m.Table != committer {
		return nil
	}
	gone := map[string]bool{}
	for _, in := range m.Inputs {
		gone[in.Key] = true
	}
	day, err := lake.ParseDay(m.Day)
	if err != nil {
		v.problem(key, "%v", err)
		return nil
	}
	for info, err := range store.List(ctx, lake.RawDayPrefix(day)) {
		if err != nil {
			return err
		}
		delete(gone, info.Key)
	}
	if len(gone) > 0 {
		v.Notes = append(v.Notes, fmt.Sprintf("%s: %d of %d raw segments are no longer in the lake", key, len(gone), len(m.Inputs)))
	}
	if m.Counts.Lost > 0 {
		v.Notes = append(v.Notes, fmt.Sprintf("%s: %d records were missing from damaged segments", key, m.Counts.Lost))
	}
	return nil
}

// part checks one part: bytes, digest, rows, schema. err is why it could not be read.
func (v *Verified) part(ctx context.Context, store lake.Store, p lake.Part, row any) (problem, err error) {
	o, err := store.Open(ctx, p.Key)
	if errors.Is(err, lake.ErrNotFound) {
		return fmt.Errorf("%w; run boon etl --force to make it anew", err), nil
	}
	if err != nil {
		return nil, err
	}
	defer o.Close()
	v.Parts++
	v.Bytes += o.Info().Size
	sum := sha256.New()
	n, err := io.Copy(sum, o)
	if err != nil {
		return nil, err
	}
	if got := hex.EncodeToString(sum.Sum(nil)); n != p.Bytes || got != p.SHA256 {
		return fmt.Errorf("has %d bytes and sha256 %.16s…, the manifest says %d and %.16s…", n, got, p.Bytes, p.SHA256), nil
	}
	f, err := parquet.OpenFile(o, n)
	if err != nil {
		return fmt.Errorf("is no Parquet file: %w", err), nil
	}
	v.Rows += f.NumRows()
	return shape(f, p, row), nil
}

// shape says what is wrong with a part's rows, row groups and columns.
func shape(f *parquet.File, p lake.Part, row any) error {
	if f.NumRows() != p.Rows {
		return fmt.Errorf("has %d rows, the manifest says %d", f.NumRows(), p.Rows)
	}
	if want := parquet.SchemaOf(row); !parquet.EqualNodes(want, f.Schema()) {
		return fmt.Errorf("does not have the columns of schema %d", datasets.Schema)
	}
	for i, g := range f.RowGroups() {
		if g.NumRows() > maxGroupRows {
			return fmt.Errorf("row group %d has %d rows, more than %d", i, g.NumRows(), maxGroupRows)
		}
	}
	return nil
}
