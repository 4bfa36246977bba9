-- When did a collector not listen? Stretches of a minute and more without a report
-- param day DATE: one day (default every day)
-- param week DATE: the week, Monday to Sunday, that holds this day (default every week)
-- param since DATE: first day (default the first there is)
-- param until DATE: last day (default the last there is)
-- Beginning is the first minute without a report, ending the first one with a report again.
WITH minute AS (
	SELECT DISTINCT collector, minute FROM uptime WHERE in_period(day)),
step AS (
	SELECT collector, lag(minute) OVER (PARTITION BY collector ORDER BY minute) AS before, minute FROM minute)
SELECT collector, before + INTERVAL 1 MINUTE AS beginning, minute AS ending,
	date_diff('minute', before, minute) - 1 AS minutes
FROM step WHERE date_diff('minute', before, minute) > 1
ORDER BY collector, beginning;
