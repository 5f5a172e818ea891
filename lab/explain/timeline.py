"""The moments of a cluster's history that one jumps between: what people did, faults, rollouts, nodes lost and back.

They are found in the log by who wrote what; each is told in a few words. Of many, the most important of each stretch of
the time line are kept, so that there are never more than fit on it.
"""

from collections.abc import Iterable

from django.db.models import Q

from lab.apimachinery.kinds import BY_RESOURCE, DEPLOYMENTS, EVENTS, NODES
from lab.apimachinery.meta import condition, is_true
from lab.store import Row, find, head_of, rows_at

from . import difference

MOST = 200  # marks on a time line; a wide screen has room for so many
IMPORTANCE = {"person": 3, "node": 2, "rollout": 1, "fault": 0}
# The lab's own parts. Whoever else writes is a person, or a program that a person runs.
PARTS = ["scheduler", "visitors", "kube-proxy", "leader-election", "cluster-autoscaler", "horizontal-pod-autoscaler"]
PARTS += ["kube-apiserver", "bootstrap"]
PARTS_LIKE = Q(author__endswith="-controller") | Q(author__endswith="-collector") | Q(author__startswith="kubelet")
PARTS_LIKE |= Q(author__endswith="-publisher") | Q(author__in=PARTS)
ROLLOUT = "deployment.kubernetes.io/revision"


def marks(cluster: str, after: int = 0, until: int | None = None) -> list[dict]:
    """`{revision, time, kind, text, author, object}`, oldest first. `kind`: person, node, rollout or fault; `object`:
    `{resource, namespace, name}`."""
    until = head_of(cluster).revision if until is None else until
    wanted = ~PARTS_LIKE & ~Q(resource=EVENTS.resource)
    wanted |= Q(author="node-controller", resource=NODES.resource)
    wanted |= Q(author="deployment-controller", resource=DEPLOYMENTS.resource)
    wanted |= Q(created=True, resource=EVENTS.resource)
    found = find(cluster, wanted, after, until)
    told = [mark for row in rows_at(cluster, found) if (mark := mark_of(row))]
    return thinned(told, after, until)


def mark_of(row: Row) -> dict | None:
    """The mark that a row makes on the time line, if it is one."""
    kind, text = _fault(row) if row.resource == EVENTS.resource else _act(row)
    about = {"resource": row.resource, "namespace": row.namespace, "name": row.name}
    told = {"revision": row.revision, "time": row.time, "kind": kind, "text": text, "author": row.author}
    return {**told, "object": about} if text else None


def _fault(row: Row) -> tuple[str, str]:
    about = row.object.get("involvedObject", {})
    words = f"{about.get('kind', '').lower()} {about.get('name', '')}: {row.object.get('reason', '')}"
    return "fault", words if row.object.get("type") == "Warning" else ""


def _act(row: Row) -> tuple[str, str]:
    if row.author == "node-controller":
        return "node", _node(row)
    if row.author == "deployment-controller":
        return "rollout", _rollout(row)
    kind = BY_RESOURCE[row.resource].singular if row.resource in BY_RESOURCE else row.resource
    if row.created or row.deleted or row.old is None:
        return "person", f"{'deleted' if row.deleted else 'made'} {kind} {row.name}"
    if "deletionTimestamp" in row.object["metadata"] and "deletionTimestamp" not in row.old["metadata"]:
        return "person", f"deleted {kind} {row.name}"
    words = difference.in_words(difference.changed(row.old, row.object))
    return "person", f"{kind} {row.name}: {words}" if words else ""


def _node(row: Row) -> str:
    silent, was = (
        any("unreachable" in key or "not-ready" in key for key in _taints(obj)) for obj in (row.object, row.old)
    )
    return "" if silent == was else f"node {row.name} {'lost' if silent else 'is ready'}"


def _taints(obj: dict | None) -> list[str]:
    return [taint["key"] for taint in (obj or {}).get("spec", {}).get("taints", ())]


def _rollout(row: Row) -> str:
    now, was = (_progress(obj) for obj in (row.object, row.old))
    if now[0] != was[0] and now[0]:
        return f"{row.name}: rollout {now[0]} begins"
    return f"{row.name}: rollout {now[0]} is done" if now[1] and not was[1] else ""


def _progress(deployment: dict | None) -> tuple[str, bool]:
    """Which revision of its template it is at, and whether that is out."""
    if deployment is None:
        return "", False
    told = condition(deployment, "Progressing")
    number = deployment["metadata"].get("annotations", {}).get(ROLLOUT, "")
    return number, bool(told and told["reason"] == "NewReplicaSetAvailable" and is_true(deployment, "Progressing"))


def thinned(told: Iterable[dict], after: int, until: int, most: int = MOST) -> list[dict]:
    """At most `most` of them: of each stretch of the time line the most important, and of equals the latest."""
    every = list(told)
    if len(every) <= most:
        return every
    best: dict[int, dict] = {}
    for mark in every:
        place = (mark["revision"] - after - 1) * most // max(1, until - after)
        if place not in best or IMPORTANCE[mark["kind"]] >= IMPORTANCE[best[place]["kind"]]:
            best[place] = mark
    return [best[place] for place in sorted(best)]
