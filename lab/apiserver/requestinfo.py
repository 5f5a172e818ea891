"""What a path asks for: Kubernetes' RequestInfo resolver.

Pure. `/apis/apps/v1/namespaces/default/deployments/web/scale` → the kind Deployment, its namespace, name, subresource.
"""

import re
from dataclasses import dataclass, replace

from lab.apimachinery.errors import ApiError
from lab.apimachinery.kinds import BY_PATH, NAMESPACES, Kind

from .versions import stored_kind

# Not in Kubernetes: what this lab adds to its resources. `kill` ends a container's process, as a crash would.
EXTENSIONS = {"pods": ("kill",)}
# What is said of every object by whoever reads the log (`lab.explain`): parts of it like a status, for RBAC too.
READINGS = ("history", "thread", "why")
PROXIED = re.compile(r"(api/v1/namespaces/[^/]+/services/[^/]+/proxy)(?:/(.*))?", re.DOTALL)


@dataclass(frozen=True)
class RequestInfo:
    """Where a request goes. `name` is empty for a collection, `namespace` for all of them or for a kind without.
    `served` is the kind in the version that the address is of, `rest` what follows `proxy/`."""

    served: Kind
    namespace: str = ""
    name: str = ""
    subresource: str = ""
    rest: str = ""

    @property
    def kind(self) -> Kind:
        """The kind in the version in which it is stored."""
        return stored_kind(self.served)


def unknown_path() -> ApiError:
    return ApiError(404, "NotFound", "the server could not find the requested resource", {})


def resolve(path: str) -> RequestInfo:
    """The target of a path under a cluster's address, without leading slash. Raises ApiError 404."""
    if (proxied := PROXIED.fullmatch(path)) and proxied[2]:
        return replace(resolve(proxied[1]), rest=proxied[2])
    root, *parts = path.rstrip("/").split("/")
    if root == "apis" and len(parts) >= 3:
        group, version, *parts = parts
    elif root == "api" and len(parts) >= 2:
        group, (version, *parts) = "", parts
    else:
        raise unknown_path()
    namespace = ""
    if parts[0] == "namespaces" and len(parts) >= 3 and not _is_subresource(group, version, parts):
        namespace, parts = parts[1], parts[2:]
    plural, name, subresource, *more = [*parts, "", ""] if len(parts) < 3 else parts
    kind = BY_PATH.get((group, version, plural))
    if kind is None or any(more) or kind.namespaced < bool(namespace):
        raise unknown_path()
    if kind.namespaced and name and not namespace:
        raise unknown_path()
    if subresource and subresource not in (*kind.subresources, *EXTENSIONS.get(kind.resource, ()), *READINGS):
        raise unknown_path()
    if "" in path.rstrip("/").split("/"):
        raise unknown_path()
    return RequestInfo(kind, namespace, name, subresource)


def _is_subresource(group: str, version: str, parts: list[str]) -> bool:
    """`namespaces/web/status` is the status of a namespace, `namespaces/web/pods` are the pods in it."""
    return (group, version) == ("", "v1") and len(parts) == 3 and parts[2] in (*NAMESPACES.subresources, *READINGS)
