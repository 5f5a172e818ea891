"""The first request of a pod's life, noted on the pod in the condition `orrery.io/Served`: the end of the thread that
began with a click.

Kubernetes has nothing like it. It costs one write a pod, those of a second together, and none while nobody is new.
"""

import datetime
import logging
import time
from collections.abc import Iterable
from typing import NamedTuple

from lab.apimachinery.errors import ApiError
from lab.apimachinery.kinds import PODS
from lab.apimachinery.labels import SERVED
from lab.apimachinery.meta import is_true, with_condition
from lab.client import Client, Put

log = logging.getLogger(__name__)


class LetIn(NamedTuple):
    """A pod that may be asked, and the revision of the EndpointSlice that was the first to say so."""

    namespace: str
    name: str
    revision: int


class Served:
    """`see` is told of all slices whenever they change, `settle` of those that have been asked by now."""

    def __init__(self) -> None:
        self._let_in: dict[str, dict[str, LetIn]] = {}  # cluster → pod's uid →
        self._done: dict[str, set[str]] = {}  # cluster → uids of the pods of which nothing is to be said any more
        self._looked: dict[str, float] = {}  # cluster → when its counters were looked at last; epoch

    def see(self, cluster: str, slices: Iterable[dict]) -> None:
        before, now = self._let_in.get(cluster, {}), {}
        for one in slices:
            for endpoint in one.get("endpoints") or ():
                ref = endpoint.get("targetRef") or {}
                if ref.get("kind") == PODS.kind and (endpoint.get("conditions") or {}).get("ready") is not False:
                    new = LetIn(ref["namespace"], ref["name"], int(one["metadata"]["resourceVersion"]))
                    now[ref["uid"]] = before.get(ref["uid"], new)
        self._let_in[cluster] = now
        self._done[cluster] = self._done.get(cluster, set()) & now.keys()

    def settle(self, client: Client, asked: set[str]) -> None:
        """Write it of those that are new among the `asked`; what is refused, next time."""
        cluster, now = client.cluster, time.time()
        since, self._looked[cluster] = self._looked.get(cluster), now
        let_in, done = self._let_in.get(cluster, {}), self._done.get(cluster, set())
        new = [uid for uid in asked - done if uid in let_in]
        if not new:
            return
        view, puts = client.view(), []
        for uid in new:
            place = let_in[uid]
            pod = view.get(PODS.resource, place.namespace, place.name)
            if pod and pod["metadata"]["uid"] == uid and not is_true(pod, SERVED):
                puts.append(Put(PODS, _served(pod, since, now), "status", cause=place.revision))
        try:
            client.write(puts)
            done.update(new)
        except ApiError as error:
            log.info("who was asked first in %s is not said: %s", cluster, error.message)


def _served(pod: dict, since: float | None, now: float) -> dict:
    status = pod.get("status", {})
    when = f"after {_clock(since)} and before {_clock(now)}" if since else f"before {_clock(now)}"
    words = f"asked for the first time {when}, as the data planes count"
    conditions = with_condition(status.get("conditions") or [], SERVED, "True", "FirstRequest", words)
    return {**pod, "status": {**status, "conditions": conditions}}


def _clock(seconds: float) -> str:
    return datetime.datetime.fromtimestamp(seconds, datetime.UTC).strftime("%H:%M:%S.%f")[:-3]
