-- Requesters of each title in table ranked that may be shown in some country, within each
-- country by cell of the map: what split.sql judges, so that the cells of a country tell
-- nothing of those elsewhere in it. The id is 65536 times the title's number, plus the
-- country in numbers.
-- param by VARCHAR: torrent or work (required)
WITH asker AS (
	SELECT DISTINCT 65536 * ranked.id::BIGINT + coalesce(256 * ascii(asked.country) + ascii(asked.country[2]), 0) AS id, need, cell, day, key_epoch, network, requester
	FROM asked JOIN member USING (n) JOIN ranked ON ranked.id = CASE getvariable('by') WHEN 'work' THEN w ELSE n END
	WHERE ranked.id IN (SELECT id FROM local))
SELECT id, cell AS part, key_epoch, network, count(*) AS requesters, max(need) AS need FROM asker GROUP BY id, cell, key_epoch, network;
