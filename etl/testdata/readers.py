"""Reads every table of a day with DuckDB, pyarrow, pandas, polars and Spark.

readers.py LAKE < COUNTS, which is JSON: {table: {"rows": N, "columns": [name…], "key": name}}.
All must see those columns and rows, and the same values in the column "key",
and DuckDB must find every row of an info-hash that it looks for.
"""

import glob
import json
import sys

import duckdb
import pandas
import polars
import pyarrow.dataset
import pyarrow.parquet
from pyspark.sql import SparkSession

lake = sys.argv[1]
want = json.load(sys.stdin)
con = duckdb.connect()
con.sql("SET TimeZone = 'UTC'")
spark = SparkSession.builder.master("local[2]").config("spark.ui.enabled", "false").config("spark.sql.session.timeZone", "UTC").getOrCreate()
spark.sparkContext.setLogLevel("ERROR")


def digest(values):
    """A sum that every row has a part in, in any order."""
    return sum(hash_text(v) for v in values) % (1 << 61)


def hash_text(v):
    h = 1469598103934665603
    for b in v if isinstance(v, (bytes, bytearray)) else str(v).encode():
        h = ((h ^ b) * 1099511628211) & ((1 << 64) - 1)
    return h


for table, w in want.items():
    files = sorted(glob.glob(f"{lake}/tables/{table}/day=*/*.parquet"))
    key = w["key"]
    seen = {}
    rel = con.sql(f"SELECT * FROM read_parquet({files!r}, hive_partitioning = false)")
    seen["duckdb"] = rel.columns, len(rel), digest(r[0] for r in con.sql(f"SELECT {key} FROM read_parquet({files!r})").fetchall())
    arrow = pyarrow.dataset.dataset(files).to_table()
    seen["pyarrow"] = arrow.column_names, arrow.num_rows, digest(arrow.column(key).to_pylist())
    frame = pandas.concat(pandas.read_parquet(f, partitioning=None) for f in files)
    seen["pandas"] = list(frame.columns), len(frame), digest(frame[key])
    lazy = polars.read_parquet(files, hive_partitioning=False)
    seen["polars"] = lazy.columns, lazy.height, digest(lazy[key])
    df = spark.read.parquet(*files)
    # toPandas of all columns makes Spark decode each of them
    rows = df.collect()
    seen["spark"] = df.columns, len(rows), digest(r[key] for r in rows)
    first = seen["duckdb"][2]
    for reader, (columns, n, got) in seen.items():
        assert columns == w["columns"], (table, reader, columns, w["columns"])
        assert n == w["rows"], (table, reader, n, w["rows"])
        assert got == first, (table, reader, "other values")
    print(f"{table}: {w['rows']} rows, five readers agree")

files = sorted(glob.glob(f"{lake}/tables/queries/day=*/*.parquet"))
counts = {}
for h in pyarrow.dataset.dataset(files).to_table(columns=["infohash"]).column(0).to_pylist():
    counts[h] = counts.get(h, 0) + 1
sample = sorted(counts)[:: max(1, len(counts) // 300)]
for h in sample:
    got = con.execute(f"SELECT count(*) FROM read_parquet({files!r}) WHERE infohash = ?", [h]).fetchone()[0]
    assert got == counts[h], (h.hex(), got, counts[h])
print(f"DuckDB finds every row of {len(sample)} info-hashes")
spark.stop()
