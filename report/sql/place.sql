-- Who asked in a day: from where, and in which of its hours (a bit each, the lowest for the
-- first); what for left away. Everything the site says of a day's hours and places is
-- counted from this. Somebody is in one place a day. Crawlers and upkeep are left out.
-- param day DATE: the day (required)
SELECT requester, network, max(cell(lat, lon))::INTEGER AS cell, max(country) AS country, max(city) AS city, bit_or(1::INTEGER << hour(ts)) AS hours
FROM heard WHERE day = getvariable('day')::DATE GROUP BY requester, network;
