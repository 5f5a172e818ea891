"""The loop that turns on Builds: one at a time a cluster is built, then its rollout is watched to its end.

The build runs in a thread of this process (`building.py`), under a hold that runs out by itself. Who finds a Build that
is said to be building, and nobody holding it, knows that its worker was killed: it failed, and nothing was shipped.
"""

import logging
from collections.abc import Iterable

from lab.apimachinery import meta
from lab.apimachinery.kinds import BUILDS, DEPLOYMENTS
from lab.client import Change, Client, Lock
from lab.client.reconcile import Controller

from .building import Building
from .plan import BUILDING, FAILED, KEPT, OVER, ROLLING_OUT, container_of, next_pending, outdated, phase_of, rollout

log = logging.getLogger(__name__)
LOOK_SECONDS = 1.0
ROLLOUT_SECONDS = 0.5


class BuildController(Controller):
    name = "build"
    watches = (BUILDS.resource,)

    def keys(self, change: Change) -> Iterable[str]:
        if not change.deleted:
            yield meta.join_key(change.namespace, change.name)

    def all_keys(self, client: Client) -> Iterable[str]:
        return [meta.key_of(build) for build in client.list(BUILDS)]

    def sync(self, client: Client, key: str) -> float | None:
        build = client.find(BUILDS, *meta.split_key(key))
        if build is None or phase_of(build) in OVER:
            self._tidy(client)
            return None
        if phase_of(build) == ROLLING_OUT:
            return self._watch(client, build)
        lock = Lock(f"{client.view().uid}/building")
        if not lock.acquire():
            return LOOK_SECONDS  # one is being built, perhaps this one
        if phase_of(build) == BUILDING:
            lock.release()
            self._finish(client, build, FAILED, "the worker that built it has gone; nothing was changed")
            return None
        chosen = next_pending(client.list(BUILDS))
        if chosen is None or meta.key_of(chosen) != key:
            lock.release()
            return LOOK_SECONDS
        return self._begin(client, build, lock)

    def _begin(self, client: Client, build: dict, lock: Lock) -> float | None:
        status = {"phase": BUILDING, "startedAt": meta.now(), "message": "the image is being built"}
        try:
            begun = client.update_status(BUILDS, {**build, "status": status})
        except BaseException:
            lock.release()
            raise
        Building(client.cluster, begun, lock).start()
        return LOOK_SECONDS

    def _watch(self, client: Client, build: dict) -> float | None:
        status = build["status"]
        deployment = client.find(DEPLOYMENTS, build["metadata"]["namespace"], build["spec"]["deployment"])
        container = container_of(build, deployment) if deployment else None
        seen = rollout(deployment, (container or {}).get("name", ""), status["image"])
        if seen.phase in OVER:
            self._finish(client, build, seen.phase, seen.message)
            return None
        if seen.message != status.get("message"):
            client.update_status(BUILDS, {**build, "status": {**status, "message": seen.message}})
        return ROLLOUT_SECONDS

    def _finish(self, client: Client, build: dict, phase: str, message: str) -> None:
        over = {"phase": phase, "message": message, "finishedAt": meta.now()}
        client.update_status(BUILDS, {**build, "status": {**build["status"], **over}})

    def _tidy(self, client: Client) -> None:
        old = outdated(client.list(BUILDS))
        if old:
            why = {"decision": "TrimHistory", "of": "builds", "limit": KEPT}
            client.delete_these(BUILDS, old, why=lambda build: why)
