"""The moments of a cluster's history that one jumps between: what people did, faults, rollouts, nodes lost and back.

They are found in the log by who wrote what; each is told in a few words. Of many, the most important of each stretch of
the time line are kept, so that there are never more than fit on it.
"""

from collections.abc import Iterable

from django.db.models import Q

from lab.apimachinery.kinds import BY_RESOURCE, DEPLOYMENTS, EVENTS, NODES
from lab.store import Head, Row, find, head_of, rows_at

from . import difference
from .authors import AUTHORS
from .words import fault_words, rollout

MOST = 200  # marks on a time line; a wide screen has room for so many
IMPORTANCE = {"person": 3, "node": 2, "rollout": 1, "fault": 0}
_told: dict[str, tuple[int, list[dict]]] = {}  # cluster's uid → up to which revision its marks are known; they
PARTS = (*AUTHORS, "bootstrap")  # whoever else writes is a person, or a program that a person runs


def marks(cluster: str, after: int = 0, until: int | None = None) -> list[dict]:
    """`{revision, time, kind, text, author, object}`, oldest first. `kind`: person, node, rollout or fault; `object`:
    `{resource, namespace, name}`."""
    head = head_of(cluster)
    until = head.revision if until is None else until
    return thinned([mark for mark in _known(head) if after < mark["revision"] <= until], after, until)


def _known(head: Head) -> list[dict]:
    """All marks that are kept. What has become one stays one: only what the log has grown by since is read."""
    read, told = _told.get(head.uid, (head.compacted, []))
    wanted = ~Q(author__in=PARTS) & ~Q(resource=EVENTS.resource)
    wanted |= Q(author="node-controller", resource=NODES.resource)
    wanted |= Q(author="deployment-controller", resource=DEPLOYMENTS.resource)
    wanted |= Q(cause=0, why__isnull=False)
    found = find(head.name, wanted, read, head.revision)
    told = [mark for mark in told if mark["revision"] > head.compacted]
    told += [mark for row in rows_at(head.name, found) if (mark := mark_of(row))]
    _told[head.uid] = (head.revision, told)
    return told


def mark_of(row: Row) -> dict | None:
    """The mark that a row makes on the time line, if it is one."""
    kind, text = _fault(row) if row.why and "fault" in row.why else _act(row)
    about = {"resource": row.resource, "namespace": row.namespace, "name": row.name}
    told = {"revision": row.revision, "time": row.time, "kind": kind, "text": text, "author": row.author}
    return {**told, "object": about} if text else None


def _fault(row: Row) -> tuple[str, str]:
    """What a part was told of and nobody had ordered, as the row that first tells of it has it."""
    fault = (row.why or {})["fault"]
    if row.resource == NODES.resource:
        return "node", fault_words(fault)
    return "fault", f"{_named(row)}: {fault_words(fault)}"


def _named(row: Row) -> str:
    return f"{BY_RESOURCE[row.resource].singular} {row.name}" if row.resource in BY_RESOURCE else row.name


def _act(row: Row) -> tuple[str, str]:
    if row.author in PARTS:
        if row.resource == NODES.resource:
            return "node", _node(row)
        is_known = row.resource == DEPLOYMENTS.resource and (row.created or row.old is not None)
        return "rollout", _rollout(row) if is_known else ""
    if row.created or row.deleted:
        return "person", f"{'deleted' if row.deleted else 'made'} {_named(row)}"
    if row.old is None:  # what it was before is no longer kept
        return "person", f"changed {_named(row)}"
    if "deletionTimestamp" in row.object["metadata"] and "deletionTimestamp" not in row.old["metadata"]:
        return "person", f"deleted {_named(row)}"
    words = difference.in_words(difference.changed(row.old, row.object))
    return "person", f"{_named(row)}: {words}" if words else ""


def _node(row: Row) -> str:
    """That it is back is told by the taint that goes; that it was lost, by the fault."""
    silent, was = (
        any("unreachable" in key or "not-ready" in key for key in _taints(it)) for it in (row.object, row.old)
    )
    return f"node {row.name} is ready" if was and not silent and not row.deleted else ""


def _taints(obj: dict | None) -> list[str]:
    return [taint["key"] for taint in (obj or {}).get("spec", {}).get("taints", ())]


def _rollout(row: Row) -> str:
    words = rollout(row.old, row.object)
    return f"{row.name}: {words}" if words else ""


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
