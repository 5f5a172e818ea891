"""No task here: the visitors' agent lives in a worker, where there is a front door to go through."""

import os

from celery.signals import worker_ready, worker_shutting_down
from django.conf import settings

from .agent import Agent

_agents: list[Agent] = []


@worker_ready.connect
def begin(**_: object) -> None:
    if os.environ.get("ORRERY_FRONT_DOOR") and not _agents:
        _agents.append(Agent(settings.DATA_DIR))
        _agents[0].start()


@worker_shutting_down.connect
def end(**_: object) -> None:
    while _agents:
        _agents.pop().stop()
