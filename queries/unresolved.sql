-- How much of demand is resolved, and why not the rest? Info-hashes weighted by their requesters
-- param day DATE: one day (default every day)
-- param week DATE: the week, Monday to Sunday, that holds this day (default every week)
-- param since DATE: first day (default the first there is)
-- param until DATE: last day (default the last there is)
-- State is resolved, or the reason of the last failed try, or never tried, which what is excluded is, too. Torrents
-- and tries count on any day; demand counts in the period.
WITH counted AS (
	SELECT infohash, sum(requesters) AS requesters FROM demand WHERE in_period(day) GROUP BY infohash),
tried AS (
	SELECT infohash, count(*) AS tries, arg_max(reason, (ts, reason)) AS reason FROM failures GROUP BY infohash),
stated AS (
	SELECT CASE WHEN t.infohash IS NOT NULL THEN 'resolved' ELSE coalesce(reason, 'never tried') END AS state,
		counted.requesters, coalesce(tries, 0) AS tries
	FROM counted LEFT JOIN torrents t USING (infohash) LEFT JOIN tried USING (infohash))
SELECT state, count(*) AS infohashes, round(count(*) / sum(count(*)) OVER (), 6) AS infohash_share,
	sum(requesters)::BIGINT AS requesters, round(sum(requesters) / sum(sum(requesters)) OVER (), 6) AS demand_share,
	sum(tries)::BIGINT AS failed_tries
FROM stated GROUP BY state ORDER BY state <> 'resolved', requesters DESC, state;
