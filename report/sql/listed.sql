-- The torrents that pages may name: not marked private, not excluded; as last resolved up
-- to a day, so that later days do not change what was said of an earlier one.
-- param until DATE: the last day on which names are looked for (default every day)
SELECT infohash, name, coalesce(title, name) AS title, year, content_type AS type, size, adult, nullif(work_id, '') AS work_id
FROM torrents_daily t
JOIN (SELECT infohash, max(day) AS day FROM torrents_daily
	WHERE getvariable('until') IS NULL OR day <= getvariable('until')::DATE GROUP BY infohash) latest USING (infohash, day)
WHERE private IS NOT TRUE AND infohash NOT IN (SELECT infohash FROM excluded);
