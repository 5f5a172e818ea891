"""A class comes in: so many within ten seconds, each until their board works, with clusters made ahead and without.

    python -m tests.bench.bench_join [learners] [runtime]

Timed is from the address being opened until code and nickname are sent, the board's page has come, and every machine of
their cluster is Ready. Between the two classes the first is deleted, so each has the engine to itself.
"""

import json
import sys
import tempfile
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from tests.flow.room import ROOM, Browser, made, root_of, teacher_of
from tests.labs import LabUnderTest, is_ready, wait_until

from .measure import Row, p95

LESSON = "10-desired-state"
WITHIN_SECONDS, MOST_SECONDS = 10.0, 3.0
LOOK_SECONDS = 0.1


def main(learners: str = "30", runtime: str = "docker") -> None:
    with tempfile.TemporaryDirectory(prefix="orrery-bench-") as folder:
        lab = LabUnderTest(Path(folder) / "data", runtime, *ROOM)
        try:
            lab.start()
            compare(teacher_of(lab), root_of(lab), int(learners))
        finally:
            lab.clean_up()


def compare(teacher: Browser, root: str, learners: int) -> None:
    samples = {}
    for ahead in (False, True):
        code = made(teacher, LESSON, learners)
        if ahead:
            print(f"{learners} clusters made ahead, every machine Ready, after {warm(teacher, code, learners):.0f} s")
        samples[ahead] = class_comes(root, code, learners)
        teacher.post(f"staff/workshops/{code}/delete", at=f"staff/workshops/{code}/")
    print(Row(f"{learners} join within {WITHIN_SECONDS:.0f} s, each cluster made then", samples[False]))
    print(Row("the same, made ahead", samples[True], samples[False]))
    verdict = "kept" if p95(samples[True]) <= MOST_SECONDS else "MISSED"
    print(f"made ahead, p95 until the board works: at most {MOST_SECONDS:.0f} s: {verdict}")


def warm(teacher: Browser, code: str, learners: int) -> float:
    began, path = time.monotonic(), f"staff/workshops/{code}/"
    teacher.post(f"{path}warm", at=path)
    wait_until("the clusters", lambda: f"{learners} of {learners} clusters" in teacher.get(path), 300, 0.5)
    for number in range(1, learners + 1):
        wait_until("its machines", lambda number=number: works(teacher, f"{code.lower()}-{number}"), 300, 0.5)
    return time.monotonic() - began


def class_comes(root: str, code: str, learners: int) -> list[float]:
    start = time.monotonic()

    def come(number: int) -> float:
        time.sleep(max(0.0, start + number * WITHIN_SECONDS / learners - time.monotonic()))
        began, browser = time.monotonic(), Browser(root)
        page = browser.post("join", code=code, nickname=f"Learner {number}")
        cluster = page.partition("The cluster ")[2].partition(" ")[0]
        browser.get(f"clusters/{cluster}/")
        wait_until("the machines", lambda: works(browser, cluster), 120, LOOK_SECONDS)
        return time.monotonic() - began

    with ThreadPoolExecutor(learners) as threads:
        return list(threads.map(come, range(learners)))


def works(browser: Browser, cluster: str) -> bool:
    nodes = json.loads(browser.get(f"clusters/{cluster}/api/v1/nodes"))["items"]
    return bool(nodes) and all(map(is_ready, nodes))


if __name__ == "__main__":
    main(*sys.argv[1:])
