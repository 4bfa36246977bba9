package lake

import (
	"io/fs"
	"slices"
	"strings"
)

// sortAsKeys puts a folder's entries into the order of the keys below them: a
// folder sorts as its name with a slash, which is not where its bare name would.
func sortAsKeys(entries []fs.DirEntry) {
	name := func(e fs.DirEntry) string {
		if e.IsDir() {
			return e.Name() + "/"
		}
		return e.Name()
	}
	slices.SortFunc(entries, func(a, b fs.DirEntry) int { return strings.Compare(name(a), name(b)) })
}
