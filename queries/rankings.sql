-- Which torrents are asked for most? Distinct requesters of each day, added up; crawlers and table upkeep left out
-- param day DATE: one day (default every day)
-- param week DATE: the week, Monday to Sunday, that holds this day (default every week)
-- param since DATE: first day (default the first there is)
-- param until DATE: last day (default the last there is)
-- param country VARCHAR: requesters from this country only, as in US (default every country)
-- param type VARCHAR: this content type only, as in movie (default every type, unresolved info-hashes too)
-- param top INTEGER: rows (default 20)
WITH counted AS (
	SELECT infohash, sum(requesters)::BIGINT AS requesters, sum(queries)::BIGINT AS queries,
		sum(announces)::BIGINT AS announces, sum(seeders)::BIGINT AS seeders
	FROM demand
	WHERE in_period(day) AND (getvariable('country') IS NULL OR country = upper(getvariable('country')::VARCHAR))
	GROUP BY infohash),
best AS (
	SELECT counted.* FROM counted
	WHERE getvariable('type') IS NULL
		OR infohash IN (SELECT infohash FROM torrents WHERE content_type = getvariable('type')::VARCHAR)
	ORDER BY requesters DESC, queries DESC, infohash
	LIMIT coalesce(getvariable('top')::BIGINT, 20)),
-- The view torrents would look for the latest row of every torrent; these are few.
named AS (
	SELECT infohash, arg_max({'type': content_type, 'size': size, 'name': name}, day) AS torrent
	FROM torrents_daily SEMI JOIN best USING (infohash) GROUP BY infohash)
SELECT row_number() OVER (ORDER BY requesters DESC, queries DESC, best.infohash) AS rank,
	lower(hex(best.infohash)) AS infohash, requesters, queries, announces, seeders,
	torrent.type AS type, torrent.size AS size, torrent.name AS name
FROM best LEFT JOIN named USING (infohash)
ORDER BY rank;
