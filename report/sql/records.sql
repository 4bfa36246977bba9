-- What torrent pages say of the torrents of a range of info-hashes.
-- param from VARCHAR: first info-hash (required)
-- param before VARCHAR: the info-hash after the last; null is the end
SELECT lower(hex(infohash)) AS infohash, name, size, file_count, strftime(resolved_at, '%Y-%m-%d') AS resolved, content_type, adult, title,
	year::BIGINT AS year, seasons::BIGINT[] AS seasons, episodes::BIGINT[] AS episodes, resolution::BIGINT AS resolution, source,
	video_codec, audio_codec, release_group, edition, languages, piece_length, lower(hex(infohash_v2)) AS infohash_v2, work_id
FROM torrents WHERE private IS NOT TRUE AND infohash NOT IN (SELECT infohash FROM excluded) AND infohash >= unhex(getvariable('from'))
	AND (getvariable('before') IS NULL OR infohash < unhex(getvariable('before')))
ORDER BY infohash;
