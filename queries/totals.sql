-- How much is there? Torrents, files and bytes resolved; queries, requesters, countries and days heard
-- param day DATE: one day (default every day)
-- param week DATE: the week, Monday to Sunday, that holds this day (default every week)
-- param since DATE: first day (default the first there is)
-- param until DATE: last day (default the last there is)
-- Whoever names a torrent says how large it is: sums end at the largest BIGINT.
-- Requesters, crawlers and networks are distinct within a day and added up over the
-- days, because pseudonyms change: "requester-days". Queries are all rows of the table.
WITH
resolved AS (
	SELECT count(*) AS torrents, least(sum(file_count), 9223372036854775807) AS files, least(sum(size), 9223372036854775807) AS bytes, count(DISTINCT work_id) AS works
	FROM torrents WHERE in_period(day)),
asked AS (
	SELECT count(DISTINCT infohash) AS infohashes, sum(requesters) AS pairs, count(DISTINCT country) AS countries
	FROM demand WHERE in_period(day)),
daily AS (
	SELECT day, count(*) FILTER (crawler IS NULL) AS requesters, count(*) FILTER (crawler IS NOT NULL) AS crawlers,
		count(DISTINCT network) FILTER (crawler IS NULL) AS networks, sum(queries) AS queries, sum(announces) AS announces
	FROM requesters WHERE in_period(day) GROUP BY day),
sent AS (
	SELECT sum(requesters) AS requesters, sum(crawlers) AS crawlers, sum(networks) AS networks, sum(queries) AS queries,
		sum(announces) AS announces, count(*) AS days
	FROM daily),
item(place, item, value) AS (
	SELECT 1, 'days', days FROM sent
	UNION ALL SELECT 2, 'queries', queries FROM sent
	UNION ALL SELECT 3, 'announces', announces FROM sent
	UNION ALL SELECT 4, 'requesters', requesters FROM sent
	UNION ALL SELECT 5, 'networks', networks FROM sent
	UNION ALL SELECT 6, 'crawlers', crawlers FROM sent
	UNION ALL SELECT 7, 'countries', countries FROM asked
	UNION ALL SELECT 8, 'infohashes asked for', infohashes FROM asked
	UNION ALL SELECT 9, 'requests (distinct requester, infohash and day)', pairs FROM asked
	UNION ALL SELECT 10, 'torrents resolved', torrents FROM resolved
	UNION ALL SELECT 11, 'works resolved', works FROM resolved
	UNION ALL SELECT 12, 'files resolved', files FROM resolved
	UNION ALL SELECT 13, 'bytes resolved', bytes FROM resolved)
SELECT item, coalesce(value, 0)::BIGINT AS value FROM item ORDER BY place;
