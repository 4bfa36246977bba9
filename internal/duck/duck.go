// Package duck opens a lake's tables in DuckDB.
//
// It reads the manifests of the lake and writes SQL: one view for each table,
// made of the parts that manifests name and of no other file, and a few views
// and macros on top of them that every question about the data needs. The same
// text runs in two places. Open gives it to the DuckDB that is built into the
// program; Script hands it to `boon connect`, which prints it for any other
// DuckDB 1.5: its shell, Python, R, a notebook. So a query has one meaning
// wherever it runs.
//
// The views:
//
//	queries, requesters, demand, failures, uptime, probes    the tables, with their day
//	torrents_daily, files_daily    the tables torrents and files: a row per day
//	torrents, files                the latest day's row or rows of each info-hash
//	crawlers                       the requesters that are programs walking the whole DHT
//	heard                          queries that ask for a torrent: no crawlers, no upkeep
//
// A table that has no partition yet is an empty view with the right columns, so
// every query runs on every lake. The macros are in_period, which holds the
// meaning of the parameters day, week, since and until, and cell, cell_lat and
// cell_lon, which are the map's grid. All of it is explained in views.sql.
//
// A lake on S3 is read by DuckDB's httpfs where the caller says where that is, and
// else through a cache of parts on this machine, into which a table comes when a
// statement first asks for it.
//
// What it promises: the session's time zone is UTC; nothing but the lake is fetched
// from a network and no extension is loaded unasked; no name in the lake, however
// hostile, is ever part of an SQL text but as a quoted literal; the context
// interrupts a running query; the temporary files of large sorts go to a folder
// of their own that Close removes.
package duck
