-- How many requesters are crawlers, by which rule, and how much do they send?
-- param day DATE: one day (default every day)
-- param week DATE: the week, Monday to Sunday, that holds this day (default every week)
-- param since DATE: first day (default the first there is)
-- param until DATE: last day (default the last there is)
-- Requesters are distinct within a day and added up over the days. The row none is all who are no crawlers.
SELECT coalesce(crawler, 'none') AS rule, count(*) AS requesters, sum(queries)::BIGINT AS queries,
	round(sum(queries) / sum(sum(queries)) OVER (), 6) AS query_share, max(infohashes) AS most_infohashes,
	max(max_per_minute) AS most_per_minute
FROM requesters WHERE in_period(day)
GROUP BY crawler ORDER BY queries DESC, rule;
