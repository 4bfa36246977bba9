package duck

import (
	"context"
	_ "embed"
	"fmt"
	"slices"
	"strings"

	"golang.org/x/sync/errgroup"

	"github.com/boontorrent/boon/datasets"
	"github.com/boontorrent/boon/internal/lake"
)

//go:embed views.sql
var viewsSQL string

// Catalog is what a lake holds: the manifests of each table, by day.
type Catalog struct {
	Manifests map[string][]*lake.Manifest // without their inputs
	source    source
}

// source says how DuckDB reaches the objects of a lake.
type source struct {
	// setup is run before the views are made: a secret and httpfs for an object
	// store; nothing for a folder.
	setup []string
	// location is what read_parquet is given for a key.
	location func(key string) string
	// part, where it is set, is asked instead of location.
	part func(lake.Part) string
}

func (s source) of(p lake.Part) string {
	if s.part != nil {
		return s.part(p)
	}
	return s.location(p.Key)
}

// pathStore is a lake whose objects are files.
type pathStore interface{ Path(key string) string }

// sourceOf finds out how DuckDB can read s.
func sourceOf(s lake.Store) (source, error) {
	switch s := s.(type) {
	case pathStore:
		return source{location: s.Path}, nil
	case remoteStore: // Remote or Open say how
		return source{location: func(key string) string { return s.URL() + "/" + key }}, nil
	}
	return source{}, fmt.Errorf("open %s in DuckDB: only a lake in a folder or on S3 can be read; give it with --lake", s.URL())
}

// ReadCatalog reads all manifests of s.
func ReadCatalog(ctx context.Context, s lake.Store) (*Catalog, error) {
	src, err := sourceOf(s)
	if err != nil {
		return nil, err
	}
	c := &Catalog{Manifests: map[string][]*lake.Manifest{}, source: src}
	for _, t := range datasets.Tables() {
		days, err := partitions(ctx, s, t.Name)
		if err != nil {
			return nil, err
		}
		manifests, err := readManifests(ctx, s, t.Name, days)
		if err != nil {
			return nil, err
		}
		if len(manifests) > 0 {
			c.Manifests[t.Name] = manifests
		}
	}
	return c, nil
}

// readManifests reads a table's manifests, several at once: on S3 each is a
// request's wait.
func readManifests(ctx context.Context, s lake.Store, table string, days []lake.Day) ([]*lake.Manifest, error) {
	manifests := make([]*lake.Manifest, len(days))
	g, ctx := errgroup.WithContext(ctx)
	g.SetLimit(8)
	for i, d := range days {
		g.Go(func() (err error) {
			if manifests[i], _, err = lake.ReadManifest(ctx, s, table, d); manifests[i] != nil {
				manifests[i].Inputs = nil // of a year, half a gigabyte
			}
			return err
		})
	}
	err := g.Wait()
	gone := func(m *lake.Manifest) bool { return m == nil }
	return slices.DeleteFunc(manifests, gone), err
}

// partitions lists the days of a table that have a manifest, in order.
func partitions(ctx context.Context, s lake.Store, table string) ([]lake.Day, error) {
	var days []lake.Day
	for info, err := range s.List(ctx, lake.TablesPrefix+table+"/") {
		if err != nil {
			return nil, fmt.Errorf("list the partitions of %s: %w", table, err)
		}
		if d, ok := lake.DayOfKey(info.Key); ok && info.Key == lake.ManifestKey(table, d) {
			days = append(days, d)
		}
	}
	return days, nil
}

// Empty reports whether no table has a partition.
func (c *Catalog) Empty() bool { return len(c.Manifests) == 0 }

// Days is the first and the last day that any table has, YYYY-MM-DD, and whether a
// day of its tables lies between since and until ("": no bound).
func (c *Catalog) Days(since, until string) (first, last string, within bool) {
	for _, days := range c.Manifests {
		for _, m := range days {
			if first == "" || m.Day < first {
				first = m.Day
			}
			last = max(last, m.Day)
			within = within || m.Day >= since && (until == "" || m.Day <= until)
		}
	}
	return first, last, within
}

// Script is the SQL that opens the lake in any DuckDB 1.5.
func (c *Catalog) Script() (string, error) { return c.script(c.source.setup) }

func (c *Catalog) script(setup []string) (string, error) {
	var b strings.Builder
	b.WriteString("-- Views over a lake of Boon, for DuckDB 1.5 or later; made by boon connect.\n" +
		"-- They hold the days that were there when this was printed: print it again for newer ones.\n" +
		"SET TimeZone = 'UTC';\n")
	for _, s := range setup {
		b.WriteString(s + ";\n")
	}
	for _, t := range datasets.Tables() {
		view, err := c.tableView(t)
		if err != nil {
			return "", err
		}
		b.WriteString(view)
	}
	b.WriteString("\n" + viewsSQL)
	return b.String(), nil
}

// viewName is the view of a table: torrents and files are views on top of theirs.
func viewName(table string) string {
	if table == "torrents" || table == "files" {
		return table + "_daily"
	}
	return table
}

// tableView is the statement that makes one table's view.
func (c *Catalog) tableView(t datasets.Table) (string, error) {
	head := "\nCREATE OR REPLACE VIEW " + viewName(t.Name) + " AS\n"
	var parts []string
	old := false
	for _, m := range c.Manifests[t.Name] {
		old = old || m.Schema != datasets.Schema
		for _, p := range m.Parts {
			if err := lake.CheckKey(p.Key); err != nil {
				return "", fmt.Errorf("manifest of %s, %s: %w", m.Table, m.Day, err)
			}
			parts = append(parts, "\t"+quote(c.source.of(p)))
		}
	}
	columns, err := Columns(t)
	if err != nil {
		return "", err
	}
	var typed []string
	for _, col := range columns {
		typed = append(typed, fmt.Sprintf("\tNULL::%s AS %q", col.Type, col.Name))
	}
	empty := "SELECT\n" + strings.Join(typed, ",\n") + "\nWHERE false"
	if len(parts) == 0 {
		return head + empty + ";\n", nil
	}
	// The day is read as text and cast: DuckDB up to 1.5.5 fails inside (issue 25629)
	// at max(day) over one file where the column of the folders is used as it is.
	rows := "SELECT * REPLACE (day::DATE AS day) FROM read_parquet([\n" + strings.Join(parts, ",\n") +
		"],\n\thive_partitioning = true, hive_types = {'day': VARCHAR}"
	if old { // a day that was made before a column was, and whose logs are gone, has nulls there
		return head + empty + "\nUNION ALL BY NAME " + rows + ", union_by_name = true);\n", nil
	}
	return head + rows + ");\n", nil
}

// quote makes s an SQL literal.
func quote(s string) string { return "'" + strings.ReplaceAll(s, "'", "''") + "'" }
