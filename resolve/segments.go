package resolve

import (
	"context"
	"errors"
	"fmt"
	"io"
	"time"

	"github.com/parquet-go/parquet-go"

	"github.com/boontorrent/boon/internal/lake"
	"github.com/boontorrent/boon/internal/rawlog"
)

// reader brings what the lake has: what is resolved, and what is asked for.
type reader struct {
	store lake.Store
	back  time.Duration // how far back segments are read
	desk  *desk
	now   func() time.Time
	say   func(format string, args ...any)
	seen  map[string]struct{} // keys of segments, within the time that is read
	tried map[string]int      // of segments that could not be read: how often
}

const (
	lookEvery  = 20 * time.Second // for new segments
	readTries  = 3                // of a segment
	sayEvery   = 10 * time.Second
	rowsAtOnce = 4096
)

// resolved reads the info-hashes of table torrents.
func (r *reader) resolved(ctx context.Context) error {
	for info, err := range r.store.List(ctx, lake.TablesPrefix+"torrents/") {
		if err != nil {
			return err
		}
		day, ok := lake.DayOfKey(info.Key)
		if !ok || info.Key != lake.ManifestKey("torrents", day) {
			continue
		}
		m, _, err := lake.ReadManifest(ctx, r.store, "torrents", day)
		if err != nil {
			return err
		}
		for i := 0; m != nil && i < len(m.Parts); i++ {
			if err := r.part(ctx, m.Parts[i].Key); err != nil {
				return fmt.Errorf("read %s: %w", m.Parts[i].Key, err)
			}
		}
	}
	return nil
}

// part reads the info-hashes of a part. One that is gone was replaced meanwhile;
// what it had is tried again at worst.
func (r *reader) part(ctx context.Context, key string) error {
	in, err := r.store.Open(ctx, key)
	if errors.Is(err, lake.ErrNotFound) {
		return nil
	}
	if err != nil {
		return err
	}
	defer in.Close()
	file, err := parquet.OpenFile(in, in.Info().Size, parquet.SkipPageIndex(true), parquet.SkipBloomFilters(true))
	if err != nil {
		return err
	}
	column := file.Root().Column("infohash")
	if column == nil {
		return errors.New("it has no column infohash")
	}
	values := make([]parquet.Value, rowsAtOnce)
	for _, group := range file.RowGroups() {
		pages := group.ColumnChunks()[column.Index()].Pages()
		err := r.pages(pages, values)
		if err := errors.Join(err, pages.Close()); err != nil {
			return err
		}
	}
	return nil
}

func (r *reader) pages(pages parquet.Pages, values []parquet.Value) error {
	for {
		page, err := pages.ReadPage()
		if errors.Is(err, io.EOF) {
			return nil
		}
		if err != nil {
			return err
		}
		for in := page.Values(); ; {
			n, err := in.ReadValues(values)
			for _, v := range values[:n] {
				if b := v.ByteArray(); len(b) == len(rawlog.ID{}) {
					r.desk.resolvedBefore(rawlog.ID(b))
				}
			}
			if errors.Is(err, io.EOF) {
				break
			}
			if err != nil {
				return err
			}
		}
		parquet.Release(page)
	}
}

// recent reads the segments that are new since the last time. A segment that
// cannot be read is tried again the next times, and then passed over: boon etl tells
// of it.
func (r *reader) recent(ctx context.Context) error {
	until := r.now()
	since := until.Add(-r.back)
	there, tried := map[string]struct{}{}, map[string]int{}
	said, read := r.now(), 0
	for day := lake.DayOf(since.UnixMicro()); day <= lake.DayOf(until.UnixMicro()); day++ {
		for info, err := range r.store.List(ctx, lake.RawDayPrefix(day)) {
			if err != nil {
				return err
			}
			key, err := lake.ParseSegmentKey(info.Key)
			if err != nil || time.UnixMicro(key.Start).Before(since.Add(-time.Hour)) {
				continue
			}
			if _, seen := r.seen[info.Key]; seen {
				there[info.Key] = struct{}{}
				continue
			}
			err = r.segment(ctx, info.Key, since)
			switch times := r.tried[info.Key] + 1; {
			case err == nil:
			case ctx.Err() != nil:
				return ctx.Err()
			case times < readTries:
				tried[info.Key] = times
				r.say("%v; trying again in %v", err, lookEvery)
				continue
			default:
				r.say("%v; it is passed over", err)
			}
			there[info.Key], r.seen[info.Key] = struct{}{}, struct{}{}
			if read++; r.now().Sub(said) > sayEvery {
				said = r.now()
				r.say("reading what was asked for: %d segments so far, of %s", read, day)
			}
		}
	}
	r.seen, r.tried = there, tried
	return nil
}

// segment brings the events of a segment to the desk.
func (r *reader) segment(ctx context.Context, key string, since time.Time) error {
	in, err := r.store.Open(ctx, key)
	if err != nil {
		return fmt.Errorf("read %s: %w", key, err)
	}
	defer in.Close()
	log, err := rawlog.NewReader(in)
	if err != nil {
		return fmt.Errorf("read %s: %w", key, err)
	}
	defer log.Close()
	var ev rawlog.Event
	for ctx.Err() == nil {
		err := log.Next(&ev)
		var reject *rawlog.Reject
		switch {
		case errors.Is(err, io.EOF):
			return nil
		case errors.As(err, &reject):
			continue
		case err != nil:
			return fmt.Errorf("read %s: %w", key, err)
		}
		switch {
		case ev.Kind == rawlog.Resolve:
			r.desk.resolvedBefore(ev.Resolve.Infohash)
		case ev.Kind.IsQuery() && ev.T >= since.UnixMicro():
			if a, ok := askOf(ev.Kind, ev.T, &ev.Query); ok {
				r.desk.hear(&a)
			}
		}
	}
	return ctx.Err()
}

// run looks for new segments until ctx ends.
func (r *reader) run(ctx context.Context) {
	for {
		if err := r.recent(ctx); err != nil && ctx.Err() == nil {
			r.say("%v; trying again in %v", err, lookEvery)
		}
		select {
		case <-ctx.Done():
			return
		case <-time.After(lookEvery):
		}
	}
}
