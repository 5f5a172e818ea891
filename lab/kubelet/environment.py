"""A container's environment, with nothing left to look up in it. Pure, apart from the `find` it is given.

Sources: pkg/kubelet/kubelet_pods.go, makeEnvironmentVariables; pkg/fieldpath; third_party/forked/golang/expansion.
"""

import base64
import math
import re
from collections.abc import Callable, Iterable, Iterator, Mapping
from types import MappingProxyType

from lab.apimachinery.quantity import parse_quantity

from .pods import find_container

# Finds a ConfigMap or Secret of the pod's namespace: ("configmaps" | "secrets", name) → the object or None.
Find = Callable[[str, str], dict | None]

# What execve(2) takes: of one string; of all together it is twice as much, where a stack may have 8 MiB.
MOST_OF_ONE, MOST_OF_ALL = 128 * 1024, 1024 * 1024
NOTHING: Mapping[str, str] = MappingProxyType({})
KIND_WORDS = {"configmaps": "configmap", "secrets": "secret"}
REFERENCE = re.compile(r"\$(\$|\(([^)]*)\))")
SUBSCRIPT = re.compile(r"^metadata\.(labels|annotations)\['([^']*)'\]$")


class ConfigError(Exception):
    """Something that the container refers to is not there (yet): the pod waits with CreateContainerConfigError."""


def expand(text: str, known: Mapping[str, str]) -> str:
    """`$(VAR)` → its value where it is known, else left as written; `$$` is a dollar sign. Raises ConfigError for what
    becomes longer than a kernel gives to a program, before it does: of references to references, a few letters name
    more than there is memory."""
    length = len(text)

    def value(match: re.Match) -> str:
        nonlocal length
        found = "$" if match[1] == "$" else known.get(match[2], match[0])
        length += len(found) - len(match[0])
        check_length(length, MOST_OF_ONE)
        return found

    return REFERENCE.sub(value, text)


def check_length(length: int, most: int) -> None:
    if length > most:
        raise ConfigError(f"argument list too long: {length} letters, where {most} is the most")


def words(texts: Iterable[str], known: Mapping[str, str]) -> tuple[str, ...]:
    """A command's, expanded. Raises ConfigError, also for what is too much together."""
    found, length = [], 0
    for text in texts:
        found.append(expand(text, known))
        length += len(found[-1])
        check_length(length, MOST_OF_ALL)
    return tuple(found)


def environment(
    pod: dict, container: dict, find: Find, allocatable: Mapping[str, str], given: Mapping[str, str] = NOTHING
) -> dict[str, str]:
    """The variables in order: envFrom, then env, each value expanded with the variables before it.

    `pod` carries in its status the addresses that field references ask for. `allocatable` is the node's: what a
    limit means that is not set. `given` is there before all others: the Services. Raises ConfigError.
    """
    known, length = dict(given), 0
    for name, value in _variables(pod, container, find, allocatable, known):
        known[name] = value
        length += len(name) + len(value)
        check_length(length, MOST_OF_ALL)
    return known


def _variables(
    pod: dict, container: dict, find: Find, allocatable: Mapping[str, str], known: dict[str, str]
) -> Iterator[tuple[str, str]]:
    """In order. `known`: those before each, which whoever asks for them adds."""
    for source in container.get("envFrom") or ():
        yield from _from_source(pod, source, find)
    for entry in container.get("env") or ():
        value = _value(pod, container, entry, known, find, allocatable)
        if value is not None:
            yield entry["name"], value


def _from_source(pod: dict, source: dict, find: Find) -> Iterator[tuple[str, str]]:
    prefix = source.get("prefix", "")
    for field, resource in (("configMapRef", "configmaps"), ("secretRef", "secrets")):
        if field in source:
            ref = source[field]
            found = lookup(resource, ref.get("name", ""), bool(ref.get("optional")), find)
            for key, value in text_data(resource, found).items():
                if "=" not in key:
                    yield prefix + key, value


