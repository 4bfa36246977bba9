-- What the front page counts: who asked for how much in the period, crawlers left out of
-- requesters; and all torrents that are named. Whoever names one says how large it is:
-- sums end at the largest BIGINT.
-- param since DATE: first day
-- param until DATE: last day
WITH
asked AS (SELECT count(DISTINCT infohash) AS infohashes, count(DISTINCT country) AS countries FROM demand WHERE in_period(day)),
sent AS (SELECT count(*) FILTER (crawler IS NULL) AS requesters, coalesce(sum(queries), 0)::BIGINT AS queries FROM requesters WHERE in_period(day)),
named AS (SELECT count(*) AS torrents, least(coalesce(sum(file_count), 0), 9223372036854775807)::BIGINT AS files, least(coalesce(sum(size), 0), 9223372036854775807)::BIGINT AS bytes FROM torrents)
SELECT infohashes, countries, requesters, queries, torrents, files, bytes FROM asked, sent, named;
