package report

import (
	"fmt"
	"strconv"
	"strings"
	"unicode"
	"unicode/utf8"
)

// Grouped writes a number with thin spaces between the thousands: 18 000.
func Grouped(n int64) string {
	s := strconv.FormatInt(n, 10)
	sign := ""
	if n < 0 {
		sign, s = "−", s[1:]
	}
	var b strings.Builder
	for i := range len(s) {
		if i > 0 && (len(s)-i)%3 == 0 {
			b.WriteString("\u202f")
		}
		b.WriteByte(s[i])
	}
	return sign + b.String()
}

// noun is the word that goes with a number.
func noun(n int64, one, many string) string {
	if n == 1 {
		return one
	}
	return many
}

// Bytes writes a size in the unit that suits it: 1.4 GB.
func Bytes(n int64) string {
	units := []string{noun(n, "byte", "bytes"), "kB", "MB", "GB", "TB", "PB", "EB"}
	f, u := float64(n), 0
	for f >= 999.5 && u < len(units)-1 {
		f /= 1000
		u++
	}
	if u == 0 || f >= 99.5 {
		return fmt.Sprintf("%.0f\u00a0%s", f, units[u])
	}
	return fmt.Sprintf("%.1f\u00a0%s", f, units[u])
}

// longestName bounds what a page shows of a name.
const longestName = 300

// Shown is a name as a page may show it: control characters, bidirectional
// overrides and other invisible characters are replaced, combining marks do not
// pile up, and what is too long is cut.
func Shown(name string) string {
	var b strings.Builder
	runes, marks := 0, 0
	for _, r := range name {
		switch {
		case unicode.Is(unicode.Mn, r) || unicode.Is(unicode.Me, r):
			if marks++; marks > 4 {
				continue
			}
		case r == 0x200C || r == 0x200D: // joiners of Persian, Indic scripts and emoji
		case r == '\t' || r == '\n' || r == '\r':
			r = ' '
		case unicode.Is(unicode.C, r) || unicode.Is(unicode.Zl, r) || unicode.Is(unicode.Zp, r):
			r, marks = utf8.RuneError, 0
		default:
			marks = 0
		}
		if runes++; runes > longestName {
			b.WriteString("…")
			break
		}
		b.WriteRune(r)
	}
	if strings.TrimSpace(b.String()) == "" {
		return "(no name)"
	}
	return b.String()
}
