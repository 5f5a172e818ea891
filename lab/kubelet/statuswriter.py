"""The one thread that reports: statuses, events, and at last the end of a pod. Kubernetes' status manager.

A container must never wait for the database before it is restarted, so workers hand over what they have to say and
go on. While one write is under way the next ones gather, and go together in one transaction. Two reports of a pod
become one only if they tell the same story, so that no phase is ever swallowed.
"""

import contextlib
import copy
import logging
import threading
import time
from collections import defaultdict, deque
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from itertools import chain, islice

from django.db import Error as DatabaseError
from django.db import close_old_connections, connections

from lab.apimachinery.errors import ApiError
from lab.apimachinery.kinds import PODS
from lab.client import Client, LostFence, Put, UnknownCluster

from .occasions import Occasion
from .records import PodRecord
from .status import overlay

log = logging.getLogger(__name__)
RETRY_FIRST, RETRY_MOST = 0.2, 5.0
DARK_SECONDS = 1.0  # for so long a cluster whose API servers are all down is not asked again
MOST_AT_ONCE = 200
ENDED = {"decision": "SyncTerminatedPod"}

Happening = tuple[dict, str, str, str]  # object, Normal | Warning, reason, message


@dataclass
class Report:
    record: PodRecord
    status: dict
    why: dict | None
    occasion: Occasion


def story(status: dict) -> tuple:
    """What must not be lost between two reports: phase, readiness, and each container's state and restarts."""
    containers = [*(status.get("initContainerStatuses") or ()), *(status.get("containerStatuses") or ())]
    ready = [c["status"] for c in status.get("conditions") or () if c["type"] in ("Ready", "Initialized")]
    told = [(c["name"], next(iter(c["state"]), ""), c["restartCount"], c["ready"]) for c in containers]
    return status.get("phase"), tuple(ready), tuple(told)


def together(first: dict | None, then: dict | None) -> dict | None:
    """The decision of two reports that become one: all that either has done and found missing, under the later name."""
    if not first or not then:
        return then or first
    both = {field: first[field] + then[field] for field in ("steps", "did") if field in first and field in then}
    return {**first, **then, **both}


