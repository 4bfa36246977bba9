-- How many queries do not count as demand, and why? Every row of queries has one reason
-- param day DATE: one day (default every day)
-- param week DATE: the week, Monday to Sunday, that holds this day (default every week)
-- param since DATE: first day (default the first there is)
-- param until DATE: last day (default the last there is)
-- The reasons are tried in this order: the asker is a crawler; the kind asks for no
-- torrent; the target shares 32 bits or more with the asker's id (a node filling its
-- table); nobody announced or resolved the info-hash and fewer than two requesters
-- asked for it that day. What none of them takes is demand.
WITH judged AS (
	SELECT CASE
			WHEN c.requester IS NOT NULL THEN 'crawler'
			WHEN q.kind NOT IN ('get_peers', 'announce_peer') THEN 'asks for no torrent'
			WHEN q.kind = 'get_peers' AND q.their_cpl >= 32 THEN 'near the own id'
			WHEN d.infohash IS NULL THEN 'asked by one only'
			ELSE 'demand' END AS reason,
		q.kind
	FROM (SELECT day, key_epoch, requester, infohash, kind, their_cpl FROM queries WHERE in_period(day)) q
	LEFT JOIN crawlers c USING (day, key_epoch, requester)
	LEFT JOIN (SELECT day, infohash FROM demand GROUP BY day, infohash) d ON d.day = q.day AND d.infohash = q.infohash)
SELECT reason, count(*) AS queries, round(count(*) / sum(count(*)) OVER (), 6) AS share,
	count(*) FILTER (kind = 'get_peers') AS get_peers, count(*) FILTER (kind = 'announce_peer') AS announces,
	count(*) FILTER (kind = 'find_node') AS find_node, count(*) FILTER (kind = 'sample_infohashes') AS sample_infohashes
FROM judged GROUP BY reason ORDER BY reason <> 'demand', queries DESC, reason;
