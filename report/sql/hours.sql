-- Requesters of each hour of the day in table place, in all and by country; null where too
-- few networks asked or one of them made more than 85%.
-- param k BIGINT: networks that an hour needs (required)
WITH hour AS (SELECT hour::INTEGER AS hour FROM range(24) t(hour)),
asked AS (
	SELECT country, hour, network, count(*) AS requesters FROM place, hour WHERE country IS NOT NULL AND (hours >> hour) & 1 = 1 GROUP BY ALL
	UNION ALL
	SELECT '', hour, network, count(*) FROM place, hour WHERE (hours >> hour) & 1 = 1 GROUP BY ALL),
judged AS (
	SELECT country, hour, count(*) AS networks, max(requesters) AS largest, sum(requesters) AS requesters
	FROM asked GROUP BY country, hour)
SELECT country, hour::BIGINT AS hour, (round(requesters / 10) * 10)::BIGINT AS requesters
FROM judged WHERE networks >= getvariable('k')::BIGINT AND largest <= 0.85 * requesters
ORDER BY country, hour;
