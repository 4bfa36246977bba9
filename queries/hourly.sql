-- How does demand go up and down with the hours (UTC)? Crawlers and upkeep left out
-- param day DATE: one day (default every day)
-- param week DATE: the week, Monday to Sunday, that holds this day (default every week)
-- param since DATE: first day (default the first there is)
-- param until DATE: last day (default the last there is)
-- param country VARCHAR: requesters from this country only, as in US (default every country)
-- param infohash VARCHAR: requesters of this torrent only, 40 hex digits (default every torrent)
-- An hour without a row was silent, or nobody listened: see uptime.
SELECT date_trunc('hour', ts) AS hour, count(DISTINCT (key_epoch, requester)) AS requesters, count(*) AS queries,
	count(*) FILTER (kind = 'announce_peer') AS announces
FROM heard
WHERE in_period(day) AND (getvariable('country') IS NULL OR country = upper(getvariable('country')::VARCHAR))
	AND (getvariable('infohash') IS NULL OR infohash = unhex(getvariable('infohash')::VARCHAR))
GROUP BY hour ORDER BY hour;
