-- The files of the torrents of a range of info-hashes, without padding, those of a torrent
-- in one text: a path, U+0001, its size, U+0002, and so on.
-- param from VARCHAR: first info-hash (required)
-- param before VARCHAR: the info-hash after the last; null is the end
SELECT lower(hex(infohash)) AS infohash,
	string_agg(CASE WHEN contains(path, chr(1)) OR contains(path, chr(2)) THEN replace(replace(path, chr(1), chr(65533)), chr(2), chr(65533)) ELSE path END
		|| chr(1) || size, chr(2)) AS files
FROM files WHERE NOT pad AND infohash >= unhex(getvariable('from'))
	AND (getvariable('before') IS NULL OR infohash < unhex(getvariable('before')))
GROUP BY infohash ORDER BY infohash;
