//go:build cgo && !noduck

package report

import (
	"context"
	"database/sql"
	"fmt"
	"regexp"
	"strings"

	"github.com/boontorrent/boon/internal/words"
)

var infohash = regexp.MustCompile(`^[0-9a-fA-F]{40}$`)

// exclude makes the table excluded of the info-hashes that the site must not name. A
// hybrid torrent has two, and may have been resolved under either or under both: each
// excludes it whole.
func (b *builder) exclude(ctx context.Context) error {
	var hashes []string
	var titles words.Phrases
	for _, line := range b.o.Exclude {
		if infohash.MatchString(line) {
			hashes = append(hashes, "(unhex('"+line+"'))")
		} else if !titles.Add(line) {
			return fmt.Errorf("%q can be neither an info-hash nor a title", line)
		}
	}
	called, err := b.called(ctx, &titles)
	if err != nil {
		return err
	}
	hashes = append(hashes, called...)
	statement := "CREATE OR REPLACE TEMP TABLE excluded AS SELECT NULL::BLOB AS infohash WHERE false"
	if len(hashes) > 0 {
		statement += " UNION SELECT * FROM (VALUES " + strings.Join(hashes, ", ") + ")"
	}
	if err := b.db.Exec(ctx, statement); err != nil || len(hashes) == 0 {
		return err
	}
	return b.db.Exec(ctx, `INSERT INTO excluded
		WITH hybrid AS (SELECT infohash, infohash_v2, unhex(left(hex(infohash_v2), 40)) AS second FROM torrents_daily WHERE infohash_v2 IS NOT NULL),
		meant AS (SELECT infohash_v2 FROM hybrid WHERE infohash IN (FROM excluded) OR second IN (FROM excluded))
		SELECT infohash FROM hybrid WHERE infohash_v2 IN (FROM meant) UNION SELECT second FROM hybrid WHERE infohash_v2 IN (FROM meant)`)
}

// called are the info-hashes of torrents whose name or title holds one of the given, in SQL.
func (b *builder) called(ctx context.Context, titles *words.Phrases) (hashes []string, err error) {
	if titles.Len() == 0 {
		return nil, nil
	}
	rows, err := b.db.Query(ctx, "SELECT hex(infohash), name, title FROM torrents")
	if err != nil {
		return nil, err
	}
	defer rows.Close()
	for rows.Next() {
		var hash, name string
		var title sql.NullString
		if err := rows.Scan(&hash, &name, &title); err != nil {
			return nil, fmt.Errorf("look for titles that are excluded: %w", err)
		}
		if titles.In(name) || titles.In(title.String) {
			hashes = append(hashes, "(unhex('"+hash+"'))")
		}
	}
	return hashes, rows.Err()
}
