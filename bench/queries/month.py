"""Makes a month from a day's tables demand and torrents.

month.py LAKE MONTH: thirty copies under other dates, sorted as boon sorts them, in each of which a
quarter of all info-hashes, always the same quarter's places, are others than on any other day. A
torrent is resolved once, as synth and the resolver do: from the second day on, only those are. (Of synthetic
days that follow each other the second has 43% new info-hashes, the fourth 20%.) DuckDB writes them.
"""

import datetime
import hashlib
import json
import os
import sys

import duckdb

lake, month = sys.argv[1], sys.argv[2]
DAYS = 30
OTHERS = "hex(infohash)[40] IN ('0', '4', '8', 'C')"

first = datetime.date.fromisoformat(os.listdir(f"{lake}/tables/queries")[0].removeprefix("day="))
con = duckdb.connect()
con.execute("SET threads = 2")
for table, order in ("demand", "infohash, country"), ("torrents", "infohash"):
    with open(f"{lake}/tables/{table}/day={first}/manifest.json", encoding="utf-8") as f:
        manifest = json.load(f)
    parts = [f"{lake}/{p['key']}" for p in manifest["parts"]]
    con.execute("CREATE OR REPLACE TABLE t AS SELECT * FROM read_parquet($1, hive_partitioning = false)", [parts])
    for i in range(DAYS):
        day = first + datetime.timedelta(i)
        key = f"tables/{table}/day={day}/part-00000000-00000.parquet"
        os.makedirs(os.path.dirname(f"{month}/{key}"), exist_ok=True)
        con.execute(f"""COPY (
            SELECT * REPLACE (CASE WHEN {i} > 0 AND {OTHERS}
                THEN unhex(left(sha256(infohash || '{day}'::BLOB), 40)) ELSE infohash END AS infohash)
            FROM t WHERE {i} = 0 OR '{table}' = 'demand' OR {OTHERS} ORDER BY {order}) TO '{month}/{key}' (FORMAT parquet, COMPRESSION zstd)""")
        with open(f"{month}/{key}", "rb") as f:
            data = f.read()
        rows = con.sql(f"SELECT count(*) FROM '{month}/{key}'").fetchone()[0]
        one = {**manifest["parts"][0], "key": key, "rows": rows, "bytes": len(data), "sha256": hashlib.sha256(data).hexdigest()}
        with open(f"{month}/tables/{table}/day={day}/manifest.json", "w", encoding="utf-8") as f:
            json.dump({**manifest, "day": str(day), "inputs": [], "parts": [one]}, f)
with open(f"{month}/done", "w", encoding="utf-8"):
    pass
