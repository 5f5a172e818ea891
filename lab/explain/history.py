"""What was: the whole cluster at a revision, what differs between two, and the revisions of one object.

Each is read from the log, whoever asks: what is returned is the JSON that goes out. Raises ApiError 410 for what is no
longer kept, 404 for what is not written yet or was never there.
"""

from collections.abc import Iterator
from contextlib import contextmanager

from lab.apimachinery.errors import ApiError, expired, not_found
from lab.apimachinery.kinds import Kind
from lab.client import Client
from lab.store import Ahead, Compacted, View, head_of, state_at, time_of

from . import difference
from .timeline import marks

REVISIONS_SHOWN = 200  # of one object; a node that lives for days has thousands, mostly heartbeats


@contextmanager
def kept() -> Iterator[None]:
    """What the store refuses, in the words of the API."""
    try:
        yield
    except Compacted as gone:
        raise expired(f"{gone}: what was before is no longer kept; /history says where it begins") from None
    except Ahead as early:
        raise ApiError(404, "NotFound", f"{early}; /history says where it ends") from None


def state(client: Client, revision: int) -> View:
    with kept():
        return state_at(client.cluster, revision)


def overview(client: Client, after: int = 0, until: int | None = None) -> dict:
    """Where the history begins and ends, and the moments between `after` and `until` that one may want to see."""
    head = head_of(client.cluster)
    ends = [{"revision": at, "time": time_of(client.cluster, at)} for at in (head.compacted, head.revision)]
    return {"begins": ends[0], "head": ends[1], "marks": marks(client.cluster, max(after, head.compacted), until)}


def at_revision(client: Client, revision: int) -> dict:
    """The whole state as a List, as `kubectl get -o json` has it; of a Secret without what it keeps."""
    items = [difference.shown(obj) for obj in state(client, revision)]
    metadata = {"resourceVersion": str(revision)}
    return {
        "kind": "List",
        "apiVersion": "v1",
        "metadata": metadata,
        "time": time_of(client.cluster, revision),
        "items": items,
    }


def between(client: Client, before: int, after: int) -> dict:
    """What differs between two revisions, object by object: see `difference.between`."""
    ends = [{"revision": at, "time": time_of(client.cluster, at)} for at in (before, after)]
    objects = difference.between(state(client, before), state(client, after))
    return {"from": ends[0], "to": ends[1], "objects": objects}


def of_object(client: Client, kind: Kind, namespace: str, name: str) -> dict:
    """The newest revisions of one object, newest first: who wrote it, because of which revision, by which decision, and
    what that changed. Raises ApiError 404 for one of which no row is kept."""
    rows = client.history(kind, namespace, name, REVISIONS_SHOWN + 1)
    if not rows:
        raise not_found(kind, name)
    befores = [*rows[1:], None]
    told = [_revision(row, old) for row, old in zip(rows, befores, strict=True)][:REVISIONS_SHOWN]
    of = {"kind": kind.kind, "namespace": namespace, "name": name}
    return {**of, "revisions": told, "more": len(rows) > REVISIONS_SHOWN}


def _revision(row: dict, old: dict | None) -> dict:
    act = "deleted" if row["deleted"] else "created" if row["created"] else "updated"
    told = {key: row[key] for key in ("revision", "time", "author", "cause", "why")}
    paths = difference.changed(old["object"], row["object"]) if act == "updated" and old else []
    return {**told, "act": act, "changed": paths}
