-- Names, titles and paths that hold what may be an address: numbers with dots between
-- them, or hex digits with colons.
WITH said AS (
	SELECT infohash, name AS text FROM torrents
	UNION ALL SELECT infohash, title FROM torrents WHERE title IS NOT NULL
	UNION ALL SELECT infohash, path FROM files)
SELECT lower(hex(infohash)) AS infohash, text FROM said
WHERE (contains(text, ':') OR text LIKE '%.%.%.%') -- which is cheaper to tell, and true of few
	AND regexp_matches(text, '[0-9]\.[0-9]{1,3}\.[0-9]{1,3}\.[0-9]|[23][0-9a-fA-F]{3}:[0-9a-fA-F:]*:');
