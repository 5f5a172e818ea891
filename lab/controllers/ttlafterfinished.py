"""The TTL controller: a Job that is over goes after `ttlSecondsAfterFinished`, and its pods with it.

Source: k8s.io/kubernetes/pkg/controller/ttlafterfinished.
"""

import time
from collections.abc import Iterable

from lab.apimachinery.jobs import finished_as, finished_at
from lab.apimachinery.kinds import JOBS
from lab.apimachinery.meta import is_deleting, key_of
from lab.client import Change, Client

from .objects import ObjectController


class TTLAfterFinishedController(ObjectController):
    """Keys are Jobs that are over and say how long they want to stay."""

    name = "ttlafterfinished"
    author = "ttl-after-finished-controller"
    kind = JOBS
    watches = (JOBS.resource,)

    def keys(self, change: Change) -> Iterable[str]:
        return (key_of(change.object),) if not change.deleted and _expires(change.object) else ()

    def converge(self, client: Client, job: dict) -> float | None:
        if not _expires(job):
            return None
        ttl = job["spec"]["ttlSecondsAfterFinished"]
        # One that ended in a time to come only says that the clock has stepped back.
        left = min(finished_at(job) + ttl - time.time(), ttl)
        if left > 0:
            return left
        meta = job["metadata"]
        why = {"decision": "Expire", "of": "ttlSecondsAfterFinished", "seconds": ttl}
        client.delete(JOBS, meta["namespace"], meta["name"], propagation="Foreground", uid=meta["uid"], why=why)
        return None


def _expires(job: dict) -> bool:
    return job["spec"].get("ttlSecondsAfterFinished") is not None and bool(finished_as(job)) and not is_deleting(job)
