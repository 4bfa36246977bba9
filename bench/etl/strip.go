package main

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"strings"

	"github.com/boontorrent/boon/internal/lake"
	"github.com/boontorrent/boon/internal/rawlog"
)

// transfer copies what an ETL reads.
func transfer(ctx context.Context, from, to lake.Store) error {
	return each(ctx, from, to, func(key string) (string, []byte, error) {
		b, _, err := lake.ReadAll(ctx, from, key, 1<<30)
		return key, b, err
	})
}

// strip copies what an ETL reads, but of the raw segments only the queries.
func strip(ctx context.Context, from, to lake.Store) error {
	return each(ctx, from, to, func(key string) (string, []byte, error) {
		if strings.HasPrefix(key, lake.RawPrefix) {
			return queriesOf(ctx, from, key)
		}
		b, _, err := lake.ReadAll(ctx, from, key, 1<<30)
		return key, b, err
	})
}

// each puts what read makes of every raw segment, database and key.
func each(ctx context.Context, from, to lake.Store, read func(key string) (string, []byte, error)) error {
	for _, prefix := range []string{lake.RawPrefix, lake.GeoPrefix, lake.KeysPrefix} {
		for info, err := range from.List(ctx, prefix) {
			if err != nil {
				return err
			}
			key, b, err := read(info.Key)
			if err != nil {
				return err
			}
			if _, err := lake.PutBytes(ctx, to, key, lake.Condition{}, b); err != nil {
				return err
			}
		}
	}
	return nil
}

// queriesOf writes a segment anew without what is no query; the name of a
// segment holds its digest.
func queriesOf(ctx context.Context, from lake.Store, key string) (string, []byte, error) {
	name, err := lake.ParseSegmentKey(key)
	if err != nil {
		return "", nil, err
	}
	o, err := from.Open(ctx, key)
	if err != nil {
		return "", nil, err
	}
	defer o.Close()
	r, err := rawlog.NewReader(o)
	if err != nil {
		return "", nil, err
	}
	defer r.Close()
	var out bytes.Buffer
	var w *rawlog.Writer
	var ev rawlog.Event
	for {
		err := r.Next(&ev)
		if errors.Is(err, io.EOF) {
			break
		}
		if err != nil {
			return "", nil, fmt.Errorf("read %s: %w", key, err)
		}
		if w == nil {
			if w, err = rawlog.NewWriter(&out, *r.Header()); err != nil {
				return "", nil, err
			}
		}
		if !ev.Kind.IsQuery() {
			continue
		}
		if err := w.Append(&ev); err != nil {
			return "", nil, err
		}
	}
	if w == nil {
		return "", nil, fmt.Errorf("read %s: no events", key)
	}
	if err := w.Close(rawlog.Footer{End: r.Summary().Footer.End}); err != nil {
		return "", nil, err
	}
	sum := sha256.Sum256(out.Bytes())
	name.Sha8 = hex.EncodeToString(sum[:4])
	return name.String(), out.Bytes(), nil
}
