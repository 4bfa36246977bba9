-- The cells of a day's map that may be shown, by hour (24 is the whole day). The place
-- is the city most people of the cell are in, where k networks are there.
-- param k BIGINT: networks that a value needs (required)
WITH judged AS (
	SELECT cell, hour, count(*) AS networks, sum(requesters) AS requesters, max(requesters) AS largest
	FROM (
		SELECT cell, hour::TINYINT AS hour, network, count(*) AS requesters
		FROM place, range(24) t(hour) WHERE cell IS NOT NULL AND (hours >> hour::INTEGER) & 1 = 1 GROUP BY ALL
		UNION ALL
		SELECT cell, 24, network, count(*) FROM place WHERE cell IS NOT NULL GROUP BY ALL)
	GROUP BY cell, hour),
named AS (
	SELECT cell, first({'city': city, 'country': country} ORDER BY networks DESC, city, country) AS best
	FROM (SELECT cell, city, country, count(DISTINCT network) AS networks FROM place WHERE city IS NOT NULL GROUP BY ALL)
	WHERE networks >= getvariable('k')::BIGINT GROUP BY cell)
SELECT cell, hour::BIGINT AS hour, (round(requesters / 10) * 10)::BIGINT AS requesters,
	best.city AS city, best.country AS country, cell_lat(cell) AS lat, cell_lon(cell) AS lon
FROM judged LEFT JOIN named USING (cell)
WHERE networks >= getvariable('k')::BIGINT AND largest <= 0.85 * requesters
ORDER BY cell, hour;
