"""Logs, through the kubelets: the last lines of many containers at once."""

from collections.abc import Iterable
from concurrent.futures import ThreadPoolExecutor
from urllib.parse import urlencode

from lab.apimachinery.errors import ApiError
from lab.apimachinery.kinds import NODES
from lab.apiserver.kubelet_images import Lines
from lab.apiserver.kubelet_proxy import kubelet_of, kubelet_path

from .client import Client

AT_ONCE = 8
ANSWER_SECONDS = 5.0


def last_lines(client: Client, pods: Iterable[dict], count: int) -> list[tuple[dict, str, list[bytes]]]:
    """(pod, container's name, its last `count` lines, each with the time of its engine before it) of all containers
    that have a log; those whose kubelet does not answer have said nothing."""
    asked = [
        (pod, container["name"], address)
        for pod in pods
        if (address := _address(client, pod))
        for container in pod["spec"]["containers"]
    ]
    query = urlencode({"tailLines": count, "timestamps": "true"})

    def read(one: tuple[dict, str, str]) -> list[bytes]:
        pod, container, kubelet = one
        key = client.cluster, pod["metadata"]["namespace"], pod["metadata"]["name"], container
        try:
            path = kubelet_path("containerLogs", *key, query=query)
            return list(Lines(kubelet, "GET", path, None, ANSWER_SECONDS))
        except ApiError:
            return []

    with ThreadPoolExecutor(AT_ONCE) as threads:
        return [(pod, name, said) for (pod, name, _), said in zip(asked, threads.map(read, asked), strict=True)]


def _address(client: Client, pod: dict) -> str:
    """Where its kubelet listens; "" for a pod on no node."""
    name = pod["spec"].get("nodeName", "")
    try:
        return kubelet_of(client.find(NODES, "", name), name) if name else ""
    except ApiError:
        return ""
