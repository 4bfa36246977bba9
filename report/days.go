//go:build cgo && !noduck

package report

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"slices"
	"strconv"

	"github.com/boontorrent/boon/queries"
)

// format is the version of the files that a later build may take over. It goes
// up when what is in them, or how they are counted, changes.
const format = 5

// none is the horizon of what needs no names.
const none = "0000-00-00"

// days makes what the site has of single days: the map, and of the last day its
// hours. A day whose tables are those of the site that stands is taken from there.
func (b *builder) days(ctx context.Context) error {
	for i, day := range b.site.QueryDays {
		name := "map/" + day + "-" + b.digest(period{day, day}, none) + ".gz"
		b.site.Maps = append(b.site.Maps, mapDay{Day: day, File: name})
		last := i == len(b.site.QueryDays)-1
		if !last && b.out.again(name) {
			continue
		}
		if err := b.day(ctx, &b.site.Maps[i]); err != nil {
			return fmt.Errorf("%s: %w", day, err)
		}
		if !last {
			b.site.Maps[i].Cells = nil
		}
	}
	slices.Reverse(b.site.Maps)
	return nil
}

// day makes a day's files.
func (b *builder) day(ctx context.Context, d *mapDay) error {
	q, err := own("place")
	if err != nil {
		return err
	}
	if err := queries.MakeTable(ctx, b.db, q, map[string]string{"day": d.Day}, "place"); err != nil {
		return err
	}
	if d.Cells, err = b.readCells(ctx); err != nil {
		return err
	}
	if b.site.Hours, err = b.readHours(ctx); err != nil {
		return err
	}
	plain, err := encodeCells(d.Cells)
	if err != nil {
		return err
	}
	packed, err := squeeze(plain)
	if err != nil {
		return err
	}
	return b.out.file(d.File, packed)
}

// readHours asks for the hours of the day in table place.
func (b *builder) readHours(ctx context.Context) (map[string][]hour, error) {
	q, err := own("hours")
	if err != nil {
		return nil, err
	}
	all := map[string][]hour{}
	err = rows(ctx, b.db, q, map[string]string{"k": strconv.Itoa(b.o.K)}, func(row []any) error {
		country, h := text(row[0]), integer(row[1])
		if all[country] == nil {
			all[country] = make([]hour, wholeDay)
			for i := range all[country] {
				all[country][i].Hour = i
			}
		}
		all[country][h].Requesters, all[country][h].Known = integer(row[2]), true
		return nil
	})
	return all, err
}

// digest stands for all that the site says of a period follows from: the period's
// queries, and the torrents named until the horizon ("" is for ever).
func (b *builder) digest(when period, horizon string) string {
	sum := sha256.New()
	fmt.Fprintf(sum, "format %d k %d excluded %q names until %q\n", format, b.o.K, b.o.Exclude, horizon)
	add := func(table string, within func(day string) bool) {
		for _, m := range b.db.Catalog.Manifests[table] {
			for _, p := range m.Parts {
				if within(m.Day) {
					fmt.Fprintln(sum, p.SHA256, p.Key)
				}
			}
		}
	}
	for _, table := range []string{"queries", "demand", "requesters"} {
		add(table, func(day string) bool { return when.Since <= day && day <= when.Until })
	}
	add("torrents", func(day string) bool { return horizon == "" || day <= horizon })
	return hex.EncodeToString(sum.Sum(nil))[:12]
}
