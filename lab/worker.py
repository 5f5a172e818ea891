"""A worker: `python -m lab.worker [QUEUES [NAME]]` takes from QUEUES, from all of the lab's unless told otherwise.

What `celery -A lab worker` would be, without Celery's command line: it brings a REPL along that nobody opens here, ten
megabytes of it.
"""

import sys

from django.conf import settings

from .celery import app

QUEUES = f"{settings.CELERY_TASK_DEFAULT_QUEUE},{settings.KUBELET_QUEUE}"
THREADS = 8


def main(queues: str = QUEUES, name: str = "celery") -> int:
    """Work until a signal ends it; its exit code. To Celery it is `name@` its host."""
    worker = app.Worker(
        queues=queues.split(","),
        hostname=f"{name}@",
        pool="threads",
        concurrency=THREADS,
        # Workers need not know of one another: the log and its holds say all that matters.
        without_gossip=True,
        without_mingle=True,
        without_heartbeat=True,
        quiet=True,
    )
    worker.start()
    return worker.exitcode or 0


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:]))
