-- The torrents of a range of info-hashes that can be found: as last resolved, without those
-- marked private or excluded.
-- param from VARCHAR: first info-hash (required)
-- param before VARCHAR: the info-hash after the last; null is the end
SELECT lower(hex(infohash)) AS infohash, name, coalesce(title, '') AS title, content_type, coalesce(year, 0)::BIGINT AS year,
	size, file_count, epoch(resolved_at)::BIGINT // 86400 AS day, adult, work_id
FROM torrents WHERE private IS NOT TRUE AND infohash NOT IN (SELECT infohash FROM excluded)
	AND infohash >= unhex(getvariable('from')) AND (getvariable('before') IS NULL OR infohash < unhex(getvariable('before')))
ORDER BY infohash;
