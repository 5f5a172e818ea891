"""No task here: the tutor lives in a worker."""

from django.conf import settings

from lab.celery import app, lives_in_worker

from .tutor import Tutor


def tutor_of_worker() -> Tutor | None:
    """Beside the control plane: one that is a kubelet and nothing else stands where it may not reach the API's port,
    at which a step is done with kubectl."""
    is_there = settings.CELERY_TASK_DEFAULT_QUEUE in app.amqp.queues.consume_from
    return Tutor() if settings.STANDBY and is_there else None


lives_in_worker(tutor_of_worker)
