// Package report builds the static site and serves it.
//
// It reads the tables through package duck and the manifests, and writes a folder
// of plain files that any web server can hand out: no script, no third party, a
// strict Content-Security-Policy in every page. The same lake gives the same
// bytes: no page says when it was built, only which days it shows.
//
// What it promises about people (a network is a /24 in
// IPv4, a /48 in IPv6): a row about a torrent, a work, a country or an hour is
// shown only where at least k networks asked (20 unless told otherwise; 100 for
// adult content, which the front page leaves out), and only where no network makes
// more than 85% of its requesters. Counts of people are rounded to tens. Pseudonyms
// of different key epochs do not compare, so over a longer period the networks of
// the best epoch decide, never a sum. No page says what one requester asked for.
// The same rules stand in SQL, in sql/*.sql.
//
// A site appears as a whole: it is built in a new folder beside the old one and
// takes its place in one step. A folder that is not a site of Boon is never
// replaced.
package report
