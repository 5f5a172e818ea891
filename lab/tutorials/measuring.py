"""This machine, in figures: what a container costs here, as the log and the kubelets have it. Nothing is quoted.

Readings of the kind `machine`, of `FACTS`: `machine containers.startMs`. How long a start took, its kubelet noted with
each call of the engine (`SyncPod`, `did`); what a container uses, it publishes.
"""

import os
from collections.abc import Callable, Iterable
from statistics import median

from lab import demos, metrics
from lab.apimachinery.kinds import NODES, PODS
from lab.apimachinery.labels import RUNTIME_LABEL
from lab.client import Client
from lab.client.images import images

MEASURED = "orrery/hello"  # the program that is measured: a small web server
MOST_PODS = 12
MIB, GIB = 1 << 20, 1 << 30
CONTAINER_CALLS = ("CreateContainer", "StartContainer")


def read_machine(client: Client, fact: str) -> float | str | None:
    """One of `FACTS`; None while there is nothing to measure it by. Raises ValueError for another word."""
    if fact not in FACTS:
        raise ValueError(f'"{fact}" cannot be read of the machine; there are {", ".join(FACTS)}')
    return FACTS[fact](client)


def _start_ms(client: Client) -> float | None:
    """Creating and starting one container, as the engine was called for it: the median of the newest pods."""
    return _median(sum(each["seconds"] for each in calls) * 1000 for calls in _starts(client))


def _pod_ms(client: Client) -> float | None:
    """The same with its pod's network, from the first call to the end of the last."""
    whole = (calls for calls in _starts(client, ("RunPodSandbox", *CONTAINER_CALLS)) if len(calls) > 2)
    return _median((calls[-1]["at"] + calls[-1]["seconds"] - calls[0]["at"]) * 1000 for calls in whole)


def _starts(client: Client, calls: tuple[str, ...] = CONTAINER_CALLS) -> list[list[dict]]:
    """Of each pod of the measured program, the engine's calls of its first start."""
    found = []
    for pod in _measured(client)[-MOST_PODS:]:
        rows = client.history(PODS, pod["metadata"]["namespace"], pod["metadata"]["name"], decided=True)
        did = [row["why"]["did"] for row in rows if (row["why"] or {}).get("did")]
        first = [call for call in (did[-1] if did else ()) if call["call"] in calls]
        if len(first) >= len(CONTAINER_CALLS):
            found.append(first)
    return found


def _memory_mib(client: Client) -> float | None:
    used = metrics.read(client.cluster, metrics.POD_USAGE)
    figures = (used[pod["metadata"]["uid"]] for pod in _measured(client) if pod["metadata"]["uid"] in used)
    return _median(each["memoryBytes"] / MIB for each in figures)


def _measured(client: Client) -> list[dict]:
    """Its pods of one container, the oldest first."""
    pods = [pod for pod in client.list(PODS) if len(pod["spec"]["containers"]) == 1]
    mine = [pod for pod in pods if pod["spec"]["containers"][0]["image"].startswith(f"{MEASURED}:")]
    return sorted(mine, key=lambda pod: pod["metadata"]["creationTimestamp"])


def _image_mib(client: Client) -> float | None:
    return _median(image["size"] / MIB for image in _images(client))


def _shared_mib(client: Client) -> float | None:
    """Of an image, what it has in common with all others of the lab's, and lies on the disk once."""
    layers = [{(layer["madeBy"], layer["size"]) for layer in image["layers"]} for image in _images(client)]
    return round(sum(size for _, size in set.intersection(*layers)) / MIB, 1) if layers else None


def _images(client: Client) -> list[dict]:
    """The demos that an engine keeps as images. A program on the machine itself has none."""
    return [one for one in images(client) if one["runtime"] == "docker" and demos.IMAGES.keys() & set(one["names"])]


def _median(figures: Iterable[float]) -> float | None:
    known = list(figures)
    return round(median(known), 1) if known else None


def _runtime(client: Client) -> str:
    """What runs the containers: `docker`, or `process`, where a container is a program and has no image to unpack."""
    return next((r for node in client.list(NODES) if (r := node["metadata"].get("labels", {}).get(RUNTIME_LABEL))), "")


FACTS: dict[str, Callable[[Client], float | str | None]] = {
    "containers.startMs": _start_ms,
    "containers.podMs": _pod_ms,
    "containers.memoryMiB": _memory_mib,
    "images.sizeMiB": _image_mib,
    "images.sharedMiB": _shared_mib,
    "cores": lambda client: os.cpu_count(),
    "memoryGiB": lambda client: round(os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") / GIB, 1),
    "runtime": _runtime,
}
