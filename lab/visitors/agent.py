"""The agent: Visitors objects of all clusters become the program's orders, and what it counts becomes figures.

As a kubelet is for containers. While nobody visits it looks now and then, and that is all.
"""

import logging
import os
import time
from collections.abc import Iterator
from pathlib import Path

from django.conf import settings

from lab import metrics
from lab.apimachinery.errors import ApiError
from lab.apimachinery.kinds import SERVICES, VISITORS
from lab.client import Change, Client, Put, Standby, cluster_names

from .control import ask
from .hosts import host_of, service_and_port
from .status import is_active, new_status

log = logging.getLogger(__name__)
NAME = "visitors"
TICK_SECONDS = 1.0
LOOK_SECONDS = 5.0  # only a backstop: of a change the follower says
# For so long after the last visitor figures are published still: until the minute that is drawn of them has run out.
FADE_SECONDS = 65.0
WORTH_SAYING = 5  # it is started again within a second, as its supervisor says, or the lab is being stopped


class Agent(Standby):
    """When it stops, the program goes on with its orders."""

    def __init__(self, data: Path):
        super().__init__(NAME)
        self._data = data
        self._clients: dict[str, Client] = {}
        self._applied: tuple = ()  # (the program's epoch, its orders): what it was told last
        self._active_until = 0.0
        self._settled: set | None = None  # the objects when all was said and done, and nobody visiting
        self._silences = 0  # how often in a row the program did not answer

    def wants(self, change: Change) -> bool:
        """Visitors, and the Services that they visit. What the agent wrote itself it knows."""
        return change.resource in (VISITORS.resource, SERVICES.resource) and change.author != NAME

    def turn(self) -> float:
        visitors = {cluster: self._client(cluster).list(VISITORS) for cluster in cluster_names()}
        now = time.monotonic()
        if any(is_active(one["spec"]) for _, one in _each(visitors)):
            self._active_until = now + FADE_SECONDS
        state = {(cluster, _key(one), one["metadata"]["resourceVersion"]) for cluster, one in _each(visitors)}
        if state == self._settled:
            return LOOK_SECONDS
        self._settled = None
        if not self.lock.acquire():
            self._applied = ()  # whoever has it may give other orders
            return TICK_SECONDS
        seen = self._follow(visitors)
        for cluster, objects in visitors.items():
            self._report(cluster, objects, seen)
        if seen is not None and now > self._active_until:
            self._settled = state
            self.lock.release()
        return TICK_SECONDS

    def _client(self, cluster: str) -> Client:
        if cluster not in self._clients:
            self._clients[cluster] = Client(cluster, NAME, fence=self.lock.fence)
        return self._clients[cluster]

    def _follow(self, visitors: dict[str, list[dict]]) -> dict[str, dict] | None:
        """Give the program its orders, if it has not got them; its counters, or None while it is away."""
        orders = {f"{cluster}/{_key(one)}": self._order(cluster, one) for cluster, one in _each(visitors)}
        try:
            told = ask(self._data, {"do": "counters"})
            if self._applied != (told["epoch"], orders):
                ask(self._data, {"do": "apply", "visitors": orders})
                self._applied = (told["epoch"], orders)
                told = ask(self._data, {"do": "counters"})
        except OSError as error:
            self._silences += 1
            if self._silences == WORTH_SAYING:
                log.warning("the load generator does not answer: %s", error)
            return None
        except RuntimeError as error:
            log.warning("the load generator refuses: %s", error)
            return None
        self._silences = 0
        return told["visitors"]

    def _order(self, cluster: str, visitors: dict) -> dict:
        host = host_of(cluster, visitors, self._service_of(cluster, visitors))
        return {**visitors["spec"], "host": host, "uid": visitors["metadata"]["uid"]}

    def _service_of(self, cluster: str, visitors: dict) -> dict | None:
        name = service_and_port(visitors)[0]
        return self._client(cluster).find(SERVICES, visitors["metadata"]["namespace"], name)

    def _report(self, cluster: str, objects: list[dict], seen: dict[str, dict] | None) -> None:
        client, changed = self._client(cluster), []
        for one in objects:
            figures = None if seen is None else seen.get(f"{cluster}/{_key(one)}")
            status = new_status(one, self._service_of(cluster, one), figures)
            if status != one.get("status"):
                # What is asked of them since is why; the rest is found by looking again.
                is_new = one.get("status", {}).get("observedGeneration") != status["observedGeneration"]
                cause = int(one["metadata"]["resourceVersion"]) if is_new else None
                changed.append(Put(VISITORS, {**one, "status": status}, subresource="status", cause=cause))
        if objects and seen is not None:
            figures = {_key(one): seen[key] for one in objects if (key := f"{cluster}/{_key(one)}") in seen}
            metrics.publish(cluster, metrics.VISITORS, NAME, figures)
        if changed:
            _write(client, changed)


def _write(client: Client, changed: list[Put]) -> None:
    """All at once; where one of them cannot be written, one by one. What fails, the next round tries again: changed by
    somebody meanwhile, no control plane, or as large as a stranger's may be."""
    try:
        client.write(changed)
    except ApiError as error:
        if len(changed) > 1 and error.code != 503:
            for put in changed:
                _write(client, [put])
        elif error.code not in (404, 409, 503):
            log.info("%s of %s: %s", _key(changed[0].object), client.cluster, error.message)


def agent_of_environment() -> Agent | None:
    """Where there is a front door."""
    return Agent(settings.DATA_DIR) if settings.STANDBY and os.environ.get("ORRERY_FRONT_DOOR") else None


def _each(visitors: dict[str, list[dict]]) -> Iterator[tuple[str, dict]]:
    return ((cluster, one) for cluster, objects in visitors.items() for one in objects)


def _key(visitors: dict) -> str:
    return f"{visitors['metadata']['namespace']}/{visitors['metadata']['name']}"
