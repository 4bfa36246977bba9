//go:build cgo && !noduck

package report

import (
	"bytes"
	"embed"
	"encoding/json"
	"fmt"
	"html/template"
	"strings"

	"gopkg.in/yaml.v3"

	"github.com/boontorrent/boon/datasets"
	"github.com/boontorrent/boon/internal/duck"
)

//go:embed web/*.html web/*.css web/*.svg web/*.bin web/dist/*.js
var web embed.FS

// The Content-Security-Policy of a page without scripts, and what is added to it
// for a page that has one: its own file, and what that fetches from the site.
const (
	policy       = "default-src 'none'; style-src 'self'; img-src 'self'; base-uri 'none'; form-action 'none'"
	scriptPolicy = "; script-src 'self'; connect-src 'self'"
)

// page is one page and all that its template reads.
type page struct {
	Path        string // folder with its slash, "" for the front page
	Base        string // way from the page to the front page
	Title       string
	Description string
	Policy      string
	Script      string // file of the page's script in assets/, "" without one
	Preload     string // what the page's script reads first, by its address from the page, "" without one
	Assets      assets
	Nav         []link
	Site        *site

	Country    *country
	Ranking    *rankingPage
	Dictionary []described
	template   string
}

type link struct{ Path, Name string }

// described is a table in the dictionary.
type described struct {
	Name, About string
	Columns     []describedColumn
}

type describedColumn struct{ Name, Type, Meaning, Unit, Source, Privacy string }

// pages lists the pages of a site. Script names the source of a page's script in
// web/js, without .js.
func pages(s *site, assets assets) ([]*page, error) {
	dictionary, err := readDictionary()
	if err != nil {
		return nil, err
	}
	nav := []link{{"rankings/", "Rankings"}, {"map/", "Map"}, {"search/", "Search"}, {"countries/", "Countries"}, {"data/", "Data"},
		{"methodology/", "Methodology"}, {"dictionary/", "Dictionary"}}
	all := []*page{
		{template: "front", Title: "Boon: what the BitTorrent network asks for",
			Description: "What the BitTorrent network asks for, from where and when: open counts of demand in its distributed hash table."},
		{template: "map", Script: "map", Path: "map/", Title: "Map · Boon",
			Description: "A map of where the BitTorrent network's distributed hash table is asked from, hour by hour and live."},
		{template: "countries", Path: "countries/", Title: "Countries · Boon",
			Description: "Requesters of the BitTorrent network's distributed hash table by country."},
		{template: "search", Script: "search", Preload: s.Found.Index + "/root.gz", Path: "search/", Title: "Search · Boon",
			Description: "Search every torrent that was resolved, by its name and the names of its files."},
		{template: "torrent", Script: "torrent", Path: "t/", Title: "Torrent · Boon",
			Description: "One torrent: what its name says, its files, who asks for it and from where."},
		{template: "data", Path: "data/", Title: "Data · Boon",
			Description: "The tables behind the pages: what there is, checksums, and how to open them in DuckDB, pandas and Spark."},
		{template: "methodology", Path: "methodology/", Title: "Methodology · Boon",
			Description: "What is measured and how, what is not, and what is left out to protect people."},
		{template: "dictionary", Path: "dictionary/", Title: "Dictionary · Boon", Dictionary: dictionary,
			Description: "Every column of every table: meaning, unit, source and privacy."},
	}
	all = append(append(all, s.rankingPages()...), s.countryPages()...)
	for _, p := range all {
		p.Base = "./" + strings.Repeat("../", strings.Count(p.Path, "/"))
		p.Policy, p.Assets, p.Nav, p.Site = policy, assets, nav, s
		if p.Script != "" {
			p.Policy, p.Script = policy+scriptPolicy, assets[p.Script+".js"]
		}
	}
	return all, nil
}

// countryPages are those of the countries that are shown.
func (s *site) countryPages() (all []*page) {
	for i := range s.Countries {
		if c := &s.Countries[i]; c.HasPage() {
			all = append(all, &page{template: "country", Path: "country/" + c.Code + "/", Country: c, Title: c.Name + " · Boon",
				Description: "What is asked for from " + c.Name + " in the BitTorrent network's distributed hash table, when and by which programs."})
		}
	}
	return all
}

