-- Which works (films, seasons, albums, …) are asked for most, all their releases together? Crawlers and upkeep left out
-- param day DATE: one day (default every day)
-- param week DATE: the week, Monday to Sunday, that holds this day (default every week)
-- param since DATE: first day (default the first there is)
-- param until DATE: last day (default the last there is)
-- param country VARCHAR: requesters from this country only, as in US (default every country)
-- param type VARCHAR: this content type only, as in movie (default every type)
-- param top INTEGER: rows (default 20)
-- Only resolved torrents have a work. A requester who asks for two releases of a work on one day counts for each.
WITH counted AS (
	SELECT infohash, sum(requesters)::BIGINT AS requesters, sum(queries)::BIGINT AS queries
	FROM demand
	WHERE in_period(day) AND (getvariable('country') IS NULL OR country = upper(getvariable('country')::VARCHAR))
	GROUP BY infohash),
work AS (
	SELECT work_id, count(*) AS releases, sum(counted.requesters)::BIGINT AS requesters, sum(counted.queries)::BIGINT AS queries,
		-- The words of the release asked for most stand for the work.
		first({'title': coalesce(title, name), 'year': year, 'type': content_type}
			ORDER BY counted.requesters DESC, counted.queries DESC, infohash) AS best
	FROM counted JOIN torrents USING (infohash)
	WHERE getvariable('type') IS NULL OR content_type = getvariable('type')::VARCHAR
	GROUP BY work_id)
SELECT row_number() OVER (ORDER BY requesters DESC, queries DESC, work_id) AS rank,
	best.title AS title, best.year AS year, best.type AS type, releases, requesters, queries, work_id
FROM work ORDER BY rank LIMIT coalesce(getvariable('top')::BIGINT, 20);