def _value(
    pod: dict, container: dict, entry: dict, known: dict[str, str], find: Find, allocatable: Mapping[str, str]
) -> str | None:
    """One variable's value; None where an optional source is missing, which leaves the variable out."""
    source = entry.get("valueFrom")
    if not source:
        return expand(entry.get("value") or "", known)
    if "fieldRef" in source:
        return field_value(pod, source["fieldRef"]["fieldPath"])
    if "resourceFieldRef" in source:
        return resource_value(pod, container, source["resourceFieldRef"], allocatable)
    for field, resource in (("configMapKeyRef", "configmaps"), ("secretKeyRef", "secrets")):
        if field in source:
            return _key_value(pod, resource, source[field], find)
    raise ConfigError(f"environment variable {entry['name']} has an unknown source")


def _key_value(pod: dict, resource: str, ref: dict, find: Find) -> str | None:
    name, key, optional = ref.get("name", ""), ref["key"], bool(ref.get("optional"))
    found = lookup(resource, name, optional, find)
    data = text_data(resource, found)
    if key in data:
        return data[key]
    if optional:
        return None
    kind = {"configmaps": "ConfigMap", "secrets": "Secret"}[resource]
    raise ConfigError(f"couldn't find key {key} in {kind} {pod['metadata']['namespace']}/{name}")


def lookup(resource: str, name: str, optional: bool, find: Find) -> dict:
    """The ConfigMap or Secret, empty if it is optional and missing. Raises ConfigError."""
    found = find(resource, name)
    if found is None and not optional:
        raise ConfigError(f'{KIND_WORDS[resource]} "{name}" not found')
    return found or {}


def text_data(resource: str, obj: dict) -> dict[str, str]:
    """The entries as text, as an environment needs them."""
    if resource == "configmaps":
        return dict(obj.get("data") or {})
    return {key: data.decode(errors="replace") for key, data in byte_data(resource, obj).items()}


def byte_data(resource: str, obj: dict) -> dict[str, bytes]:
    """The entries as bytes, as files need them."""
    if resource == "secrets":
        return {key: base64.b64decode(value) for key, value in (obj.get("data") or {}).items()}
    plain = {key: value.encode() for key, value in (obj.get("data") or {}).items()}
    return plain | {key: base64.b64decode(value) for key, value in (obj.get("binaryData") or {}).items()}


def field_value(pod: dict, path: str) -> str:
    """What a fieldRef points at. Raises ConfigError for a path that cannot be referred to."""
    meta, spec, status = pod["metadata"], pod["spec"], pod.get("status", {})
    subscript = SUBSCRIPT.match(path)
    if subscript:
        return (meta.get(subscript[1]) or {}).get(subscript[2], "")
    if path in ("metadata.labels", "metadata.annotations"):
        entries = meta.get(path.removeprefix("metadata.")) or {}
        return "\n".join(f'{key}="{_escaped(value)}"' for key, value in sorted(entries.items()))
    values = {
        "metadata.name": meta["name"],
        "metadata.namespace": meta["namespace"],
        "metadata.uid": meta["uid"],
        "spec.nodeName": spec.get("nodeName", ""),
        "spec.serviceAccountName": spec.get("serviceAccountName", "default"),
        "status.hostIP": status.get("hostIP", ""),
        "status.hostIPs": status.get("hostIP", ""),
        "status.podIP": status.get("podIP", ""),
        "status.podIPs": status.get("podIP", ""),
    }
    if path not in values:
        raise ConfigError(f"unsupported fieldPath: {path}")
    return values[path]


def _escaped(value: str) -> str:
    return value.replace("\\", "\\\\").replace('"', '\\"').replace("\n", "\\n")


def resource_value(pod: dict, container: dict, ref: dict, allocatable: Mapping[str, str]) -> str:
    """What a resourceFieldRef (`limits.cpu`) points at, in units of its divisor, rounded up."""
    of = find_container(pod, ref["containerName"]) if ref.get("containerName") else container
    if of is None:
        raise ConfigError(f"container {ref['containerName']} not found")
    part, _, resource = ref["resource"].partition(".")
    given = (of.get("resources") or {}).get(part) or {}
    fallback = allocatable.get(resource, "0") if part == "limits" else "0"
    divisor = ref.get("divisor") or "1"
    divided = parse_quantity(given.get(resource, fallback)) / (parse_quantity(divisor) or 1)
    return str(math.ceil(divided))
