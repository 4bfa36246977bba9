-- What kinds of query arrive? All rows of queries, crawlers and upkeep too
-- param day DATE: one day (default every day)
-- param week DATE: the week, Monday to Sunday, that holds this day (default every week)
-- param since DATE: first day (default the first there is)
-- param until DATE: last day (default the last there is)
-- Requesters are distinct within a day and added up over the days; one that sends two kinds counts in both.
WITH daily AS (
	SELECT day, kind, count(*) AS queries, count(DISTINCT (key_epoch, requester)) AS requesters,
		count(*) FILTER (seed) AS seeds, count(name) AS names
	FROM queries WHERE in_period(day) GROUP BY day, kind)
SELECT kind, sum(queries)::BIGINT AS queries, round(sum(queries) / sum(sum(queries)) OVER (), 6) AS share,
	sum(requesters)::BIGINT AS requesters, sum(seeds)::BIGINT AS seeds, sum(names)::BIGINT AS names
FROM daily GROUP BY kind ORDER BY queries DESC, kind;
