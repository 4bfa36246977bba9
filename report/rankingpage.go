//go:build cgo && !noduck

package report

import (
	"cmp"
	"slices"
	"strings"
)

// Rows of a page; the downloads have all.
const (
	pageRows     = 50
	pageTypeRows = 10
	frontRows    = 10
)

// rankingPage is what the page of a period's ranking reads.
type rankingPage struct {
	Heading, When  string
	Latest         bool   // it is the page of the last seven days
	Up             string // way to /rankings/
	Earlier, Later *unit
	Files          []link
	Weeks          []unit // on the page of the last seven days: all there are, the latest first
	DayUnits       []unit
	now, before    *ranking
}

// rankingPages are those of the last seven days and of each day and week.
func (s *site) rankingPages() []*page {
	days, weeks := s.units()
	latest := &rankingPage{Heading: "Rankings", Latest: true, now: s.Rankings[thisWeek], before: s.Rankings[weekBefore], Files: rankingFiles(thisWeek + "/")}
	if s.Days > 0 {
		latest.When = longPeriod(s.Week.Since, s.Week.Until)
	}
	all := []*page{{template: "rankings", Path: "rankings/", Ranking: latest, Title: "Rankings · Boon",
		Description: "The torrents and works that most requesters ask the BitTorrent network for."}}
	for _, units := range [][]unit{days, weeks} {
		for i, u := range units {
			p := &rankingPage{Heading: "Ranking of " + u.Name, When: longPeriod(u.Since, u.Until), Up: "../", now: s.Rankings[u.Name], Files: rankingFiles("")}
			if !u.Week() {
				p.Heading = "Ranking of a day"
			}
			if i > 0 {
				p.Earlier, p.before = &units[i-1], s.Rankings[units[i-1].Name]
			}
			if i+1 < len(units) {
				p.Later = &units[i+1]
			}
			all = append(all, &page{template: "rankings", Path: "rankings/" + u.Name + "/", Ranking: p, Title: "Ranking of " + u.Name + " · Boon",
				Description: "The torrents and works that most requesters asked the BitTorrent network for, " + p.When + "."})
		}
	}
	latest.Weeks, latest.DayUnits = slices.Clone(weeks), slices.Clone(days)
	slices.Reverse(latest.Weeks)
	slices.Reverse(latest.DayUnits)
	return all
}

func rankingFiles(folder string) []link {
	return []link{{folder + "torrents.csv", "Torrents, CSV"}, {folder + "torrents.parquet", "Torrents, Parquet"},
		{folder + "works.csv", "Works, CSV"}, {folder + "works.parquet", "Works, Parquet"}, {folder + "ranking.json", "Both, JSON"}}
}

// rankingOf is what the template ranking reads.
type rankingOf struct {
	Noun, Caption string
	Rows          []row
	Hashes        bool // rows are torrents
	Full          bool // with info-hashes or releases
	Changes       bool // with places gained and lost
	Maps          bool // with links to maps of a row's own
	Base          string
	K             int
}

// row is a row on a page.
type row struct {
	ranked
	Rank   int
	Bar    float64 // askers as percent of the first row's
	Change change
}

// change is what became of a row's place since the period before.
type change struct {
	Kind   string // up, down, same or new
	Places int
}

// rowsOf lays out the first rows of a list. Before, where it is not nil, is the
// list of the period before.
func rowsOf(list, before []ranked, most int) (all []row) {
	places := map[string]int{}
	for i, r := range before {
		places[r.ID] = i + 1
	}
	for i, r := range list[:min(len(list), most)] {
		x := row{ranked: r, Rank: i + 1, Bar: 100 * float64(r.Askers) / float64(max(1, list[0].Askers)), Change: change{Kind: "new"}}
		if was, ok := places[r.ID]; ok {
			n := was - x.Rank
			x.Change = change{map[int]string{-1: "down", 0: "same", 1: "up"}[cmp.Compare(n, 0)], max(n, -n)}
		}
		all = append(all, x)
	}
	return all
}

