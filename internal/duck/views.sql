-- A torrent and its files as last resolved: the row of the latest day.
CREATE OR REPLACE VIEW torrents AS
SELECT t.* FROM torrents_daily t
JOIN (SELECT infohash, max(day) AS day FROM torrents_daily GROUP BY infohash) latest USING (infohash, day);

CREATE OR REPLACE VIEW files AS
SELECT f.* FROM files_daily f
JOIN (SELECT infohash, max(day) AS day FROM torrents_daily GROUP BY infohash) latest USING (infohash, day);

-- Programs that walk the whole DHT and ask for everything. The rule that names
-- one is in the column crawler; its thresholds are in the methodology.
CREATE OR REPLACE VIEW crawlers AS
SELECT day, key_epoch, requester, network, country, crawler, queries
FROM requesters WHERE crawler IS NOT NULL;

-- Whether a query asks for a torrent: a get_peers or an announce_peer, but no get_peers
-- for a target that shares 32 bits or more with the asker's own id (their_cpl), which is
-- a node filling its table (libtorrent does that with get_peers, not find_node).
CREATE OR REPLACE MACRO asks(kind, their_cpl) AS
	kind IN ('get_peers', 'announce_peer') AND (coalesce(their_cpl, 0) < 32 OR kind = 'announce_peer');

-- Queries that ask for a torrent. Left out are
--   crawlers;
--   what asks for no torrent (see asks);
--   info-hashes nobody announced, nobody resolved and fewer than two requesters
--     asked for that day: made-up targets of table upkeep. The table demand holds
--     every info-hash of the day that passes, and no other.
CREATE OR REPLACE VIEW heard AS
SELECT q.* FROM queries q
JOIN (SELECT day, infohash FROM demand GROUP BY day, infohash) counted USING (day, infohash)
ANTI JOIN crawlers USING (day, key_epoch, requester)
WHERE asks(q.kind, q.their_cpl);

-- Whether day d is in the period that the caller chose with SET VARIABLE: one day,
-- the week (Monday to Sunday) that holds a day, days since, days until; every day
-- where none is set. Those that are set must all hold.
CREATE OR REPLACE MACRO in_period(d) AS
	(getvariable('day') IS NULL OR d = getvariable('day')::DATE)
	AND (getvariable('week') IS NULL
		OR d BETWEEN date_trunc('week', getvariable('week')::DATE)::DATE
		         AND date_trunc('week', getvariable('week')::DATE)::DATE + 6)
	AND (getvariable('since') IS NULL OR d >= getvariable('since')::DATE)
	AND (getvariable('until') IS NULL OR d <= getvariable('until')::DATE);

-- The map's grid: cells of about the same area. The Earth is cut into 180 bands of
-- one degree of latitude, counted from the south; a band has as many cells, counted
-- from 180° west, as the cosine of its middle times 360 says. A cell measures
-- 111 km by about 111 km. Its number is band × 360 + column, 0 to 64799.
CREATE OR REPLACE MACRO cell_band(lat) AS
	least(179, greatest(0, floor(lat + 90)))::INTEGER;
CREATE OR REPLACE MACRO cells_in_band(band) AS
	greatest(1, round(360 * cos(radians(band - 89.5))))::INTEGER;
CREATE OR REPLACE MACRO cell(lat, lon) AS
	cell_band(lat) * 360
	+ (floor((lon + 180) / 360 * cells_in_band(cell_band(lat)))::INTEGER % cells_in_band(cell_band(lat)));
-- The middle of a cell.
CREATE OR REPLACE MACRO cell_lat(c) AS (c // 360 - 89.5)::DOUBLE;
CREATE OR REPLACE MACRO cell_lon(c) AS
	round((c % 360 + 0.5)::DOUBLE * 360 / cells_in_band(c // 360) - 180, 4);
