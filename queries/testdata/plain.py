"""Runs queries in Python's DuckDB with nothing but the SQL that boon connect prints."""

import datetime
import json
import sys

import duckdb


def plain(value):
    if isinstance(value, datetime.datetime):
        text = value.astimezone(datetime.timezone.utc).strftime("%Y-%m-%dT%H:%M:%S.%f")
        return text.rstrip("0").rstrip(".") + "Z"
    if isinstance(value, datetime.date):
        return value.isoformat()
    return value


def main():
    with open(sys.argv[1], encoding="utf-8") as f:
        job = json.load(f)
    answers = {}
    for name, task in job["tasks"].items():
        db = duckdb.connect()
        db.execute(job["init"])
        for variable, value in task["set"].items():
            db.execute(f"SET VARIABLE {variable} = '{value}'")
        result = db.execute(task["sql"])
        columns = [c[0] for c in result.description]
        answers[name] = "".join(
            json.dumps(dict(zip(columns, map(plain, row)))) + "\n" for row in result.fetchall()
        )
    json.dump(answers, sys.stdout)


main()
