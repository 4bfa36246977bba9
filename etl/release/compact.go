package release

func addRange(list []int, lo, hi int) []int {
	if hi-lo > maxRange {
		hi = lo
	}
next:
	for n := lo; n <= hi; n++ {
		if len(list) > 0 && list[len(list)-1] >= n {
			for _, have := range list {
				if have == n {
					continue next
				}
			}
		}
		list = append(list, n)
	}
	return list
}

// compact is what a token like S01E02E03 says.
type compact struct {
	season, season2 int // season2 of S01S02, 0 for none
	eps             [8]int
	n               int // how many of eps
	disc            bool
}

// parseCompact reads S01, S01E02, S01E02E03, T01E08, S01EP02, S01S02, S04DVD7.
func parseCompact(f []byte) (c compact, ok bool) {
	if len(f) == 5 && f[2] == 'e' && allDigits(f[:2]) && allDigits(f[3:]) { // 01E06
		c.season, _ = leading(f)
		c.eps[0], _ = leading(f[3:])
		c.n = 1
		return c, true
	}
	if len(f) < 2 || f[0] != 's' && f[0] != 't' {
		return c, false
	}
	if f[1] == 'n' || f[0] == 's' && f[1] == 'e' && len(f) > 2 {
		f = f[1:]
		if len(f) > 1 && f[0] == 'e' {
			c, ok = compactTail(f)
			return c, ok && c.n > 0
		}
	}
	return compactTail(f)
}

// compactTail reads what stands behind the season's letter.
func compactTail(f []byte) (c compact, ok bool) {
	if len(f) < 2 {
		return c, false
	}
	var w int
	if c.season, w = leading(f[1:]); w == 0 || w == 3 && (f[1] != '0' || len(f) < 6) || w > 4 || w == 4 && !plausible(c.season) {
		return c, false
	}
	rest := f[1+w:]
	if len(rest) == 0 {
		return c, f[0] != 't'
	}
	if rest[0] == 's' {
		n, w2 := leading(rest[1:])
		c.season2 = n
		return c, w2 > 0 && w2 <= 2 && w2+1 == len(rest) && n > c.season
	}
	if rest[0] == 'd' {
		for len(rest) > 0 && (rest[0] < '0' || rest[0] > '9') {
			rest = rest[1:]
		}
		c.disc = true
		return c, allDigits(rest)
	}
	if rest[0] == 'x' && len(rest) > 1 && rest[1] == 'e' {
		rest = rest[1:]
	}
	c.eps, c.n, ok = parseEpisodes(rest)
	if !ok && c.n > 0 && w == 2 && rest[0] == 'e' && len(rest) > 4 { // S03E02Title
		_, ew := leading(rest[1:])
		ok = c.n == 1 && ew == 2 && letters(rest[3:])
	}
	return c, ok
}

func letters(f []byte) bool {
	for _, c := range f {
		if c >= '0' && c <= '9' {
			return false
		}
	}
	return true
}

// parseEpisodes reads E02, E02E03, EP02, X02X03, with a part letter or a version behind the last.
func parseEpisodes(f []byte) (eps [8]int, n int, ok bool) {
	for len(f) > 0 {
		switch {
		case len(f) > 2 && f[0] == 'e' && f[1] == 'p':
			f = f[2:]
		case len(f) > 1 && (f[0] == 'e' || f[0] == 'x'):
			f = f[1:]
		default:
			return eps, n, false
		}
		v, w := leading(f)
		if w == 0 || w > 5 || n == len(eps) {
			return eps, n, false
		}
		eps[n] = v
		n++
		f = f[w:]
		if len(f) == 1 && f[0] >= 'a' && f[0] <= 'd' || len(f) == 2 && f[0] == 'v' {
			break
		}
	}
	return eps, n, n > 0
}

// parseCross reads 1x02, 01x02x03.
func parseCross(f []byte) (season int, eps [8]int, n int, ok bool) {
	season, w := leading(f)
	if w == 0 || w == 3 || w > 4 || w == len(f) || f[w] != 'x' || season > 60 && !(plausible(season) && len(f) == w+3) {
		return 0, eps, 0, false
	}
	rest := f[w:]
	_, ew := leading(rest[1:])
	if ew == 0 || ew > 3 {
		return 0, eps, 0, false
	}
	eps, n, ok = parseEpisodes(rest)
	return season, eps, n, ok
}

// plausible tells whether n may be a year.
func plausible(n int) bool { return n >= firstYear && n <= lastYear }
