"""What an act on the board answers: words, and the kubectl command that would have done the same.

The command is made of what the act itself writes: `delete`, `patch`, `annotate` and `create` do it, and say it.
"""

import json
from collections.abc import Callable
from dataclasses import dataclass

import yaml

from lab.apimachinery.kinds import Kind
from lab.apimachinery.kubectl import kubectl
from lab.apimachinery.patch import JSON_PATCH, MERGE_PATCH
from lab.client import Client


@dataclass(frozen=True)
class Done:
    """What to say: in words, and as what to type in a shell to have done the same; lines, where it takes several.
    `undo`: what is asked of the same act to take it back, where that can be done at once."""

    message: str
    kubectl: str = ""
    undo: dict | None = None


Action = Callable[[Client, str, str, dict], Done]


def delete(client: Client, kind: Kind, namespace: str, name: str) -> str:
    client.get(kind, namespace, name)
    client.delete(kind, namespace, name)
    return kubectl("delete", kind.singular, name, namespace=namespace)


def patch(client: Client, kind: Kind, namespace: str, name: str, changes: dict | list) -> str:
    """A merge patch, or a JSON patch, which is a list: as of somebody's hand, for a form may hold any."""
    merges = isinstance(changes, dict)
    client.patch(kind, namespace, name, changes, patch_type=MERGE_PATCH if merges else JSON_PATCH, by_hand=True)
    way = "--type=merge" if merges else "--type=json"
    return kubectl("patch", kind.singular, name, way, "-p", json.dumps(changes), namespace=namespace)


def annotate(client: Client, kind: Kind, namespace: str, name: str, key: str, held: str | None) -> str:
    """Set an annotation, or take it away if `held` is None."""
    client.patch(kind, namespace, name, {"metadata": {"annotations": {key: held}}})
    return kubectl("annotate", kind.singular, name, *annotation(key, held), namespace=namespace)


def annotation(key: str, held: str | None) -> list[str]:
    return [f"{key}={held}", "--overwrite"] if held else [f"{key}-"]


def create(client: Client, kind: Kind, objects: list[dict]) -> str:
    client.create_many(kind, objects)
    return from_yaml([{"apiVersion": kind.api_version, "kind": kind.kind, **obj} for obj in objects])


def from_yaml(objects: list[dict] | str, namespace: str = "") -> str:
    """The command that is given these objects, or this YAML of them, on its standard input."""
    text = objects if isinstance(objects, str) else yaml.safe_dump_all(objects, sort_keys=False)
    return f"{kubectl('create', '-f', '-', namespace=namespace)} <<'EOF'\n{text.rstrip()}\nEOF"
