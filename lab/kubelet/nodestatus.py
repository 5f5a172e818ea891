"""What a kubelet says of its node. Pure, but for `machine()`, which reads what this machine is."""

import functools
import platform
import socket
from pathlib import Path

from lab.apimachinery import meta
from lab.runtime import Image
from lab.runtime.machine import ARCHITECTURE, OPERATING_SYSTEM

KUBELET_VERSION = "v1.36.0+orrery"
IMAGES_REPORTED = 50  # --node-status-max-images
HEALTHY = (
    ("MemoryPressure", "False", "KubeletHasSufficientMemory", "kubelet has sufficient memory available"),
    ("DiskPressure", "False", "KubeletHasNoDiskPressure", "kubelet has no disk pressure"),
    ("PIDPressure", "False", "KubeletHasSufficientPID", "kubelet has sufficient PID available"),
)


@functools.cache
def machine() -> dict:
    """The fields of nodeInfo that are the same for all nodes on this machine."""
    release = platform.freedesktop_os_release() if Path("/etc/os-release").exists() else {}
    identity = Path("/etc/machine-id")
    return {
        "architecture": ARCHITECTURE,
        "bootID": _read(Path("/proc/sys/kernel/random/boot_id")),
        "kernelVersion": platform.release(),
        "kubeProxyVersion": "",
        "kubeletVersion": KUBELET_VERSION,
        "machineID": _read(identity),
        "operatingSystem": OPERATING_SYSTEM,
        "osImage": release.get("PRETTY_NAME", platform.platform()),
        "systemUUID": _read(identity),
    }


def _read(path: Path) -> str:
    return path.read_text().strip() if path.exists() else ""


@functools.cache
def host_address() -> str:
    """This machine's address as others see it: that of the way out, though nothing is sent; else the loopback."""
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as probe:
        try:
            probe.connect(("192.0.2.1", 9))
            return probe.getsockname()[0]
        except OSError:
            return "127.0.0.1"


def node_status(node: dict, version: str, port: int, images: list[dict], trouble: str) -> dict:
    """The status to report. Capacity stays as it was declared when the node was made: a node is a slice of its engine.

    `trouble` says why no pod could be started now ("" if all is well). Heartbeat times move with every report.
    """
    old = node.get("status", {})
    ready = ("Ready", "True", "KubeletReady", "kubelet is posting ready status")
    if trouble:
        ready = ("Ready", "False", "KubeletNotReady", trouble)
    conditions = old.get("conditions") or []
    for kind, status, reason, message in (*HEALTHY, ready):
        conditions = meta.with_condition(conditions, kind, status, reason, message)
    now, own = meta.now(), {kind for kind, *_ in (*HEALTHY, ready)}
    capacity = old.get("capacity") or {}
    return {
        **old,
        "addresses": [
            {"type": "InternalIP", "address": host_address()},
            {"type": "Hostname", "address": node["metadata"]["name"]},
        ],
        "allocatable": old.get("allocatable") or capacity,
        "capacity": capacity,
        "conditions": [{**c, "lastHeartbeatTime": now} if c["type"] in own else c for c in conditions],
        "daemonEndpoints": {"kubeletEndpoint": {"Port": port}},
        "images": images,
        "nodeInfo": {**machine(), "containerRuntimeVersion": version},
    }


def says_something_new(status: dict, old: dict) -> bool:
    """Whether it differs in more than the times of its heartbeats: only then is it worth a revision."""
    return _without_heartbeats(status) != _without_heartbeats(old)


def _without_heartbeats(status: dict) -> dict:
    conditions = [
        {field: value for field, value in condition.items() if field != "lastHeartbeatTime"}
        for condition in status.get("conditions") or ()
    ]
    return {**status, "conditions": conditions}


def image_list(images: list[Image]) -> list[dict]:
    """status.images: the largest first, at most fifty, as the kubelet does."""
    named = sorted((image for image in images if image.names), key=lambda image: (-image.size, image.names))
    return [{"names": list(image.names), "sizeBytes": image.size} for image in named[:IMAGES_REPORTED]]
