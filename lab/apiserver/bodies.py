"""Request bodies: bytes to objects, without letting a malformed one near the registry.

Pure. Raises ApiError 400 for what is no JSON object.
"""

import json
from collections.abc import Iterator

import orjson
import yaml

from lab.apimachinery.errors import ApiError, bad_request
from lab.apimachinery.kinds import PUBLISHED, Kind
from lab.apimachinery.manifests import Loader

LONGEST = 3 * 1024 * 1024  # Kubernetes' own limit
SHOWN_BYTES = 30  # of a body that nobody understands
UNTYPED = "couldn't get version/kind; json parse error: "
SCHEME = "pkg/api/legacyscheme/scheme.go:30"  # where Kubernetes keeps its own list
YAML_TO_JSON = "error converting YAML to JSON: yaml: "
DEEPEST = 100  # no object of Kubernetes is half as deep; the recursion of those who read it is bounded by it


def too_long() -> ApiError:
    return ApiError(413, "RequestEntityTooLarge", f"Request entity too large: limit is {LONGEST}")


def unrecognized(what: str, why: str, raw: bytes) -> ApiError:
    """400 for a body in which there is no `what`: a kind, or nothing in particular."""
    if not what:
        return bad_request(why)
    begins = raw[:SHOWN_BYTES].decode(errors="replace") if raw.startswith(b"{") else raw[:SHOWN_BYTES].hex()
    begins += " ..." if len(raw) > SHOWN_BYTES else ""
    return bad_request(f"the object provided is unrecognized (must be of type {what}): {why} ({begins or '<empty>'})")


def parse(raw: bytes, what: str = "") -> dict | list | None:
    """The JSON value in a body; None for an empty one."""
    if not raw.strip():
        return None
    try:
        value = orjson.loads(raw)
    except orjson.JSONDecodeError as error:
        raise unrecognized(what, f"{UNTYPED}{error}", raw) from None
    if raw.count(b"{") + raw.count(b"[") > DEEPEST and _depth(value) > DEEPEST:
        raise bad_request(f"the object provided is nested more than {DEEPEST} levels deep")
    return value


def parse_yaml(raw: bytes, what: str = "") -> tuple[dict | list | None, list[str]]:
    """(the one value in a body of YAML, as if it had come as JSON, which is YAML too; what its strict reader says)."""
    try:
        loader = Loader(raw)
        node = loader.get_single_node()
        if node is None:
            return None, []
        value = loader.construct_document(node)
        return parse(orjson.dumps(value), what), _doubled_keys(node)
    except (yaml.YAMLError, orjson.JSONEncodeError, RecursionError, ValueError) as error:  # a number of 5,000 digits
        raise unrecognized(what, f"{YAML_TO_JSON}{' '.join(str(error).split())}", raw) from None


def _doubled_keys(root: yaml.Node) -> list[str]:
    lines, waiting, seen = [], [root], set()
    while waiting:
        node = waiting.pop()
        if isinstance(node, yaml.ScalarNode) or id(node) in seen:
            continue
        seen.add(id(node))
        keys: set[str] = set()
        for child in node.value:
            if isinstance(node, yaml.MappingNode):
                key, child = child
                if key.value in keys:
                    lines.append(f'  line {key.start_mark.line + 1}: key "{key.value}" already set in map')
                elif isinstance(key, yaml.ScalarNode):
                    keys.add(key.value)
            waiting.append(child)
    return [f"{YAML_TO_JSON}unmarshal errors:\n" + "\n".join(sorted(lines))] if lines else []


def _depth(value: object) -> int:
    level, depth = [value], 0
    while level:
        depth += 1
        level = [
            child
            for node in level
            if isinstance(node, dict | list)
            for child in (node.values() if isinstance(node, dict) else node)
        ]
    return depth


def an_object(value: dict | list | None, what: str, raw: bytes = b"") -> dict:
    """The body where only an object of the API will do."""
    if value is None:
        raise unrecognized(what, f"{UNTYPED}unexpected end of JSON input", raw)
    if not isinstance(value, dict):
        why = f"{UNTYPED}json: cannot unmarshal {'array' if isinstance(value, list) else 'value'} into Go value"
        raise unrecognized(what, why, raw)
    for field in ("apiVersion", "kind"):
        if not isinstance(value.get(field, ""), str):
            raise unrecognized(what, f"{UNTYPED}{field} must be a string", raw)
    _check_metadata(value.get("metadata"))
    return value


