//go:build cgo && !noduck

package report

import (
	"context"
	"fmt"
	"regexp"
	"strconv"
)

// Rows of a country's page.
const (
	countryRows   = 20
	countryClient = 12
)

// countries is what the site says of countries in its week; its JSON is
// published, and read again by the next build.
type countries struct {
	Digest string `json:"digest"`
	period
	K         int       `json:"k"`
	Countries []country `json:"countries"`
}

// country is one; the row of all others has no code.
type country struct {
	Code       string   `json:"country"`
	Name       string   `json:"-"`
	Requesters int64    `json:"requesters"`
	Share      float64  `json:"-"` // percent
	Clients    []client `json:"clients"`
	Torrents   []ranked `json:"torrents"`
	Works      []ranked `json:"works"`
}

// client is a program; "" is any other, and not known.
type client struct {
	Name       string `json:"client"`
	Requesters int64  `json:"requesters"`
}

// HasPage says that the country has a page: its code is fit to be a folder.
func (c country) HasPage() bool { return countryCode.MatchString(c.Code) }

var countryCode = regexp.MustCompile(`^[A-Z]{2}$`)

// week makes what the site says of its last seven days: countries, titles.
func (b *builder) week(ctx context.Context) error {
	s := b.site
	if s.Days == 0 {
		return nil
	}
	digest := b.digest(s.Week, "")
	list := &countries{}
	if !b.out.readOld("countries/countries.json", list) || list.Digest != digest || !b.titlesAgain(digest) {
		list = &countries{Digest: digest, period: s.Week, K: b.o.K}
		if err := b.list(ctx, ""); err != nil {
			return err
		}
		if err := b.ask(ctx, s.Week, nil, true); err != nil {
			return err
		}
		if err := b.countries(ctx, list); err != nil {
			return fmt.Errorf("countries: %w", err)
		}
		if err := b.titles(ctx, digest); err != nil {
			return fmt.Errorf("maps of titles: %w", err)
		}
	}
	var sum int64
	for _, c := range list.Countries {
		sum += c.Requesters
	}
	for i := range list.Countries {
		c := &list.Countries[i]
		c.Name, c.Share = countryName(c.Code), 100*float64(c.Requesters)/float64(max(1, sum))
	}
	s.Countries = list.Countries
	return b.out.json("countries/countries.json", list)
}

// countries fills the list off the tables member and asked.
func (b *builder) countries(ctx context.Context, list *countries) error {
	when := map[string]string{"since": list.Since, "until": list.Until, "k": strconv.Itoa(b.o.K)}
	err := b.split(ctx, "countries", when, func(_ any, code string, requesters int64) {
		list.Countries = append(list.Countries, country{Code: code, Requesters: requesters})
	})
	if err != nil {
		return err
	}
	clients := map[string][]client{}
	err = b.split(ctx, "clients", when, func(id any, name string, requesters int64) {
		code := text(id)
		if len(clients[code]) < countryClient || name == "" {
			clients[code] = append(clients[code], client{name, requesters})
		}
	})
	if err != nil {
		return err
	}
	lists := map[string]map[string][]ranked{}
	for _, by := range []string{"torrent", "work"} {
		if err := b.table(ctx, "ranked", map[string]string{"by": by, "countries": "true", "k": strconv.Itoa(b.o.K)}); err != nil {
			return err
		}
		// Titles that are asked for by enough people of one country have a map.
		if err := b.db.Exec(ctx, "CREATE OR REPLACE TEMP TABLE local_"+by+" AS SELECT DISTINCT id FROM ranked"); err != nil {
			return err
		}
		if err := b.keepLocal(ctx, by); err != nil {
			return err
		}
		if lists[by], err = b.lists(ctx, by, countryRows, 0); err != nil {
			return err
		}
	}
	for i := range list.Countries {
		c := &list.Countries[i]
		if c.HasPage() {
			c.Clients, c.Torrents, c.Works = clients[c.Code], lists["torrent"][c.Code], lists["work"][c.Code]
		}
		c.Clients, c.Torrents, c.Works = orEmpty(c.Clients), orEmpty(c.Torrents), orEmpty(c.Works)
	}
	return nil
}

// keepLocal takes out of table ranked, titles by country, what the title's own page
// and map leave out: shown here, it could be taken from their sum.
func (b *builder) keepLocal(ctx context.Context, by string) error {
	if err := b.tableOf(ctx, "counted", "local", map[string]string{"by": by}); err != nil {
		return err
	}
	if err := b.tableOf(ctx, "kept", "split", nil); err != nil {
		return err
	}
	return b.db.Exec(ctx, "DELETE FROM ranked WHERE NOT EXISTS (FROM kept WHERE kept.id = ranked.id AND kept.part = ranked.country)")
}

// split makes table counted by the query and gives its parts that may be shown.
func (b *builder) split(ctx context.Context, query string, values map[string]string, each func(id any, part string, requesters int64)) error {
	if err := b.tableOf(ctx, "counted", query, values); err != nil {
		return err
	}
	q, err := own("split")
	if err != nil {
		return err
	}
	return rows(ctx, b.db, q, nil, func(row []any) error {
		each(row[0], text(row[1]), integer(row[2]))
		return nil
	})
}
