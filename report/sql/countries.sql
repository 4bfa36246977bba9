-- For table counted: requesters by country, crawlers left out.
-- param since DATE: first day
-- param until DATE: last day
-- param k BIGINT: networks that a row needs (required)
SELECT 0 AS id, country AS part, key_epoch, network, count(*) AS requesters, getvariable('k')::BIGINT AS need
FROM requesters WHERE crawler IS NULL AND in_period(day) GROUP BY ALL;
