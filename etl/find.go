package etl

import (
	"bytes"
	"context"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"slices"
	"strings"

	"github.com/parquet-go/parquet-go"

	"github.com/boontorrent/boon/datasets"
	"github.com/boontorrent/boon/internal/lake"
	"github.com/boontorrent/boon/internal/rawlog"
)

// FindTorrent returns what the tables hold of a torrent, as it was resolved
// last, with its files. hash is an info-hash in hex, of 40 digits or (BEP 52)
// 64; lake.ErrNotFound (wrapped) where no table has it.
func FindTorrent(ctx context.Context, store lake.Store, hash string) (*rawlog.ResolveEvent, error) {
	want, err := hex.DecodeString(hash)
	if err != nil || len(want) != 20 && len(want) != 32 {
		return nil, fmt.Errorf("%q is no info-hash, which has 40 or 64 hex digits", hash)
	}
	var days []lake.Day
	for info, err := range store.List(ctx, lake.TablesPrefix+"torrents/") {
		if err != nil {
			return nil, err
		}
		if day, ok := lake.DayOfKey(info.Key); ok && strings.HasSuffix(info.Key, "/manifest.json") {
			days = append(days, day)
		}
	}
	slices.Sort(days)
	for _, day := range slices.Backward(days) {
		t, err := findRow(ctx, store, "torrents", day, want[:20], func(t *datasets.Torrent) bool {
			return bytes.Equal(t.Infohash[:], want) || t.InfohashV2 != nil && bytes.Equal(t.InfohashV2[:], want)
		}, true)
		if err != nil {
			return nil, err
		}
		if len(t) > 0 {
			return withFiles(ctx, store, day, &t[0])
		}
	}
	return nil, fmt.Errorf("the tables have no torrent %s; it may be wanted but not resolved (boon query torrent --param infohash=%s): %w",
		hash, hash[:40], lake.ErrNotFound)
}

func withFiles(ctx context.Context, store lake.Store, day lake.Day, t *datasets.Torrent) (*rawlog.ResolveEvent, error) {
	files, err := findRow(ctx, store, "files", day, t.Infohash[:], func(f *datasets.File) bool { return f.Infohash == t.Infohash }, false)
	if err != nil {
		return nil, err
	}
	ev := &rawlog.ResolveEvent{
		Infohash: t.Infohash, Name: t.Name, Size: t.Size, FileCount: t.FileCount, Peers: -1, Seeders: -1, Leechers: -1,
	}
	if t.InfohashV2 != nil {
		ev.InfohashV2 = hex.EncodeToString(t.InfohashV2[:])
	}
	if t.PieceLength != nil {
		ev.PieceLength = *t.PieceLength
	}
	if t.Private != nil {
		ev.Private = rawlog.TriOf(*t.Private)
	}
	for _, f := range files {
		file := rawlog.File{Path: strings.Split(f.Path, "/"), Length: f.Size}
		if f.Pad {
			file.Attr = "p"
		}
		ev.Files = append(ev.Files, file)
	}
	return ev, nil
}

// findRow returns the rows of a day that match, or the first of them. Row
// groups whose info-hashes cannot include first20 are passed over, unless the
// search is by another column (one).
func findRow[Row any](ctx context.Context, store lake.Store, table string, day lake.Day, first20 []byte, match func(*Row) bool, one bool) ([]Row, error) {
	m, _, err := lake.ReadManifest(ctx, store, table, day)
	if err != nil || m == nil {
		return nil, err
	}
	var found []Row
	for _, p := range m.Parts {
		o, err := store.Open(ctx, p.Key)
		if err != nil {
			return nil, err
		}
		rows, err := matching(ctx, o, p, first20, match, one)
		if err := errors.Join(err, o.Close()); err != nil {
			return nil, fmt.Errorf("read %s: %w", p.Key, err)
		}
		if found = append(found, rows...); one && len(found) > 0 {
			return found, nil
		}
	}
	return found, nil
}

func matching[Row any](ctx context.Context, o lake.Object, p lake.Part, first20 []byte, match func(*Row) bool, one bool) ([]Row, error) {
	f, err := parquet.OpenFile(o, p.Bytes)
	if err != nil {
		return nil, err
	}
	var found []Row
	buf := make([]Row, 1024)
	for i, g := range f.RowGroups() {
		if err := ctx.Err(); err != nil {
			return nil, err
		}
		if s := f.Metadata().RowGroups[i].Columns[0].MetaData.Statistics; !one && s.MinValue != nil && s.MaxValue != nil &&
			(bytes.Compare(first20, s.MinValue) < 0 || bytes.Compare(first20, s.MaxValue) > 0) {
			continue
		}
		r := parquet.NewGenericRowGroupReader[Row](g)
		for {
			n, err := r.Read(buf)
			for j := range n {
				if match(&buf[j]) {
					found = append(found, buf[j])
					if one {
						return found, r.Close()
					}
				}
			}
			if errors.Is(err, io.EOF) {
				break
			}
			if err != nil {
				return nil, errors.Join(err, r.Close())
			}
			clear(buf) // pointers and lists of the last rows must not be written over
		}
		if err := r.Close(); err != nil {
			return nil, err
		}
	}
	return found, nil
}
