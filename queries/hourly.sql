-- How does demand go up and down with the hours (UTC)? Crawlers and upkeep left out
-- param day DATE: one day (default every day)
-- param week DATE: the week, Monday to Sunday, that holds this day (default every week)
-- param since DATE: first day (default the first there is)
-- param until DATE: last day (default the last there is)
-- param country VARCHAR: requesters from this country only, as in US (default every country)
-- param infohash VARCHAR: requesters of this torrent only, 40 hex digits (default every torrent)
-- An hour without a row was silent, or nobody listened: see uptime.
-- An hour lies in one day, which has one pseudonym key. Hours are counted by arithmetic: date_trunc asks a calendar of time zones.
SELECT to_timestamp(3600 * hours) AS hour, count(DISTINCT requester) AS requesters, count(*) AS queries,
	count(*) FILTER (kind = 'announce_peer') AS announces
FROM (
	SELECT epoch_us(ts) // 3_600_000_000 AS hours, requester, kind
	FROM heard
	WHERE in_period(day) AND (getvariable('country') IS NULL OR country = upper(getvariable('country')::VARCHAR))
		AND (getvariable('infohash') IS NULL OR infohash = unhex(getvariable('infohash')::VARCHAR)))
GROUP BY hours ORDER BY hour;
