"""What a pod may say of itself to its containers, as a variable or as a file.

Source: validateObjectFieldSelector in kubernetes/pkg/apis/core/validation/validation.go, and
ConvertDownwardAPIFieldLabel.
"""

import re
from collections.abc import Collection, Iterator

from lab.apimachinery import names
from lab.apimachinery.errors import Cause

from ..causes import invalid, required, unlike, unsupported

MAPS = ("metadata.annotations", "metadata.labels")
IN_FILES = (*MAPS, "metadata.name", "metadata.namespace", "metadata.uid")
IN_VARIABLES = (
    "metadata.name",
    "metadata.namespace",
    "metadata.uid",
    "spec.nodeName",
    "spec.serviceAccountName",
    "status.hostIP",
    "status.hostIPs",
    "status.podIP",
    "status.podIPs",
)
# Fields of a pod that have a name here at all, though some of them can be given to no container.
KNOWN = {*MAPS, *IN_VARIABLES, "spec.restartPolicy", "spec.schedulerName", "status.phase"}
RESOURCES = tuple(
    f"{kind}.{name}" for kind in ("limits", "requests") for name in ("cpu", "ephemeral-storage", "memory")
)


def validate_field(reference: dict, path: str, allowed: Collection[str]) -> Iterator[Cause]:
    """A field of the pod; of a map of it one entry: `metadata.labels['app']`."""
    field = reference.get("fieldPath", "")
    of_a_map = re.fullmatch(r"(.+)\['(.*)'\]", field, re.DOTALL)
    if not field:
        yield required(f"{path}.fieldPath")
    elif of_a_map and of_a_map[1] in MAPS:
        key = of_a_map[2].lower() if of_a_map[1] == "metadata.annotations" else of_a_map[2]
        yield from unlike(path, of_a_map[2], names.qualified_name(key))
    elif of_a_map or field not in KNOWN:
        words = "field label does not support subscript" if of_a_map else "field label not supported"
        yield invalid(f"{path}.fieldPath", field, f"error converting fieldPath: {words}: {field}")
    elif field not in allowed:
        yield unsupported(f"{path}.fieldPath", field, allowed)


def validate_resource(reference: dict, path: str, in_file: bool = False) -> Iterator[Cause]:
    """A request or limit: of the container itself, or in a file, which is all containers', of the one that is named."""
    resource = reference.get("resource", "")
    if in_file and not reference.get("containerName"):
        yield required(f"{path}.containerName")
    elif not resource:
        yield required(f"{path}.resource")
    elif resource not in RESOURCES and ".hugepages-" not in resource:
        yield unsupported(f"{path}.resource", resource, RESOURCES)
