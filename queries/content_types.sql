-- What kinds of content are there, and what is asked for? Torrents, files, bytes and demand by content type
-- param day DATE: one day (default every day)
-- param week DATE: the week, Monday to Sunday, that holds this day (default every week)
-- param since DATE: first day (default the first there is)
-- param until DATE: last day (default the last there is)
-- Whoever names a torrent says how large it is: sums end at the largest BIGINT.
-- Torrents, files and bytes are those resolved in the period. Requesters and queries
-- count demand in the period, whenever the torrent was resolved; share is of
-- requesters. The row unresolved is demand for what nobody has resolved.
WITH stock AS (
	SELECT content_type AS type, count(*) AS torrents, least(sum(file_count), 9223372036854775807) AS files, least(sum(size), 9223372036854775807) AS bytes
	FROM torrents WHERE in_period(day) GROUP BY content_type),
asked AS (
	SELECT coalesce(content_type, 'unresolved') AS type, sum(counted.requesters) AS requesters, sum(counted.queries) AS queries
	FROM (SELECT infohash, sum(requesters) AS requesters, sum(queries) AS queries
	      FROM demand WHERE in_period(day) GROUP BY infohash) counted
	LEFT JOIN torrents USING (infohash) GROUP BY 1)
SELECT type, coalesce(torrents, 0)::BIGINT AS torrents, coalesce(files, 0)::BIGINT AS files, coalesce(bytes, 0)::BIGINT AS bytes,
	coalesce(requesters, 0)::BIGINT AS requesters, coalesce(queries, 0)::BIGINT AS queries,
	round(coalesce(requesters, 0) / nullif(sum(requesters) OVER (), 0), 6) AS share
FROM stock FULL JOIN asked USING (type)
ORDER BY requesters DESC, torrents DESC, type;
