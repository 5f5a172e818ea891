"""The kubelet's one Celery task: a hint that the log has grown, sent to the queue that its worker reads."""

from celery import shared_task

from lab import logs
from lab.celery import lives_in_worker
from lab.store import hints

from .agents import agents_of_environment

kubelets = lives_in_worker(agents_of_environment)


@shared_task(name="lab.kubelet.tasks.catch_up")
def catch_up(work: hints.Work) -> None:
    """Read what is new in the logs of these clusters."""
    hints.taken(work)
    for cluster in work:
        logs.cluster.set(cluster)
        for one in kubelets:
            one.catch_up(cluster)