// renderer keeps the templates, by the name of the page's.
type renderer map[string]*template.Template

func (r renderer) render(p *page) ([]byte, error) {
	t := r[p.template]
	if t == nil {
		var err error
		if t, err = template.New("base.html").Funcs(functions()).ParseFS(web, "web/base.html", "web/"+p.template+".html"); err != nil {
			return nil, err
		}
		r[p.template] = t
	}
	var b bytes.Buffer
	err := t.Execute(&b, p)
	return b.Bytes(), err
}

func functions() template.FuncMap {
	return template.FuncMap{
		"grouped": Grouped, "noun": noun, "bytes": Bytes, "breakable": breakable, "longDay": longDay, "longPeriod": longPeriod, "kindOf": kindOf, "rowBar": rowBar,
		"shown": Shown, "countryName": countryName, "countryChart": countryChart, "clientChart": clientChart, "hourChart": hourChart,
		"percent": func(v float64) string { return fmt.Sprintf("%.1f%%", v) },
	}
}

// breakable is a name as HTML, with places to break a line after dots and underscores.
func breakable(name string) template.HTML {
	return template.HTML(breaks.Replace(template.HTMLEscapeString(Shown(name)))) //nolint:gosec // escaped
}

var breaks = strings.NewReplacer(".", ".<wbr>", "_", "_<wbr>")

// kindOf names a content type in a reader's words.
func kindOf(contentType string) string {
	switch contentType {
	case "tv":
		return "TV"
	case "":
		return "Unknown"
	}
	return strings.ToUpper(contentType[:1]) + contentType[1:]
}

// readDictionary joins dictionary.yaml with the columns' types, in their order.
func readDictionary() ([]described, error) {
	var text map[string]struct {
		About   string
		Columns map[string]struct{ Meaning, Unit, Source, Privacy string }
	}
	if err := yaml.Unmarshal([]byte(datasets.DictionaryYAML()), &text); err != nil {
		return nil, fmt.Errorf("dictionary.yaml: %w", err)
	}
	var all []described
	for _, t := range datasets.Tables() {
		columns, err := duck.Columns(t)
		if err != nil {
			return nil, err
		}
		d := described{Name: t.Name, About: text[t.Name].About}
		for _, c := range columns {
			x := text[t.Name].Columns[c.Name]
			if c.Name == "day" {
				x.Meaning, x.Source, x.Privacy = "Day of the row in UTC; the name of the file's folder", "derived", "public"
			}
			d.Columns = append(d.Columns, describedColumn{c.Name, c.Type, x.Meaning, x.Unit, x.Source, x.Privacy})
		}
		all = append(all, d)
	}
	return all, nil
}

// tablesJSON describes the tables to programs.
func tablesJSON(s *site) ([]byte, error) {
	type part struct {
		Key    string `json:"key"`
		Rows   int64  `json:"rows"`
		Bytes  int64  `json:"bytes"`
		SHA256 string `json:"sha256"`
	}
	type tableOf struct {
		Table string `json:"table"`
		First string `json:"first"`
		Last  string `json:"last"`
		Days  int    `json:"days"`
		Rows  int64  `json:"rows"`
		Bytes int64  `json:"bytes"`
		Parts []part `json:"parts"`
	}
	out := struct {
		Edition string    `json:"edition"`
		Schema  int       `json:"schema"`
		Tables  []tableOf `json:"tables"`
	}{s.Edition, datasets.Schema, nil}
	for _, t := range s.Tables {
		row := tableOf{t.Name, t.First, t.Last, t.Days, t.Rows, t.Bytes, []part{}}
		for _, p := range t.Parts {
			row.Parts = append(row.Parts, part{p.Key, p.Rows, p.Bytes, p.SHA256})
		}
		out.Tables = append(out.Tables, row)
	}
	b, err := json.MarshalIndent(out, "", " ")
	return append(b, '\n'), err
}
