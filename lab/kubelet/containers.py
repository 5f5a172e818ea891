"""From a pod's container to the engine's: everything looked up, expanded and converted."""

from collections.abc import Mapping

from lab.apimachinery.quantity import milli_value, value
from lab.runtime import ContainerSpec

from .environment import ConfigError, Find, environment, words
from .pods import full_name, is_sidecar
from .volumes import Sources, mounts_of


def container_spec(
    pod: dict,
    container: dict,
    attempt: int,
    init: bool,
    folders: Sources,
    find: Find,
    allocatable: Mapping,
    given: Mapping[str, str],
    processes_of: str = "",
    image_user: str | None = None,
) -> ContainerSpec:
    """The engine's order for one container. Raises ConfigError and MountError where something it needs is missing."""
    env = environment(pod, container, find, allocatable, given)
    security = (pod["spec"].get("securityContext") or {}) | (container.get("securityContext") or {})
    if security.get("runAsNonRoot"):
        _verify_not_root(security, image_user, f'(pod: "{full_name(pod)}", container: {container["name"]})')
    resources, capabilities = container.get("resources") or {}, security.get("capabilities") or {}
    requests, limits = resources.get("requests") or {}, resources.get("limits") or {}
    return ContainerSpec(
        name=container["name"],
        image=container["image"],
        command=words(container.get("command") or (), env),
        args=words(container.get("args") or (), env),
        env=env,
        working_dir=container.get("workingDir", ""),
        cpu_request_millis=milli_value(requests.get("cpu", limits.get("cpu", "0"))),
        cpu_limit_millis=milli_value(limits.get("cpu", "0")),
        memory_limit_bytes=value(limits.get("memory", "0")),
        mounts=mounts_of(container, folders, env),
        attempt=attempt,
        init=init,
        sidecar=is_sidecar(container),
        user=_user(security),
        read_only_root=bool(security.get("readOnlyRootFilesystem")),
        tty=bool(container.get("tty")),
        stdin=bool(container.get("stdin")),
        stdin_once=bool(container.get("stdinOnce")),
        processes_of=processes_of,
        capabilities_added=_names(capabilities.get("add")),
        capabilities_dropped=_names(capabilities.get("drop")),
    )


def _verify_not_root(security: Mapping, image_user: str | None, whose: str) -> None:
    """Kubernetes' verifyRunAsNonRoot. Of a user with a name nobody knows here which number it has."""
    user = security.get("runAsUser")
    name = (image_user or "").partition(":")[0]
    if user == 0:
        raise ConfigError(f"container's runAsUser breaks non-root policy {whose}")
    if user is not None or image_user is None:
        return
    if name and not name.isdecimal():
        words = f"container has runAsNonRoot and image has non-numeric user ({name}), cannot verify user is non-root"
        raise ConfigError(f"{words} {whose}")
    if not int(name or 0):
        raise ConfigError(f"container has runAsNonRoot and image will run as root {whose}")


def _names(capabilities: list[str] | None) -> tuple[str, ...]:
    return tuple(name.removeprefix("CAP_") for name in capabilities or ())


def _user(security: Mapping) -> str:
    user, group = security.get("runAsUser"), security.get("runAsGroup")
    if user is None:
        return ""
    return f"{user}:{group}" if group is not None else str(user)
