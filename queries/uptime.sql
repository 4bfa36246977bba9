-- When did the collectors listen, and what became of what they received? By day and collector
-- param day DATE: one day (default every day)
-- param week DATE: the week, Monday to Sunday, that holds this day (default every week)
-- param since DATE: first day (default the first there is)
-- param until DATE: last day (default the last there is)
-- Received = logged + dropped, in packets; unaccounted is what breaks this sum. Own is
-- what the collector writes down besides packets: resolves and probes (one that could not
-- be logged stands among dropped). Logged + own = loaded + lost on the way to the tables. Imported logs have no reports, so no such sums.
-- Minutes are those with a report or an event, gaps those without between the first and
-- the last.
WITH of_run AS (
	SELECT day, collector, minute, run, sum(nodes) AS nodes FROM uptime WHERE in_period(day) GROUP BY ALL),
known AS (SELECT day, collector, max(nodes)::BIGINT AS nodes FROM of_run GROUP BY ALL),
minute AS (
	SELECT day, collector, minute,
		coalesce(sum(received) FILTER (type NOT IN ('resolve', 'resolve_failed', 'probe')), 0) AS received,
		coalesce(sum(greatest(received - logged, 0)) FILTER (type IN ('resolve', 'resolve_failed', 'probe')), 0) AS own_dropped,
		sum(dropped) AS dropped, sum(sent) AS sent,
		coalesce(sum(logged) FILTER (type NOT IN ('resolve', 'resolve_failed', 'probe')), 0) AS logged,
		coalesce(sum(logged) FILTER (type IN ('resolve', 'resolve_failed', 'probe')), 0) AS own,
		coalesce(sum(loaded) FILTER (type <> 'stats'), 0) AS loaded
	FROM uptime WHERE in_period(day) GROUP BY ALL),
gap AS (
	SELECT *, date_diff('minute', lag(minute) OVER (PARTITION BY day, collector ORDER BY minute), minute) - 1 AS missing FROM minute),
reason AS (
	SELECT day, collector, string_agg(type || ' ' || dropped, ', ' ORDER BY dropped DESC, type) AS reasons
	FROM (SELECT day, collector, type, sum(dropped)::BIGINT AS dropped FROM uptime WHERE in_period(day) GROUP BY ALL)
	WHERE dropped > 0 GROUP BY ALL)
SELECT day, collector, count(*) AS minutes, coalesce(sum(missing), 0)::BIGINT AS gap_minutes,
	coalesce(max(missing), 0)::BIGINT AS longest_gap, sum(received)::BIGINT AS received, sum(logged)::BIGINT AS logged,
	sum(dropped)::BIGINT AS dropped, sum(received + own_dropped - logged - dropped)::BIGINT AS unaccounted,
	sum(own)::BIGINT AS own, sum(loaded)::BIGINT AS loaded,
	CASE WHEN sum(logged + own) > 0 THEN sum(logged + own - loaded)::BIGINT END AS lost, sum(sent)::BIGINT AS sent,
	any_value(nodes) AS nodes, any_value(reasons) AS dropped_by_reason
FROM gap LEFT JOIN reason USING (day, collector) LEFT JOIN known USING (day, collector)
GROUP BY day, collector ORDER BY day, collector;
