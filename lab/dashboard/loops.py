"""The control loops at the foot of the board: who writes to the log, and what they last did, read from the log itself.

Pure. A loop is drawn because it acted, and says what it did: the difference between an object before and after.
"""

from lab.apimachinery.meta import is_true
from lab.client.reconcile import Change

from .rows import Row, compact

# author in the log → name on the board. Every cluster has these, so they are drawn before they first act.
LOOPS = {
    "scheduler": "scheduler",
    "deployment-controller": "deployment",
    "replicaset-controller": "replicaset",
    "node-controller": "node lifecycle",
    "taint-eviction-controller": "taint eviction",
    "generic-garbage-collector": "garbage collector",
    "kubelet": "kubelet",
}
SILENT = ("leases.coordination.k8s.io", "events")  # heartbeats and notes: a wheel that always turns says nothing
ONE = {"pods": "pod", "replicasets.apps": "replica set", "deployments.apps": "deployment", "nodes": "node"}


def loop_of(change: Change) -> str:
    """The loop that wrote a change: its key in `LOOPS`, or empty if a person did or it is a mere heartbeat."""
    if change.resource in SILENT or is_heartbeat(change):
        return ""
    author = "kubelet" if change.author.startswith("kubelet") else change.author
    return author if author in LOOPS else ""


def is_heartbeat(change: Change) -> bool:
    """A node's status written again, with nothing in it that the board would show."""
    if change.resource != "nodes" or not change.old or change.deleted:
        return False
    return change.old.get("spec") == change.object.get("spec") and is_true(change.old, "Ready") == is_true(
        change.object, "Ready"
    )


def loop_row(author: str, acts: int = 0, at: float = 0, text: str = "", waiting: int = 0) -> Row:
    """A loop: how often it acted since the board's reader started, when last, and what it did then."""
    row = {"id": f"loops/{author}", "kind": "loop", "name": LOOPS[author]}
    return compact({**row, "acts": acts, "at": at, "text": text, "waiting": waiting})


def describe(changes: list[Change]) -> str:
    """What one loop did in `changes`, in a few words: the last act, and how many more of the same."""
    last = changes[-1]
    text = _act(last)
    same = sum(_verb(change) == _verb(last) and change.resource == last.resource for change in changes)
    if same > 1 and last.resource in ONE:
        return f"{_verb(last)} {same} {ONE[last.resource]}s"
    return text


def _verb(change: Change) -> str:
    if change.deleted or _began_leaving(change):
        return "deleted"
    if change.created:
        return "made"
    if change.resource == "pods" and _node(change.object) != _node(change.old):
        return "placed"
    return "updated"


def _began_leaving(change: Change) -> bool:
    now, before = change.object["metadata"], (change.old or {"metadata": {}})["metadata"]
    return "deletionTimestamp" in now and "deletionTimestamp" not in before


def _node(pod: dict | None) -> str:
    return (pod or {}).get("spec", {}).get("nodeName", "")


def _act(change: Change) -> str:
    verb, name = _verb(change), change.name
    if verb == "placed":
        return f"{name} → {_node(change.object)}"
    if verb in ("deleted", "made"):
        return f"{verb} {name}"
    before, now = change.old or {}, change.object
    desired = now.get("spec", {}).get("replicas")
    if desired is not None and desired != before.get("spec", {}).get("replicas"):
        return f"{name}: {before.get('spec', {}).get('replicas', 0)} → {desired}"
    if change.resource == "pods":
        return f"{name} {'ready' if is_true(now, 'Ready') else now.get('status', {}).get('phase', '')}"
    if "readyReplicas" in now.get("status", {}):
        return f"{name}: {now['status']['readyReplicas']} of {desired} ready"
    return f"{verb} {name}"
