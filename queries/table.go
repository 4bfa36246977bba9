package queries

import (
	"bufio"
	"errors"
	"io"
	"slices"
	"strings"
	"unicode"
	"unicode/utf8"

	"golang.org/x/text/width"
)

const (
	measuredRows = 1000 // rows that decide the widths; more are written as they come
	widestCell   = 100  // columns a text may take where the width of the screen is not known
	narrowest    = 9    // columns that a squeezed text keeps
)

// WriteTable writes rows as an aligned table for people, numbers to the right. It
// is screen columns wide at most where that can be (0: the width is not known):
// long texts are cut and end in …. Characters that move the cursor, hide or turn
// round what follows are shown as marks, so a name can do nothing to a terminal.
func WriteTable(w io.Writer, rows Rows, screen int) error {
	out := bufio.NewWriter(w)
	t := &table{out: out}
	for _, c := range rows.Columns() {
		t.header = append(t.header, Visible(c.Name))
		t.number = append(t.number, isNumber(c.Type))
	}
	err := each(rows, func(row []any) error {
		cells := make([]string, len(row))
		for i, v := range row {
			cells[i] = Visible(Text(v))
		}
		if t.widths != nil {
			return t.line(cells)
		}
		t.first = append(t.first, cells)
		if len(t.first) == measuredRows {
			return t.begin(screen)
		}
		return nil
	})
	if t.widths == nil {
		err = errors.Join(err, t.begin(screen))
	}
	return errors.Join(err, out.Flush())
}

type table struct {
	out    *bufio.Writer
	header []string
	number []bool
	hash   []bool     // info-hashes: a part of one is enough to tell it from others
	first  [][]string // rows kept until the widths are known
	widths []int
}

func isNumber(typ string) bool {
	typ, _, _ = strings.Cut(typ, "(")
	return slices.Contains([]string{"TINYINT", "SMALLINT", "INTEGER", "BIGINT", "HUGEINT", "UTINYINT", "USMALLINT",
		"UINTEGER", "UBIGINT", "UHUGEINT", "FLOAT", "DOUBLE", "DECIMAL"}, typ)
}

// begin settles the widths and writes the header and the rows kept so far.
func (t *table) begin(screen int) error {
	t.widths = make([]int, len(t.header))
	t.hash = make([]bool, len(t.header))
	for i := range t.hash {
		t.hash[i] = len(t.first) > 0 && infohash.MatchString(t.first[0][i])
	}
	for _, row := range append([][]string{t.header}, t.first...) {
		for i, cell := range row {
			limit := screen
			if screen == 0 {
				limit = widestCell
			}
			t.widths[i] = max(t.widths[i], min(Width(cell), limit))
		}
	}
	if screen > 0 {
		t.squeeze(screen)
	}
	rules := make([]string, len(t.header))
	for i := range rules {
		rules[i] = strings.Repeat("─", t.widths[i])
	}
	err := errors.Join(t.line(t.header), t.line(rules))
	for _, row := range t.first {
		err = errors.Join(err, t.line(row))
	}
	t.first = nil
	return err
}

// squeeze takes columns from info-hashes, and then from the widest text, until the
// table fits the screen.
func (t *table) squeeze(screen int) {
	for {
		total, widest := 2*(len(t.widths)-1), -1
		for i, w := range t.widths {
			total += w
			if t.number[i] || w <= narrowest {
				continue
			}
			if widest < 0 || t.hash[i] && !t.hash[widest] || t.hash[i] == t.hash[widest] && w > t.widths[widest] {
				widest = i
			}
		}
		if total <= screen || widest < 0 {
			return
		}
		t.widths[widest]--
	}
}

func (t *table) line(cells []string) error {
	var b strings.Builder
	for i, cell := range cells {
		if i > 0 {
			b.WriteString("  ")
		}
		w := Width(cell)
		if !t.number[i] && w > t.widths[i] {
			cell = cut(cell, t.widths[i])
			w = Width(cell)
		}
		pad := strings.Repeat(" ", max(0, t.widths[i]-w))
		if t.number[i] {
			b.WriteString(pad + cell)
		} else {
			b.WriteString(cell + pad)
		}
	}
	_, err := t.out.WriteString(strings.TrimRight(b.String(), " ") + "\n")
	return err
}

// cut shortens s to columns columns, the last of them an ellipsis.
func cut(s string, columns int) string {
	used := 0
	for i, r := range s {
		used += runeWidth(r)
		if used > columns-1 {
			return s[:i] + "…"
		}
	}
	return s
}

// Visible replaces what does not stay in its place on a screen: control characters
// by their pictures (␛ for escape), and what is not UTF-8, bidirectional controls,
// line separators and invisible characters by �. The joiners of Persian, Indic
// scripts and emoji stay.
func Visible(s string) string {
	return strings.Map(func(r rune) rune {
		switch {
		case r < 0x20:
			return 0x2400 + r
		case r == 0x7F:
			return 0x2421
		case r == 0x200C || r == 0x200D:
			return r
		case unicode.Is(unicode.Cc, r), unicode.Is(unicode.Cf, r), unicode.Is(unicode.Zl, r), unicode.Is(unicode.Zp, r):
			return utf8.RuneError
		}
		return r
	}, s)
}

// Width is how many columns of a terminal s takes.
func Width(s string) int {
	n := 0
	for _, r := range s {
		n += runeWidth(r)
	}
	return n
}

func runeWidth(r rune) int {
	if r < 0x300 {
		return 1
	}
	if unicode.In(r, unicode.Mn, unicode.Me) || r == 0x200C || r == 0x200D || r == 0xFE0F {
		return 0
	}
	switch width.LookupRune(r).Kind() {
	case width.EastAsianWide, width.EastAsianFullwidth:
		return 2
	}
	return 1
}
