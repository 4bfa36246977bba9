package release

import (
	"cmp"
	"slices"
	"unicode/utf8"
)

// joinRatio is how much two titles of one year must have in common to be one: twice the longest common subsequence over
// both lengths.
const joinRatio = 0.90

// maxBlock bounds how many titles that begin or end alike are compared with one another.
const maxBlock = 48

// Catalogue joins the works of a day: a title without a year to the same title with one, where only one year is known for
// it, and titles spelt nearly alike in the same year. Add every release's work, Seal, then ask Join. The answers do not
// depend on the order of Add.
type Catalogue struct {
	count  map[workKey]int
	joined map[workKey]workKey
}

// workKey is a work without its season and episode.
type workKey struct {
	kind, title, creator, country string
	year, part                    int
}

func keyOf(w Work) workKey {
	return workKey{w.Kind, compactTitle(w.Title), compactTitle(w.Creator), w.Country, w.Year, w.Part}
}

// Add counts one release of a work.
func (c *Catalogue) Add(w Work) {
	if c.count == nil {
		c.count = map[workKey]int{}
	}
	c.count[keyOf(w)]++
}

// Join returns the work that w belongs to in this catalogue; call it after Seal.
func (c *Catalogue) Join(w Work) Work {
	k, ok := c.joined[keyOf(w)]
	if !ok {
		return w
	}
	w.Title, w.Creator, w.Country, w.Year, w.Part = k.title, k.creator, k.country, k.year, k.part
	return w
}

// Seal decides what is joined.
func (c *Catalogue) Seal() {
	c.joined = map[workKey]workKey{}
	type entry struct {
		key   workKey
		count int
	}
	entries := make([]entry, 0, len(c.count))
	for k, n := range c.count {
		entries = append(entries, entry{k, n})
	}
	// The most frequent spelling first: the others join it.
	slices.SortFunc(entries, func(a, b entry) int {
		if a.count != b.count {
			return cmp.Compare(b.count, a.count)
		}
		return compareKeys(&a.key, &b.key)
	})
	keys := make([]workKey, len(entries))
	for i := range entries {
		keys[i] = entries[i].key
	}
	c.joinNear(keys)
	c.joinYears(keys)
}

func compareKeys(a, b *workKey) int {
	if a.title != b.title {
		return cmp.Compare(a.title, b.title)
	}
	return cmp.Or(cmp.Compare(a.kind, b.kind), cmp.Compare(a.title, b.title), cmp.Compare(a.creator, b.creator),
		cmp.Compare(a.country, b.country), cmp.Compare(a.year, b.year), cmp.Compare(a.part, b.part))
}

// joinNear joins titles of one year that are spelt nearly alike. Only titles that begin or end with the same letters are
// compared.
func (c *Catalogue) joinNear(keys []workKey) {
	type block struct {
		kind, creator, country, edge string
		year, part                   int
		tail                         bool
	}
	heads := map[block][]workKey{}
	for _, k := range keys {
		if k.year == 0 || utf8.RuneCountInString(k.title) < 6 {
			continue
		}
		head := block{k.kind, k.creator, k.country, edge(k.title, 4), k.year, k.part, false}
		tail := block{k.kind, k.creator, k.country, edge(k.title, -4), k.year, k.part, true}
		found := false
		for _, b := range [...]block{head, tail} {
			for _, h := range heads[b] {
				if near(k.title, h.title) {
					c.joined[k], found = h, true
					break
				}
			}
			if found {
				break
			}
		}
		if found {
			continue
		}
		for _, b := range [...]block{head, tail} {
			if len(heads[b]) < maxBlock {
				heads[b] = append(heads[b], k)
			}
		}
	}
}

// edge is the first n runes of s, or the last -n.
func edge(s string, n int) string {
	i := 0
	if n > 0 {
		for ; n > 0 && i < len(s); n-- {
			_, w := utf8.DecodeRuneInString(s[i:])
			i += w
		}
		return s[:i]
	}
	i = len(s)
	for ; n < 0 && i > 0; n++ {
		_, w := utf8.DecodeLastRuneInString(s[:i])
		i -= w
	}
	return s[i:]
}

// joinYears joins a title without a year to the one year that it has.
func (c *Catalogue) joinYears(keys []workKey) {
	years := map[workKey]int{} // title without year: its year, -1 where there are several
	for _, k := range keys {
		if k.year == 0 {
			continue
		}
		bare := k
		bare.year = 0
		if y, ok := years[bare]; ok && y != k.year {
			years[bare] = -1
		} else {
			years[bare] = k.year
		}
	}
	for _, k := range keys {
		if y := years[k]; k.year == 0 && y > 0 {
			to := k
			to.year = y
			if h, ok := c.joined[to]; ok {
				to = h
			}
			c.joined[k] = to
		}
	}
}

// near tells whether two titles differ in a few letters and in no number.
func near(a, b string) bool {
	if a == b {
		return true
	}
	la, lb := len(a), len(b)
	if 2*float64(min(la, lb)) < joinRatio*float64(la+lb) || !sameDigits(a, b) {
		return false
	}
	x, y := []rune(a), []rune(b)
	return 2*float64(common(x, y)) >= joinRatio*float64(len(x)+len(y)) && spelling(x, y)
}

// spelling tells whether what differs between two titles is how a word is written and not which word it is: between what
// they begin and end with alike stand two letters at most, or words that share three letters in four.
func spelling(a, b []rune) bool {
	for len(a) > 0 && len(b) > 0 && a[0] == b[0] {
		a, b = a[1:], b[1:]
	}
	for len(a) > 0 && len(b) > 0 && a[len(a)-1] == b[len(b)-1] {
		a, b = a[:len(a)-1], b[:len(b)-1]
	}
	return max(len(a), len(b)) <= 2 || 2*float64(common(a, b)) >= 0.75*float64(len(a)+len(b))
}

func sameDigits(a, b string) bool {
	i, j := 0, 0
	for {
		for i < len(a) && (a[i] < '0' || a[i] > '9') {
			i++
		}
		for j < len(b) && (b[j] < '0' || b[j] > '9') {
			j++
		}
		if i == len(a) || j == len(b) {
			return i == len(a) && j == len(b)
		}
		if a[i] != b[j] {
			return false
		}
		i, j = i+1, j+1
	}
}

// common is the length of the longest common subsequence, by bits where one title fits a word.
func common(a, b []rune) int {
	if len(a) > len(b) {
		a, b = b, a
	}
	if len(a) > 64 {
		return commonLong(a, b)
	}
	v := ^uint64(0)
	for _, r := range b {
		var m uint64
		for i, x := range a {
			if x == r {
				m |= 1 << i
			}
		}
		u := v & m
		v = (v + u) | (v - u)
	}
	n := 0
	for i := range a {
		if v>>i&1 == 0 {
			n++
		}
	}
	return n
}

func commonLong(a, b []rune) int {
	row := make([]int, len(b)+1)
	for _, x := range a {
		prev := 0
		for j, y := range b {
			keep := row[j+1]
			if x == y {
				row[j+1] = prev + 1
			} else {
				row[j+1] = max(row[j+1], row[j])
			}
			prev = keep
		}
	}
	return row[len(b)]
}
