-- Which works (films, seasons, albums, …) are asked for most, all their releases together? Crawlers and upkeep left out
-- param day DATE: one day (default every day)
-- param week DATE: the week, Monday to Sunday, that holds this day (default every week)
-- param since DATE: first day (default the first there is)
-- param until DATE: last day (default the last there is)
-- param country VARCHAR: requesters from this country only, as in US (default every country)
-- param type VARCHAR: this content type only, as in movie (default every type)
-- param top INTEGER: rows (default 20)
-- Only resolved torrents have a work. Distinct requesters of each day, added up: one who asks for two releases of a work on
-- one day counts once. Only works that can be among the top are counted so: a work has at most as many requesters as its
-- releases together, and at least as many as one of them.
WITH released AS (
	SELECT work_id, counted.day, infohash, requesters, queries
	FROM (
		SELECT day, infohash, sum(requesters)::BIGINT AS requesters, sum(queries)::BIGINT AS queries FROM demand
		WHERE in_period(day) AND (getvariable('country') IS NULL OR country = upper(getvariable('country')::VARCHAR))
		GROUP BY day, infohash) counted
	JOIN torrents USING (infohash)
	WHERE getvariable('type') IS NULL OR content_type = getvariable('type')::VARCHAR),
bounds AS (
	SELECT work_id, sum(most) AS least, sum(together) AS most
	FROM (SELECT work_id, day, max(requesters) AS most, sum(requesters) AS together FROM released GROUP BY ALL)
	GROUP BY work_id),
candidates AS (
	SELECT work_id FROM bounds
	WHERE most >= (SELECT min(least) FROM (SELECT least FROM bounds ORDER BY least DESC LIMIT coalesce(getvariable('top')::BIGINT, 20)))),
wanted AS MATERIALIZED (
	SELECT work_id, day, infohash FROM released SEMI JOIN candidates USING (work_id)),
-- As the view heard says it, but for these few info-hashes, which are known to be in demand.
asked AS (
	SELECT work_id, count(*) AS requesters
	FROM (
		SELECT DISTINCT work_id, day, requester
		FROM queries JOIN wanted USING (day, infohash) ANTI JOIN crawlers USING (day, key_epoch, requester)
		WHERE asks(kind, their_cpl) AND in_period(day)
			AND (getvariable('country') IS NULL OR country = upper(getvariable('country')::VARCHAR)))
	GROUP BY work_id),
release AS (
	SELECT work_id, infohash, sum(requesters) AS requesters, sum(queries)::BIGINT AS queries
	FROM released SEMI JOIN candidates USING (work_id) GROUP BY ALL),
work AS (
	SELECT work_id, count(*) AS releases, sum(release.queries)::BIGINT AS queries,
		-- The words of the release asked for most stand for the work.
		first({'title': coalesce(title, name), 'year': year, 'type': content_type}
			ORDER BY release.requesters DESC, release.queries DESC, infohash) AS best
	FROM release JOIN torrents USING (work_id, infohash)
	GROUP BY work_id)
SELECT row_number() OVER (ORDER BY requesters DESC, queries DESC, work_id) AS rank,
	best.title AS title, best.year AS year, best.type AS type, releases, requesters, queries, work_id
FROM work JOIN asked USING (work_id) ORDER BY rank LIMIT coalesce(getvariable('top')::BIGINT, 20);
