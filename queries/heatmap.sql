-- Where on Earth is demand? Requesters by cell of the map's grid; crawlers and upkeep left out
-- param day DATE: one day (default every day)
-- param week DATE: the week, Monday to Sunday, that holds this day (default every week)
-- param since DATE: first day (default the first there is)
-- param until DATE: last day (default the last there is)
-- param hour INTEGER: one hour of the day in UTC, 0 to 23 (default the whole day)
-- param infohash VARCHAR: requesters of this torrent only, 40 hex digits (default every torrent)
-- A cell measures about 111 km by 111 km anywhere on Earth; its number follows from
-- latitude and longitude by the macro cell (see the SQL that boon connect prints).
-- Lat and lon are its middle. Requesters are distinct within a day and added up over
-- the days. The row without a cell counts those whose place is not known.
WITH daily AS (
	SELECT day, key_epoch, requester, network, cell(lat, lon) AS cell, count(*) AS queries
	FROM heard
	WHERE in_period(day) AND (getvariable('hour') IS NULL OR hour(ts) = getvariable('hour')::INTEGER)
		AND (getvariable('infohash') IS NULL OR infohash = unhex(getvariable('infohash')::VARCHAR))
	GROUP BY ALL)
SELECT cell, cell_lat(cell) AS lat, cell_lon(cell) AS lon, count(*) AS requesters,
	count(DISTINCT (day, key_epoch, network)) AS networks, sum(queries)::BIGINT AS queries
FROM daily GROUP BY cell ORDER BY cell NULLS LAST;
