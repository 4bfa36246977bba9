-- For table counted: requesters of each country by client, crawlers left out.
-- param since DATE: first day
-- param until DATE: last day
-- param k BIGINT: networks that a row needs (required)
SELECT country AS id, client AS part, key_epoch, network, count(*) AS requesters, getvariable('k')::BIGINT AS need
FROM requesters WHERE crawler IS NULL AND country IS NOT NULL AND in_period(day) GROUP BY ALL;
