package duck

import "strings"

// split cuts SQL into its statements, each with what comments stand before it.
func split(sql string) []string {
	var statements []string
	start, empty := 0, true
	end := func(i int) {
		if !empty {
			statements = append(statements, sql[start:i])
		}
		start, empty = i+1, true
	}
	for i := 0; i < len(sql); {
		if n := comment(sql[i:]); n > 0 {
			i += n
			continue
		}
		switch sql[i] {
		case ';':
			end(i)
			i++
		case ' ', '\t', '\r', '\n':
			i++
		default:
			empty = false
			i += quotedLen(sql[i:], i > 0 && wordByte(sql[i-1]))
		}
	}
	end(len(sql))
	return statements
}

// comment is the length of the comment that s begins with, 0 where none does.
func comment(s string) int {
	switch {
	case strings.HasPrefix(s, "--"):
		if i := strings.IndexByte(s, '\n'); i >= 0 {
			return i + 1
		}
		return len(s)
	case strings.HasPrefix(s, "/*"):
		depth := 0
		for i := 0; i < len(s); i++ {
			switch {
			case strings.HasPrefix(s[i:], "/*"):
				depth++
				i++
			case strings.HasPrefix(s[i:], "*/"):
				i++
				if depth--; depth == 0 {
					return i + 1
				}
			}
		}
		return len(s)
	}
	return 0
}

// quotedLen is the length of the literal or quoted name that s begins with, 1
// where none does. Inside a word, a dollar sign quotes nothing.
func quotedLen(s string, inWord bool) int {
	switch {
	case s[0] == '\'' || s[0] == '"':
		return closed(s, 1, s[:1])
	case (s[0] == 'e' || s[0] == 'E') && len(s) > 1 && s[1] == '\'' && !inWord:
		for i := 2; i < len(s); i++ {
			switch s[i] {
			case '\\':
				i++
			case '\'':
				return i + 1
			}
		}
		return len(s)
	case s[0] == '$' && !inWord:
		tag := 1
		for tag < len(s) && wordByte(s[tag]) {
			tag++
		}
		if tag < len(s) && s[tag] == '$' && (tag == 1 || s[1] < '0' || s[1] > '9') {
			return closed(s, tag+1, s[:tag+1])
		}
	}
	return 1
}

func closed(s string, from int, mark string) int {
	if i := strings.Index(s[from:], mark); i >= 0 {
		return from + i + len(mark)
	}
	return len(s)
}

func wordByte(c byte) bool {
	return c == '_' || c >= '0' && c <= '9' || c >= 'a' && c <= 'z' || c >= 'A' && c <= 'Z' || c >= 0x80
}
