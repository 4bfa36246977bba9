-- For table counted: requesters of each title in table ranked by country, cell of the map,
-- day and hour of the day. All in numbers, since there are many: the id is four times the
-- title's number, plus 0 for countries, 1 for cells, 2 for days and 3 for hours; a
-- country is the codes of its letters, 256 times the first plus the second. Titles that
-- are not in local, which may be shown in no country, are split by day alone.
-- param by VARCHAR: torrent or work (required)
WITH asker AS (
	SELECT 4 * ranked.id AS id, need::INTEGER AS need, epoch(day)::BIGINT // 86400 AS day, hour, cell,
		256 * ascii(asked.country) + ascii(asked.country[2]) AS country, key_epoch, network, requester,
		ranked.id IN (SELECT id FROM local) AS local
	FROM asked JOIN member USING (n) JOIN ranked ON ranked.id = CASE getvariable('by') WHEN 'work' THEN w ELSE n END),
part AS (
	SELECT DISTINCT id, country::INTEGER AS part, need, day, key_epoch, network, requester FROM asker WHERE local
	UNION ALL SELECT DISTINCT id + 1, cell::INTEGER, need, day, key_epoch, network, requester FROM asker WHERE local
	UNION ALL SELECT DISTINCT id + 2, day::INTEGER, need, day, key_epoch, network, requester FROM asker
	UNION ALL SELECT DISTINCT id + 3, hour::INTEGER, need, day, key_epoch, network, requester FROM asker WHERE local)
SELECT id, part, key_epoch, network, count(*) AS requesters, max(need) AS need FROM part GROUP BY id, part, key_epoch, network;
