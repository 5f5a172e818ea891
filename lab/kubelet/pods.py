"""Reading a Pod: the few questions that every part of the kubelet asks of one. Pure."""

from collections.abc import Iterator

from lab.apimachinery.meta import is_deleting
from lab.apimachinery.podresources import is_sidecar as is_sidecar
from lab.apimachinery.pods import is_finished as is_finished


def init_containers(pod: dict) -> list[dict]:
    return pod["spec"].get("initContainers") or []


def containers(pod: dict) -> list[dict]:
    return pod["spec"]["containers"]


def ephemeral_containers(pod: dict) -> list[dict]:
    """Those that somebody has added to look into the pod: they start once, and nothing depends on them."""
    return pod["spec"].get("ephemeralContainers") or []


def all_containers(pod: dict) -> list[dict]:
    """Init containers, then the others: the order in which they start."""
    return [*init_containers(pod), *containers(pod), *ephemeral_containers(pod)]


def find_container(pod: dict, name: str) -> dict | None:
    return next((container for container in all_containers(pod) if container["name"] == name), None)


def is_init(pod: dict, name: str) -> bool:
    return any(container["name"] == name for container in init_containers(pod))


def is_ephemeral(pod: dict, name: str) -> bool:
    return any(container["name"] == name for container in ephemeral_containers(pod))


def restart_policy(pod: dict) -> str:
    return pod["spec"].get("restartPolicy", "Always")


def full_name(pod: dict) -> str:
    """`web-1_default(4f3c…)`: how the kubelet names a pod in its messages."""
    meta = pod["metadata"]
    return f"{meta['name']}_{meta['namespace']}({meta['uid']})"


def container_statuses(pod: dict) -> dict[str, dict]:
    """The statuses that the API knows, by container's name."""
    status = pod.get("status", {})
    lists = (status.get(f"{prefix}ontainerStatuses") or () for prefix in ("initC", "c", "ephemeralC"))
    return {entry["name"]: entry for listed in lists for entry in listed}


def grace_seconds(pod: dict) -> float:
    """How long the containers may take to end: what the deletion says, else what the spec says."""
    if is_deleting(pod) and "deletionGracePeriodSeconds" in pod["metadata"]:
        return pod["metadata"]["deletionGracePeriodSeconds"]
    return pod["spec"].get("terminationGracePeriodSeconds", 30)


def port_number(container: dict, port: int | str) -> int:
    """A probe's or hook's port: a number, or the name of one of the container's ports. Raises ValueError."""
    if isinstance(port, int):
        return port
    for declared in container.get("ports") or ():
        if declared.get("name") == port:
            return declared["containerPort"]
    if port.isdigit():
        return int(port)
    raise ValueError(f'couldn\'t find port "{port}" of container {container["name"]}')


# Where a pod names what it reads: the field of a source → the resource.
READS = {
    "configMapKeyRef": "configmaps",
    "configMapRef": "configmaps",
    "configMap": "configmaps",
    "secretKeyRef": "secrets",
    "secretRef": "secrets",
    "secret": "secrets",
}


def references(pod: dict) -> Iterator[tuple[str, str]]:
    """What the pod reads, as ("configmaps" | "secrets" | "serviceaccounts", name): an account for its token."""
    for source in _sources(pod):
        for field in source.keys() & READS.keys():
            yield READS[field], source[field].get("secretName") or source[field].get("name", "")
        if "serviceAccountToken" in source:
            yield "serviceaccounts", pod["spec"]["serviceAccountName"]


def _sources(pod: dict) -> Iterator[dict]:
    for container in all_containers(pod):
        yield from (entry.get("valueFrom") or {} for entry in container.get("env") or ())
        yield from container.get("envFrom") or ()
    for volume in pod["spec"].get("volumes") or ():
        yield volume
        yield from volume.get("projected", {}).get("sources") or ()
