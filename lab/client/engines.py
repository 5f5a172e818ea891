"""The Docker engines of a lab, where there are several: which of them a new cluster gets, and what becomes of the
clusters of one that is lost.

A new cluster gets one engine for all its nodes; a node is brought to another by its label. Kubernetes has no such
thing: a node that is lost stays lost there, and what ran on it starts on others. Here the machines are the lab's own
drawing; what they need is an engine, and any will do.
"""

import logging
import time
from collections import Counter

import redis
from django.conf import settings

from lab import parts
from lab.apimachinery.engines import DOCKER, engine_of, kind_of, name_of
from lab.apimachinery.errors import ApiError
from lab.apimachinery.kinds import NODES, PERSISTENTVOLUMES
from lab.apimachinery.labels import ENGINE_LABEL
from lab.apimachinery.volumes import MADE, annotation

from .client import Client, Put, cluster_names

log = logging.getLogger(__name__)
AUTHOR = "engine-controller"
GONE = "engine {engine} is lost, and with it what was written on this volume; it is made anew, empty, on {to}"

_began = time.monotonic()


def well() -> list[str]:
    """The Docker engines that answer, `docker` and `docker.NAME`. Raises RedisError."""
    return sorted(_well())


def _well() -> dict[str, parts.Well]:
    """One that answered in times to come has not done so since the broker's clock was set back."""
    known = parts.last_well().items()
    return {name: one for name, one in known if abs(one.ago) < parts.LOST_SECONDS and kind_of(name) == DOCKER}


def engines_of(client: Client) -> set[str]:
    """The Docker engines that the cluster's nodes stand on; none of one that has just been deleted."""
    try:
        nodes = client.list(NODES)
    except ApiError:
        return set()
    return {engine for node in nodes if kind_of(engine := engine_of(node)) == DOCKER}


def emptiest(engines: list[str]) -> str:
    """That on which the fewest clusters have nodes; the first of several."""
    load = Counter(engine for cluster in cluster_names() for engine in engines_of(Client(cluster, AUTHOR)))
    return min(engines, key=lambda engine: (load[engine], engine))


def choice() -> list[str]:
    """The engines over which clusters are spread; none where there is no choice, or nobody knows of one."""
    try:
        there = well() if settings.RUNTIME == DOCKER else []
    except redis.RedisError:
        return []
    return there if len(there) > 1 else []


def engine_for_one_more() -> str:
    """On which engine the next cluster should stand; "" without a choice."""
    return emptiest(there) if (there := choice()) else ""


def rescue() -> list[tuple[str, str, str]]:
    """Have the nodes on lost engines built anew on those that are well, where the cluster has nodes already, if it has;
    (cluster, from, to) of each that was not there yet. Raises RedisError."""
    there = _well()
    # Who has just begun has not heard everybody; nor has a broker that has, or a lab whose machine stood still: then
    # the first engine that is heard of again says nothing against the others.
    steady = max((one.steady for one in there.values()), default=0.0)
    if min(steady, time.monotonic() - _began) < parts.LOST_SECONDS:
        return []
    moved = []
    for cluster in cluster_names():
        client = Client(cluster, AUTHOR, hardware=True)
        stands_on = engines_of(client)
        for lost in sorted(stands_on - set(there)):
            to = emptiest([engine for engine in there if engine in stands_on] or list(there))
            try:
                move(client, lost, to)
            except ApiError as error:  # somebody has written the same node; the next look does what is left
                log.info("%s is not moved to %s yet: %s", cluster, to, error.message)
            moved.append((cluster, lost, to))
    return moved


def move(client: Client, lost: str, to: str) -> None:
    """Say of all nodes of an engine that they stand on another. Its kubelet then finds nodes with pods that nobody has
    started, and starts them; the old one, should it come back, finds containers that nobody wants."""
    client.write([_moved(node, lost, to) for node in client.list(NODES) if engine_of(node) == lost])
    for volume in client.list(PERSISTENTVOLUMES):
        if engine_of(volume) == lost:
            _begin_anew(client, volume, lost, to)


def _moved(node: dict, lost: str, to: str) -> Put:
    labels = {**node["metadata"]["labels"], ENGINE_LABEL: name_of(to)}
    why = {"decision": "MoveNode", "engine": to, "fault": {"reason": "EngineLost", "engine": lost}}
    return Put(NODES, {**node, "metadata": {**node["metadata"], "labels": labels}}, why=why)


def _begin_anew(client: Client, volume: dict, lost: str, to: str) -> None:
    patch = {"metadata": {"labels": {ENGINE_LABEL: name_of(to)}, "annotations": {MADE: None}}}
    client.patch(PERSISTENTVOLUMES, "", volume["metadata"]["name"], patch)
    if annotation(volume, MADE):
        client.event(volume, "Warning", "VolumeLost", GONE.format(engine=lost, to=to))
