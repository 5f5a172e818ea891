"""The board of one cluster: its rows, kept up to date change by change. Pure: objects and changes in, deltas out.

What a change touches is looked up in small indexes, so that a change costs the same on a board of ten pods and of ten
thousand. Whatever order changes come in, the rows are those that the same objects give when they are read afresh.
"""

from collections import Counter, defaultdict, deque
from collections.abc import Callable, Collection, Iterable
from functools import partial

from lab.apimachinery import wheels
from lab.apimachinery.controlplane import is_up
from lab.apimachinery.kinds import (
    BY_GVK,
    DEPLOYMENTS,
    ENDPOINTSLICES,
    EVENTS,
    LEASES,
    NODEPOOLS,
    NODES,
    PERSISTENTVOLUMECLAIMS,
    PODS,
    REPLICASETS,
    SERVICES,
    WHEELS,
    Kind,
)
from lab.apimachinery.pods import is_finished
from lab.apimachinery.services import is_api
from lab.client import Change

from .attached import attached
from .deltas import Delta, Way, begun, onward, turns
from .guard import Guard
from .loops import LEFT, LOOPS, describe, is_drawn, left, lit, loop_of, loop_row, work_of
from .noderows import Room, node_row
from .ownership import Ownership
from .rows import WORKLOADS, Row, compact, owner_id, pod_row, requests_of, row_id, seen
from .servicerows import service_row
from .shown import INNER, PART_OF, PLAIN, SHOWN
from .steeringrows import is_over
from .storagerows import claim_row
from .turned import SAYING, held_by, of_loops, of_node, stopped, tended_by
from .whole import LAB, ZONES, lab_row, zone_row
from .workloadrows import workload_row

TAPE = 60  # events on the board's tape, the newest of each
ARE_WORKLOADS = {kind.resource for kind in WORKLOADS}


