"""The visitors' one Celery task: a hint that their agent has something to do.

The agent lives in the worker, as a kubelet does, where there is a front door to go through.
"""

import os

from celery import shared_task
from celery.signals import worker_ready, worker_shutting_down
from django.conf import settings

from lab.store import Change, hints, subscribe

from .agent import NAME, Agent

_agents: list[Agent] = []


def wants(change: Change) -> bool:
    """Visitors, and the Services that they visit. What the agent wrote itself it knows."""
    return change.resource in ("visitors.orrery.io", "services") and change.author != NAME


def subscribe_visitors() -> None:
    """Called once in every process: from now on its writes poke the agent where they concern it."""
    subscribe(NAME, "lab.visitors.tasks.catch_up", settings.CELERY_TASK_DEFAULT_QUEUE, wants)


@worker_ready.connect
def begin(**_: object) -> None:
    if os.environ.get("ORRERY_FRONT_DOOR") and not _agents:
        _agents.append(Agent(settings.DATA_DIR))
        _agents[0].start()


@worker_shutting_down.connect
def end(**_: object) -> None:
    while _agents:
        _agents.pop().stop()


@shared_task(name="lab.visitors.tasks.catch_up")
def catch_up(cluster: str, subscriber: str = NAME) -> None:
    """The agent of this process, if it is here, looks at once."""
    hints.taken(cluster, subscriber)
    for agent in _agents:
        agent.wake()
