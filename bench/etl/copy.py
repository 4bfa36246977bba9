"""DuckDB's COPY of raw segments, or of Parquet files, to Parquet: copy.py FILES OUT ORDER.

The columns are those that the table queries is made from, without the asker's
id and ports, which Boon does not keep. Hashes become bytes, which is the
smallest DuckDB can do; places are not looked up. ORDER is none, or columns.
"""

import sys

import duckdb

files, out, order = sys.argv[1:]
con = duckdb.connect()
con.sql("SET threads = 2")
con.sql("SET TimeZone = 'UTC'")
con.sql("SET memory_limit = '8GB'")
con.sql("SET preserve_insertion_order = false")
RAW = f"""
  SELECT make_timestamp(t) AS ts, type AS kind, unhex(our_id) AS our_id, unhex(coalesce(infohash, target)) AS infohash,
         their_ip, version_hex, implied_port, seed, ro, name, token_valid
  FROM read_json('{files}', format = 'newline_delimited', compression = 'zstd', columns = {{
    type: 'VARCHAR', t: 'BIGINT', our_id: 'VARCHAR', infohash: 'VARCHAR', target: 'VARCHAR', their_ip: 'VARCHAR',
    version_hex: 'VARCHAR', implied_port: 'BOOLEAN', seed: 'BOOLEAN', ro: 'BOOLEAN', name: 'VARCHAR', token_valid: 'BOOLEAN'}})
  WHERE type IN ('get_peers', 'announce_peer', 'find_node', 'sample_infohashes')"""
PARQUET = f"SELECT * FROM read_parquet('{files}', hive_partitioning = false)"
select = PARQUET if files.endswith(".parquet") else RAW
con.sql(f"""
COPY ({select} {"" if order == "none" else "ORDER BY " + order})
TO '{out}' (FORMAT parquet, COMPRESSION zstd)
""")
print(con.sql(f"SELECT count(*) FROM '{out}'").fetchone()[0])
