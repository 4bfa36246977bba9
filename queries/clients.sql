-- Which programs ask? All rows of queries by client code, crawlers and upkeep too
-- param day DATE: one day (default every day)
-- param week DATE: the week, Monday to Sunday, that holds this day (default every week)
-- param since DATE: first day (default the first there is)
-- param until DATE: last day (default the last there is)
-- Client_code is the first two letters of the query's v; empty where v was not sent.
-- Requesters are distinct within a day and added up over the days.
WITH daily AS (
	SELECT day, client_code, client, count(*) AS queries, count(*) FILTER (kind = 'announce_peer') AS announces,
		count(DISTINCT (key_epoch, requester)) AS requesters
	FROM queries WHERE in_period(day) GROUP BY day, client_code, client)
SELECT client_code, client, sum(queries)::BIGINT AS queries, round(sum(queries) / sum(sum(queries)) OVER (), 6) AS share,
	sum(announces)::BIGINT AS announces, sum(requesters)::BIGINT AS requesters
FROM daily GROUP BY client_code, client ORDER BY queries DESC, client_code, client;
