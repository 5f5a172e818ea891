"""No task here: the agent lives in the kubelet's worker, begins and ends with it, and follows the log by itself."""

from celery.signals import worker_ready, worker_shutting_down

from . import agent


@worker_ready.connect
def begin(**_: object) -> None:
    agent.start_agent()


@worker_shutting_down.connect
def end(**_: object) -> None:
    agent.stop_agent()
