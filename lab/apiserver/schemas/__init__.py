"""What every type looks like, as Kubernetes publishes it: its OpenAPI definitions, as committed data.

Read lazily, used for decoding checks and for the documents that clients fetch. Must never say what is *valid*, only
what can be decoded: rules beyond types are the strategies'. The data is made by `generate.py`; `own.yaml` adds the
kinds that are ours, as a CustomResourceDefinition would.
"""

import functools
import gzip
import json
from collections.abc import Iterable
from pathlib import Path
from typing import Any

import yaml

from lab.apimachinery.kinds import OWN, Kind

REF = "#/components/schemas/"
_PATH = Path(__file__).with_name("definitions.json.gz")
_DESCRIPTIONS = Path(__file__).with_name("descriptions.json.gz")
_OWN = Path(__file__).with_name("own.yaml")
_META = {"$ref": REF + "io.k8s.apimachinery.pkg.apis.meta.v1.ObjectMeta"}


@functools.cache
def _data() -> dict:
    data = json.loads(gzip.decompress(_PATH.read_bytes()))
    for kind, parts in yaml.safe_load(_OWN.read_text()).items():
        data["roots"][f"{OWN}/v1 {kind}"] = f"io.orrery.v1.{kind}"
        data["schemas"][f"io.orrery.v1.{kind}"] = _own(kind, parts)
    return data


def _own(kind: str, parts: dict) -> dict:
    text = {"type": "string"}
    halves = {half: {"type": "object", "properties": fields} for half, fields in parts.items()}
    return {
        "type": "object",
        "properties": {"apiVersion": text, "kind": text, "metadata": _META, **halves},
        "x-kubernetes-group-version-kind": [{"group": OWN, "version": "v1", "kind": kind}],
    }


def schemas() -> dict[str, dict]:
    """Every definition by name, such as `io.k8s.api.apps.v1.Deployment`. Shared: do not change."""
    return _data()["schemas"]


def root_of(api_version: str, kind: str) -> str:
    """The name of the definition of a kind. KeyError for one that was not generated."""
    return _data()["roots"][f"{api_version} {kind}"]


def components_for(kinds: Iterable[Kind]) -> dict[str, dict]:
    """`components.schemas` of an OpenAPI v3 document: the kinds' definitions and everything they refer to."""
    texts = json.loads(gzip.decompress(_DESCRIPTIONS.read_bytes()))  # read for a document and kept nowhere
    found: dict[str, dict] = {}
    waiting = [root_of(kind.api_version, kind.kind) for kind in kinds]
    while waiting:
        name = waiting.pop()
        if name not in found:
            found[name] = _published(_described(schemas()[name], texts.get(name, {})), waiting)
    return found


def _described(schema: dict, texts: dict[str, str]) -> dict:
    """The definition with what is said of it and of its fields, for `kubectl explain`."""
    told = dict(schema)
    if "" in texts:
        told["description"] = texts[""]
    if "properties" in schema:
        told["properties"] = {
            field: {"description": texts[field], **part} if field in texts else part
            for field, part in schema["properties"].items()
        }
    return told


def _published(node: Any, referred: list[str]) -> Any:
    """A definition in OpenAPI's form, where a `$ref` hides whatever stands beside it, unless wrapped in `allOf`."""
    if isinstance(node, list):
        return [_published(item, referred) for item in node]
    if not isinstance(node, dict):
        return node
    ref = node.get("$ref")
    if isinstance(ref, str):
        referred.append(ref.removeprefix(REF))
        rest = {key: child for key, child in node.items() if key != "$ref"}
        return {**rest, "allOf": [{"$ref": ref}]} if rest else {"$ref": ref}
    return {key: _published(child, referred) for key, child in node.items()}
