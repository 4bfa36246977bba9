-- The releases of works that may be shown by themselves, from table ranked (of torrents).
-- param each BIGINT: releases of a work (required)
SELECT work_id, lower(hex(infohash)) AS infohash, name, (round(ranked.requesters / 10) * 10)::BIGINT AS requesters
FROM ranked JOIN member ON n = id WHERE work_id IS NOT NULL
QUALIFY row_number() OVER (PARTITION BY work_id ORDER BY ranked.requesters DESC, infohash) <= getvariable('each')::BIGINT
ORDER BY work_id, ranked.requesters DESC, infohash;
