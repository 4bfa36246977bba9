-- The listed torrents that may pass the thresholds in a period, by themselves or with
-- their work, numbered (n), their works too (w). Sums over demand bound what each can
-- have, so that only these need the queries themselves.
-- param since DATE: first day
-- param until DATE: last day
-- param k BIGINT: networks that a row needs (required)
-- param top BIGINT: rows of a ranking; null is every row
-- param each BIGINT: rows of a ranking of one type
WITH wanted AS (
	SELECT infohash, sum(requesters)::BIGINT AS requesters, sum(networks)::BIGINT AS networks
	FROM demand WHERE in_period(day) GROUP BY infohash),
item AS (SELECT * FROM wanted JOIN listed USING (infohash)),
torrent AS (
	SELECT infohash FROM item WHERE networks >= getvariable('k')::BIGINT
	QUALIFY getvariable('top') IS NULL
		OR row_number() OVER (ORDER BY requesters DESC, infohash) <= 4 * getvariable('top')::BIGINT + 100
		OR row_number() OVER (PARTITION BY type ORDER BY requesters DESC, infohash) <= 4 * getvariable('each')::BIGINT + 50),
work AS (
	SELECT work_id FROM (
		SELECT work_id, sum(requesters) AS requesters, sum(networks) AS networks, first(type ORDER BY requesters DESC, infohash) AS type
		FROM item WHERE work_id IS NOT NULL GROUP BY work_id)
	WHERE networks >= getvariable('k')::BIGINT
	QUALIFY getvariable('top') IS NULL
		OR row_number() OVER (ORDER BY requesters DESC, work_id) <= 4 * getvariable('top')::BIGINT + 100
		OR row_number() OVER (PARTITION BY type ORDER BY requesters DESC, work_id) <= 4 * getvariable('each')::BIGINT + 50)
SELECT row_number() OVER (ORDER BY infohash)::INTEGER AS n,
	CASE WHEN work_id IS NOT NULL THEN dense_rank() OVER (ORDER BY work_id) END::INTEGER AS w, *
FROM item WHERE infohash IN (SELECT infohash FROM torrent) OR work_id IN (SELECT work_id FROM work);
