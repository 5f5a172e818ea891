"""The kubelet's one Celery task: a hint that the log has grown, sent to the queue that its worker reads.

The kubelet itself lives in that worker: it begins when Celery says that the worker is ready, and ends with it.
"""

from celery import shared_task
from celery.signals import worker_ready, worker_shutting_down

from lab.store import hints

from . import agents
from .subscription import NAME


@worker_ready.connect
def begin(**_: object) -> None:
    agents.start_agents()


@worker_shutting_down.connect
def end(**_: object) -> None:
    agents.stop_agents()


@shared_task(name="lab.kubelet.tasks.catch_up")
def catch_up(cluster: str, subscriber: str = NAME) -> None:
    """Read what is new in the log of `cluster`."""
    hints.taken(cluster, subscriber)
    agents.catch_up(cluster)
