-- Two days of a small swarm. Everything follows from row numbers through hash(),
-- so the lake is the same each time.

CREATE MACRO rnd(a, b) AS (hash(a, b) % 1000000) / 1000000.0;
CREATE MACRO id20(s) AS unhex(left(sha256(s), 40));

CREATE TEMP TABLE place AS SELECT * FROM (VALUES
	(0, 'US', 'US-PA', 'Philadelphia', 39.95, -75.16, 7922, 'COMCAST'),
	(1, 'US', 'US-CA', 'Los Angeles', 34.05, -118.24, 20001, 'CHARTER'),
	(2, 'US', 'US-IL', 'Chicago', 41.88, -87.63, 7922, 'COMCAST'),
	(3, 'IN', 'IN-MH', 'Mumbai', 19.07, 72.88, 55836, 'RELIANCEJIO'),
	(4, 'IN', 'IN-DL', 'Delhi', 28.65, 77.23, 24560, 'AIRTEL'),
	(5, 'BR', 'BR-SP', 'São Paulo', -23.55, -46.64, 28573, 'CLARO'),
	(6, 'RU', 'RU-MOW', 'Moscow', 55.75, 37.62, 12389, 'ROSTELECOM'),
	(7, 'FR', 'FR-IDF', 'Paris', 48.86, 2.35, 3215, 'ORANGE'),
	(8, 'GB', 'GB-ENG', 'London', 51.51, -0.13, 2856, 'BT'),
	(9, 'DE', 'DE-BE', 'Berlin', 52.52, 13.41, 3320, 'DTAG'),
	(10, 'JP', 'JP-13', 'Tokyo', 35.69, 139.69, 4713, 'OCN'),
	(11, 'AU', 'AU-NSW', 'Sydney', -33.87, 151.21, 1221, 'TELSTRA'),
	(12, 'ZA', 'ZA-GP', 'Johannesburg', -26.2, 28.05, 3741, 'IS'),
	(13, 'CA', 'CA-ON', 'Toronto', 43.65, -79.38, 812, 'ROGERS'),
	(14, 'FJ', 'FJ-C', 'Suva', -18.14, 178.44, 4638, 'TELECOMFIJI'),
	(15, NULL, NULL, NULL, NULL, NULL, NULL, NULL)
) AS t(place, country, region, city, lat, lon, asn, as_name);

