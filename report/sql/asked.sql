-- Who asked for the torrents of table member in a period. Crawlers and upkeep are left out,
-- as in the view heard; that demand has the info-hash on the day tells that it counts.
-- param since DATE: first day
-- param until DATE: last day
-- param places BOOLEAN: tell hours and cells of the map apart (default false)
WITH wanted AS (SELECT DISTINCT day, infohash, n FROM demand JOIN member USING (infohash) WHERE in_period(day))
SELECT q.day, n, key_epoch, network, requester, country,
	CASE WHEN getvariable('places')::BOOLEAN THEN hour(ts) END::UTINYINT AS hour,
	CASE WHEN getvariable('places')::BOOLEAN THEN cell(lat, lon) END::INTEGER AS cell
FROM queries q JOIN wanted USING (day, infohash) ANTI JOIN crawlers USING (day, key_epoch, requester)
WHERE in_period(q.day) AND (kind = 'announce_peer' OR (kind = 'get_peers' AND coalesce(their_cpl, 0) < 32))
GROUP BY ALL;
