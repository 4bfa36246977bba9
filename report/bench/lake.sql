-- Torrents, in the order of their info-hashes, and their files: half of them have one
-- file, the others up to a thousand. A word is one of 40,000, common ones more often.
CREATE MACRO rnd(a, b) AS (hash(a, b) % 1000000) / 1000000.0;
CREATE MACRO word(a, b) AS (
	['ka', 'lo', 'mi', 'ren', 'sol', 'tar', 'vel', 'zor', 'ban', 'dra'][1 + (40000 * pow(rnd(a, b), 3))::INTEGER % 10]
	|| ['an', 'el', 'in', 'or', 'us', 'ash', 'eth', 'ir', 'om', 'ul'][1 + (40000 * pow(rnd(a, b), 3))::INTEGER // 10 % 10]
	|| ['da', 'ne', 'ri', 'to', 'vu', 'gar', 'hen', 'kim', 'lon', 'mus'][1 + (40000 * pow(rnd(a, b), 3))::INTEGER // 100 % 10]
	|| CASE WHEN (40000 * pow(rnd(a, b), 3))::INTEGER >= 1000 THEN ((40000 * pow(rnd(a, b), 3))::INTEGER // 1000)::VARCHAR ELSE '' END);

CREATE TEMP TABLE torrent AS
SELECT n, unhex(left(sha256('torrent ' || n), 40)) AS infohash, n // 3 AS work,
	CASE WHEN n % 2 = 0 THEN 1 ELSE greatest(1, (2 * (getvariable('files') / getvariable('torrents')) * -ln(1 - rnd(n, 'files')))::BIGINT) END AS file_count,
	word(n // 3, 1) || '.' || word(n // 3, 2) || '.' || word(n // 3, 3) || '.' || (1960 + hash(n // 3, 'year') % 66) || '.'
		|| ['720p', '1080p', '2160p'][1 + n % 3] || '.' || ['WEB', 'BluRay', 'HDTV'][(1 + hash(n, 's') % 3)::INTEGER] || '.x264-' || upper(word(n, 'group')) AS name
FROM range(getvariable('torrents')) t(n);

CREATE VIEW made_torrents AS
SELECT infohash, NULL::BLOB AS infohash_v2, name, (1e8 * file_count)::BIGINT AS size, file_count, 1048576::BIGINT AS piece_length, false AS private,
	TIMESTAMPTZ '2026-11-22 12:00:00+00' AS resolved_at, NULL::BIGINT AS peers, NULL::BIGINT AS seeders, NULL::BIGINT AS leechers, 'announce' AS found_by,
	['movie', 'tv', 'music'][1 + work % 3] AS content_type, 2000::INTEGER AS newznab, n % 12 = 0 AS adult, ['en'] AS languages, 'Latn' AS script,
	split_part(name, '.', 1) || ' ' || split_part(name, '.', 2) || ' ' || split_part(name, '.', 3) AS title, split_part(name, '.', 4)::INTEGER AS year,
	[]::INTEGER[] AS seasons, []::INTEGER[] AS episodes, 1080::INTEGER AS resolution, 'web' AS source, 'h264' AS video_codec, NULL::VARCHAR AS audio_codec,
	split_part(name, '-', 2) AS release_group, NULL::VARCHAR AS edition, left(md5('work ' || work), 16) AS work_id
FROM torrent ORDER BY infohash;

CREATE VIEW made_files AS
SELECT infohash, idx::INTEGER AS idx,
	CASE WHEN file_count = 1 THEN name || '.mkv'
		ELSE 'Part ' || (idx // 20) || '/' || lpad((idx + 1)::VARCHAR, 3, '0') || ' - ' || word(n, idx) || ' ' || word(idx, n) || '.mp3' END AS path,
	'x' AS name, 'mp3' AS extension, (1e6 + idx)::BIGINT AS size, 'audio' AS media, false AS pad
FROM torrent, range(file_count) f(idx) ORDER BY infohash, idx;