class StatusWriter:
    """`give_up` is told, in the writer's thread, why nothing can be written any more: then a new agent must begin."""

    def __init__(self, client: Callable[[str], Client], give_up: Callable[[str], None]):
        self._client = client
        self._give_up = give_up
        self._changed = threading.Condition()
        self._reports: dict[str, deque[Report]] = {}  # pod's uid → what is still to be written of it, in order
        self._events: dict[str, list[Happening]] = defaultdict(list)
        self._ends: dict[str, tuple[PodRecord, Callable[[], None]]] = {}
        self._dark: dict[str, float] = {}  # cluster without an API server → when it is tried again; no other waits
        self._busy = self._stopped = False
        self._thread = threading.Thread(target=self._run, name="status-writer", daemon=True)

    def start(self) -> None:
        self._thread.start()

    def stop(self, timeout: float = 5.0) -> None:
        """Write what is left, then end."""
        with self._changed:
            self._stopped = True
            self._changed.notify_all()
        self._thread.join(timeout)

    def report(self, record: PodRecord, status: dict, why: dict | None) -> None:
        with self._changed:
            waiting, occasion = self._reports.setdefault(record.uid, deque()), record.occasion
            if waiting and story(waiting[-1].status) == story(status):
                before = waiting.pop()
                why = together(before.why, why)
                occasion = before.occasion if before.occasion.is_news else occasion
            waiting.append(Report(record, status, why, occasion))
            self._changed.notify_all()

    def event(self, cluster: str, obj: dict, kind: str, reason: str, message: str) -> None:
        with self._changed:
            self._events[cluster].append((obj, kind, reason, message))
            self._changed.notify_all()

    def end(self, record: PodRecord, then: Callable[[], None]) -> None:
        """Once its last status is written, remove the pod from the API; then call `then`."""
        with self._changed:
            self._ends[record.uid] = (record, then)
            self._changed.notify_all()

    def reports(self, uid: str) -> bool:
        """Whether a status of the pod still waits to be written."""
        return uid in self._reports

    def ends(self, uid: str) -> bool:
        """Whether the pod still waits to be removed from the API."""
        return uid in self._ends

    def idle(self) -> bool:
        with self._changed:
            return not (self._busy or self._reports or self._events or self._ends)

    def _run(self) -> None:
        failures = 0
        while self._wait(min(RETRY_FIRST * 2**failures, RETRY_MOST) if failures else 0):
            close_old_connections()
            try:
                self._write_some()
                failures = 0
            except LostFence:
                self._give_up("another one has taken its place")
                break
            except (DatabaseError, ApiError) as error:
                failures = min(failures + 1, 10)
                if failures == 1:
                    log.warning("reports wait: %s", error)
            except Exception as error:  # a kubelet that reports nothing is worse than one that begins anew
                log.error("reporting fails", exc_info=error)
                self._give_up(f"it cannot report: {error!r}")
                break
        connections.close_all()

    def _wait(self, pause: float) -> bool:
        """Until there is something to write; False when all is written and no more will come."""
        with self._changed:
            self._busy = False
            if pause:
                self._changed.wait_for(lambda: self._stopped, pause)
                if self._stopped:
                    return False
            while not self._may_write() and not self._stopped:
                self._changed.wait(DARK_SECONDS if self._dark else None)
            self._busy = self._may_write()
            return self._busy

    def _may_write(self) -> bool:
        """Whether there is anything of a cluster that can be written to."""
        now = time.monotonic()
        self._dark = {cluster: again for cluster, again in self._dark.items() if again > now}
        clusters = (waiting[0].record.cluster for waiting in self._reports.values())
        ends = (record.cluster for record, _ in self._ends.values())
        return any(cluster not in self._dark for cluster in chain(clusters, self._events, ends))

    @contextlib.contextmanager
    def _light(self, cluster: str) -> Iterator[None]:
        """What there is to say waits where no API server is up; a cluster that has gone wants to hear nothing."""
        try:
            yield
        except UnknownCluster:
            log.debug("%s is gone", cluster)
        except ApiError as error:
            if error.code != 503:
                raise
            self._dark[cluster] = time.monotonic() + DARK_SECONDS

    def _write_some(self) -> None:
        for cluster, reports in self._next_reports().items():
            with self._light(cluster):
                self._write_reports(cluster, reports)
        for cluster in list(self._events):  # at one stroke: others add to them meanwhile
            if cluster in self._dark:
                continue
            with self._light(cluster):
                self._write_events(cluster)
            if self._next_reports():  # what is so comes before what happened on the way: thirty pods may die at once
                break
        self._write_ends()

    def _write_events(self, cluster: str) -> None:
        with self._changed:
            happened = self._events.pop(cluster, [])
        try:
            self._client(cluster).events(happened)
        except (ApiError, DatabaseError) as error:
            if isinstance(error, ApiError) and error.code != 503:
                log.error("%d events in %s are refused: %s", len(happened), cluster, error.message)
                return
            with self._changed:
                self._events[cluster][:0] = happened
            raise

    def _next_reports(self) -> dict[str, list[Report]]:
        """The oldest report of each pod, by cluster. They stay queued until they are written."""
        found: dict[str, list[Report]] = defaultdict(list)
        with self._changed:
            due = (one[0] for one in self._reports.values() if one[0].record.cluster not in self._dark)
            for report in islice(due, MOST_AT_ONCE):
                found[report.record.cluster].append(report)
        return found

    def _write_reports(self, cluster: str, reports: list[Report]) -> None:
        try:
            self._write(cluster, reports)
        except UnknownCluster:
            pass  # and its pods with it
        except ApiError as error:
            if error.code == 503:
                raise  # no API server is up: what there is to say waits for one
            if len(reports) > 1:  # all or nothing: find the one that cannot be
                for report in reports:
                    self._write_reports(cluster, [report])
                return
            if error.code == 409:
                raise  # somebody was faster: the next round reads again
            if error.code != 404:
                log.error("the status of %s is refused: %s", reports[0].record.address, error.message)
        with self._changed:
            for report in reports:
                self._done(report)

    def _done(self, report: Report) -> None:
        waiting = self._reports.get(report.record.uid)
        if waiting and waiting[0] is report:
            waiting.popleft()
        if not waiting:
            self._reports.pop(report.record.uid, None)

    def _write(self, cluster: str, reports: list[Report]) -> None:
        client = self._client(cluster)
        view = client.view()
        puts, told = [], []
        for report in reports:
            _, namespace, name = report.record.address
            current = view.get(PODS.resource, namespace, name)
            if current is None or current["metadata"]["uid"] != report.record.uid:
                continue
            status = overlay(current.get("status", {}), report.status)
            if status != current.get("status"):
                new, why = {**current, "status": copy.deepcopy(status)}, report.occasion.begins(report.why)
                puts.append(Put(PODS, new, "status", why, cause=report.occasion.revision))
                told.append(report.occasion)
        for occasion, stored in zip(told, client.write(puts), strict=True):
            occasion.revision = occasion.revision or int(stored["metadata"]["resourceVersion"])

    def _write_ends(self) -> None:
        """Those of which everything else is written; of each cluster in one transaction."""
        with self._changed:
            due = {
                uid: (record, then)
                for uid, (record, then) in self._ends.items()
                if uid not in self._reports and record.cluster not in self._dark
            }
        gone: dict[str, list[PodRecord]] = defaultdict(list)
        for record, _ in due.values():
            if not record.gone:
                gone[record.cluster].append(record)
        for cluster, records in gone.items():
            with self._light(cluster):
                self._delete(cluster, records)
                for record in records:
                    record.gone = True  # the log will say so too, perhaps when nobody has this record any more
        for uid, (record, then) in due.items():
            if record.gone:
                with self._changed:
                    self._ends.pop(uid, None)
                then()

    def _delete(self, cluster: str, records: list[PodRecord]) -> None:
        causes = {record.uid: record.occasion.revision for record in records}
        try:
            for start in range(0, len(records), MOST_AT_ONCE):
                pods = [record.pod for record in records[start : start + MOST_AT_ONCE]]
                self._client(cluster).delete_these(PODS, pods, grace_seconds=0, causes=causes, why=lambda pod: ENDED)
        except UnknownCluster:
            pass  # and its pods with it
        except ApiError as error:
            if error.code != 404:  # the same
                raise
