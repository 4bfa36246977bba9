-- Which share of all lookups reaches a node, by its distance from the target? From probes, by client family
-- param day DATE: one day (default every day)
-- param week DATE: the week, Monday to Sunday, that holds this day (default every week)
-- param since DATE: first day (default the first there is)
-- param until DATE: last day (default the last there is)
-- Distances are in bands: band 140 is from 2^140 up to 2^141. There are n nodes that
-- answer in the network, so 2^(band - 160) × n in a band; share is how many of them a
-- lookup asked. n is worked out from how near the fifth nearest node that answered is to
-- the target (4 / distance, on average), in the family that finds most. Bands in
-- which fewer than ten nodes are expected over all lookups have no share.
WITH
asked AS (SELECT *, log2_distance // 16 AS band FROM probes WHERE in_period(day)),
lookup AS (SELECT DISTINCT family, day, collector, ts, target FROM asked),
nearest AS (
	SELECT family, log2_distance, row_number() OVER (PARTITION BY family, day, collector, ts, target ORDER BY log2_distance, step) AS rank
	FROM asked WHERE answered),
network AS (
	SELECT max(nodes) AS nodes
	FROM (SELECT avg(4 * pow(2, 160 - (log2_distance + 0.5) / 16)) AS nodes FROM nearest WHERE rank = 5 GROUP BY family)),
banded AS (
	SELECT family, band, count(*) AS asked, count(*) FILTER (answered) AS answered FROM asked GROUP BY family, band),
made AS (SELECT family, count(*) AS lookups FROM lookup GROUP BY family)
SELECT family, band, lookups, asked, answered, round(nodes)::BIGINT AS network_nodes, round(nodes * pow(2, band - 160), 4) AS nodes_in_band,
	CASE WHEN lookups * nodes * pow(2, band - 160) >= 10
		THEN round(least(1, answered / (lookups * nodes * pow(2, band - 160))), 6) END AS share
FROM banded JOIN made USING (family) CROSS JOIN network
ORDER BY family, band;
