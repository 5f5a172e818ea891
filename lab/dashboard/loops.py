"""The control loops at the foot of the board: who writes to the log, and what they last did, read from the log itself.

Pure. A loop is drawn because it acted, and says the difference that it saw and what it did about it:
"hello v1: wants 5, had 3 → +2".
"""

from collections.abc import Callable

from lab.apimachinery import wheels
from lab.apimachinery.kinds import (
    DAEMONSETS,
    DEPLOYMENTS,
    ENDPOINTSLICES,
    EVENTS,
    HORIZONTALPODAUTOSCALERS,
    JOBS,
    NODES,
    PODS,
    RELEASES,
    REPLICASETS,
    REPLICATIONCONTROLLERS,
    STATEFULSETS,
)
from lab.apimachinery.meta import condition, controller_of, is_true
from lab.apiserver.tables.pods import summary
from lab.client import Change

from .rows import Row, compact, row_id, version_name, version_of
from .servicerows import endpoints_of, service_of

# author in the log → name on the board. Every cluster has these, so they are drawn before they first act.
LOOPS = {
    "scheduler": "scheduler",
    "deployment-controller": "deployment",
    "replicaset-controller": "replicaset",
    "kubelet": "kubelet",
    "endpointslice-controller": "endpoints",
    "release-controller": "release",
    "horizontal-pod-autoscaler": "autoscaler",
    "cluster-autoscaler": "machines",
    "node-controller": "node lifecycle",
    "taint-eviction-controller": "taint eviction",
    "generic-garbage-collector": "garbage collector",
}
# Those that many a cluster has no work for: drawn once they have acted.
LATER = {
    "statefulset-controller": "statefulset",
    "daemonset-controller": "daemonset",
    "job-controller": "job",
    "cronjob-controller": "cronjob",
}
DRAWN = LOOPS | LATER
# The others are reached by a list, and drawn while somebody has turned their wheels.
NAMES = {author: name for name, author in wheels.LOOPS.items()} | DRAWN
NAMES["persistentvolume-controller"] = "volume binder"  # so long a word has no room
WHEELS = {author: name for name, author in wheels.LOOPS.items()}  # author → the name of its wheel
MOST_LIT = 12  # things that a loop touched, of which its row tells
# Heartbeats, notes, and the count of its own steps: a wheel that always turns says nothing. To forget a note is an act.
SILENT = ("leases.coordination.k8s.io", EVENTS.resource, "wheels.orrery.io")


def loop_of(change: Change) -> str:
    """The loop that wrote a change: its key in `NAMES`, or empty if a person did or it is a mere heartbeat."""
    silent = change.resource in SILENT and not (change.deleted and change.resource == EVENTS.resource)
    if silent or is_heartbeat(change) or is_mere_figure(change):
        return ""
    author = "kubelet" if change.author.startswith("kubelet") else change.author
    return author if author in NAMES else ""


def is_drawn(row: Row) -> bool:
    """Whether a loop is drawn: some always are, others once they have acted, each while its wheel is turned."""
    author = row["id"].partition("/")[2]
    return author in LOOPS or "mode" in row or author in LATER and "acts" in row


def is_heartbeat(change: Change) -> bool:
    """A node's status written again, with nothing in it that the board would show."""
    if change.resource != "nodes" or not change.old or change.deleted:
        return False
    return change.old.get("spec") == change.object.get("spec") and is_true(change.old, "Ready") == is_true(
        change.object, "Ready"
    )


# Of kinds whose controllers write down what they measured: what has to differ for it to be an act.
ACTS = {
    HORIZONTALPODAUTOSCALERS.resource: ("desiredReplicas",),
    RELEASES.resource: ("phase", "weight", "step"),
}


def is_mere_figure(change: Change) -> bool:
    """An autoscaler or a release that has only been told anew what is measured."""
    if change.resource not in ACTS or not change.old or change.deleted:
        return False
    now, old = change.object.get("status", {}), change.old.get("status", {})
    return all(now.get(key) == old.get(key) for key in ACTS[change.resource])


