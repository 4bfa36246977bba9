-- How many of these info-hashes were seen, and how many resolved? For a list from elsewhere
-- param day DATE: one day (default every day)
-- param week DATE: the week, Monday to Sunday, that holds this day (default every week)
-- param since DATE: first day (default the first there is)
-- param until DATE: last day (default the last there is)
-- param infohashes VARCHAR: text with info-hashes of 40 hex digits, in any layout; @FILE takes it from a file (required)
-- Seen: some query named it. Asked: it counts as demand, so crawlers and upkeep are left
-- out. Resolved: its info dictionary was had on any day.
WITH
listed AS (
	SELECT DISTINCT unhex(h) AS infohash
	FROM (SELECT unnest(regexp_extract_all(lower(getvariable('infohashes')::VARCHAR), '\b[0-9a-f]{40}\b')) AS h)),
seen AS (SELECT DISTINCT infohash FROM queries SEMI JOIN listed USING (infohash) WHERE in_period(day)),
asked AS (SELECT DISTINCT infohash FROM demand SEMI JOIN listed USING (infohash) WHERE in_period(day)),
found AS (
	SELECT infohash IN (FROM seen) AS seen, infohash IN (FROM asked) AS asked,
		infohash IN (SELECT infohash FROM torrents) AS resolved
	FROM listed)
SELECT count(*) AS listed, count(*) FILTER (seen) AS seen, count(*) FILTER (asked) AS asked, count(*) FILTER (resolved) AS resolved,
	count(*) FILTER (asked AND resolved) AS asked_and_resolved,
	round(count(*) FILTER (seen) / nullif(count(*), 0), 6) AS seen_share,
	round(count(*) FILTER (resolved) / nullif(count(*), 0), 6) AS resolved_share,
	round(count(*) FILTER (asked AND resolved) / nullif(count(*) FILTER (asked), 0), 6) AS resolved_share_of_asked
FROM found;
