-- The torrents (or works) of tables member and asked that may be shown, in all or in each
-- country: requesters of each day, added up.
-- param by VARCHAR: torrent or work (required)
-- param countries BOOLEAN: by country (default false)
-- param k BIGINT: networks that a row needs; adult ones need 100 (required)
WITH asker AS (
	SELECT DISTINCT CASE getvariable('by') WHEN 'work' THEN w ELSE n END AS id,
		CASE WHEN getvariable('countries')::BOOLEAN THEN country END AS country, day, key_epoch, network, requester
	FROM asked JOIN member USING (n)
	WHERE country IS NOT NULL OR NOT coalesce(getvariable('countries')::BOOLEAN, false)),
counted AS (SELECT id, country, key_epoch, network, count(*) AS requesters FROM asker GROUP BY ALL),
epoch AS (
	SELECT id, country, key_epoch, count(*) AS networks, max(requesters) AS largest, sum(requesters) AS requesters
	FROM counted GROUP BY ALL),
judged AS (
	SELECT id, country, max(networks) AS networks, sum(largest) AS largest, sum(requesters)::BIGINT AS requesters
	FROM epoch GROUP BY ALL),
adult AS (
	SELECT CASE getvariable('by') WHEN 'work' THEN w ELSE n END AS id, bool_or(adult) AS adult FROM member GROUP BY ALL)
SELECT id, country, requesters, CASE WHEN adult THEN greatest(100, getvariable('k')::BIGINT) ELSE getvariable('k')::BIGINT END AS need
FROM judged JOIN adult USING (id)
WHERE networks >= need AND largest <= 0.85 * requesters;
