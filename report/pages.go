//go:build cgo && !noduck

package report

import (
	"bytes"
	"crypto/sha256"
	"embed"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"html/template"
	"strings"

	"gopkg.in/yaml.v3"

	"github.com/boontorrent/boon/datasets"
	"github.com/boontorrent/boon/internal/duck"
)

//go:embed web
var web embed.FS

// policy is the Content-Security-Policy of a page without scripts.
const policy = "default-src 'none'; style-src 'self'; img-src 'self'; base-uri 'none'; form-action 'none'"

// page is one page and all that its template reads.
type page struct {
	Path        string // folder with its slash, "" for the front page
	Base        string // way from the page to the front page
	Title       string
	Description string
	Policy      string
	Style       string
	Nav         []link
	Site        *site

	CountryChart, HourChart template.HTML
	Dictionary              []described

	template string
}

type link struct{ Path, Name string }

// described is a table in the dictionary.
type described struct {
	Name, About string
	Columns     []describedColumn
}

type describedColumn struct{ Name, Type, Meaning, Unit, Source, Privacy string }

// pages lists the pages of a site.
func pages(s *site, style string) ([]*page, error) {
	dictionary, err := readDictionary()
	if err != nil {
		return nil, err
	}
	nav := []link{{"rankings/", "Rankings"}, {"countries/", "Countries"}, {"data/", "Data"},
		{"methodology/", "Methodology"}, {"dictionary/", "Dictionary"}}
	all := []*page{
		{template: "front", Title: "Boon: what the BitTorrent network asks for",
			Description: "What the BitTorrent network asks for, from where and when: open counts of demand in its distributed hash table."},
		{template: "rankings", Path: "rankings/", Title: "Rankings · Boon",
			Description: "The torrents and works that most requesters ask the BitTorrent network for."},
		{template: "countries", Path: "countries/", Title: "Countries · Boon",
			Description: "Requesters of the BitTorrent network's distributed hash table by country."},
		{template: "data", Path: "data/", Title: "Data · Boon",
			Description: "The tables behind the pages: what there is, checksums, and how to open them in DuckDB, pandas and Spark."},
		{template: "methodology", Path: "methodology/", Title: "Methodology · Boon",
			Description: "What is measured and how, what is not, and what is left out to protect people."},
		{template: "dictionary", Path: "dictionary/", Title: "Dictionary · Boon",
			Description: "Every column of every table: meaning, unit, source and privacy."},
	}
	for _, p := range all {
		p.Base = "./" + strings.Repeat("../", strings.Count(p.Path, "/"))
		p.Policy, p.Style, p.Nav, p.Site, p.Dictionary = policy, style, nav, s, dictionary
		p.CountryChart = countryChart(s)
		p.HourChart = dayCurve("hours", "Requesters by hour", "Twenty-four columns, one for each hour in UTC; the table below has the numbers.", s.Hours)
	}
	return all, nil
}

func (p *page) render() ([]byte, error) {
	t, err := template.New("base.html").Funcs(template.FuncMap{
		"grouped": Grouped, "bytes": Bytes, "breakable": breakable, "longDay": longDay, "longPeriod": longPeriod, "kindOf": kindOf, "rowBar": rowBar,
		"percent": func(v float64) string { return fmt.Sprintf("%.1f%%", v) },
		"table":   rankingTable, "dayTable": dayRankingTable,
	}).ParseFS(web, "web/base.html", "web/"+p.template+".html")
	if err != nil {
		return nil, err
	}
	var b bytes.Buffer
	err = t.Execute(&b, p)
	return b.Bytes(), err
}

// rankingOf is what the template ranking reads.
type rankingOf struct {
	Noun, Caption string
	Rows          []ranked
	Hashes, Full  bool // rows are torrents; show their info-hashes
	K             int
}

func rankingTable(noun, caption string, s *site, rows []ranked, hashes, full bool) rankingOf {
	return rankingOf{noun, caption + longPeriod(s.Week.Since, s.Week.Until), rows, hashes, full, s.K}
}

func dayRankingTable(noun string, s *site, rows []ranked, hashes, full bool) rankingOf {
	return rankingOf{noun, longDay(s.Last), rows, hashes, full, s.K}
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

// countryChart draws the first nine countries and the others.
func countryChart(s *site) template.HTML {
	var bars []bar
	var others, top float64
	var words []string
	for _, c := range s.Countries {
		if c.Code == "" || len(bars) == 9 {
			others += c.Share
			continue
		}
		bars = append(bars, bar{Label: c.Name, Value: fmt.Sprintf("%.1f%%", c.Share), Percent: c.Share})
		words = append(words, fmt.Sprintf("%s %.1f%%", c.Name, c.Share))
		top = max(top, c.Share)
	}
	for i := range bars {
		bars[i].Percent *= 100 / max(top, 0.1)
	}
	if others > 0 { // no place of its own: a bar would only dwarf the others
		bars = append(bars, bar{Label: "Others", Value: fmt.Sprintf("%.1f%%", others), Percent: -1})
		words = append(words, fmt.Sprintf("others %.1f%%", others))
	}
	return barChart("places", "Share of requesters by country", strings.Join(words, ", ")+".", bars)
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

// hashedName is a file name that changes with the content, so that it may be
// cached for ever.
func hashedName(name string, b []byte, extension string) string {
	sum := sha256.Sum256(b)
	return name + "-" + hex.EncodeToString(sum[:5]) + "." + extension
}
