//go:build cgo && !noduck

package report

import (
	"context"
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"

	"github.com/boontorrent/boon/internal/lake"
)

// The maps of single titles, torrents and works, are packed JSON files,
// map/titles-<digest>/<first digits of the id>.gz: an object of titles by id.

// title is what the site says of one title's week: counts of requesters by
// country ("" is elsewhere or not known), by cell of the map, by day and by hour
// of the day. What may not be said is not there; of an hour it is 0.
type title struct {
	Name       string      `json:"name"`
	Adult      bool        `json:"adult,omitempty"`
	Requesters int64       `json:"requesters"`
	Countries  [][2]any    `json:"countries"`
	Days       [][2]any    `json:"days"`
	Hours      []int64     `json:"hours,omitempty"`
	Cells      []int64     `json:"cells"`
	Counts     []int64     `json:"counts"`
	Places     [][2]string `json:"places"`
}

// titles makes the maps of the titles in tables member and asked. Of those that no
// country may be shown of there is nothing to say but how many asked on which day.
func (b *builder) titles(ctx context.Context, digest string) error {
	all := map[string]*title{}
	for _, by := range []string{"torrent", "work"} {
		if err := b.titlesBy(ctx, by, all); err != nil {
			return err
		}
	}
	b.site.Titles = titleFiles{Folder: "titles-" + digest, Digits: 2}
	if len(all) > 40000 {
		b.site.Titles.Digits = 3
	}
	shards := map[string]map[string]*title{}
	for id, t := range all {
		prefix := id[:min(len(id), b.site.Titles.Digits)]
		if shards[prefix] == nil {
			shards[prefix] = map[string]*title{}
		}
		shards[prefix][id] = t
	}
	for prefix, shard := range shards {
		plain, err := json.Marshal(shard) // keys in order: the same bytes each time
		if err != nil {
			return err
		}
		packed, err := squeeze(plain)
		if err != nil {
			return err
		}
		if err := b.out.file("map/"+b.site.Titles.Folder+"/"+prefix+".gz", packed); err != nil {
			return err
		}
	}
	return b.out.json("map/"+b.site.Titles.Folder+"/titles.json", titlesNote{b.site.Titles.Digits, len(all), len(shards)})
}

// titlesNote lies in the folder of title maps.
type titlesNote struct {
	Digits int `json:"digits"`
	Titles int `json:"titles"`
	Files  int `json:"files"`
}

// titlesAgain takes the maps of titles over from the site that stands.
func (b *builder) titlesAgain(digest string) bool {
	folder := "map/titles-" + digest
	var note titlesNote
	if !b.out.readOld(folder+"/titles.json", &note) {
		return false
	}
	files, err := os.ReadDir(filepath.Join(b.out.old, filepath.FromSlash(folder)))
	if err != nil || len(files) != note.Files+1 {
		return false
	}
	for _, f := range files {
		if f.Name() != "titles.json" && !b.out.again(folder+"/"+f.Name()) {
			return false
		}
	}
	b.site.Titles = titleFiles{Folder: "titles-" + digest, Digits: note.Digits}
	return b.out.json(folder+"/titles.json", note) == nil
}

// titlesBy adds the torrents or the works.
func (b *builder) titlesBy(ctx context.Context, by string, all map[string]*title) error {
	if err := b.table(ctx, "ranked", map[string]string{"by": by, "k": strconv.Itoa(b.o.K)}); err != nil {
		return err
	}
	if err := b.db.Exec(ctx, "CREATE OR REPLACE TEMP VIEW local AS FROM local_"+by); err != nil {
		return err
	}
	if err := b.countTitles(ctx, by); err != nil {
		return err
	}
	byNumber := map[int64]*title{}
	q, err := own("named")
	if err != nil {
		return err
	}
	err = rows(ctx, b.db, q, map[string]string{"by": by}, func(row []any) error {
		t := &title{Name: Shown(text(row[2])), Requesters: integer(row[3]), Adult: row[4] == true, Countries: [][2]any{}, Days: [][2]any{}, Cells: []int64{}, Counts: []int64{}, Places: [][2]string{}}
		byNumber[integer(row[0])] = t
		all[text(row[1])] = t
		return nil
	})
	if err != nil {
		return err
	}
	split, err := own("split")
	if err != nil {
		return err
	}
	places := b.placeNames()
	err = rows(ctx, b.db, split, nil, func(row []any) error {
		id := integer(row[0])
		t := byNumber[id/4]
		if t == nil {
			return fmt.Errorf("a part of a title that is not listed: %d", id)
		}
		t.add(id%4, row[1], integer(row[2]), places)
		return nil
	})
	for _, t := range byNumber {
		slices.SortFunc(t.Days, func(x, y [2]any) int { return strings.Compare(text(x[0]), text(y[0])) })
	}
	return err
}

// countTitles makes table counted of the parts of the titles in table ranked. A cell of
// the map that its country may not name is none.
func (b *builder) countTitles(ctx context.Context, by string) error {
	if err := b.tableOf(ctx, "counted", "within", map[string]string{"by": by}); err != nil {
		return err
	}
	if err := b.tableOf(ctx, "kept", "split", nil); err != nil {
		return err
	}
	if err := b.tableOf(ctx, "counted", "titles", map[string]string{"by": by}); err != nil {
		return err
	}
	return b.db.Exec(ctx, "UPDATE counted SET part = NULL WHERE id % 4 = 1 AND NOT EXISTS (FROM kept WHERE kept.id // 65536 = counted.id // 4 AND kept.part = counted.part)")
}

// add takes in one part, by the numbers of titles.sql; parts without a number are
// the rest, said only of countries.
func (t *title) add(by int64, part any, requesters int64, places map[int64][2]string) {
	n, known := part.(int64)
	switch {
	case by == 0 && known:
		t.Countries = append(t.Countries, [2]any{string([]byte{byte(n >> 8), byte(n)}), requesters})
	case by == 0:
		t.Countries = append(t.Countries, [2]any{"", requesters})
	case by == 1 && known:
		t.Cells, t.Counts = append(t.Cells, n), append(t.Counts, requesters)
		t.Places = append(t.Places, places[n])
	case by == 2 && known:
		t.Days = append(t.Days, [2]any{lake.Day(n).String(), requesters})
	case by == 3 && known && n < wholeDay:
		if t.Hours == nil {
			t.Hours = make([]int64, wholeDay)
		}
		t.Hours[n] = requesters
	}
}

// placeNames are the names of the last day's cells.
func (b *builder) placeNames() map[int64][2]string {
	names := map[int64][2]string{}
	for _, c := range b.site.LastMap().Cells {
		if c.City != "" {
			names[c.Cell] = [2]string{Shown(c.City), c.Country}
		}
	}
	return names
}
