-- Which unresolved info-hashes are asked for most? What to resolve next, with the reason of the last failure
-- param day DATE: one day (default every day)
-- param week DATE: the week, Monday to Sunday, that holds this day (default every week)
-- param since DATE: first day (default the first there is)
-- param until DATE: last day (default the last there is)
-- param top INTEGER: rows (default 100)
WITH counted AS (
	SELECT infohash, sum(requesters)::BIGINT AS requesters, sum(announces)::BIGINT AS announces
	FROM demand WHERE in_period(day) GROUP BY infohash),
best AS (
	SELECT * FROM counted ANTI JOIN torrents USING (infohash)
	ORDER BY requesters DESC, announces DESC, infohash LIMIT coalesce(getvariable('top')::BIGINT, 100)),
tried AS (
	SELECT infohash, count(*) AS failed_tries, arg_max(reason, (ts, reason)) AS last_reason, max(ts) AS last_try
	FROM failures GROUP BY infohash)
SELECT lower(hex(infohash)) AS infohash, requesters, announces, coalesce(failed_tries, 0) AS failed_tries, last_reason, last_try
FROM best LEFT JOIN tried USING (infohash) ORDER BY requesters DESC, announces DESC, infohash;
