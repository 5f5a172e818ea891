"""From changes of the log to the events of a watch.

Pure. A watch with selectors shows a world in which only matching objects exist: an object that stops matching is
DELETED there, and one that begins to match is ADDED, whatever happened to it in the cluster.
"""

from collections.abc import Callable, Iterable, Iterator

from lab.apimachinery.kinds import Kind
from lab.store import Change

Event = tuple[str, dict]  # ADDED | MODIFIED | DELETED, the object
INITIAL_EVENTS_END = "k8s.io/initial-events-end"


def events_of(
    changes: Iterable[Change], resource: str, namespace: str, matches: Callable[[dict], bool]
) -> Iterator[Event]:
    """What a watcher of `resource` in `namespace` ("" for all) is told of these changes."""
    for change in changes:
        if change.resource != resource or (namespace and change.namespace != namespace):
            continue
        was = not change.created and change.old is not None and matches(change.old)
        is_ = not change.deleted and matches(change.object)
        if is_:
            yield ("MODIFIED" if was else "ADDED"), change.object
        elif was:
            # The last state the watcher may see, under the revision at which it went: a client resumes from there.
            last = change.object if change.deleted or change.old is None else change.old
            yield "DELETED", {**last, "metadata": {**last["metadata"], "resourceVersion": str(change.revision)}}


def bookmark(kind: Kind, revision: int, initial_end: bool = False) -> Event:
    """ "Nothing for you up to here": lets a client resume from a newer revision than that of its last event."""
    metadata: dict = {"resourceVersion": str(revision), "creationTimestamp": None}
    if initial_end:
        metadata["annotations"] = {INITIAL_EVENTS_END: "true"}
    return "BOOKMARK", {"kind": kind.kind, "apiVersion": kind.api_version, "metadata": metadata}
