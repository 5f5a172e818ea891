"""The proxy's one Celery task: a hint that the log has grown. The agent lives in the worker, beside the kubelet."""

from celery import shared_task
from celery.signals import worker_ready, worker_shutting_down
from django.conf import settings

from lab.store import hints, subscribe

from . import agent
from .watching import wants


def subscribe_proxy() -> None:
    """Called once in every process: from now on its writes poke the proxy where they concern it."""
    subscribe(agent.NAME, "lab.proxy.tasks.catch_up", settings.KUBELET_QUEUE, wants)


@worker_ready.connect
def begin(**_: object) -> None:
    agent.start_agent()


@worker_shutting_down.connect
def end(**_: object) -> None:
    agent.stop_agent()


@shared_task(name="lab.proxy.tasks.catch_up")
def catch_up(cluster: str, subscriber: str = agent.NAME) -> None:
    """Read what is new in the log of `cluster`."""
    hints.taken(cluster, subscriber)
    agent.catch_up(cluster)
