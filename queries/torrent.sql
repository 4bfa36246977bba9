-- What is known of one torrent? Its data, files, demand by day and country, and failed tries to resolve it
-- param day DATE: one day (default every day)
-- param week DATE: the week, Monday to Sunday, that holds this day (default every week)
-- param since DATE: first day (default the first there is)
-- param until DATE: last day (default the last there is)
-- param infohash VARCHAR: the torrent, 40 hex digits (required)
WITH
this AS (SELECT unhex(getvariable('infohash')::VARCHAR) AS infohash),
wanted AS (SELECT * FROM demand WHERE infohash = (FROM this) AND in_period(day)),
line(part, section, place, item, value) AS (
	SELECT 1, 'torrent', row_number() OVER (), item, value FROM (
		SELECT lower(hex(infohash)) AS infohash, lower(hex(infohash_v2)) AS infohash_v2, name, title, year::VARCHAR AS year,
			content_type AS type, size::VARCHAR AS size, file_count::VARCHAR AS files, private::VARCHAR AS private,
			adult::VARCHAR AS adult, languages::VARCHAR AS languages, seasons::VARCHAR AS seasons, episodes::VARCHAR AS episodes,
			resolution::VARCHAR AS resolution, source, video_codec, audio_codec, release_group, edition, work_id,
			peers::VARCHAR AS peers, seeders::VARCHAR AS seeders, leechers::VARCHAR AS leechers, found_by,
			strftime(resolved_at, '%Y-%m-%dT%H:%M:%SZ') AS resolved_at
		FROM torrents WHERE infohash = (FROM this))
	UNPIVOT (value FOR item IN (COLUMNS(*)))
	UNION ALL SELECT 2, 'demand', 0, 'requesters', sum(requesters)::VARCHAR FROM wanted
	UNION ALL SELECT 2, 'demand', 1, 'queries', sum(queries)::VARCHAR FROM wanted
	UNION ALL SELECT 2, 'demand', 2, 'announces', sum(announces)::VARCHAR FROM wanted
	UNION ALL SELECT 2, 'demand', 3, 'seeders', sum(seeders)::VARCHAR FROM wanted
	UNION ALL SELECT 3, 'requesters by day', 0, day::VARCHAR, sum(requesters)::VARCHAR FROM wanted GROUP BY day
	UNION ALL SELECT 4, 'requesters by country', row_number() OVER (ORDER BY sum(requesters) DESC, country),
		coalesce(country, 'unknown'), sum(requesters)::VARCHAR FROM wanted GROUP BY country
	UNION ALL SELECT 5, 'file, bytes', idx, path, size::VARCHAR FROM files WHERE infohash = (FROM this) AND NOT pad
	UNION ALL SELECT 6, 'failures', 0, reason, count(*)::VARCHAR FROM failures
		WHERE infohash = (FROM this) AND in_period(day) GROUP BY reason)
SELECT section, item, value FROM line WHERE value IS NOT NULL ORDER BY part, place, item, value;
