"""One of several processes that write to a log at once: `python -m tests.store.writer CLUSTER NAME TIMES`.

It appends pods of its own and, each time, counts a counter that all of them share one up.
"""

import sys

import django

django.setup()

from lab import store  # noqa: E402

from .writes import write  # noqa: E402


def count_up(cluster: str, author: str) -> None:
    """Read, add one, write: again if somebody else was faster."""
    while True:
        counter = store.view(cluster).get("pods", "default", "counter")
        expected = int(counter["metadata"]["resourceVersion"])
        try:
            store.append(cluster, [write("counter", expected, count=counter["count"] + 1)], author)
            return
        except store.Conflict:
            continue


def main(cluster: str, author: str, times: str) -> None:
    for number in range(int(times)):
        store.append(cluster, [write(f"{author}-{number}-a"), write(f"{author}-{number}-b")], author)
        count_up(cluster, author)


if __name__ == "__main__":
    main(*sys.argv[1:])
