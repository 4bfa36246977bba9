-- How good is the sample? What each node id of ours heard, from whom, from how near, and whether it is well connected
-- param day DATE: one day (default every day)
-- param week DATE: the week, Monday to Sunday, that holds this day (default every week)
-- param since DATE: first day (default the first there is)
-- param until DATE: last day (default the last there is)
-- Nodes, asker_ids and asker_addresses are means over minutes, of nodes in the routing table and of distinct
-- askers; secure_share is the share of asker ids that fit their address (BEP 42), ids_per_address far
-- over 1 tells of programs that change ids, valid_share is the share of announces with a
-- token of ours, and answered_share that of our own queries that were answered. Distances says how
-- many info-hashes were asked for or announced in each band of distance (log2, rounded
-- down); a node far away hears a small share of lookups (reach).
WITH
measured AS (
	SELECT day, collector, our_id, minute, type, sum(received) AS received, sum(value) AS value, sum(nodes) AS nodes
	FROM uptime WHERE in_period(day) AND our_id IS NOT NULL GROUP BY ALL),
band AS (
	SELECT day, collector, our_id, substr(type, 10)::INTEGER AS band, sum(value)::BIGINT AS n
	FROM measured WHERE starts_with(type, 'distance_') GROUP BY ALL),
distance AS (
	SELECT day, collector, our_id, string_agg(band || ': ' || n, ', ' ORDER BY band DESC) AS distances FROM band GROUP BY ALL),
summed AS (
	SELECT day, collector, our_id, count(DISTINCT minute) AS minutes, avg(nodes) AS nodes,
		coalesce(sum(received) FILTER (type = 'get_peers'), 0)::BIGINT AS get_peers,
		coalesce(sum(received) FILTER (type = 'announce_peer'), 0)::BIGINT AS announce_peer,
		coalesce(sum(received) FILTER (type = 'find_node'), 0)::BIGINT AS find_node,
		coalesce(sum(received) FILTER (type = 'ping'), 0)::BIGINT AS ping,
		coalesce(sum(received) FILTER (type = 'sample_infohashes'), 0)::BIGINT AS sample_infohashes,
		sum(value) FILTER (type = 'asker_ids') AS ids, sum(value) FILTER (type = 'asker_ids_secure') AS secure,
		sum(value) FILTER (type = 'asker_addresses') AS addresses,
		sum(value) FILTER (type = 'announces') AS announces, sum(value) FILTER (type = 'announces_valid') AS valid,
		sum(value) FILTER (type = 'asked') AS asked, sum(value) FILTER (type = 'answered') AS answered
	FROM measured GROUP BY day, collector, our_id)
SELECT day, collector, lower(hex(our_id)) AS our_id, minutes, round(nodes, 1) AS nodes,
	get_peers, announce_peer, find_node, ping, sample_infohashes,
	round(ids / minutes, 1) AS asker_ids, round(addresses / minutes, 1) AS asker_addresses,
	round(coalesce(secure, 0) / ids, 4) AS secure_share, round(ids / addresses, 4) AS ids_per_address,
	round(coalesce(valid, 0) / announces, 4) AS valid_share, round(coalesce(answered, 0) / asked, 4) AS answered_share, distances
FROM summed LEFT JOIN distance USING (day, collector, our_id)
ORDER BY day, collector, our_id;
