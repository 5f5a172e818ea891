"""Discovery: how a client that knows nothing of this server learns which resources it has and what may be done to them.

Pure: documents out of the table of kinds. Newer clients ask for everything in two requests (aggregated discovery),
older ones walk group by group; both forms say the same.
"""

from collections.abc import Iterator
from dataclasses import dataclass

from lab.apimachinery.kinds import PUBLISHED, Kind

from .requestinfo import unknown_path

VERSION = {
    "major": "1",
    "minor": "36",
    # Clients compare versions: the part before the plus is the Kubernetes whose API this is.
    "gitVersion": "v1.36.0+orrery",
    "gitCommit": "",
    "gitTreeState": "clean",
    "buildDate": "1970-01-01T00:00:00Z",
    "goVersion": "none",
    "compiler": "cpython",
    "platform": "python/any",
}


@dataclass(frozen=True)
class Subresource:
    """A part of an object with an address of its own. `group` and `version` are given where its kind is of another
    group than the resource: clients pick the codec by them, and drain looks for `policy/v1` to find eviction."""

    kind: str
    verbs: tuple[str, ...]
    group: str = ""
    version: str = ""


SUBRESOURCES = {
    "attach": Subresource("PodAttachOptions", ("create", "get")),
    "binding": Subresource("Binding", ("create",)),
    "ephemeralcontainers": Subresource("Pod", ("get", "patch", "update")),
    "eviction": Subresource("Eviction", ("create",), "policy", "v1"),
    "exec": Subresource("PodExecOptions", ("create", "get")),
    "finalize": Subresource("Namespace", ("update",)),
    "log": Subresource("Pod", ("get",)),
    "portforward": Subresource("PodPortForwardOptions", ("create", "get")),
    "proxy": Subresource("ServiceProxyOptions", ("create", "delete", "get", "patch", "update")),
    "scale": Subresource("Scale", ("get", "patch", "update"), "autoscaling", "v1"),
    "status": Subresource("", ("get", "patch", "update")),  # of the kind of its resource
    "token": Subresource("TokenRequest", ("create",), "authentication.k8s.io", "v1"),
}


def groups() -> dict[str, list[str]]:
    """Group → its versions, the core group ("") first; the order is the order in which clients prefer them."""
    found: dict[str, list[str]] = {}
    for kind in PUBLISHED:
        versions = found.setdefault(kind.group, [])
        if kind.version not in versions:
            versions.append(kind.version)
    return found


def kinds_of(group: str, version: str) -> list[Kind]:
    return [kind for kind in PUBLISHED if (kind.group, kind.version) == (group, version)]


def core_versions(host: str) -> dict:
    """`/api` in the plain form."""
    addresses = [{"clientCIDR": "0.0.0.0/0", "serverAddress": host}]
    return {"kind": "APIVersions", "versions": groups()[""], "serverAddressByClientCIDRs": addresses}


def group_list() -> dict:
    """`/apis` in the plain form."""
    return {"kind": "APIGroupList", "apiVersion": "v1", "groups": [_group(name) for name in groups() if name]}


def group(name: str) -> dict:
    """`/apis/<group>`. Raises ApiError 404."""
    if not name or name not in groups():
        raise unknown_path()
    return {"kind": "APIGroup", "apiVersion": "v1", **_group(name)}


def _group(name: str) -> dict:
    versions = [{"groupVersion": f"{name}/{version}", "version": version} for version in groups()[name]]
    return {"name": name, "versions": versions, "preferredVersion": versions[0]}


def resource_list(group: str, version: str) -> dict:
    """`/api/v1` and `/apis/<group>/<version>`: every resource and subresource, flat. Raises ApiError 404."""
    kinds = kinds_of(group, version)
    if not kinds:
        raise unknown_path()
    resources = [entry for kind in kinds for entry in (_resource(kind), *_flat_subresources(kind))]
    group_version = f"{group}/{version}" if group else version
    return {"kind": "APIResourceList", "apiVersion": "v1", "groupVersion": group_version, "resources": resources}


def _resource(kind: Kind) -> dict:
    entry = {
        "name": kind.plural,
        "singularName": kind.singular,
        "namespaced": kind.namespaced,
        "kind": kind.kind,
        "verbs": list(kind.verbs),
    }
    return entry | _names(kind)


def _names(kind: Kind) -> dict:
    lists = {"shortNames": list(kind.short_names), "categories": list(kind.categories)}
    return {key: value for key, value in lists.items() if value}


def _flat_subresources(kind: Kind) -> Iterator[dict]:
    for name in kind.subresources:
        sub = SUBRESOURCES[name]
        foreign = {"group": sub.group, "version": sub.version} if sub.group else {}
        yield {
            "name": f"{kind.plural}/{name}",
            "singularName": "",
            "namespaced": kind.namespaced,
            **foreign,
            "kind": sub.kind or kind.kind,
            "verbs": list(sub.verbs),
        }


def aggregated(core: bool, discovery_version: str) -> dict:
    """`/api` (core) or `/apis` with everything in them: APIGroupDiscoveryList of version v2 or v2beta1."""
    chosen = [name for name in groups() if (name == "") == core]
    return {
        "kind": "APIGroupDiscoveryList",
        "apiVersion": f"apidiscovery.k8s.io/{discovery_version}",
        "metadata": {},
        "items": [_discovered_group(name) for name in chosen],
    }


def _discovered_group(name: str) -> dict:
    versions = [
        {"version": version, "freshness": "Current", "resources": [_discovered(k) for k in kinds_of(name, version)]}
        for version in groups()[name]
    ]
    metadata = {"name": name} if name else {}
    return {"metadata": {**metadata, "creationTimestamp": None}, "versions": versions}


def _discovered(kind: Kind) -> dict:
    return {
        "resource": kind.plural,
        "responseKind": {"group": kind.group, "version": kind.version, "kind": kind.kind},
        "scope": "Namespaced" if kind.namespaced else "Cluster",
        "singularResource": kind.singular,
        "verbs": list(kind.verbs),
        **_names(kind),
        "subresources": [_discovered_subresource(kind, name) for name in kind.subresources],
    }


def _discovered_subresource(kind: Kind, name: str) -> dict:
    sub = SUBRESOURCES[name]
    response = {
        "group": sub.group or kind.group,
        "version": sub.version or kind.version,
        "kind": sub.kind or kind.kind,
    }
    return {"subresource": name, "responseKind": response, "verbs": list(sub.verbs)}
