"""Reading a Pod: the few questions that every part of the kubelet asks of one. Pure."""

from collections.abc import Iterable

from lab.apimachinery.meta import is_deleting


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


def is_sidecar(container: dict) -> bool:
    """A restartable init container: it starts in its turn among the init containers, and then stays."""
    return container.get("restartPolicy") == "Always"


def restart_policy(pod: dict) -> str:
    return pod["spec"].get("restartPolicy", "Always")


def is_terminal(pod: dict) -> bool:
    """Succeeded or Failed: a pod never comes back from there, whatever its containers do."""
    return pod.get("status", {}).get("phase") in ("Succeeded", "Failed")


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


def references(pod: dict) -> Iterable[tuple[str, str]]:
    """What the pod reads, as ("configmaps" | "secrets" | "serviceaccounts", name): an account for its token."""
    for container in all_containers(pod):
        for entry in container.get("env") or ():
            source = entry.get("valueFrom") or {}
            if "configMapKeyRef" in source:
                yield "configmaps", source["configMapKeyRef"].get("name", "")
            if "secretKeyRef" in source:
                yield "secrets", source["secretKeyRef"].get("name", "")
        for source in container.get("envFrom") or ():
            if "configMapRef" in source:
                yield "configmaps", source["configMapRef"].get("name", "")
            if "secretRef" in source:
                yield "secrets", source["secretRef"].get("name", "")
    for volume in pod["spec"].get("volumes") or ():
        sources = [volume, *(volume.get("projected", {}).get("sources") or ())]
        for source in sources:
            if "configMap" in source:
                yield "configmaps", source["configMap"].get("name", "")
            if "secret" in source:
                yield "secrets", source["secret"].get("secretName") or source["secret"].get("name", "")
            if "serviceAccountToken" in source:
                yield "serviceaccounts", pod["spec"]["serviceAccountName"]
