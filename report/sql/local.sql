-- Requesters of each title in table ranked, by country: what split.sql judges, so that a
-- country is named beside a title only where that tells nothing of those in no country
-- that is named.
-- param by VARCHAR: torrent or work (required)
WITH needed AS (SELECT id, max(need) AS need FROM ranked GROUP BY id),
asker AS (
	SELECT DISTINCT CASE getvariable('by') WHEN 'work' THEN w ELSE n END AS id, country, day, key_epoch, network, requester
	FROM asked JOIN member USING (n))
SELECT id, country AS part, key_epoch, network, count(*) AS requesters, max(need) AS need
FROM asker JOIN needed USING (id) GROUP BY id, country, key_epoch, network;
