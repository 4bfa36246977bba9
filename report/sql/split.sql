-- How the requesters of table counted (id, part, key_epoch, network, requesters, need)
-- fall into parts, where that may be said: a part needs so many networks, and none may
-- make more than 85%. What may not be said, or has no part, is the rest, without a part,
-- under the same rule. Where the rest is too small to be shown it is too small to be
-- told from what is missing in the sum, so the smallest part joins it.
WITH judged AS (
	SELECT id, part, max(need) AS need, max(networks) AS networks, sum(largest) AS largest, sum(requesters) AS requesters
	FROM (SELECT id, part, max(need) AS need, count(*) AS networks, max(requesters) AS largest, sum(requesters) AS requesters
	      FROM counted WHERE part IS NOT NULL GROUP BY id, part, key_epoch)
	GROUP BY id, part),
passed AS (
	SELECT id, part, row_number() OVER (PARTITION BY id ORDER BY requesters, part) AS place
	FROM judged WHERE networks >= need AND largest <= 0.85 * requesters),
hidden AS (
	SELECT id, max(networks) < max(need) AS small
	FROM (SELECT id, count(*) AS networks, max(need) AS need FROM (
			SELECT DISTINCT id, key_epoch, network, need FROM counted LEFT JOIN passed USING (id, part) WHERE passed.place IS NULL)
	      GROUP BY id, key_epoch)
	GROUP BY id),
kept AS (SELECT id, part FROM passed LEFT JOIN hidden USING (id) WHERE place > 1 OR NOT coalesce(small, false)),
again AS (
	SELECT counted.id AS id, kept.part AS part, key_epoch, network, sum(requesters) AS requesters, max(need) AS need
	FROM counted LEFT JOIN kept ON counted.id = kept.id AND counted.part = kept.part GROUP BY ALL)
SELECT id, part, (round(sum(requesters) / 10) * 10)::BIGINT AS requesters
FROM (SELECT id, part, max(need) AS need, count(*) AS networks, max(requesters) AS largest, sum(requesters) AS requesters
      FROM again GROUP BY id, part, key_epoch)
GROUP BY id, part
HAVING max(networks) >= max(need) AND sum(largest) <= 0.85 * sum(requesters)
ORDER BY id, part IS NULL, sum(requesters) DESC, part;
