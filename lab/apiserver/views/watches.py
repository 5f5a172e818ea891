"""Watch: one answer that never ends, a JSON line for each thing that happens.

A client lists, remembers the list's revision, and watches from there: so it misses nothing, however long it was away,
as long as the log still holds what came after. Or it asks the watch itself to begin with what there is.
"""

import asyncio
import random
import time
from collections.abc import AsyncIterator, Callable, Sequence

import orjson
from django.http import HttpRequest, StreamingHttpResponse

from lab.apimachinery.errors import expired
from lab.store import Change, Compacted, UnknownCluster

from .. import events, lists, registry, tables, versions
from ..feed import Feed, watching
from ..negotiation import JSON, Form, response_form
from ..options import ListOptions
from ..requestinfo import RequestInfo
from ..threads import in_thread
from .answers import one
from .entry import asking

SHORTEST_SECONDS = 1800  # a watch without a timeout ends after this to twice this, so that not all end at once
BOOKMARK_SECONDS = 60.0
EVENTS_A_WRITE = 500


async def watch(request: HttpRequest, cluster: str, info: RequestInfo, wanted: ListOptions) -> StreamingHttpResponse:
    """Raises ApiError for what can be known before the stream begins; later failures are ERROR events in it."""
    form = response_form(request.headers.get("Accept", ""))
    watcher = Watcher(cluster, info, wanted, form)
    items, revision = await in_thread(
        registry.list_, asking(request, cluster), info.kind, info.namespace, *watcher.selectors
    )
    asked = wanted.resource_version or 0
    if asked > revision:
        raise lists.too_large(asked, revision)
    begins_with_state = wanted.initial_events if wanted.initial_events is not None else not asked
    start = asked if asked and not begins_with_state else revision
    stream = watcher.stream(items if begins_with_state else [], start, revision)
    return StreamingHttpResponse(stream, content_type=JSON)


class Watcher:
    """One client's watch: what it wants to see, in which form, until when."""

    def __init__(self, cluster: str, info: RequestInfo, wanted: ListOptions, form: Form):
        self.cluster, self.info, self.wanted, self.form = cluster, info, wanted, form
        fields = [wanted.field_selector] if wanted.field_selector else []
        if info.name:  # a watch of one object is a watch of the collection that lets only it through
            fields.append(f"metadata.name={info.name}")
        self.selectors = (wanted.label_selector, ",".join(fields))
        self._matches: Callable[[dict], bool] = registry.matcher(info.kind, *self.selectors)
        self._columns = tables.columns_for(info.kind)
        self._headed = True
        seconds = wanted.timeout or SHORTEST_SECONDS * (1 + random.random())
        self._ends = time.monotonic() + seconds

    async def stream(self, items: list[dict], revision: int, head: int) -> AsyncIterator[bytes]:
        """The events: first the given objects, then what happens after `revision`. `head` is the newest one."""
        for start in range(0, len(items), EVENTS_A_WRITE):
            yield self._lines([("ADDED", obj) for obj in items[start : start + EVENTS_A_WRITE]])
        if self.wanted.initial_events and self.wanted.bookmarks:
            yield self._lines([events.bookmark(self.info.served, revision, initial_end=True)])
        try:
            async with watching(self.cluster, head) as feed:
                async for lines in self._follow(feed, revision):
                    yield lines
        except Compacted as error:
            gone = expired(f"too old resource version: {revision} ({error.oldest})")
            yield self._lines([("ERROR", gone.as_status())])
        except UnknownCluster:
            return

    async def _follow(self, feed: Feed, revision: int) -> AsyncIterator[bytes]:
        quiet_since = time.monotonic()
        while (left := self._ends - time.monotonic()) > 0:
            changes = await feed.after(revision, min(left, BOOKMARK_SECONDS))
            if feed.down:
                return
            if changes:
                revision = changes[-1].revision
            lines = self._lines(self._events(changes))
            if lines:
                quiet_since = time.monotonic()
                yield lines
            elif self.wanted.bookmarks and time.monotonic() - quiet_since >= BOOKMARK_SECONDS:
                quiet_since = time.monotonic()
                yield self._lines([events.bookmark(self.info.served, revision)])
            # A burst of changes must not keep the loop from its other streams.
            await asyncio.sleep(0)

    def _events(self, changes: Sequence[Change]) -> list[events.Event]:
        return list(events.events_of(changes, self.info.kind.resource, self.info.namespace, self._matches))

    def _lines(self, happened: list[events.Event]) -> bytes:
        return b"".join(orjson.dumps({"type": t, "object": self._form(t, o)}) + b"\n" for t, o in happened)

    def _form(self, event_type: str, obj: dict) -> dict:
        if event_type == "ERROR":
            return obj
        if not self.form.kind:
            return versions.served(self.info.served, obj)
        if event_type == "BOOKMARK" and self.form.kind == "Table":
            return tables.table(self._columns, [], obj["metadata"], 0, headed=False, version=self.form.version)
        made = one(self.form, self._columns, obj, self.wanted.include, self._headed)
        self._headed = False
        return made
