"""Times each question of `boon query` on a large day, and rankings over a month.

run.py BOON DIR EVENTS: the Makefile's bench-queries. The day is the synthetic one of bench-etl,
made where it is not there; the month is made from it (month.py). Each question is a process of
its own, whose times the system counts; the best of three counts.
"""

import json
import os
import subprocess
import sys
import time

boon, root, events = sys.argv[1], sys.argv[2], int(sys.argv[3])


def run(*args):
    """Runs boon and returns its output, CPU seconds, seconds and MiB."""
    began = time.time()
    child = subprocess.Popen([boon, *args], stdout=subprocess.PIPE)
    out = child.stdout.read()
    _, status, used = os.wait4(child.pid, 0)
    child.returncode = os.waitstatus_to_exitcode(status)
    if child.returncode != 0:
        sys.exit(f"boon {' '.join(args)} failed")
    return out.decode(), used.ru_utime + used.ru_stime, time.time() - began, used.ru_maxrss >> 10


def day_lake():
    lake = f"{root}/day-{events}"
    if not os.path.exists(f"{lake}/synth/truth.json"):
        run("synth", "--lake", lake, "--events", str(events), "--seed", "3")
    run("etl", "--lake", lake)
    return lake


def month_lake(lake):
    month = f"{root}/month-{events}"
    if not os.path.exists(f"{month}/done"):
        subprocess.run([sys.executable, f"{os.path.dirname(__file__)}/month.py", lake, month], check=True)
    return month


def measure(what, *args):
    cpu, wall, memory = min((run("query", *args)[1:] for _ in range(3)), key=lambda r: r[0])
    print(f"| {what} | {cpu:.2f} | {wall:.2f} | {memory} |", flush=True)


def main():
    lake = day_lake()
    month = month_lake(lake)
    names = [line for line in run("query", "--list")[0].splitlines() if line and line[0] != " "]
    top = json.loads(run("query", "rankings", "--lake", lake, "--param", "top=1", "--format", "json")[0])["infohash"]
    needs = {"torrent": ["--param", f"infohash={top}"], "recall": ["--param", f"infohashes={top}"]}
    print("| boon query | CPU s | s | MiB |\n|---|--:|--:|--:|")
    for name in names:
        measure(name, name, "--lake", lake, *needs.get(name, []))
    measure("rankings, 30 days", "rankings", "--lake", month)


main()
