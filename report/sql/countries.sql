-- Requesters by country, crawlers left out, where a country may be shown. What may not
-- be, and places not known, make up the row without a country, under the same rule.
-- param since DATE: first day
-- param until DATE: last day
-- param k BIGINT: networks that a row needs (required)
WITH asked AS (
	SELECT country, key_epoch, network, count(*) AS requesters, sum(queries) AS queries
	FROM requesters WHERE crawler IS NULL AND in_period(day) GROUP BY ALL),
epoch AS (
	SELECT country, key_epoch, count(*) AS networks, max(requesters) AS largest, sum(requesters) AS requesters
	FROM asked GROUP BY country, key_epoch),
shown AS (
	SELECT country FROM epoch WHERE country IS NOT NULL GROUP BY country
	HAVING max(networks) >= getvariable('k')::BIGINT AND sum(largest) <= 0.85 * sum(requesters)),
named AS (
	SELECT shown.country AS country, asked.* EXCLUDE (country)
	FROM asked LEFT JOIN shown ON asked.country = shown.country),
again AS (
	SELECT country, key_epoch, network, sum(requesters) AS requesters FROM named GROUP BY ALL),
judged AS (
	SELECT country, max(networks) AS networks, sum(largest) AS largest, sum(requesters) AS requesters
	FROM (SELECT country, count(*) AS networks, max(requesters) AS largest, sum(requesters) AS requesters
	      FROM again GROUP BY country, key_epoch)
	GROUP BY country)
SELECT country, (round(requesters / 10) * 10)::BIGINT AS requesters
FROM judged WHERE networks >= getvariable('k')::BIGINT AND largest <= 0.85 * requesters
ORDER BY country IS NULL, judged.requesters DESC, country;
