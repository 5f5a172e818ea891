"""Request bodies: bytes to objects, without letting a malformed one near the registry.

Pure. Raises ApiError 400 for what is no JSON object.
"""

import json

import orjson
import yaml

from lab.apimachinery.errors import ApiError, bad_request
from lab.apimachinery.kinds import Kind
from lab.apimachinery.manifests import Loader

LONGEST = 3 * 1024 * 1024  # Kubernetes' own limit
DEEPEST = 100  # no object of Kubernetes is half as deep; the recursion of those who read it is bounded by it


def too_long() -> ApiError:
    return ApiError(413, "RequestEntityTooLarge", f"Request entity too large: limit is {LONGEST}")


def parse(raw: bytes) -> dict | list | None:
    """The JSON value in a body; None for an empty one."""
    if not raw.strip():
        return None
    try:
        value = orjson.loads(raw)
    except orjson.JSONDecodeError as error:
        raise bad_request(f"the object provided is unrecognized: it is not valid JSON: {error}") from None
    if raw.count(b"{") + raw.count(b"[") > DEEPEST and _depth(value) > DEEPEST:
        raise bad_request(f"the object provided is nested more than {DEEPEST} levels deep")
    return value


def parse_yaml(raw: bytes) -> dict | list | None:
    """The one value in a body of YAML, as if it had come as JSON, which is YAML too."""
    try:
        loader = Loader(raw)
        value = loader.get_single_data()
        return parse(orjson.dumps(value)) if value is not None else None
    except (yaml.YAMLError, orjson.JSONEncodeError, RecursionError, UnicodeError) as error:
        why = " ".join(str(error).split())
        raise bad_request(f"the object provided is unrecognized: it is not valid YAML: {why}") from None


def _depth(value) -> int:
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


def an_object(value: dict | list | None, what: str) -> dict:
    """The body where only an object of the API will do."""
    if not isinstance(value, dict):
        raise bad_request(f"the object provided is unrecognized: expected a {what} as a JSON object")
    for field in ("apiVersion", "kind"):
        if not isinstance(value.get(field, ""), str):
            raise bad_request(f"the object provided is unrecognized: {field} must be a string")
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


def at_address(kind: Kind, namespace: str, obj: dict, name: str = "") -> dict:
    """The object with the kind, namespace and name that the address says; 400 where the body contradicts it."""
    for field, is_ in (("kind", kind.kind), ("apiVersion", kind.api_version)):
        if obj.setdefault(field, is_) != is_:
            raise bad_request(f"{field} in the body is {obj[field]!r}, but the address is of {is_!r}")
    meta_ = obj.get("metadata")
    if not isinstance(meta_, dict):
        meta_ = obj["metadata"] = {}
    if kind.namespaced and not meta_.get("namespace"):
        meta_["namespace"] = namespace
    for field, is_ in (("namespace", namespace if kind.namespaced else ""), ("name", name)):
        if not is_ and field == "namespace":
            meta_.pop("namespace", None)
        elif is_ and meta_.setdefault(field, is_) != is_:
            raise bad_request(f"the {field} of the provided object does not match the {field} sent on the request")
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


def _paths(value, prefix: str):
    if isinstance(value, dict):
        yield id(value), prefix
        for key, child in value.items():
            yield from _paths(child, f"{prefix}{key}" + ("" if isinstance(child, list) else "."))
    elif isinstance(value, list):
        for index, child in enumerate(value):
            yield from _paths(child, f"{prefix}[{index}].")
