#!/usr/bin/env python3
"""Makes a day's tables with Spark: each shard of the plan is a task.

    spark-submit deploy/spark/etl.py --lake s3://bucket/boon --day 2026-11-22 --shards 16

Every worker needs the program boon and what it needs to reach the lake (AWS_…
variables, a role). Spark only hands out the work: a task pipes its shard's
number to boon, which reads and writes the lake by itself. A task that fails is
tried again by Spark, which does no harm; nothing is committed before all are done.
"""

import argparse
import os
import shlex
import subprocess

from pyspark.sql import SparkSession


def main():
    p = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    p.add_argument("--lake", required=True)
    p.add_argument("--day", required=True)
    p.add_argument("--shards", type=int, required=True)
    p.add_argument("--boon", default="boon", help="the program, as the workers find it")
    p.add_argument("flags", nargs="*", help="flags for boon etl, after --")
    a = p.parse_args()
    flags = ["--lake", a.lake, "--day", a.day, *a.flags]
    if "nothing to do" in boon(a, "plan", "--shards", str(a.shards), *flags):
        return
    spark = SparkSession.builder.appName(f"boon etl {a.day}").getOrCreate()
    shard = f'read i && exec {shlex.quote(a.boon)} etl shard "$i/{a.shards}" {shlex.join(flags)}'
    # AWS_… and the like reach tasks that run on this machine; workers have their own.
    env = {k: v for k, v in os.environ.items() if k.startswith(("AWS_", "BOON_", "PATH", "HOME", "TMPDIR"))}
    numbers = spark.sparkContext.parallelize([str(i) for i in range(a.shards)], a.shards)
    for line in numbers.pipe(f"sh -c {shlex.quote(shard)}", env=env, checkCode=True).collect():
        print(line)
    spark.stop()
    boon(a, "commit", *flags)


def boon(a, step, *args):
    """Runs a step here and prints what it says."""
    out = subprocess.run([a.boon, "etl", step, *args], check=True, stdout=subprocess.PIPE, text=True).stdout
    print(out, end="", flush=True)
    return out


main()
