-- What was received, logged and dropped in the period, and for how long anybody listened.
-- param since DATE: first day
-- param until DATE: last day
WITH up AS (SELECT * FROM uptime WHERE in_period(day))
SELECT (SELECT count(DISTINCT collector) FROM up) AS collectors, (SELECT count(DISTINCT minute) FROM up) AS minutes,
	coalesce(sum(received) FILTER (type NOT IN ('resolve', 'resolve_failed', 'probe')), 0)::BIGINT AS received,
	coalesce(sum(logged) FILTER (type NOT IN ('resolve', 'resolve_failed', 'probe')), 0)::BIGINT AS logged,
	coalesce(sum(dropped), 0)::BIGINT AS dropped
FROM up;
