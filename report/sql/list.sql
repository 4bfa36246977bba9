-- The rows of table ranked in words: the first of all, and the first of each type. A
-- work goes by the words of its release asked for most.
-- param by VARCHAR: torrent or work (required)
-- param top BIGINT: rows of all (required)
-- param each BIGINT: rows of each type (required)
WITH worded AS (
	SELECT CASE getvariable('by') WHEN 'work' THEN w ELSE n END AS id, bool_or(adult) AS adult, count(*) AS releases,
		first(CASE getvariable('by') WHEN 'work'
			THEN {'key': work_id, 'name': title, 'year': year, 'type': type, 'size': NULL}
			ELSE {'key': lower(hex(infohash)), 'name': name, 'year': year, 'type': type, 'size': size} END
			ORDER BY requesters DESC, infohash) AS best
	FROM member GROUP BY id)
SELECT country, best.key AS id, best.name AS name, best.type AS type, best.year::BIGINT AS year, best.size::BIGINT AS size, adult, releases,
	(round(requesters / 10) * 10)::BIGINT AS requesters
FROM ranked JOIN worded USING (id)
QUALIFY row_number() OVER (PARTITION BY country ORDER BY ranked.requesters DESC, best.key) <= getvariable('top')::BIGINT
	OR row_number() OVER (PARTITION BY country, best.type ORDER BY ranked.requesters DESC, best.key) <= getvariable('each')::BIGINT
ORDER BY country, ranked.requesters DESC, best.key;
