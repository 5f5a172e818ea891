"""Make the committed tables anew from Kubernetes' published definitions: `python -m lab.apiserver.schemas.generate`.

Reads the package `kubernetes-validate` (dependency group `generate`) and nothing of it is needed afterwards. Writes
- `definitions.json.gz` beside this file: the OpenAPI schema of every type that our kinds and their subresources reach;
- `descriptions.json.gz`: what the definitions say of each of these types and its fields, which only people read;
- `lab/apimachinery/patch/merge_keys.json`: of the same types, which lists a strategic merge patch merges, and by what.
A new kind in `lab/apimachinery/kinds.py` is taken up by running this again.
"""

import gzip
import json
from collections.abc import Iterable
from importlib import resources
from pathlib import Path
from typing import Any

from lab.apimachinery.kinds import KINDS, OTHERS, OWN, REVIEWS

VERSION = "v1.36.0"
HERE = Path(__file__).parent
DEFINITIONS = HERE / "definitions.json.gz"
DESCRIPTIONS = HERE / "descriptions.json.gz"
MERGE_KEYS = HERE.parent.parent / "apimachinery" / "patch" / "merge_keys.json"

# What the API takes or gives besides the kinds themselves: bodies of subresources and of requests.
SUBRESOURCES = {
    ("v1", "Binding"),
    ("autoscaling/v1", "Scale"),
    ("policy/v1", "Eviction"),
    ("v1", "DeleteOptions"),
    ("authentication.k8s.io/v1", "TokenRequest"),
    *((kind.api_version, kind.kind) for kind in REVIEWS),
}
REF = "#/components/schemas/"


def published() -> dict[str, dict]:
    """Every definition of the version, by name (`io.k8s.api.apps.v1.Deployment`)."""
    folder = resources.files("kubernetes_validate") / "kubernetes-json-schema" / f"{VERSION}-local"
    return json.loads((folder / "_definitions.json").read_text())["$defs"]


def name_of(definitions: dict[str, dict], api_version: str, kind: str) -> str:
    group, _, version = api_version.rpartition("/")
    wanted = {"group": group, "version": version, "kind": kind}
    return next(
        name for name, schema in definitions.items() if wanted in schema.get("x-kubernetes-group-version-kind", ())
    )


def cleaned(node: Any) -> Any:
    """The schema as OpenAPI has it, without the `null` types, the `$defs` and the one `apiVersion` and `kind` that the
    package's own JSON Schemas allow; and without descriptions, which would make all of it five times as large in
    memory."""
    if isinstance(node, list):
        return [cleaned(item) for item in node]
    if not isinstance(node, dict):
        return node
    new = {}
    for key, child in node.items():
        if (key == "description" and isinstance(child, str)) or (key == "enum" and len(child) == 1):
            continue
        if key == "type" and isinstance(child, list):
            child = next(one for one in child if one != "null")
        elif key == "$ref" and isinstance(child, str):
            child = REF + child.rpartition("/")[2]
        new[key] = cleaned(child)
    return new


def referred(node: Any) -> set[str]:
    if isinstance(node, list):
        return set().union(*(referred(item) for item in node))
    if not isinstance(node, dict):
        return set()
    own = {node["$ref"].removeprefix(REF)} if isinstance(node.get("$ref"), str) else set()
    return own.union(*(referred(child) for child in node.values()))


def reachable(definitions: dict[str, dict], roots: list[str]) -> dict[str, dict]:
    found: dict[str, dict] = {}
    waiting = list(roots)
    while waiting:
        name = waiting.pop()
        if name not in found:
            found[name] = cleaned(definitions[name])
            waiting += referred(found[name])
    return dict(sorted(found.items()))


def descriptions(definitions: dict[str, dict], names: Iterable[str]) -> dict[str, dict[str, str]]:
    """type → field → text; the type's own under the empty name."""
    found = {}
    for name in names:
        parts = {"": definitions[name], **definitions[name].get("properties", {})}
        found[name] = {field: part["description"] for field, part in parts.items() if part.get("description")}
    return found


def written(path: Path, content: dict) -> None:
    """No time in the file: the same definitions give the same bytes."""
    text = json.dumps(content, separators=(",", ":"), sort_keys=True)
    path.write_bytes(gzip.compress(text.encode(), 9, mtime=0))
    print(f"{path.name}: {path.stat().st_size} bytes")


def merge_keys(schemas: dict[str, dict]) -> dict[str, dict]:
    """type → field → `{of, key, strategy}`, of those types from which a field with a strategy can be reached."""
    table: dict[str, dict] = {}
    for name, schema in schemas.items():
        for field, property_ in schema.get("properties", {}).items():
            of = property_.get("$ref") or property_.get("items", {}).get("$ref")
            about = {"of": of and of.removeprefix(REF)}
            about["key"] = property_.get("x-kubernetes-patch-merge-key")
            about["strategy"] = property_.get("x-kubernetes-patch-strategy")
            kept = {key: found for key, found in about.items() if found}
            if kept:
                table.setdefault(name, {})[field] = kept
    return _pruned(table)


def _pruned(table: dict[str, dict]) -> dict[str, dict]:
    useful = {name for name, fields in table.items() if any("strategy" in about for about in fields.values())}
    while True:
        more = {name for name, fields in table.items() if any(about.get("of") in useful for about in fields.values())}
        if more <= useful:
            break
        useful |= more
    return {
        name: {
            field: about if about.get("of") in useful else {k: v for k, v in about.items() if k != "of"}
            for field, about in fields.items()
            if "strategy" in about or about.get("of") in useful
        }
        for name, fields in table.items()
        if name in useful
    }


def main() -> None:
    definitions = published()
    roots = {(kind.api_version, kind.kind) for kind in (*KINDS, *OTHERS) if kind.group != OWN} | SUBRESOURCES
    names = {f"{version} {kind}": name_of(definitions, version, kind) for version, kind in sorted(roots)}
    schemas = reachable(definitions, list(names.values()))
    written(DEFINITIONS, {"version": VERSION, "roots": names, "schemas": schemas})
    written(DESCRIPTIONS, descriptions(definitions, schemas))
    keys = {"roots": names, "types": merge_keys(schemas)}
    MERGE_KEYS.write_text(json.dumps(keys, indent=1, sort_keys=True) + "\n")


if __name__ == "__main__":
    main()
