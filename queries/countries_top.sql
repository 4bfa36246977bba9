-- Which nine countries have most requesters, and what is left for the others? Crawlers left out
-- param day DATE: one day (default every day)
-- param week DATE: the week, Monday to Sunday, that holds this day (default every week)
-- param since DATE: first day (default the first there is)
-- param until DATE: last day (default the last there is)
-- Requesters are distinct within a day and added up over the days.
WITH counted AS (
	SELECT country, count(*) AS requesters
	FROM requesters WHERE crawler IS NULL AND in_period(day) GROUP BY country),
placed AS (
	SELECT *, row_number() OVER (PARTITION BY country IS NULL ORDER BY requesters DESC, country) AS place FROM counted),
named AS (
	SELECT CASE WHEN country IS NULL THEN 11 WHEN place <= 9 THEN place ELSE 10 END AS place,
		CASE WHEN country IS NULL THEN 'unknown' WHEN place <= 9 THEN country ELSE 'Others' END AS country, requesters
	FROM placed)
SELECT country, sum(requesters)::BIGINT AS requesters,
	round(sum(requesters) / sum(sum(requesters)) OVER (), 6) AS share
FROM named GROUP BY place, country ORDER BY place;
