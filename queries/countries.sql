-- Where do queries come from? All rows of queries by country, and requesters with and without crawlers
-- param day DATE: one day (default every day)
-- param week DATE: the week, Monday to Sunday, that holds this day (default every week)
-- param since DATE: first day (default the first there is)
-- param until DATE: last day (default the last there is)
-- Queries, get_peers and announces count every row, crawlers and upkeep too. Requesters
-- are distinct within a day and added up over the days. Demand_requesters are those
-- that are no crawlers; share is a country's share of them.
WITH sent AS (
	SELECT country, count(*) AS queries, count(*) FILTER (kind = 'get_peers') AS get_peers,
		count(*) FILTER (kind = 'announce_peer') AS announces
	FROM queries WHERE in_period(day) GROUP BY country),
sender AS (
	SELECT country, count(*) AS requesters, count(crawler) AS crawlers
	FROM requesters WHERE in_period(day) GROUP BY country),
both_sides AS (
	SELECT coalesce(sent.country, sender.country) AS country, coalesce(queries, 0) AS queries,
		coalesce(get_peers, 0) AS get_peers, coalesce(announces, 0) AS announces,
		coalesce(requesters, 0) AS requesters, coalesce(crawlers, 0) AS crawlers,
		coalesce(requesters - crawlers, 0) AS demand_requesters
	FROM sent FULL JOIN sender ON sent.country IS NOT DISTINCT FROM sender.country)
SELECT coalesce(country, 'unknown') AS country, queries, get_peers, announces, requesters, crawlers, demand_requesters,
	round(demand_requesters / nullif(sum(demand_requesters) OVER (), 0), 6) AS share
FROM both_sides ORDER BY demand_requesters DESC, queries DESC, country;
