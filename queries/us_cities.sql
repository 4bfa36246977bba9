-- Which cities of the United States (or another country) have most requesters? Crawlers and upkeep left out
-- param day DATE: one day (default every day)
-- param week DATE: the week, Monday to Sunday, that holds this day (default every week)
-- param since DATE: first day (default the first there is)
-- param until DATE: last day (default the last there is)
-- param country VARCHAR: another country, as in DE (default US)
-- param top INTEGER: rows (default 20)
-- Requesters are distinct within a day and added up over the days.
WITH daily AS (
	SELECT day, key_epoch, requester, city, region, count(*) AS queries, avg(lat) AS lat, avg(lon) AS lon
	FROM heard
	WHERE country = upper(coalesce(getvariable('country')::VARCHAR, 'US')) AND city IS NOT NULL AND in_period(day)
	GROUP BY ALL)
SELECT row_number() OVER (ORDER BY count(*) DESC, sum(queries) DESC, city, region) AS rank, city, region,
	count(*) AS requesters, sum(queries)::BIGINT AS queries, round(avg(lat), 2) AS lat, round(avg(lon), 2) AS lon
FROM daily GROUP BY city, region
ORDER BY rank LIMIT coalesce(getvariable('top')::BIGINT, 20);
