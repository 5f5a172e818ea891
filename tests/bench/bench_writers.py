"""Threads and processes that write all the time: SQLite with the lab's queue before it, and Django's as it comes.

    python -m tests.bench.bench_writers [--seconds 6] [--rounds 3]

Eight threads of one process, as a worker's, and two of another, as a web server's, each with a transaction that thinks
for a moment, as a batch of the log does. In turns, on one file; told: transactions a second, and how long each took.
"""

import argparse
import json
import random
import statistics
import subprocess
import sys
import tempfile
import threading
import time
from pathlib import Path

import django
from django.conf import settings

ENGINES = {"as it comes": "django.db.backends.sqlite3", "with a queue": "lab.sqlite"}
PROCESSES = {"worker": (8, 0.01), "web": (2, 0.05)}  # threads, seconds of rest between two transactions at most
WITHIN, BETWEEN = 40_000, 30_000  # additions: about a millisecond of Python
ROWS, BYTES = 3, 500


def main(seconds: float, rounds: int) -> None:
    found: dict[tuple[str, str], list[list[float]]] = {}
    for _ in range(rounds):
        for name, engine in ENGINES.items():
            for process, took in measured(engine, seconds).items():
                found.setdefault((process, name), []).append(took)
    print(f"{'':22}{'a second':>10}{'p50 ms':>9}{'p95':>9}{'p99':>9}{'most':>9}")
    for process in PROCESSES:
        rows = {name: figures(found[process, name], seconds) for name in ENGINES}
        for name, row in rows.items():
            print(f"{process + ' ' + name:22}{row[0]:10.0f}" + "".join(f"{each * 1000:9.1f}" for each in row[1:]))
        ratios = (new / old for old, new in zip(*rows.values(), strict=True))
        print(
            f"{process + ', ratio':22}" + "".join(f"{each:>{10 if n == 0 else 9}.2f}" for n, each in enumerate(ratios))
        )


def measured(engine: str, seconds: float) -> dict[str, list[float]]:
    """process → seconds of each transaction."""
    with tempfile.TemporaryDirectory() as folder:
        path = str(Path(folder) / "db.sqlite3")
        begin = [sys.executable, "-m", "tests.bench.bench_writers", "--engine", engine, "--path", path]
        subprocess.run([*begin, "--process", "tables"], check=True)
        started = {
            each: subprocess.Popen(
                [*begin, "--process", each, "--seconds", str(seconds)], stdout=subprocess.PIPE, text=True
            )
            for each in PROCESSES
        }
        return {each: json.loads(process.communicate()[0]) for each, process in started.items()}


def figures(rounds: list[list[float]], seconds: float) -> list[float]:
    every = sorted(took for one in rounds for took in one)
    hundredths = statistics.quantiles(every, n=100)
    return [len(every) / len(rounds) / seconds, hundredths[49], hundredths[94], hundredths[98], every[-1]]


def process(engine: str, path: str, which: str, seconds: float) -> None:
    """One of those that write: what it measured, as JSON."""
    options = {"transaction_mode": "IMMEDIATE", "timeout": 30, "init_command": "PRAGMA journal_mode=WAL"}
    settings.configure(DATABASES={"default": {"ENGINE": engine, "NAME": path, "OPTIONS": options}})
    django.setup()
    from django.db import connection

    if which == "tables":
        with connection.cursor() as cursor:
            cursor.execute("CREATE TABLE head (id INTEGER PRIMARY KEY, revision INTEGER)")
            cursor.execute("CREATE TABLE log (id INTEGER PRIMARY KEY, object BLOB)")
            cursor.execute("INSERT INTO head VALUES (1, 0)")
        return
    count, rest = PROCESSES[which]
    took: list[float] = []
    until = time.monotonic() + seconds
    threads = [threading.Thread(target=write, args=(until, rest, took)) for _ in range(count)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    print(json.dumps(took))


def write(until: float, rest: float, took: list[float]) -> None:
    from django.db import connection, transaction

    while time.monotonic() < until:
        time.sleep(random.random() * rest)
        sum(range(BETWEEN))
        begun = time.perf_counter()
        with transaction.atomic(), connection.cursor() as cursor:
            cursor.execute("SELECT revision FROM head WHERE id = 1").fetchone()
            sum(range(WITHIN))
            cursor.executemany("INSERT INTO log (object) VALUES (%s)", [(b"x" * BYTES,)] * ROWS)
            cursor.execute("UPDATE head SET revision = revision + 1 WHERE id = 1")
        took.append(time.perf_counter() - begun)


if __name__ == "__main__":
    words = argparse.ArgumentParser(description="Threads and processes that write all the time.")
    words.add_argument("--seconds", type=float, default=6.0)
    words.add_argument("--rounds", type=int, default=3)
    for hidden in ("--engine", "--path", "--process"):
        words.add_argument(hidden, help=argparse.SUPPRESS)
    given = words.parse_args()
    if given.engine:
        process(given.engine, given.path, given.process, given.seconds)
    else:
        main(given.seconds, given.rounds)