class Board:
    """Rows by id, and the objects that they are made of."""

    def __init__(self, objects: Iterable[dict] = (), verdicts: dict[str, list[dict]] | None = None):
        self.rows: dict[str, Row] = {row["id"]: row for row in map(loop_row, LOOPS)}
        self._objects: dict[str, dict] = {}  # row id → object, of every kind that is shown
        self._parts: dict[str, set[str]] = defaultdict(set)  # id of a row → ids of what belongs to it, see PART_OF
        self._room = Room()
        self._guard = Guard()
        self._owned = Ownership(self._objects, self._mark)
        self._tape: deque[str] = deque()
        self._dirty: dict[str, None] = {LAB: None}  # ordered, so that rows come out in the order in which they changed
        self._verdicts: dict[str, list[dict]] = dict(verdicts or {})
        self._ways: dict[str, Way] = {}  # id of a pod → its way to being ready
        self._modes: dict[str, str] = {}  # name of a wheel that does not run → how it turns
        self._work: Counter[tuple[str, str]] = Counter()  # author, what → how much its loop has before it
        self._load(objects)

    def _load(self, objects: Iterable[dict]) -> None:
        """Owners first; of the events those that were seen last, in that order."""
        shown: dict[str, list[dict]] = {resource: [] for resource in SHOWN}
        for obj in objects:
            kind = BY_GVK.get((obj["apiVersion"], obj["kind"]))
            if kind and kind.resource in shown:
                shown[kind.resource].append(obj)
        for resource, objs in shown.items():
            objs.sort(key=seen)
            for obj in objs[-TAPE:] if resource == EVENTS.resource else objs:
                self._safely(row_id(resource, obj), obj, partial(self._put, resource, obj))
        self._flush(Delta())

    def apply(self, changes: list[Change], verdicts: dict[str, list[dict]] | None = None) -> Delta:
        """Take changes of the log in; what that changed on the board.

        `verdicts`: id of a pod → the scheduler's verdict on each node, for pods it could not place or placed just now.
        """
        delta = Delta()
        self._verdicts.update(verdicts or {})
        acted: dict[str, list[Change]] = defaultdict(list)
        for change in changes:
            acted[loop_of(change)].append(change)
            if change.resource in SHOWN:
                self._safely(row_id(change.resource, change.object), change.object, partial(self._take, change, delta))
        self._flush(delta)
        acted.pop("", None)
        for author, done in acted.items():
            acts = self.rows.get(f"loops/{author}", {}).get("acts", 0) + len(done)
            text = self._guard.made(f"loops/{author}", done[-1].object, partial(describe, done)) or ""
            self._turn(author, delta, acts=acts, at=done[-1].time, text=text, lit=lit(done))
        return delta

    def _safely(self, id_: str, obj: dict, take: Callable[[], bool]) -> None:
        """Take an object in; of one that cannot be, nothing is left that others would count on."""
        if not self._guard.made(id_, obj, take):
            self._release(id_)
            self._objects.pop(id_, None)
            self._mark(id_)

    def _turn(self, author: str, delta: Delta, **news: object) -> None:
        """What is new of a loop, if it is drawn."""
        row = loop_row(author, self.rows.get(f"loops/{author}"), **news)
        if is_drawn(row):
            delta.upserts[row["id"]] = self.rows[row["id"]] = row
        elif self.rows.pop(row["id"], None):
            delta.removes.add(row["id"])

    def _take(self, change: Change, delta: Delta) -> bool:
        id_ = row_id(change.resource, change.object)
        if change.deleted:
            self._drop(change.resource, id_)
        else:
            self._put(change.resource, change.object)
        is_there = change.resource == PODS.resource and not change.deleted
        if is_there and (row := self._guard.made(id_, change.object, partial(self._pod, id_))):
            delta.phases.setdefault(id_, []).append((row["state"], change.time))
            known = None if change.created else self._ways.get(id_) or begun(self.rows.get(id_))
            self._ways[id_] = onward(known, row["state"], change.time)
        return True

    # What an object's change makes dirty, kind by kind.

    def _put(self, resource: str, obj: dict) -> bool:
        id_ = row_id(resource, obj)
        known = self._objects.get(id_)
        if known is not None and known["metadata"].get("uid") != obj["metadata"].get("uid"):
            self._drop(resource, id_)
        self._objects[id_] = obj
        self._mark(id_)
        if resource == PODS.resource:
            self._put_pod(id_, obj, known)
        elif resource in ARE_WORKLOADS:
            self._owned.put_workload(id_, obj, known)
        elif resource == EVENTS.resource:
            self._put_event(id_)
        elif resource == WHEELS.resource:
            self._put_wheel(obj)
        elif resource == NODEPOOLS.resource and known is None:
            self._mark_all(SAYING)
        if resource in PART_OF:
            self._join(id_, PART_OF[resource](obj), PART_OF[resource](known) if known else ())
        if resource == SERVICES.resource and (known is None or known["spec"] != obj["spec"]):
            self._mark_all((DEPLOYMENTS.resource,))
        return True

    def _join(self, id_: str, wholes: Iterable[str], before: Iterable[str]) -> None:
        """What it belongs to now, and what it belonged to: their rows tell of it."""
        for whole in before:
            self._parts[whole].discard(id_)
            self._mark(whole)
        for whole in wholes:
            self._parts[whole].add(id_)
            self._mark(whole)

    def _put_pod(self, id_: str, pod: dict, known: dict | None) -> None:
        self._release(id_)
        if (node := pod["spec"].get("nodeName")) and not is_finished(pod):
            place = f"{NODES.resource}/{node}"
            self._room.take(id_, place, requests_of(pod))
            self._mark(place)
        self._owned.put_pod(id_, pod, known)

    def _put_event(self, id_: str) -> None:
        if id_ in self._tape:
            self._tape.remove(id_)
        self._tape.append(id_)
        while len(self._tape) > TAPE:
            oldest = self._tape.popleft()
            self._objects.pop(oldest, None)
            self._mark(oldest)

    def _put_wheel(self, wheel: dict, dropped: bool = False) -> None:
        name = wheel["metadata"]["name"]
        if words := wheels.read(name, None if dropped else wheel).said:
            self._modes[name] = words
        else:
            self._modes.pop(name, None)
        self._mark(LAB)
        self._mark_all(SAYING)

    def _drop(self, resource: str, id_: str) -> None:
        obj = self._objects.get(id_)
        self._mark(id_)
        self._guard.forget(id_)
        if obj is None:
            return
        if resource == PODS.resource:
            self._release(id_)
            self._verdicts.pop(id_, None)
            self._ways.pop(id_, None)
            self._owned.drop_pod(id_, obj)
        elif resource in ARE_WORKLOADS:
            self._owned.drop_workload(id_, obj)
        elif resource == WHEELS.resource:
            self._put_wheel(obj, dropped=True)
        elif resource == NODEPOOLS.resource:
            self._mark_all(SAYING)
        elif resource == EVENTS.resource and id_ in self._tape:
            self._tape.remove(id_)
        if resource in PART_OF:
            self._join(id_, (), PART_OF[resource](obj))
        if resource == SERVICES.resource:
            self._mark_all((DEPLOYMENTS.resource,))
        del self._objects[id_]

    def _release(self, id_: str) -> None:
        """Give back what a pod held of its node."""
        if place := self._room.give_back(id_):
            self._mark(place)

    def _mark(self, id_: str) -> None:
        self._dirty[id_] = None

    def _mark_all(self, resources: Collection[str]) -> None:
        """For what changes seldom: services, of which cards tell; wheels and pools, for whose turn things wait."""
        for id_ in self._objects:
            if id_.partition("/")[0] in resources:
                self._mark(id_)

    # Rows anew.

    def _pod(self, id_: str) -> Row:
        pod = self._objects[id_]
        row = pod_row(pod, *(self._objects[owner] for owner in self._owned.owners_of(pod) if owner in self._objects))
        if verdicts := self._verdicts.get(id_):
            row["verdicts"] = verdicts
        if (way := self._ways.get(id_)) and way.said:
            row["took"] = way.said
        return row

    def _row(self, id_: str) -> Row | None:
        obj = self._objects.get(id_)
        resource = id_.partition("/")[0]
        if resource == ZONES:
            nodes = self._parts_of(id_, NODES)
            return zone_row(id_, nodes) if nodes else None
        if resource == LAB:
            row = lab_row(self._objects[node] for node in self._parts[LAB] if node in self._objects)
            return row | compact({"stopped": stopped(self._modes)})
        if obj is None or resource in INNER or resource == REPLICASETS.resource and owner_id(obj):
            return None
        if resource in PLAIN:
            plain = PLAIN[resource](obj)
            return plain and plain | compact({"held": tended_by(resource, self._modes)})
        if resource == SERVICES.resource:
            turns = self._modes.get("endpointslice", "")
            return None if is_api(obj) else service_row(obj, self._parts_of(id_, ENDPOINTSLICES), turns)
        if resource == PERSISTENTVOLUMECLAIMS.resource:
            return claim_row(obj, self._parts_of(id_, PODS))
        if resource == PODS.resource:
            return self._pod(id_)
        if resource == NODES.resource:
            held = self._parts_of(id_, LEASES) if is_up(obj) else ()  # a dead one's Lease stands until it runs out
            leads = [lease["metadata"]["name"].removeprefix("kube-") for lease in held]
            return node_row(obj, *self._room.of(id_), leads, of_node(obj, self._modes))
        pods = [self.rows[pod] for pod in self._owned.pods_of(id_) if pod in self.rows]
        row = workload_row(obj, self._owned.made_by(id_), pods) | attached(obj, id_, self._parts_of)
        pools, release = bool(self._parts[NODEPOOLS.resource]), self._objects.get(row.get("release", ""))
        over = release is not None and is_over(release)
        return row | compact({"held": held_by(row, obj, pods, self._modes, pools, over)})

    def _parts_of(self, id_: str, kind: Kind) -> list[dict]:
        """What belongs to a row, of one kind, oldest first."""
        ids = [part for part in self._parts[id_] if part.startswith(f"{kind.resource}/")]
        return sorted(
            (self._objects[part] for part in ids if part in self._objects),
            key=lambda obj: (seen(obj), obj["metadata"]["name"]),
        )

    def _flush(self, delta: Delta) -> None:
        """Make the dirty rows anew, pods before the workloads that count them; what differs goes into the delta."""
        work = {author: left(author, self._work) for author in LEFT}
        for id_ in sorted(self._dirty, key=lambda id_: (not id_.startswith("pods/"), id_)):
            before, row = self.rows.get(id_), self._guard.made(id_, self._objects.get(id_), partial(self._row, id_))
            self._work.subtract(work_of(before) if before else {})
            self._work.update(work_of(row) if row else {})
            if row is None:
                if self.rows.pop(id_, None):
                    delta.removes.add(id_)
            elif row != before:
                self.rows[id_] = delta.upserts[id_] = row
            if id_ in delta.phases:
                delta.phases[id_] = turns(before, delta.phases[id_]) if row else []
        delta.phases = {id_: phases for id_, phases in delta.phases.items() if phases}
        self._dirty.clear()
        for author, said in work.items():
            if (words := left(author, self._work)) != said:
                self._turn(author, delta, queue=words)
        for author, mode in of_loops(self._modes).items():
            if mode != self.rows.get(f"loops/{author}", {}).get("mode", ""):
                self._turn(author, delta, mode=mode)
