"""A drill: one fault for everybody at once, and how long each takes to notice it and to be well again.

What becomes of it stands in the log of each cluster, and is read there: nothing is measured beside it. Noticed is the
first act of a person after the fault; hurt is when a workload that was whole has too few ready pods; well is when all
of them are whole again, by whomever.
"""

import time
from collections.abc import Iterable
from dataclasses import asdict, dataclass
from datetime import timedelta
from pathlib import Path

from django.db import transaction
from django.db.models import Q
from django.utils.timezone import now

from lab import store
from lab.apimachinery.errors import bad_request
from lab.apimachinery.kinds import DEPLOYMENTS, LESSONS, STATEFULSETS
from lab.apimachinery.meta import key_of
from lab.client import Client
from lab.explain.authors import PERSON, part_of
from lab.models import Drill, Seat, Workshop
from lab.store import Compacted, Row, UnknownCluster
from lab.tutorials.acting import do
from lab.tutorials.column import BY_A_PERSON
from lab.tutorials.lesson import Act

from .acts import INSTRUCTOR
from .everybody import FAILURES, with_each

LOST = "orrery/hello:lost"  # an image that nobody has
KEPT = "kept"  # in what a drill holds of a cluster: what came of it there
PAUSE_SECONDS = 5  # within which the same fault is the same press
LONGEST_SECONDS = 30 * 60  # what comes later is not about it any more
WORKLOADS = (DEPLOYMENTS.resource, STATEFULSETS.resource)


@dataclass(frozen=True)
class Fault:
    title: str
    act: Act


FAULTS = {
    "kill": Fault("A process dies", Act("do", "kill", {"of": "pods"})),
    "delete": Fault("A pod is deleted", Act("do", "delete", {"of": "pods"})),
    "dark": Fault("node-b loses its power", Act("do", "power-off", {"name": "node-b"})),
    "cut": Fault("node-c is cut off its network", Act("do", "partition", {"name": "node-c"})),
    "image": Fault("An image that is nowhere is rolled out", Act("do", "image", {"of": "deployments", "image": LOST})),
    "headless": Fault("The control plane goes dark", Act("do", "power-off", {"name": "control-plane-a"})),
}  # fmt: skip


@dataclass(frozen=True)
class Outcome:
    """Seconds after the fault; None: not yet, or never. `failed`: why it could not be done to that cluster."""

    name: str
    noticed: float | None = None
    hurt: float | None = None
    well: float | None = None
    failed: str = ""

    as_dict = asdict


def strike(workshop: Workshop, fault: str) -> str:
    """Do it to every learner's cluster at once. Raises ApiError for a fault that is none, or an empty room."""
    if fault not in FAULTS:
        raise bad_request(f"there is no fault {fault}; there are {', '.join(FAULTS)}")
    if workshop.over:
        raise bad_request("the class is over, and nobody can act: let it go on first")
    seats = list(workshop.taken.order_by("id"))
    if not seats:
        raise bad_request("nobody has joined yet: there is no cluster to do it to")
    drill = _begun(workshop, fault)
    struck = with_each(seats, lambda seat: _strike(seat, fault))
    Drill.objects.filter(pk=drill.pk).update(struck=struck)
    failed = sum("failed" in one for one in struck.values())
    return f"{FAULTS[fault].title}, in {len(seats) - failed} of {len(seats)} clusters."


def _begun(workshop: Workshop, fault: str) -> Drill:
    """Raises ApiError where somebody has just done so: until that is to be seen, the button may be pressed again."""
    with transaction.atomic():
        Workshop.objects.select_for_update().get(pk=workshop.pk)
        if workshop.drills.filter(fault=fault, began__gt=now() - timedelta(seconds=PAUSE_SECONDS)).exists():
            raise bad_request("this has just been done to them all: wait until it is to be seen")
        return Drill.objects.create(workshop=workshop, fault=fault)


def _strike(seat: Seat, fault: str) -> dict:
    """`{"revision", "time"}` from which on it counts, or `{"failed": why}`."""
    try:
        client = Client(seat.cluster, INSTRUCTOR, hardware=True)
        began = {"revision": client.view().revision, "time": time.time()}
        do(client, FAULTS[fault].act, Path())
    except FAILURES as error:
        return {"failed": str(error)}
    return began


def keep(workshop: Workshop) -> None:
    """What its faults came to, before the clusters go whose logs tell it."""
    for drill in workshop.drills.all():
        for seat in workshop.taken.filter(cluster__in=drill.struck):
            found = _outcome(seat, drill.struck[seat.cluster])
            if not found.failed:
                seconds = {"noticed": found.noticed, "hurt": found.hurt, "well": found.well}
                drill.struck[seat.cluster][KEPT] = seconds
        drill.save(update_fields=["struck"])


def outcomes(drill: Drill, seats: Iterable[Seat]) -> list[Outcome]:
    """Of those who were struck, in the order of their seats."""
    return [_outcome(seat, drill.struck[seat.cluster]) for seat in seats if seat.cluster in drill.struck]


def _outcome(seat: Seat, began: dict) -> Outcome:
    if "failed" in began:
        return Outcome(seat.nickname, failed=began["failed"])
    if KEPT in began:
        return Outcome(seat.nickname, **began[KEPT])
    try:
        before = store.state_at(seat.cluster, began["revision"])
        whole = {key_of(obj): is_whole(obj) for resource in WORKLOADS for obj in before.list(resource)}
        wanted = BY_A_PERSON | Q(resource__in=WORKLOADS)
        revisions = store.find(seat.cluster, wanted, began["revision"], store.head_of(seat.cluster).revision)
        rows = list(store.rows_at(seat.cluster, revisions))
    except (Compacted, UnknownCluster):
        return Outcome(seat.nickname, failed="the log does not go back so far any more")
    return judged(seat.nickname, began["time"], whole, rows)


def judged(name: str, began: float, whole: dict[str, bool], rows: Iterable[Row]) -> Outcome:
    """What rows of the log tell. `whole`: of each workload, whether it was so before; one that was not is no measure.
    Pure."""
    noticed = hurt = well = None
    now = {key: True for key, was in whole.items() if was}
    for row in rows:
        after = row.time - began
        if after > LONGEST_SECONDS:
            break
        if noticed is None and is_a_learners(row):
            noticed = after
        key = key_of(row.object)
        if row.resource not in WORKLOADS or key not in now:
            continue
        now[key] = not row.deleted and is_whole(row.object)
        if hurt is None and not now[key]:
            hurt = after
        elif hurt is not None and well is None and all(now.values()):
            well = after
    return Outcome(name, _rounded(noticed), _rounded(hurt), _rounded(well))


def _rounded(seconds: float | None) -> float | None:
    return None if seconds is None else round(seconds, 1)


def is_a_learners(row: Row) -> bool:
    return part_of(row.author) is PERSON and row.author != INSTRUCTOR and row.resource != LESSONS.resource


def is_whole(workload: dict) -> bool:
    """As many pods as asked for, all of the template asked for, all ready: no rollout is under way, or stuck."""
    wanted, status = workload["spec"].get("replicas", 1), workload.get("status", {})
    return all(status.get(word, 0) == wanted for word in ("replicas", "updatedReplicas", "readyReplicas"))
