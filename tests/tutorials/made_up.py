"""States and rows of a log, made up: for what only reads them."""

import itertools
from typing import Any

from lab.store import Change
from lab.tutorials.facts import kind_of

_revisions = itertools.count(1)


def pod(name: str, ready: bool = True, app: str = "web", node: str = "node-a", **status: Any) -> dict:
    return {
        "apiVersion": "v1",
        "kind": "Pod",
        "metadata": {"name": name, "namespace": "default", "labels": {"app": app}},
        "spec": {"nodeName": node, "containers": [{"name": "web", "image": "orrery/hello:v1"}]},
        "status": {
            "phase": "Running",
            "conditions": [{"type": "Ready", "status": "True" if ready else "False"}],
            **status,
        },
    }


def deployment(name: str, replicas: int, ready: int) -> dict:
    return {
        "apiVersion": "apps/v1",
        "kind": "Deployment",
        "metadata": {"name": name, "namespace": "default", "labels": {"app": name}},
        "spec": {
            "replicas": replicas,
            "template": {
                "spec": {"containers": [{"image": "orrery/hello:v1", "env": [{"name": "MODE", "value": "blue"}]}]}
            },
        },
        "status": {"readyReplicas": ready},
    }


class State:
    revision = 0

    def __init__(self, *objects: dict):
        self.objects = list(objects)

    def list(self, resource: str, namespace: str = "") -> list[dict]:
        mine = [obj for obj in self.objects if kind_of(obj["kind"]).resource == resource]
        return [obj for obj in mine if not namespace or obj["metadata"].get("namespace") == namespace]


def row(obj: dict, author: str, time: float, old: dict | None = None, deleted: bool = False) -> Change:
    kind, meta = kind_of(obj["kind"]), obj["metadata"]
    return Change(
        next(_revisions),
        kind.resource,
        meta.get("namespace", ""),
        meta["name"],
        obj,
        old,
        created=old is None and not deleted,
        deleted=deleted,
        time=time,
        author=author,
        cause=0,
    )
