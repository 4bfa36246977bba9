// Package queries holds the questions that Boon answers about its data, one SQL
// file each, and runs them.
//
// A file begins with a comment line that says what it answers. Lines of the form
//
//	-- param day DATE: one day (default every day)
//
// name its parameters, which the SQL reads with getvariable('day') and which all
// have a default but where the line says required. A file is a single SELECT over
// the views of package duck and means the same in `boon query`, in DuckDB's own
// shell after `boon connect`, and in a notebook. Its rows come in an order that
// leaves no ties, so the same lake gives the same text.
//
// Demand is counted in distinct requesters, never in packets, and crawlers and
// table upkeep are left out of it; a file that counts otherwise says so in its
// first line. Over several days distinct requesters of each day are added up,
// because a pseudonym does not outlive its key.
//
// Results are written as an aligned table, CSV, JSON lines or Parquet.
package queries

import (
	"embed"
	"fmt"
	"io/fs"
	"regexp"
	"slices"
	"strings"
	"time"
)

//go:embed *.sql
var files embed.FS

// Query is one question.
type Query struct {
	Name   string
	About  string // what it answers
	Params []Param
	SQL    string
}

// Param is a parameter of a query.
type Param struct {
	Name     string
	Type     string // SQL type, VARCHAR where the file names none
	About    string
	Required bool
}

// All returns the queries in the order of their names.
func All() []Query {
	names, err := fs.Glob(files, "*.sql")
	if err != nil {
		panic(err) // the pattern is a constant
	}
	var all []Query
	for _, file := range names {
		text, err := files.ReadFile(file)
		if err != nil {
			panic(err) // the file is part of the program
		}
		all = append(all, Parse(strings.TrimSuffix(file, ".sql"), string(text)))
	}
	return all
}

// NotFoundError says that no query has the name, and which one is like it.
type NotFoundError struct{ Name, Like string }

func (e *NotFoundError) Error() string {
	if e.Like != "" {
		return fmt.Sprintf("no query is called %q; did you mean %q? boon query --list shows them all", e.Name, e.Like)
	}
	return fmt.Sprintf("no query is called %q; boon query --list shows them all", e.Name)
}

// Find returns the query with that name, or a NotFoundError.
func Find(name string) (Query, error) {
	like, least := "", len(name)/2+1
	for _, q := range All() {
		if q.Name == name {
			return q, nil
		}
		if d := editDistance(name, q.Name); d < least {
			like, least = q.Name, d
		}
	}
	return Query{}, &NotFoundError{name, like}
}

// infohash is how an info-hash is written.
var infohash = regexp.MustCompile(`^[0-9A-Fa-f]{40}$`)

var paramLine = regexp.MustCompile(`^-- param ([a-z_][a-z0-9_]*)(?: ([A-Z]+))?: (.+)$`)

// Parse reads the head of a query's text.
func Parse(name, text string) Query {
	q := Query{Name: name, SQL: text}
	for line := range strings.Lines(text) {
		line = strings.TrimRight(line, "\r\n")
		about, comment := strings.CutPrefix(line, "-- ")
		if !comment {
			break
		}
		if m := paramLine.FindStringSubmatch(line); m != nil {
			p := Param{Name: m[1], Type: m[2], About: m[3], Required: strings.HasSuffix(m[3], "(required)")}
			if p.Type == "" {
				p.Type = "VARCHAR"
			}
			q.Params = append(q.Params, p)
		} else if q.About == "" {
			q.About = about
		}
	}
	return q
}

// ParamError says what is wrong with a parameter.
type ParamError struct{ Query, Param, Problem string }

func (e *ParamError) Error() string {
	return fmt.Sprintf("query %s: parameter %s %s", e.Query, e.Param, e.Problem)
}

// param finds the parameter called name. A file of the user's own need not
// declare what it reads with getvariable or in_period.
func (q Query) param(name string) (Param, error) {
	if i := slices.IndexFunc(q.Params, func(p Param) bool { return p.Name == name }); i >= 0 {
		return q.Params[i], nil
	}
	period := slices.Contains([]string{"day", "week", "since", "until"}, name)
	switch {
	case period && strings.Contains(q.SQL, "in_period("):
		return Param{Name: name, Type: "DATE"}, nil
	case strings.Contains(q.SQL, "getvariable('"+name+"')"):
		return Param{Name: name, Type: "VARCHAR"}, nil
	}
	var known []string
	for _, p := range q.Params {
		known = append(known, p.Name)
	}
	if len(known) == 0 {
		return Param{}, &ParamError{q.Name, name, "is not known; it has none"}
	}
	return Param{}, &ParamError{q.Name, name, "is not known; it has " + strings.Join(known, ", ")}
}

// Check returns a ParamError unless values fit the query: all known, none
// missing, a period that has days.
func (q Query) Check(values map[string]string) error {
	for _, name := range sortedKeys(values) {
		if _, err := q.param(name); err != nil {
			return err
		}
	}
	for _, p := range q.Params {
		if _, given := values[p.Name]; p.Required && !given {
			return &ParamError{q.Name, p.Name, "is missing; give it with --param " + p.Name + "=…"}
		}
	}
	since, err1 := time.Parse(time.DateOnly, values["since"])
	until, err2 := time.Parse(time.DateOnly, values["until"])
	if err1 == nil && err2 == nil && until.Before(since) {
		return &ParamError{q.Name, "until", fmt.Sprintf("is before since, %s before %s: no day is in between", values["until"], values["since"])}
	}
	return nil
}

func sortedKeys(m map[string]string) []string {
	var keys []string
	for k := range m {
		keys = append(keys, k)
	}
	slices.Sort(keys)
	return keys
}

// editDistance counts the letters to insert, delete or replace to turn a into b.
func editDistance(a, b string) int {
	row := make([]int, len(b)+1)
	for j := range row {
		row[j] = j
	}
	for i := range len(a) {
		diagonal := row[0]
		row[0] = i + 1
		for j := range len(b) {
			cost := diagonal
			if a[i] != b[j] {
				cost++
			}
			diagonal = row[j+1]
			row[j+1] = min(cost, row[j]+1, row[j+1]+1)
		}
	}
	return row[len(b)]
}
