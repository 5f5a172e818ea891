"""Containers: the ones that run, the init containers before them, and the debug containers added later."""

from collections.abc import Iterable, Iterator

from lab.apimachinery import names
from lab.apimachinery.errors import Cause

from ..causes import duplicate, forbidden, invalid, one_of, required, unlike, unsupported
from .environment import default_environment, validate_environment
from .probes import HOOKS, PROBES, default_probes, validate_port, validate_probes
from .resources import default_resources, validate_resources
from .security import validate_container_security
from .volumes import validate_mounts

PULL_POLICIES = ("Always", "IfNotPresent", "Never")
PROTOCOLS = ("SCTP", "TCP", "UDP")
MESSAGE_POLICIES = ("File", "FallbackToLogsOnError")
SIDECAR = "Always"


def default_container(container: dict) -> None:
    if not container.get("imagePullPolicy"):
        container["imagePullPolicy"] = _pull_policy(container.get("image", ""))
    container.setdefault("terminationMessagePath", "/dev/termination-log")
    container.setdefault("terminationMessagePolicy", "File")
    for port in container.get("ports") or ():
        if not port.get("protocol"):
            port["protocol"] = "TCP"
    default_resources(container)
    default_probes(container)
    default_environment(container)


def _pull_policy(image: str) -> str:
    """`:latest`, said or not, may be another image tomorrow; any other tag or a digest is taken at its word."""
    name, _, digest = image.partition("@")
    tag = name.rpartition("/")[2].partition(":")[2]
    return "IfNotPresent" if digest or tag not in ("", "latest") else "Always"


def validate_containers(spec: dict, path: str) -> Iterator[Cause]:
    volumes = {volume.get("name", ""): volume for volume in spec.get("volumes") or ()}
    containers, init = spec.get("containers") or (), spec.get("initContainers") or ()
    if not containers:
        yield required(f"{path}.containers")
    seen: set[str] = set()
    for at, container in enumerate(containers):
        here = f"{path}.containers[{at}]"
        yield from validate_container(container, volumes, seen, here)
        if container.get("restartPolicy"):
            yield forbidden(f"{here}.restartPolicy", "may not be set for non-init containers")
    for at, container in enumerate(init):
        here = f"{path}.initContainers[{at}]"
        yield from validate_container(container, volumes, seen, here)
        yield from _validate_init_container(container, here)
    yield from _validate_host_ports(containers, f"{path}.containers")


def validate_container(container: dict, volumes: dict[str, dict], seen: set[str], path: str) -> Iterator[Cause]:
    name, image = container.get("name", ""), container.get("image", "")
    if not name:
        yield required(f"{path}.name")
    else:
        yield from unlike(f"{path}.name", name, names.dns_label(name))
        if name in seen:
            yield duplicate(f"{path}.name", name)
        seen.add(name)
    if not image:
        yield required(f"{path}.image")
    elif image != image.strip():
        yield invalid(f"{path}.image", image, "must not have leading or trailing whitespace")
    yield from one_of(f"{path}.imagePullPolicy", container.get("imagePullPolicy"), PULL_POLICIES)
    yield from one_of(f"{path}.terminationMessagePolicy", container.get("terminationMessagePolicy"), MESSAGE_POLICIES)
    if container.get("ports"):
        yield from _validate_ports(container["ports"], f"{path}.ports")
    if container.get("env") or container.get("envFrom"):
        yield from validate_environment(container, path)
    if container.get("volumeMounts"):
        yield from validate_mounts(container, volumes, path)
    yield from validate_probes(container, path)
    if container.get("resources"):
        yield from validate_resources(container["resources"], f"{path}.resources")
    if container.get("securityContext"):
        yield from validate_container_security(container["securityContext"], f"{path}.securityContext")


def _validate_init_container(container: dict, path: str) -> Iterator[Cause]:
    """An init container ends before the next starts, unless it is a sidecar: then it may be probed like the others."""
    policy = container.get("restartPolicy")
    if policy == SIDECAR:
        return
    if policy:
        yield unsupported(f"{path}.restartPolicy", policy, (SIDECAR,))
    for field in PROBES:
        if container.get(field) is not None:
            yield forbidden(f"{path}.{field}", "may not be set for init containers without restartPolicy=Always")
    lifecycle = container.get("lifecycle") or {}
    if any(lifecycle.get(hook) for hook in HOOKS):
        yield forbidden(f"{path}.lifecycle", "may not be set for init containers without restartPolicy=Always")


def _validate_ports(ports: list[dict], path: str) -> Iterator[Cause]:
    seen = set()
    for at, port in enumerate(ports):
        here, name = f"{path}[{at}]", port.get("name", "")
        if name:
            problems = names.port_name(name)
            yield from unlike(f"{here}.name", name, problems)
            if not problems and name in seen:
                yield duplicate(f"{here}.name", name)
            seen.add(name)
        if not port.get("containerPort"):
            yield required(f"{here}.containerPort")
        else:
            yield from validate_port(port["containerPort"], f"{here}.containerPort")
        if port.get("hostPort"):
            yield from validate_port(port["hostPort"], f"{here}.hostPort")
        yield from one_of(f"{here}.protocol", port.get("protocol"), PROTOCOLS)


def _validate_host_ports(containers: Iterable[dict], path: str) -> Iterator[Cause]:
    """Two containers of one pod always share a node, so they cannot both have its port."""
    taken = set()
    for at, container in enumerate(containers):
        for index, port in enumerate(container.get("ports") or ()):
            if port.get("hostPort"):
                claim = f"{port.get('protocol', '')}/{port.get('hostIP', '')}/{port['hostPort']}"
                if claim in taken:
                    yield duplicate(f"{path}[{at}].ports[{index}].hostPort", claim)
                taken.add(claim)
