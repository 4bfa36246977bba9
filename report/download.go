//go:build cgo && !noduck

package report

import (
	"bytes"
	"context"
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"unicode"
	"unicode/utf8"
)

// downloads writes a ranking's lists as CSV and Parquet. Where the ranking is
// known from the site that stands, so are the Parquet files.
func (b *builder) downloads(ctx context.Context, r *ranking, folder string, known bool) error {
	for _, torrents := range []bool{true, false} {
		name := folder + "works"
		if torrents {
			name = folder + "torrents"
		}
		if err := b.out.file(name+".csv", rankingCSV(r.list(torrents), torrents)); err != nil {
			return err
		}
		if known && b.out.again(name+".parquet") {
			continue
		}
		if err := b.parquet(ctx, folder, name+".parquet", torrents); err != nil {
			return err
		}
	}
	return nil
}

// rankingCSV is a list as CSV (RFC 4180). Rows behind the ranking, which are there for
// their type, have no rank. Names are in quotes whatever they hold: programs that
// separate cells by semicolons or tabs must not find a cell inside one.
func rankingCSV(list []ranked, torrents bool) []byte {
	var b bytes.Buffer
	b.WriteString("rank,work_id,title,type,year,adult,requesters,releases\n")
	if torrents {
		b.Reset()
		b.WriteString("rank,infohash,name,type,year,adult,requesters,size\n")
	}
	for i, r := range list {
		rank, year, last := "", "", r.Releases
		if i < topRows {
			rank = strconv.Itoa(i + 1)
		}
		if r.Year > 0 {
			year = strconv.FormatInt(r.Year, 10)
		}
		if torrents {
			last = r.Size
		}
		name := strings.ReplaceAll(harmless(Shown(r.Name)), `"`, `""`)
		fmt.Fprintf(&b, "%s,%s,\"%s\",%s,%s,%t,%d,%d\n", rank, r.ID, name, r.Type, year, r.Adult, r.Askers, last)
	}
	return b.Bytes()
}

// harmless is a text that no spreadsheet takes for a formula.
func harmless(s string) string {
	first, _ := utf8.DecodeRuneInString(strings.TrimLeftFunc(s, unicode.IsSpace))
	if s != "" && (strings.ContainsRune("=+-@|%＝＋－＠", first) || s[0] == '\t' || s[0] == '\r') {
		return "'" + s
	}
	return s
}

// parquet turns a list of the ranking.json in folder into Parquet.
func (b *builder) parquet(ctx context.Context, folder, name string, torrents bool) error {
	list, id, last := "works", "work_id", "releases"
	if torrents {
		list, id, last = "torrents", "infohash", "size"
	}
	source := filepath.Join(b.out.dir, filepath.FromSlash(folder), "ranking.json")
	target := filepath.Join(b.out.dir, filepath.FromSlash(name))
	query := `SELECT CASE WHEN i <= ` + strconv.Itoa(topRows) + ` THEN i END::INTEGER AS rank, r.id AS ` + id + `, r.name AS name, r.type AS type,
			r.year::INTEGER AS year, coalesce(r.adult, false) AS adult, r.requesters AS requesters, coalesce(r.` + last + `, 0) AS ` + last + `
		FROM (SELECT unnest(` + list + `) AS r, generate_subscripts(` + list + `, 1) AS i
			FROM read_json('` + strings.ReplaceAll(source, "'", "''") + `', maximum_object_size = 67108864, columns = {` + list + `:
				'STRUCT(id VARCHAR, name VARCHAR, type VARCHAR, year BIGINT, size BIGINT, adult BOOLEAN, releases BIGINT, requesters BIGINT)[]'}))
		ORDER BY i`
	if err := b.db.CopyTo(ctx, query, target); err != nil {
		return err
	}
	st, err := os.Stat(target)
	if err != nil {
		return err
	}
	b.out.files++
	b.out.bytes += st.Size()
	return nil
}
