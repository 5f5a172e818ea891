"""Ephemeral containers: added to a pod that runs, to look into it, and never taken away again.

Source: ValidatePodEphemeralContainersUpdate in kubernetes/pkg/apis/core/validation/validation.go.
"""

from collections.abc import Iterator

from lab.apimachinery.errors import Cause

from ..causes import forbidden, not_found
from .containers import validate_container
from .volumes import validate_parts

PATH = "spec.ephemeralContainers"
NOT_FOR_THEM = ("ports", "livenessProbe", "readinessProbe", "startupProbe", "lifecycle", "resources", "restartPolicy")


def validate_ephemeral_containers(new: dict, old: dict) -> Iterator[Cause]:
    """Of two pod specifications."""
    added = {container.get("name", ""): container for container in new.get("ephemeralContainers") or ()}
    for container in old.get("ephemeralContainers") or ():
        name = container["name"]
        if name not in added:
            yield forbidden(PATH, f'existing ephemeral containers "{name}" may not be removed\n')
        elif added[name] != container:
            yield forbidden(PATH, f'existing ephemeral containers "{name}" may not be changed\n')
    volumes = {volume.get("name", ""): volume for volume in new.get("volumes") or ()}
    others = [c["name"] for field in ("initContainers", "containers") for c in new.get(field) or ()]
    seen = set(others)
    for at, container in enumerate(new.get("ephemeralContainers") or ()):
        path = f"{PATH}[{at}]"
        yield from validate_container(container, volumes, seen, path)
        for field in NOT_FOR_THEM:
            if container.get(field):
                yield forbidden(f"{path}.{field}", "cannot be set for an Ephemeral Container")
        for index, mount in enumerate(container.get("volumeMounts") or ()):
            if mount.get("subPath") or mount.get("subPathExpr"):
                yield forbidden(f"{path}.volumeMounts[{index}].subPath", "cannot be set for an Ephemeral Container")
        target = container.get("targetContainerName")
        if target and target not in others:
            yield not_found(f"{path}.targetContainerName", target)
    yield from validate_parts(new, "spec")
