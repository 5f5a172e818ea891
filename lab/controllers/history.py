"""The versions of a StatefulSet or DaemonSet, each kept as a ControllerRevision.

A Deployment needs none: its old ReplicaSets keep the old templates. Whoever makes its pods itself keeps them so, as the
patch that brings a template back: `kubectl rollout undo` sends it as it is. Source: Kubernetes' pkg/controller/history.
"""

import copy
from dataclasses import dataclass

from lab.apimachinery.kinds import CONTROLLERREVISIONS
from lab.apimachinery.meta import owner_reference
from lab.apimachinery.selectors import parse_label_selector
from lab.client import Client

from .deployment.revisions import template_hash
from .owners import claimed

HISTORY_LIMIT = 10  # what revisionHistoryLimit is by default


@dataclass(frozen=True)
class History:
    """The revisions of one owner, oldest first; the last is of its present template. `collisions`: how often the name
    of one was taken."""

    revisions: list[dict]
    collisions: int

    @property
    def newest(self) -> dict:
        return self.revisions[-1]

    def named(self, name: str) -> dict | None:
        return next((one for one in self.revisions if one["metadata"]["name"] == name), None)


def kept(client: Client, owner: dict, hash_label: str) -> History:
    """The owner's history, after its present template has got a revision, or its revision the highest number: so an
    undo makes no new one. `hash_label`: under which a revision carries its hash. Raises ApiError."""
    selector = parse_label_selector(owner["spec"]["selector"])
    found = claimed(
        client, owner, CONTROLLERREVISIONS, lambda revision: selector.matches(revision["metadata"].get("labels"))
    )
    revisions = sorted(found, key=_order)
    number = revisions[-1]["revision"] + 1 if revisions else 1
    collisions = owner.get("status", {}).get("collisionCount", 0)
    same = [revision for revision in revisions if revision["data"] == data_of(owner)]
    if not same:
        newest, collisions = _create(client, owner, number, collisions, hash_label)
    elif same[-1] is revisions[-1]:
        return History(revisions, collisions)
    else:
        newest = client.update(CONTROLLERREVISIONS, {**same[-1], "revision": number})
        revisions.remove(same[-1])
    return History([*revisions, newest], collisions)


def data_of(owner: dict) -> dict:
    """What a revision holds: the strategic merge patch that makes the owner's template what it is now."""
    return {"spec": {"template": {"$patch": "replace", **copy.deepcopy(owner["spec"]["template"])}}}


def template_of(revision: dict) -> dict:
    return {field: held for field, held in revision["data"]["spec"]["template"].items() if field != "$patch"}


def forget_old(client: Client, owner: dict, history: History, in_use: set[str]) -> None:
    """Delete the oldest revisions beyond `revisionHistoryLimit`. Not counted, and kept: those that are `in_use`, by
    name, and the newest."""
    limit = owner["spec"].get("revisionHistoryLimit", HISTORY_LIMIT)
    idle = [one for one in history.revisions[:-1] if one["metadata"]["name"] not in in_use]
    old = idle[: max(0, len(idle) - limit)]
    client.delete_these(CONTROLLERREVISIONS, old, why=lambda revision: trimmed("revisionHistoryLimit", limit))


def trimmed(of: str, limit: int) -> dict:
    """The decision that what is past a limit of what is kept goes; `of`: the field that says how much that is."""
    return {"decision": "TrimHistory", "of": of, "limit": limit}


def _order(revision: dict) -> tuple:
    meta = revision["metadata"]
    return revision["revision"], meta.get("creationTimestamp", ""), meta["name"]


def _create(client: Client, owner: dict, number: int, collisions: int, hash_label: str) -> tuple[dict, int]:
    """The new revision, and the collisions there are then. A name that something else has changes the next one."""
    meta, template = owner["metadata"], owner["spec"]["template"]
    named = template_hash(template, collisions)
    while client.find(CONTROLLERREVISIONS, meta["namespace"], f"{meta['name']}-{named}"):
        collisions += 1
        named = template_hash(template, collisions)
    labels = (template.get("metadata") or {}).get("labels") or {}
    revision = {
        "metadata": {
            "name": f"{meta['name']}-{named}",
            "namespace": meta["namespace"],
            "labels": {**labels, hash_label: named},
            "annotations": dict(meta.get("annotations") or {}),
            "ownerReferences": [owner_reference(owner)],
        },
        "data": data_of(owner),
        "revision": number,
    }
    return client.create(CONTROLLERREVISIONS, revision), collisions
