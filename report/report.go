// Package report builds the static site and serves it.
//
// It reads the tables through package duck and the manifests, and writes a folder
// of plain files that any web server can hand out: no third party, a strict
// Content-Security-Policy in every page, no script but on the pages that cannot do
// without (their sources are in web/js, bundled into web/dist by go generate). The
// same lake gives the same bytes: no page says when it was built, only which days
// it shows.
//
// What it promises about people (a network is a /24 in IPv4, a /48 in IPv6): a row
// about a torrent, a work, a country, a program, an hour or a cell of the map is
// shown only where at least k networks asked (20 unless told otherwise; 100 for
// adult content, which the front page leaves out), and only where no network makes
// more than 85% of its requesters. Counts of people are rounded to tens. Pseudonyms
// of different key epochs do not compare, so over a longer period the networks of
// the best epoch decide, never a sum. Where the parts of a sum are shown, those in
// no part are k networks or none (sql/split.sql). No page says what one requester
// asked for. Every new file is searched for addresses and keys before the site is
// put in its place (privacy.go).
//
// A site appears as a whole: it is built in a new folder beside the old one and
// takes its place in one step. A folder that is not a site of Boon is never
// replaced. What the old site has and what would come out the same is taken over:
// maps of days and rankings, by a digest of the parts that they were made from. Else
// only the last seven days are read, and the names of torrents.
package report

//go:generate go run ./web/gen