def _check_metadata(metadata: dict | None) -> None:
    """The types that everything behind this point builds on, whatever the kind."""
    if metadata is None:
        return
    if not isinstance(metadata, dict):
        raise bad_request("metadata must be an object")
    for field in ("name", "namespace", "generateName", "uid", "resourceVersion"):
        if not isinstance(metadata.get(field), str | None):
            raise bad_request(f"metadata.{field} must be a string")
    for field in ("labels", "annotations"):
        pairs = metadata.get(field)
        if pairs is None:
            continue
        if not isinstance(pairs, dict) or not all(isinstance(value, str) for value in pairs.values()):
            raise bad_request(f"metadata.{field} must be an object whose values are strings")
    for field, kind in (("finalizers", str), ("ownerReferences", dict)):
        items = metadata.get(field)
        if items is not None and not (isinstance(items, list) and all(isinstance(item, kind) for item in items)):
            raise bad_request(f"metadata.{field} must be a list of {'strings' if kind is str else 'objects'}")


def check_kind(kind: Kind, obj: dict) -> None:
    """Say which kind it is, where the object does not; 400 where it says another."""
    given, version = obj.setdefault("kind", kind.kind), obj.setdefault("apiVersion", kind.api_version)
    if (given, version) == (kind.kind, kind.api_version):
        return
    group, _, number = version.rpartition("/")
    known = any((one.kind, one.api_version) == (given, version) for one in PUBLISHED)
    if known and (given, group) == (kind.kind, kind.group):
        where = f"does not match the expected API version ({kind.api_version})"
        raise bad_request(f"the API version in the data ({version}) {where}")
    if known:
        internal = f"{kind.group.partition('.')[0] or 'core'}.{kind.kind}"
        why = f"converting ({number}.{given}) to ({internal}): unknown conversion"
    else:
        why = f'no kind "{given}" is registered for version "{version}" in scheme "{SCHEME}"'
    raise bad_request(f'{given} in version "{number}" cannot be handled as a {kind.kind}: {why}')


def at_address(kind: Kind, namespace: str, obj: dict, name: str = "") -> dict:
    """The object with the kind, namespace and name that the address says; 400 where the body contradicts it."""
    check_kind(kind, obj)
    meta_ = obj.get("metadata")
    if not isinstance(meta_, dict):
        meta_ = obj["metadata"] = {}
    if kind.namespaced and not meta_.get("namespace"):
        meta_["namespace"] = namespace
    if not kind.namespaced:
        meta_.pop("namespace", None)
    elif meta_["namespace"] != namespace:
        raise bad_request("the namespace of the provided object does not match the namespace sent on the request")
    if name and meta_.setdefault("name", name) != name:
        raise bad_request(f"the name of the object ({meta_['name']}) does not match the name on the URL ({name})")
    return obj


def duplicate_fields(raw: bytes) -> list[str]:
    """Paths of fields that a body gives twice, as `spec.replicas`: JSON's readers keep the last one and say nothing."""
    doubled: list[tuple[dict, str]] = []

    def watch(pairs: list[tuple[str, object]]) -> dict:
        made: dict = {}
        for key, value in pairs:
            if key in made:
                doubled.append((made, key))
            made[key] = value
        return made

    value = json.loads(raw, object_pairs_hook=watch, parse_int=float)
    if not doubled:
        return []
    paths = dict(_paths(value, ""))
    return [f"{paths[id(made)]}{key}" for made, key in doubled if id(made) in paths]


def _paths(value: object, prefix: str) -> Iterator[tuple[int, str]]:
    if isinstance(value, dict):
        yield id(value), prefix
        for key, child in value.items():
            yield from _paths(child, f"{prefix}{key}" + ("" if isinstance(child, list) else "."))
    elif isinstance(value, list):
        for index, child in enumerate(value):
            yield from _paths(child, f"{prefix}[{index}].")
