-- The name and the requesters of each title, and whether it is adult, in table ranked.
-- param by VARCHAR: torrent or work (required)
SELECT ranked.id::BIGINT AS number, CASE getvariable('by') WHEN 'work' THEN any_value(work_id) ELSE any_value(lower(hex(infohash))) END AS id,
	first(CASE getvariable('by') WHEN 'work' THEN title ELSE name END ORDER BY member.requesters DESC, infohash) AS name,
	(round(any_value(ranked.requesters) / 10) * 10)::BIGINT AS requesters, bool_or(adult) AS adult
FROM ranked JOIN member ON ranked.id = CASE getvariable('by') WHEN 'work' THEN w ELSE n END
GROUP BY ranked.id ORDER BY ranked.id;
