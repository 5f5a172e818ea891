"""What the API says of a pod, in an engine's terms: for a runtime that has forgotten it.

Every real engine remembers its containers while the kubelet is away. A simulated one lives in the kubelet's own process
and dies with it, so a new kubelet tells it what had been there; otherwise each killed worker would count a restart for
every simulated container. Pure.
"""

from lab.apimachinery.meta import is_true, parse_time
from lab.apimachinery.quantity import milli_value
from lab.runtime import Container, ContainerSpec, Sandbox

from .pods import all_containers, container_statuses, is_finished, is_init, is_sidecar
from .records import PodRecord

SCHEME = "simulated://"


def sandbox_of(record: PodRecord) -> Sandbox | None:
    """The pod's sandbox with the containers that ran, or had ended, when its status was last reported."""
    pod = record.pod
    address = pod.get("status", {}).get("podIP")
    if not address or is_finished(pod) or not is_true(pod, "PodReadyToStartContainers"):
        return None
    found = [_container(pod, status) for status in container_statuses(pod).values()]
    cluster, namespace, name = record.address
    began = parse_time(pod["status"].get("startTime") or pod["metadata"]["creationTimestamp"])
    containers = tuple(container for container in found if container)
    return Sandbox(record.uid, cluster, record.node, namespace, name, record.uid, True, address, began, containers)


def _container(pod: dict, status: dict) -> Container | None:
    """As it was reported; None if it never ran, or under another runtime."""
    told = status.get("containerID", "")
    if not told.startswith(SCHEME):
        return None
    state, name = status.get("state", {}), status["name"]
    known = {
        "id": told.removeprefix(SCHEME),
        "name": name,
        "attempt": status.get("restartCount", 0),
        "image": status.get("image", ""),
        "image_id": status.get("imageID", ""),
        "init": is_init(pod, name),
    }
    if "running" in state:
        began = parse_time(state["running"]["startedAt"])
        return Container(**known, state="running", created_at=began, started_at=began)
    ended = state.get("terminated") or status.get("lastState", {}).get("terminated") or {}
    if ended.get("containerID") != told:
        return None
    began = parse_time(ended["startedAt"])
    return Container(
        **known,
        state="exited",
        exit_code=ended["exitCode"],
        signal=ended.get("signal", 0),
        oom_killed=ended.get("reason") == "OOMKilled",
        created_at=began,
        started_at=began,
        finished_at=parse_time(ended["finishedAt"]),
    )


def rough_specs(pod: dict) -> dict[str, ContainerSpec]:
    """Its containers by name, with what a simulation goes by; values that come from elsewhere are left out."""
    return {
        container["name"]: ContainerSpec(
            name=container["name"],
            image=container["image"],
            env={entry["name"]: entry["value"] for entry in container.get("env") or () if "value" in entry},
            cpu_request_millis=milli_value((container.get("resources", {}).get("requests") or {}).get("cpu", "0")),
            init=is_init(pod, container["name"]),
            sidecar=is_sidecar(container),
        )
        for container in all_containers(pod)
    }