CREATE TEMP TABLE asker AS
SELECT n, (hash(n, 'r') // 2)::BIGINT AS requester, (hash(n // 3, 'n') // 2)::BIGINT AS network,
	CASE WHEN n < 4 THEN 'many_infohashes' END AS crawler,
	CASE WHEN n % 400 = 399 THEN 14 WHEN n % 29 = 7 THEN 15
		ELSE floor(14 * pow(rnd(n // 3, 'p'), 1.7)) END::INTEGER AS place,
	['LT', 'UT', 'TR', NULL, 'lt'][1 + (n % 5)] AS client_code
FROM range(900) t(n);

CREATE TEMP TABLE torrent AS
SELECT n, id20('torrent ' || n) AS infohash,
	CASE n WHEN 0 THEN 'Sample.Film.2021.1080p.WEB-GROUP'
		WHEN 1 THEN 'Ordinary.Series.S02E05.720p.HDTV-TEAM'
		WHEN 2 THEN '<script>alert(1)</script> "quoted", =1+1' || chr(27) || '[31m' || chr(8238) || 'gpj.exe'
		WHEN 3 THEN 'Образец фильма (2019) 映画 サンプル فيلم'
		WHEN 5 THEN 'Grown.Ups.Only.XXX.1080p'
		ELSE 'Title.' || (n // 3) || '.Release.' || n END AS name,
	['movie', 'tv', 'software', 'movie', 'music', 'adult', 'book', 'game', 'anime', 'other'][1 + n % 10] AS content_type,
	n % 7 <> 6 AS resolved
FROM range(120) t(n);

-- A query: who, when, for what.
CREATE TEMP TABLE made_queries AS
WITH event AS (
	SELECT e, d, DATE '2026-11-21' + d::INTEGER AS day,
		CASE WHEN e % 10 = 0 THEN hash(e, 'c') % 4
			ELSE 4 + floor(896 * pow(rnd(e, d), 1.3)) END::INTEGER AS n,
		CASE WHEN e % 10 = 0 THEN floor(120 * rnd(e, 'all')) ELSE floor(120 * pow(rnd(e, 'want'), 3)) END::INTEGER AS want,
		CASE WHEN e % 37 = 1 THEN 'find_node' WHEN e % 41 = 1 THEN 'sample_infohashes'
			WHEN e % 6 = 2 THEN 'announce_peer' ELSE 'get_peers' END AS kind,
		CASE WHEN e % 23 = 3 THEN 'bootstrap' WHEN e % 23 = 4 THEN 'refresh' END AS upkeep,
		least(86399, floor(86400 * (rnd(e, 't1') + rnd(e, 't2')) / 2)) AS second
	FROM range(9000) a(e), range(2) b(d))
SELECT day, make_timestamptz((epoch(day) * 1000000 + second * 1000000)::BIGINT + e) AS ts,
	CASE WHEN upkeep IS NOT NULL AND kind = 'announce_peer' THEN 'get_peers' ELSE kind END AS kind,
	'fra1' AS collector, id20('ours ' || (e % 4)) AS our_id,
	CASE WHEN upkeep IS NOT NULL OR kind NOT IN ('get_peers', 'announce_peer') THEN id20('made up ' || e || ' ' || d)
		ELSE torrent.infohash END AS infohash,
	requester, network, '2026-W47' AS key_epoch, country, region, city,
	lat::DOUBLE AS lat, lon::DOUBLE AS lon, asn::BIGINT AS asn, as_name,
	client_code, CASE upper(client_code) WHEN 'LT' THEN 'libtorrent' WHEN 'UT' THEN 'µTorrent' WHEN 'TR' THEN 'Transmission' END AS client,
	NULL::VARCHAR AS client_version,
	CASE WHEN made.kind = 'announce_peer' THEN e % 2 = 0 END AS port_implied,
	CASE WHEN made.kind = 'announce_peer' THEN e % 4 = 0 END AS seed,
	e % 50 = 0 AS read_only, NULL::VARCHAR AS name, (2400 - e % 160)::INTEGER AS log2_distance,
	CASE upkeep WHEN 'bootstrap' THEN 96 ELSE e % 9 END::INTEGER AS their_cpl,
	e % 4 = 0 AS id_secure, CASE WHEN made.kind = 'announce_peer' THEN true END AS token_valid
FROM (SELECT * REPLACE (CASE WHEN upkeep IS NOT NULL THEN 'get_peers' ELSE kind END AS kind) FROM event) made
JOIN asker USING (n) JOIN place USING (place) JOIN torrent ON torrent.n = want;

CREATE TEMP TABLE made_requesters AS
SELECT day, requester, any_value(network) AS network, key_epoch, min(ts) AS "first", max(ts) AS "last",
	count(*) AS queries, count(*) FILTER (kind = 'announce_peer') AS announces,
	count(DISTINCT infohash) FILTER (kind IN ('get_peers', 'announce_peer')) AS infohashes,
	1::BIGINT AS node_ids, 1::BIGINT AS max_per_minute,
	any_value(country) AS country, any_value(asn) AS asn, any_value(client) AS client,
	(SELECT any_value(crawler) FROM asker WHERE asker.requester = q.requester) AS crawler
FROM made_queries q GROUP BY day, requester, key_epoch;

CREATE TEMP TABLE made_torrents AS
SELECT DATE '2026-11-21' + (n % 2)::INTEGER AS day, infohash, CASE n WHEN 1 THEN unhex(sha256('hybrid')) END AS infohash_v2, name,
	(1 + n) * 700000000::BIGINT AS size, (1 + n % 4)::BIGINT AS file_count, 1048576::BIGINT AS piece_length,
	n = 8 AS private, make_timestamptz((epoch(DATE '2026-11-21' + (n % 2)::INTEGER) * 1000000)::BIGINT + n * 1000000) AS resolved_at,
	12::BIGINT AS peers, 7::BIGINT AS seeders, NULL::BIGINT AS leechers, 'lookup' AS found_by, content_type,
	CASE content_type WHEN 'movie' THEN 2000 WHEN 'tv' THEN 5000 ELSE 8000 END::INTEGER AS newznab,
	content_type = 'adult' AS adult, ['en'] AS languages, 'Latn' AS script,
	CASE n WHEN 2 THEN name ELSE 'Title ' || (n // 3) END AS title, CASE WHEN n % 2 = 0 THEN 2021 END::INTEGER AS year,
	NULL::INTEGER[] AS seasons, NULL::INTEGER[] AS episodes, 1080::INTEGER AS resolution, 'web' AS source,
	'h264' AS video_codec, 'aac' AS audio_codec, 'GROUP' AS release_group, NULL::VARCHAR AS edition,
	'w' || (n // 3) AS work_id
FROM torrent WHERE resolved;
-- One of them was resolved on both days, under another name the second time.
INSERT INTO made_torrents
SELECT * REPLACE (DATE '2026-11-22' AS day, resolved_at + INTERVAL 1 DAY AS resolved_at, name || ' again' AS name)
FROM made_torrents WHERE name LIKE 'Sample.Film%';

CREATE TEMP TABLE made_files AS
SELECT day, infohash, i::INTEGER AS idx, name || '/file ' || i || '.mkv' AS path, 'file ' || i || '.mkv' AS name,
	'mkv' AS extension, size // file_count AS size, 'video' AS media, false AS pad
FROM made_torrents, range(4) f(i) WHERE i < file_count;

CREATE TEMP TABLE made_failures AS
SELECT day, make_timestamptz((epoch(day) * 1000000)::BIGINT + n) AS ts, infohash,
	CASE n % 2 WHEN 0 THEN 'no_peers' ELSE 'timeout' END AS reason, 3::BIGINT AS peers
FROM torrent, (VALUES (DATE '2026-11-21'), (DATE '2026-11-22')) d(day) WHERE NOT resolved AND n < 100;

-- An info-hash counts when it was announced, resolved or asked for by two.
CREATE TEMP TABLE made_demand AS
WITH asked AS (
	SELECT * FROM made_queries
	WHERE (day, requester) NOT IN (SELECT (day, requester) FROM made_requesters WHERE crawler IS NOT NULL)
		AND (kind = 'announce_peer' OR kind = 'get_peers' AND their_cpl < 32)),
real AS (
	SELECT day, infohash FROM asked GROUP BY ALL
	HAVING count(DISTINCT requester) >= 2 OR count(*) FILTER (kind = 'announce_peer') > 0
	UNION SELECT day, infohash FROM made_torrents)
SELECT day, infohash, country, count(DISTINCT requester) AS requesters, count(DISTINCT network) AS networks, count(*) AS queries,
	count(*) FILTER (kind = 'announce_peer') AS announces, count(DISTINCT requester) FILTER (seed) AS seeders
FROM asked SEMI JOIN real USING (day, infohash) GROUP BY ALL;

-- The collector was down from 12:00 to 12:30 of the first day.
CREATE TEMP TABLE made_uptime AS
SELECT day, 'fra1' AS collector, 'r' || (m // 720) AS run, CASE WHEN type NOT IN ('resolve', 'stats') THEN id20('ours') END AS our_id,
	make_timestamptz((epoch(day) * 1000000)::BIGINT + m * 60000000) AS minute, type,
	CASE type WHEN 'get_peers' THEN 10 WHEN 'ping' THEN 5 ELSE 0 END::BIGINT AS received,
	CASE type WHEN 'get_peers' THEN 9 WHEN 'resolve' THEN 2 ELSE 0 END::BIGINT AS logged,
	CASE type WHEN 'queue_full' THEN 1 WHEN 'not_logged' THEN 5 ELSE 0 END::BIGINT AS dropped,
	CASE type WHEN 'get_peers' THEN 10 ELSE 0 END::BIGINT AS sent,
	CASE type WHEN 'get_peers' THEN 9 WHEN 'resolve' THEN 2 WHEN 'stats' THEN 1 ELSE 0 END::BIGINT AS loaded,
	CASE type WHEN 'nodes' THEN 812 END::BIGINT AS nodes, measure::BIGINT AS value
FROM range(1440) a(m), (VALUES ('get_peers', NULL), ('ping', NULL), ('queue_full', NULL), ('not_logged', NULL), ('nodes', NULL), ('resolve', NULL), ('stats', NULL),
		('asker_ids', 8), ('asker_ids_secure', 6), ('asker_addresses', 4), ('announces', 2), ('announces_valid', 1), ('asked', 5), ('answered', 4),
		('distance_159', 6), ('distance_158', 3), ('distance_140', 1)) b(type, measure),
	(VALUES (DATE '2026-11-21'), (DATE '2026-11-22')) d(day)
WHERE NOT (day = DATE '2026-11-21' AND m BETWEEN 720 AND 749);

CREATE TEMP TABLE made_probes AS
SELECT DATE '2026-11-21' + (p % 2)::INTEGER AS day, make_timestamptz((epoch(DATE '2026-11-21' + (p % 2)::INTEGER) * 1000000)::BIGINT + p) AS ts,
	'fra1' AS collector, id20('probe ' || p) AS target, 'libtorrent' AS family, 0::INTEGER AS step,
	2300::INTEGER AS log2_distance, p % 3 > 0 AS answered
FROM range(20) t(p);