def loop_row(author: str, before: Row | None = None, **news: object) -> Row:
    """A loop as it was `before`, with what is new of it: how often it acted since the board's reader started (`acts`),
    when last (`at`), what it did then (`text`), to which rows (`lit`), what it has before it now (`queue`), and how its
    wheel turns, if not as ever (`mode`)."""
    row = {"id": f"loops/{author}", "kind": "loop", "name": NAMES[author], "wheel": WHEELS.get(author)}
    return compact({**row, **(before or {}), **news})


# What a loop still has to do, in a word behind the number.
LEFT = {
    "scheduler": ("waiting",),
    "deployment-controller": ("changed", "rolling"),
    "replicaset-controller": ("missing", "refused"),
    "node-controller": ("lost",),
    "kubelet": ("busy",),
}


def left(author: str, work: dict[tuple[str, str], int]) -> str:
    """`2 missing`; empty where nothing is left."""
    return ", ".join(f"{count} {word}" for word in LEFT[author] if (count := work[author, word]))


def lit(changes: list[Change]) -> list[str]:
    """The rows that a loop touched, the newest last."""
    return list(dict.fromkeys(row_id(change.resource, change.object) for change in changes))[-MOST_LIT:]


def work_of(row: Row) -> dict[tuple[str, str], int]:
    """For which loops the row of a pod, deployment or node is something to do, and how much. What a quota refuses is
    not missing: the loop asks for it again and again, and can do no more."""
    kind, state = row["kind"], row.get("state")
    if kind == "pod" and state == "pending":
        return {("scheduler", "waiting"): 1}
    if kind == "pod" and row.get("node") and state in ("starting", "backoff", "leaving"):
        return {("kubelet", "busy"): 1}
    if kind == "workload" and row["what"] == DEPLOYMENTS.kind:
        if row.get("unseen"):
            return {("deployment-controller", "changed"): 1}  # until it has been looked at, nothing else is due
        missing = max(0, row.get("desired", 0) - row.get("total", 0))
        word = "refused" if row.get("refused") else "missing"
        return {("deployment-controller", "rolling"): int("oldTotal" in row), ("replicaset-controller", word): missing}
    lost = kind == "node" and not row.get("ready") and not row.get("until")  # one that boots was never there
    return {("node-controller", "lost"): 1} if lost else {}


def describe(changes: list[Change]) -> str:
    """What one loop did in `changes`: the most telling act that there are words for, and how many more of its kind."""
    said = {(c.resource, c.namespace, c.name): text for c in changes if (text := WORDS.get(c.resource, _plainly)(c))}
    for resource in WORDS:
        acts = [text for (of, *_), text in said.items() if of == resource]
        if acts:
            return acts[-1] + (f" · {len(acts) - 1} more" if len(acts) > 1 else "")
    return _plainly(changes[-1])


def pod_name(pod: dict) -> str:
    """`hello x7k2p` for the replica set's `hello-85c957cb46-x7k2p`: as its tile says it."""
    name, owner = pod["metadata"]["name"], controller_of(pod)
    if owner and owner["kind"] == "ReplicaSet" and name.startswith(f"{owner['name']}-"):
        return f"{owner['name'].rpartition('-')[0]} {name.removeprefix(owner['name'] + '-')}"
    return name


def set_name(replicaset: dict) -> str:
    """`hello v2` for the replica set of a deployment."""
    owner, name = controller_of(replicaset), replicaset["metadata"]["name"]
    return f"{owner['name']} {version_name(replicaset)}" if owner and version_of(replicaset) else name


def _pod(change: Change) -> str:
    now, old = change.object, change.old
    name = pod_name(now)
    if change.deleted:
        return f"{name} is gone"
    if old is None:
        return ""  # the set that made it tells how many
    if "deletionTimestamp" in now["metadata"] and "deletionTimestamp" not in old["metadata"]:
        return f"{name} must leave"
    node = now["spec"].get("nodeName")
    if node and node != old["spec"].get("nodeName"):
        return f"{name} → {node}"
    if not node:
        return f"{name} fits on no node"
    word = "ready" if is_true(now, "Ready") else summary(now)[0]
    return f"{name} {word}" if word != ("ready" if is_true(old, "Ready") else summary(old)[0]) else ""


