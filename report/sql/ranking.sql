-- The torrents or works asked for most that may be shown: at least k networks (100
-- where adult), no network above 85%, none marked private.
-- param by VARCHAR: infohash or work (required)
-- param since DATE: first day
-- param until DATE: last day
-- param k BIGINT: networks that a row needs (required)
-- param top BIGINT: rows (required)
WITH item AS (
	SELECT infohash, CASE getvariable('by') WHEN 'work' THEN work_id ELSE lower(hex(infohash)) END AS id,
		CASE getvariable('by') WHEN 'work' THEN coalesce(title, name) ELSE name END AS name,
		year, content_type, size, adult
	FROM torrents WHERE private IS NOT TRUE),
counted AS (
	SELECT id, sum(requesters)::BIGINT AS requesters
	FROM demand JOIN item USING (infohash) WHERE in_period(day)
	GROUP BY id HAVING sum(networks) >= getvariable('k')::BIGINT),
-- Enough of the best that what the thresholds take away leaves a full page.
best AS (
	SELECT id FROM counted ORDER BY requesters DESC, id LIMIT 4 * getvariable('top')::BIGINT + 100),
member AS (SELECT item.* FROM item SEMI JOIN best USING (id)),
asked AS (
	SELECT id, key_epoch, network, count(DISTINCT (day, requester)) AS requesters
	FROM heard JOIN member USING (infohash) WHERE in_period(day) GROUP BY ALL),
epoch AS (
	SELECT id, count(*) AS networks, max(requesters) AS largest, sum(requesters) AS requesters
	FROM asked GROUP BY id, key_epoch),
judged AS (
	SELECT id, max(networks) AS networks, sum(largest) AS largest, sum(requesters) AS requesters FROM epoch GROUP BY id),
wanted AS (
	SELECT infohash, sum(requesters) AS requesters FROM demand SEMI JOIN member USING (infohash) WHERE in_period(day) GROUP BY infohash),
-- The words of the release asked for most stand for a work.
worded AS (
	SELECT id, bool_or(adult) AS adult, count(requesters) AS releases,
		first({'name': name, 'year': year, 'type': content_type, 'size': size}
			ORDER BY coalesce(requesters, 0) DESC, infohash) AS best
	FROM member LEFT JOIN wanted USING (infohash) GROUP BY id)
SELECT id, best.name AS name, best.year AS year, best.type AS type, best.size AS size, adult, releases,
	(round(requesters / 10) * 10)::BIGINT AS requesters
FROM judged JOIN worded USING (id)
WHERE networks >= CASE WHEN adult THEN greatest(100, getvariable('k')::BIGINT) ELSE getvariable('k')::BIGINT END
	AND largest <= 0.85 * requesters
ORDER BY judged.requesters DESC, id
LIMIT getvariable('top')::BIGINT;