// of keeps the rows that fit.
func of(list []ranked, fits func(ranked) bool) []ranked {
	return slices.DeleteFunc(slices.Clone(list), func(r ranked) bool { return !fits(r) })
}

// FrontTorrents and FrontWorks are the first rows of the week, none of them adult.
func (p *page) FrontTorrents() rankingOf { return p.front("Torrent", true) }

// FrontWorks see FrontTorrents.
func (p *page) FrontWorks() rankingOf { return p.front("Work", false) }

func (p *page) front(noun string, torrents bool) rankingOf {
	list := p.Site.Rankings[thisWeek].list(torrents)
	return rankingOf{Noun: noun, Caption: noun + "s by distinct requesters, " + longPeriod(p.Site.Week.Since, p.Site.Week.Until),
		Rows: rowsOf(of(list, func(r ranked) bool { return !r.Adult }), nil, frontRows), Hashes: torrents, Maps: true, Base: p.Base, K: p.Site.K}
}

// list is that of torrents or of works; a ranking that is not there has none.
func (r *ranking) list(torrents bool) []ranked {
	switch {
	case r == nil:
		return nil
	case torrents:
		return r.Torrents
	}
	return r.Works
}

// RankedTorrents and RankedWorks are the lists of a ranking's page.
func (p *page) RankedTorrents() rankingOf {
	return p.rankedRows("Torrent", true, pageRows, func(ranked) bool { return true })
}

// RankedWorks see RankedTorrents.
func (p *page) RankedWorks() rankingOf {
	return p.rankedRows("Work", false, pageRows, func(ranked) bool { return true })
}

func (p *page) rankedRows(noun string, torrents bool, most int, fits func(ranked) bool) rankingOf {
	r := p.Ranking
	return rankingOf{Noun: noun, Caption: noun + "s by distinct requesters", Hashes: torrents, Full: most == pageRows, Maps: most == pageRows && r.Latest, Base: p.Base, K: p.Site.K,
		Changes: len(r.before.list(torrents)) > 0, Rows: rowsOf(of(r.now.list(torrents), fits), of(r.before.list(torrents), fits), most)}
}

// rankedType is one type's part of a ranking.
type rankedType struct {
	Name            string
	Torrents, Works rankingOf
}

// RankedTypes are the types that have rows, in the order of their names.
func (p *page) RankedTypes() (all []rankedType) {
	var types []string
	for _, torrents := range []bool{true, false} {
		for _, r := range p.Ranking.now.list(torrents) {
			types = append(types, r.Type)
		}
	}
	slices.Sort(types)
	for _, t := range slices.Compact(types) {
		fits := func(r ranked) bool { return r.Type == t }
		all = append(all, rankedType{kindOf(t), p.rankedRows("Torrent", true, pageTypeRows, fits), p.rankedRows("Work", false, pageTypeRows, fits)})
	}
	slices.SortFunc(all, func(a, b rankedType) int { return strings.Compare(a.Name, b.Name) })
	return all
}

// CountryTorrents and CountryWorks are the lists of a country's page.
func (p *page) CountryTorrents() rankingOf { return p.countryRows("Torrent", p.Country.Torrents, true) }

// CountryWorks see CountryTorrents.
func (p *page) CountryWorks() rankingOf { return p.countryRows("Work", p.Country.Works, false) }

func (p *page) countryRows(noun string, list []ranked, torrents bool) rankingOf {
	return rankingOf{Noun: noun, Caption: noun + "s by distinct requesters from " + p.Country.Name, Rows: rowsOf(list, nil, countryRows), Hashes: torrents, Maps: true, Base: p.Base, K: p.Site.K}
}

// hoursOf is what the template hours reads.
type hoursOf struct {
	Day   string
	Hours []hour
}

// HoursOf are the hours of the last day, of a country or ("") of all.
func (s *site) HoursOf(country string) hoursOf {
	return hoursOf{longDay(s.LastMap().Day), s.Hours[country]}
}
