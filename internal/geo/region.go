package geo

import (
	_ "embed"
	"strings"
)

// regions has a line "US Pennsylvania<tab>US-PA" for each division that has the
// same English name in every source: the states and provinces of the United
// States, Canada and Australia.
//
//go:embed region.txt
var regions string

// regionCode is the ISO 3166-2 code of a division known by its name. Names that
// are not in the list are unknown rather than guessed.
func regionCode(country, name string) string {
	if country == "" || name == "" || strings.ContainsAny(name, "\t\n") {
		return ""
	}
	_, rest, found := strings.Cut(regions, country+" "+name+"\t")
	if !found {
		return ""
	}
	code, _, _ := strings.Cut(rest, "\n")
	return code
}