def _replicaset(change: Change) -> str:
    now, old = change.object, change.old or {}
    name, wanted = set_name(now), now["spec"].get("replicas", 1)
    if change.deleted:
        return f"{name} is gone"
    if change.author == "deployment-controller":
        before = old.get("spec", {}).get("replicas", 0)
        return f"{name}: {before} → {wanted}" if before != wanted else ""
    had, has = (obj.get("status", {}).get("replicas", 0) for obj in (old, now))
    if had != has:
        return f"{name}: wants {wanted}, had {had} → {has - had:+d}"
    return f"{name}: {now.get('status', {}).get('readyReplicas', 0)} of {wanted} ready"


def _deployment(change: Change) -> str:
    if change.deleted:
        return f"{change.name} is gone"
    ready, wanted = change.object.get("status", {}).get("readyReplicas", 0), change.object["spec"].get("replicas", 1)
    before = (change.old or change.object)["spec"].get("replicas", 1)
    if before != wanted:
        return f"{change.name}: {before} → {wanted}"
    return f"{change.name}: {ready} of {wanted} ready"


def _daemonset(change: Change) -> str:
    status = change.object.get("status", {})
    ready, wanted = status.get("numberReady", 0), status.get("desiredNumberScheduled", 0)
    return f"{change.name} is gone" if change.deleted else f"{change.name}: ready on {ready} of {wanted} nodes"


def _job(change: Change) -> str:
    spec, status = change.object["spec"], change.object.get("status", {})
    if change.created or change.deleted:
        return f"made {change.name}" if change.created else f"{change.name} is gone"
    wanted = f" of {spec['completions']}" if spec.get("completions") is not None else ""
    failed = f", {status['failed']} failed" if status.get("failed") else ""
    return f"{change.name}: {status.get('succeeded', 0)}{wanted} done{failed}"


def _node(change: Change) -> str:
    now, old = change.object, change.old or {}
    ready = is_true(now, "Ready")
    if change.author == "cluster-autoscaler" and (change.created or change.deleted):
        return f"{'sold' if change.deleted else 'bought'} {change.name}"
    if ready != is_true(old, "Ready"):
        heard = "heartbeats are back" if condition(old, "Ready") else "its first heartbeat"
        return f"{change.name}: {heard} → Ready" if ready else f"{change.name}: no heartbeat → lost"
    taints, before = (
        {taint["key"].rpartition("/")[2] for taint in obj.get("spec", {}).get("taints", ())} for obj in (now, old)
    )
    signs = [f"+{key}" for key in sorted(taints - before)] + [f"−{key}" for key in sorted(before - taints)]
    return f"{change.name}: taint {', '.join(signs)}" if signs else ""


def _endpointslice(change: Change) -> str:
    endpoints = endpoints_of([change.object])
    service = service_of(change.object).rpartition("/")[2] or change.name
    return f"{service}: {sum(one['ready'] for one in endpoints)} of {len(endpoints)} ready"


def _release(change: Change) -> str:
    status = change.object.get("status", {})
    return f"{change.name}: {status.get('weight', 0)} % · {status.get('phase', 'Waiting')}"


def _plainly(change: Change) -> str:
    if change.resource == PODS.resource and not change.created and not change.deleted:
        return f"{pod_name(change.object)} {summary(change.object)[0]}"
    verb = "deleted" if change.deleted else "made" if change.created else "updated"
    return f"{verb} {change.name}"


# The most telling first: a set that is resized says more than each pod that this makes or ends.
WORDS: dict[str, Callable[[Change], str]] = {
    NODES.resource: _node,
    REPLICASETS.resource: _replicaset,
    REPLICATIONCONTROLLERS.resource: _replicaset,
    PODS.resource: _pod,
    DEPLOYMENTS.resource: _deployment,
    STATEFULSETS.resource: _deployment,
    DAEMONSETS.resource: _daemonset,
    JOBS.resource: _job,
    RELEASES.resource: _release,
    ENDPOINTSLICES.resource: _endpointslice,
}
