"""A worker: `python -m lab.worker [QUEUES [NAME]]` takes from QUEUES, from all of the lab's unless told otherwise.

What `celery -A lab worker` would be, without Celery's command line: it brings a REPL along that nobody opens here, ten
megabytes of it.
"""

import sys
from typing import TYPE_CHECKING, Any

import django
from django.conf import settings

from .celery import app, lives_in_worker

if TYPE_CHECKING:
    from .parts import Here

QUEUES = f"{settings.CELERY_TASK_DEFAULT_QUEUE},{settings.KUBELET_QUEUE}"
THREADS = 8


def here(queues: str) -> "Here":
    """What says that this process is there: from where it takes, and of which engines it is the kubelet."""
    from .kubelet.tasks import kubelets  # all after Django
    from .parts import Here, note_well
    from .tasks import under_way

    def of_worker() -> dict[str, Any]:
        engines = {name: trouble for each in kubelets for name, trouble in each.engines().items()}
        note_well(name for each in kubelets for name in each.well())
        return {"queues": queues.split(","), "engines": engines, "tasks": under_way()}

    return Here("worker", of_worker)


def main(queues: str = QUEUES, name: str = "worker") -> int:
    """Work until a signal ends it; its exit code. To Celery it is `name@` its host."""
    django.setup()
    lives_in_worker(lambda: here(queues))
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
