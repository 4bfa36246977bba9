-- Requesters of each hour of one day, crawlers and upkeep left out; null where too few
-- networks asked or one of them made more than 85%.
-- param day DATE: the day (required)
-- param k BIGINT: networks that an hour needs (required)
WITH asked AS (
	SELECT hour(ts) AS hour, key_epoch, network, count(DISTINCT requester) AS requesters
	FROM heard WHERE in_period(day) GROUP BY ALL),
epoch AS (
	SELECT hour, count(*) AS networks, max(requesters) AS largest, sum(requesters) AS requesters
	FROM asked GROUP BY hour, key_epoch),
judged AS (
	SELECT hour, max(networks) AS networks, sum(largest) AS largest, sum(requesters) AS requesters FROM epoch GROUP BY hour)
SELECT h.hour::BIGINT AS hour,
	CASE WHEN networks >= getvariable('k')::BIGINT AND largest <= 0.85 * requesters
		THEN (round(requesters / 10) * 10)::BIGINT END AS requesters
FROM range(24) h(hour) LEFT JOIN judged ON judged.hour = h.hour
ORDER BY h.hour;
