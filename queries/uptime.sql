-- When did the collectors listen, and what became of what they received? By day and collector
-- param day DATE: one day (default every day)
-- param week DATE: the week, Monday to Sunday, that holds this day (default every week)
-- param since DATE: first day (default the first there is)
-- param until DATE: last day (default the last there is)
-- Received = logged + dropped; unaccounted is what breaks this sum. Logged = loaded + lost
-- on the way to the tables. Minutes are those with a report; gaps are minutes without
-- one between the first and the last of the day.
WITH minute AS (
	SELECT day, collector, minute, sum(received) AS received, sum(logged) AS logged, sum(dropped) AS dropped,
		sum(sent) AS sent, sum(loaded) AS loaded, max(nodes) AS nodes
	FROM uptime WHERE in_period(day) GROUP BY ALL),
gap AS (
	SELECT *, date_diff('minute', lag(minute) OVER (PARTITION BY day, collector ORDER BY minute), minute) - 1 AS missing FROM minute),
reason AS (
	SELECT day, collector, string_agg(type || ' ' || dropped, ', ' ORDER BY dropped DESC, type) AS reasons
	FROM (SELECT day, collector, type, sum(dropped)::BIGINT AS dropped FROM uptime WHERE in_period(day) GROUP BY ALL)
	WHERE dropped > 0 GROUP BY ALL)
SELECT day, collector, count(*) AS minutes, coalesce(sum(missing), 0)::BIGINT AS gap_minutes,
	coalesce(max(missing), 0)::BIGINT AS longest_gap, sum(received)::BIGINT AS received, sum(logged)::BIGINT AS logged,
	sum(dropped)::BIGINT AS dropped, sum(received - logged - dropped)::BIGINT AS unaccounted,
	sum(loaded)::BIGINT AS loaded, sum(logged - loaded)::BIGINT AS lost, sum(sent)::BIGINT AS sent,
	max(nodes)::BIGINT AS nodes, any_value(reasons) AS dropped_by_reason
FROM gap LEFT JOIN reason USING (day, collector)
GROUP BY day, collector ORDER BY day, collector;
